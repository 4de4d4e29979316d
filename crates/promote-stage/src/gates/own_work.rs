//! Who trained a version must be known where people approve it: otherwise nobody could be kept from approving their
//! own work. The gates that require an approval decide whose counts.

use stage_file::{DominoApproval, SelfApproval};

use super::result::{GateReport, GateResult};
use crate::candidate::Candidate;

/// The name of this gate.
const GATE: &str = "own work";

/// Closed if nothing says who trained the version, and the stage requires an approval that tells who gave it.
pub(crate) fn evaluate(candidate: &Candidate<'_>) -> GateReport {
    let stage = candidate.target.stage;
    let gates = &stage.gates;
    let asks = gates.github_approval || gates.domino_approval == DominoApproval::Governance;
    if !asks || !candidate.people.trainers_are_unreported() {
        return GateReport::default();
    }
    let why = match &candidate.run_trouble {
        Some(trouble) => trouble.clone(),
        None => {
            "neither the version nor its run has a tag `mlflow.domino.user` or `mlflow.user`".into()
        }
    };
    let reason = format!(
        "who trained version {} is not known, so that nobody could be kept from approving their own work: {why}",
        candidate.number()
    );
    match stage.self_approval {
        SelfApproval::Warn => GateReport {
            remarks: vec![reason],
            ..GateReport::default()
        },
        SelfApproval::Refuse => GateResult::never(GATE, reason)
            .hint(
                "register a version from a run, or write who trained this one into its tag `mlflow.user`; \
                 `self-approval = \"warn\"` of the stage lets it pass",
            )
            .into(),
    }
}
