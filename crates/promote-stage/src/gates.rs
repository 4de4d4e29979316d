//! The gates of a stage: each is asked, and says whether it lets a version in, not yet, or not at all, and why.
//!
//! A gate that cannot be asked does not hold. Nothing here changes anything.

pub(crate) mod github;
pub(crate) mod governance;
pub(crate) mod metrics;
pub(crate) mod review;
pub(crate) mod soak;

use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Plan, StepContext, Table};
use stage_file::{DominoApproval, Gates};

use crate::candidate::Candidate;

/// What one gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GateResult {
    /// The gate, as people call it.
    pub(crate) gate: &'static str,
    pub(crate) verdict: Verdict,
    /// Why, in words.
    pub(crate) says: String,
    /// What could be done about it.
    pub(crate) hint: Option<String>,
}

/// Whether a gate lets a version in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does.
    Holds,
    /// It may later, by itself or when somebody agrees.
    NotYet,
    /// It does not, and waiting changes nothing.
    Never,
}

/// What all gates of a stage say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GateReport {
    pub(crate) gates: Vec<GateResult>,
    /// Who approved, each with where.
    pub(crate) approved_by: Vec<String>,
    /// What was approved.
    pub(crate) request_id: Option<String>,
    /// What a reader must not miss.
    pub(crate) remarks: Vec<String>,
}

impl GateResult {
    /// A gate that lets the version in.
    pub(crate) fn holds(gate: &'static str, says: impl Into<String>) -> Self {
        Self::new(gate, Verdict::Holds, says)
    }

    /// A gate that may let the version in later.
    pub(crate) fn not_yet(gate: &'static str, says: impl Into<String>) -> Self {
        Self::new(gate, Verdict::NotYet, says)
    }

    /// A gate that does not let the version in.
    pub(crate) fn never(gate: &'static str, says: impl Into<String>) -> Self {
        Self::new(gate, Verdict::Never, says)
    }

    fn new(gate: &'static str, verdict: Verdict, says: impl Into<String>) -> Self {
        Self {
            gate,
            verdict,
            says: says.into(),
            hint: None,
        }
    }

    /// With what could be done about it.
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

/// What one gate brings to the whole.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) gates: Vec<GateResult>,
    pub(crate) approved_by: Vec<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) remarks: Vec<String>,
}

impl From<GateResult> for Answer {
    fn from(judged: GateResult) -> Self {
        Self {
            gates: vec![judged],
            ..Self::default()
        }
    }
}

impl GateReport {
    /// Asks every gate of the stage, those that must be asked over the network side by side.
    pub(crate) async fn of(context: &StepContext, candidate: &Candidate<'_>) -> Result<Self> {
        let gates = &candidate.place.stage.gates;
        let domino = async {
            match gates.domino_approval {
                DominoApproval::Governance => governance::judge(context, candidate).await,
                DominoApproval::Review => review::judge(context, candidate).await,
                DominoApproval::None => Ok(Answer::default()),
            }
        };
        let github = async {
            match gates.github_approval {
                true => github::judge(context, candidate).await,
                false => Ok(Answer::default()),
            }
        };
        let (domino, github) = tokio::try_join!(domino, github)?;
        let mut judgement = Self {
            gates: metrics::judge(candidate),
            ..Self::default()
        };
        judgement
            .gates
            .extend(soak::judge(candidate, gates.soak_time()));
        for answer in [domino, github] {
            judgement.gates.extend(answer.gates);
            judgement.approved_by.extend(answer.approved_by);
            judgement.request_id = judgement.request_id.or(answer.request_id);
            judgement.remarks.extend(answer.remarks);
        }
        if !judgement.approved_by.is_empty() && candidate.people.trainers_are_unknown() {
            judgement.remarks.push(format!(
                "who trained version {} is not known, so that nobody could be kept from approving their own work",
                candidate.number()
            ));
        }
        Ok(judgement)
    }

    /// Whether every gate lets the version in.
    pub(crate) fn all_hold(&self) -> bool {
        self.closed().next().is_none()
    }

    /// Whether waiting can help.
    pub(crate) fn may_still_open(&self) -> bool {
        self.gates
            .iter()
            .all(|judged| judged.verdict != Verdict::Never)
    }

    /// What is waited for, in words.
    pub(crate) fn waits_for(&self) -> String {
        let waits: Vec<&str> = self.closed().map(|judged| judged.says.as_str()).collect();
        waits.join("; ")
    }

    fn closed(&self) -> impl Iterator<Item = &GateResult> {
        self.gates
            .iter()
            .filter(|judged| judged.verdict != Verdict::Holds)
    }

    /// Adds what each gate says to a plan.
    pub(crate) fn describe(&self, plan: &mut Plan) {
        for judged in &self.gates {
            plan.fact(
                judged.gate,
                format!("{}: {}", judged.verdict.word(), judged.says),
            );
        }
    }

    /// What each gate says, as a table.
    pub(crate) fn table(&self) -> Table {
        Table {
            columns: vec!["gate", "holds", "why"],
            rows: self
                .gates
                .iter()
                .map(|judged| {
                    vec![
                        judged.gate.to_owned(),
                        judged.verdict.word().to_owned(),
                        judged.says.clone(),
                    ]
                })
                .collect(),
        }
    }

    /// The error that lists the gates that do not let the version in.
    pub(crate) fn refusal(&self, context: &StepContext, candidate: &Candidate<'_>) -> CommandError {
        let stage = &candidate.place.stage.name;
        let said = self
            .closed()
            .map(|judged| format!("{}: {}", judged.gate, judged.says));
        let failure = CommandError::new(
            Exit::NotApproved,
            format!(
                "version {} of `{}` may not enter stage `{stage}`: {} of {} gates hold",
                candidate.number(),
                candidate.place.name,
                self.gates.len() - self.closed().count(),
                self.gates.len()
            ),
        )
        .hint(self.hint())
        .at(&context.file, &self.key(candidate));
        // The causes are listed innermost last.
        let mut causes: Vec<String> = said.collect();
        let mut error = match causes.pop() {
            Some(last) => CommandError::message(last),
            None => return failure,
        };
        while let Some(cause) = causes.pop() {
            error = error.context(cause);
        }
        error.context(failure)
    }

    /// What to do: about a gate that never opens first, because the others wait for nothing then.
    fn hint(&self) -> &str {
        let never = self
            .closed()
            .find(|judged| judged.verdict == Verdict::Never);
        match never {
            Some(judged) => judged.hint.as_deref().unwrap_or("waiting does not help"),
            None => "run this again when they do, or wait for them with `--wait`",
        }
    }

    /// The key of the stage file that decides.
    fn key<'a>(&self, candidate: &'a Candidate<'_>) -> Vec<&'a str> {
        let metrics = self.closed().any(|judged| judged.gate == metrics::GATE);
        match metrics {
            true => candidate.place.metric_rules_key.clone(),
            false => vec!["stage", &candidate.place.stage.name, "gates"],
        }
    }
}

/// Whether a stage has any gate at all.
pub(crate) fn has_none(gates: &Gates) -> bool {
    *gates == Gates::default()
}
