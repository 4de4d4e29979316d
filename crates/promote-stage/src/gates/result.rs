//! The result of one gate for a version, and of all gates together.

use domino_core::step::{Plan, Table};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GateResult {
    /// The gate's name.
    pub(crate) gate: &'static str,
    pub(crate) verdict: Verdict,
    /// Why it holds or does not hold.
    pub(crate) reason: String,
    /// What can be done about it.
    pub(crate) hint: Option<String>,
}

/// Whether a gate admits a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It admits the version.
    Holds,
    /// It may admit it later, by itself or when somebody agrees.
    NotYet,
    /// It does not admit it, and waiting changes nothing.
    Never,
}

/// The results of all gates of a stage, or of a part of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GateReport {
    pub(crate) gates: Vec<GateResult>,
    /// Who approved, each with the place.
    pub(crate) approved_by: Vec<String>,
    /// The request that was approved.
    pub(crate) request_id: Option<String>,
    /// What a reader must not miss.
    pub(crate) remarks: Vec<String>,
}

impl GateResult {
    /// A gate that admits the version.
    pub(crate) fn holds(gate: &'static str, reason: impl Into<String>) -> Self {
        Self::new(gate, Verdict::Holds, reason)
    }

    /// A gate that may admit the version later.
    pub(crate) fn not_yet(gate: &'static str, reason: impl Into<String>) -> Self {
        Self::new(gate, Verdict::NotYet, reason)
    }

    /// A gate that does not admit the version.
    pub(crate) fn never(gate: &'static str, reason: impl Into<String>) -> Self {
        Self::new(gate, Verdict::Never, reason)
    }

    fn new(gate: &'static str, verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            gate,
            verdict,
            reason: reason.into(),
            hint: None,
        }
    }

    /// Adds what can be done about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Verdict {
    /// The word in a table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::NotYet => "not yet",
            Self::Never => "no",
        }
    }
}

impl From<GateResult> for GateReport {
    fn from(result: GateResult) -> Self {
        Self {
            gates: vec![result],
            ..Self::default()
        }
    }
}

impl GateReport {
    /// Adds the results of another part.
    pub(crate) fn extend(&mut self, other: Self) {
        self.gates.extend(other.gates);
        self.approved_by.extend(other.approved_by);
        self.request_id = self.request_id.take().or(other.request_id);
        self.remarks.extend(other.remarks);
    }

    /// Whether every gate admits the version.
    pub(crate) fn all_hold(&self) -> bool {
        self.closed().next().is_none()
    }

    /// Whether waiting can help.
    pub(crate) fn may_still_open(&self) -> bool {
        self.gates
            .iter()
            .all(|result| result.verdict != Verdict::Never)
    }

    /// What is waited for, in words.
    pub(crate) fn waits_for(&self) -> String {
        let waits: Vec<&str> = self.closed().map(|result| result.reason.as_str()).collect();
        waits.join("; ")
    }

    /// The gates that do not admit the version.
    pub(crate) fn closed(&self) -> impl Iterator<Item = &GateResult> {
        self.gates
            .iter()
            .filter(|result| result.verdict != Verdict::Holds)
    }

    /// Adds each gate's result to a plan.
    pub(crate) fn describe(&self, plan: &mut Plan) {
        for result in &self.gates {
            plan.fact(
                result.gate,
                format!("{}: {}", result.verdict.word(), result.reason),
            );
        }
    }

    /// Each gate's result, as a table.
    pub(crate) fn table(&self) -> Table {
        Table {
            columns: vec!["gate", "holds", "why"],
            rows: self
                .gates
                .iter()
                .map(|result| {
                    vec![
                        result.gate.to_owned(),
                        result.verdict.word().to_owned(),
                        result.reason.clone(),
                    ]
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(gates: &[GateResult]) -> GateReport {
        GateReport {
            gates: gates.to_vec(),
            ..GateReport::default()
        }
    }

    #[test]
    fn a_report_lets_in_what_every_gate_lets_in() {
        let holds = GateResult::holds("a", "fine");
        let not_yet = GateResult::not_yet("b", "nobody has asked");
        let never = GateResult::never("c", "too bad").hint("train it again");
        for (gates, all_hold, may_still_open, waits_for) in [
            (vec![], true, true, ""),
            (vec![&holds], true, true, ""),
            (vec![&holds, &not_yet], false, true, "nobody has asked"),
            (
                vec![&never, &not_yet],
                false,
                false,
                "too bad; nobody has asked",
            ),
        ] {
            let gates: Vec<GateResult> = gates.into_iter().cloned().collect();
            let report = report(&gates);
            assert_eq!(report.all_hold(), all_hold, "{gates:?}");
            assert_eq!(report.may_still_open(), may_still_open, "{gates:?}");
            assert_eq!(report.waits_for(), waits_for);
            assert_eq!(
                report.closed().count(),
                gates.iter().filter(|gate| **gate != holds).count()
            );
        }
        let report = report(&[holds, not_yet, never]);
        let words = [
            ["a", "holds", "fine"],
            ["b", "not yet", "nobody has asked"],
            ["c", "no", "too bad"],
        ];
        assert_eq!(report.table().rows, words);
        let mut plan = Plan::new("promote");
        report.describe(&mut plan);
        let facts: Vec<(&str, &str)> = plan
            .facts
            .iter()
            .map(|fact| (fact.name, fact.value.as_str()))
            .collect();
        assert_eq!(facts[1], ("b", "not yet: nobody has asked"));
        assert_eq!(facts.len(), 3);
    }

    #[test]
    fn what_another_part_found_is_added() {
        let part = |gate, request: Option<&str>| GateReport {
            gates: vec![GateResult::holds(gate, "fine")],
            approved_by: vec![format!("ann by {gate}")],
            request_id: request.map(str::to_owned),
            remarks: vec![format!("of {gate}")],
        };
        let mut report = part("a", None);
        report.extend(part("b", Some("b1")));
        report.extend(part("c", Some("77")));
        let gates: Vec<&str> = report.gates.iter().map(|result| result.gate).collect();
        assert_eq!(gates, ["a", "b", "c"]);
        assert_eq!(report.approved_by, ["ann by a", "ann by b", "ann by c"]);
        assert_eq!(report.remarks, ["of a", "of b", "of c"]);
        // The first request is the one that was approved.
        assert_eq!(report.request_id.as_deref(), Some("b1"));
    }
}
