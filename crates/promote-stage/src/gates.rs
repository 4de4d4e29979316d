//! The gates of a stage: whether each admits a version, may admit it later, or never will, and why.
//!
//! A gate that cannot be evaluated does not hold. Nothing here changes anything.

pub(crate) mod github;
pub(crate) mod governance;
pub(crate) mod metrics;
pub(crate) mod own_work;
pub(crate) mod policy_stage;
pub(crate) mod result;
pub(crate) mod review;
pub(crate) mod soak;

use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::StepContext;
use stage_file::{DominoApproval, Gates};

use crate::candidate::Candidate;
use crate::gates::result::{GateReport, Verdict};

/// Evaluates every gate of the stage; those that need the network run side by side.
pub(crate) async fn evaluate(
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> Result<GateReport> {
    let gates = &candidate.target.stage.gates;
    let domino = async {
        match gates.domino_approval {
            DominoApproval::Governance => governance::evaluate(context, candidate).await,
            DominoApproval::Review => review::evaluate(context, candidate).await,
            DominoApproval::None => Ok(GateReport::default()),
        }
    };
    let github = async {
        match gates.github_approval {
            true => github::evaluate(context, candidate).await,
            false => Ok(GateReport::default()),
        }
    };
    let (domino, github) = tokio::try_join!(domino, github)?;
    let mut report = GateReport {
        gates: metrics::evaluate(candidate),
        remarks: metrics::remarks(candidate),
        ..GateReport::default()
    };
    let soak = soak::evaluate(candidate, gates.soak_time());
    report.gates.extend(soak);
    report.extend(own_work::evaluate(candidate));
    report.extend(domino);
    report.extend(github);
    Ok(report)
}

/// The error that lists the gates that do not admit the version.
pub(crate) fn refusal(
    report: &GateReport,
    context: &StepContext,
    candidate: &Candidate<'_>,
) -> CommandError {
    let stage = &candidate.target.stage.name;
    let closed = report.closed().count();
    let refusal = CommandError::new(
        Exit::NotApproved,
        format!(
            "version {} of `{}` may not enter stage `{stage}`: {} of {} gates hold",
            candidate.number(),
            candidate.target.name,
            report.gates.len() - closed,
            report.gates.len()
        ),
    )
    .hint(hint(report))
    .at(&context.file, &key(report, candidate));
    // The innermost cause comes last.
    let mut causes: Vec<String> = report
        .closed()
        .map(|result| format!("{}: {}", result.gate, result.reason))
        .collect();
    let Some(innermost) = causes.pop() else {
        return refusal;
    };
    let mut inner = CommandError::message(innermost);
    while let Some(cause) = causes.pop() {
        inner = inner.context(cause);
    }
    inner.context(refusal)
}

/// What to do next. A gate that never opens comes first, because waiting for the others would be useless.
fn hint(report: &GateReport) -> &str {
    let never = report
        .closed()
        .find(|result| result.verdict == Verdict::Never);
    match never {
        Some(result) => result.hint.as_deref().unwrap_or("waiting does not help"),
        None => "run this again when they do, or wait for them with `--wait`",
    }
}

/// The key of the stage file that decides.
fn key<'a>(report: &GateReport, candidate: &'a Candidate<'_>) -> Vec<&'a str> {
    let metrics = report.closed().any(|result| result.gate == metrics::GATE);
    match metrics {
        true => candidate.target.metric_rules_key.clone(),
        false => vec!["stage", &candidate.target.stage.name, "gates"],
    }
}

/// Whether a stage has no gate at all.
pub(crate) fn has_none(gates: &Gates) -> bool {
    *gates == Gates::default()
}

#[cfg(test)]
mod tests;
