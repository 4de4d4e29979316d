//! Which approvals of a policy count for a stage of ours: those of its stages up to the one that the stage file names.
//! It sends no request.

use domino_core::api::governance::{Approval, Policy};
use domino_core::error::CommandError;
use domino_core::step::StepContext;
use stage_file::{Evidence, Stage, nearest};

/// Whether the stage file says something for which the policy must be known whole.
pub(crate) fn is_asked_for(stage: &Stage) -> bool {
    stage.gates.policy_stage.is_some() || stage.gates.evidence != Evidence::default()
}

/// Refuses the name of a policy stage that there is not.
pub(crate) fn check(context: &StepContext, policy: Option<&Policy>) -> Result<(), CommandError> {
    let stage = &context.stage;
    let (Some(wanted), Some(policy)) = (&stage.gates.policy_stage, policy) else {
        return Ok(());
    };
    let names = || policy.stages.iter().map(|stage| stage.name.as_str());
    if names().any(|name| name == wanted) {
        return Ok(());
    }
    let hint = match nearest(wanted, names()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => {
            let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            format!("its stages are {}", names.join(", "))
        }
    };
    let key = ["stage", stage.name.as_str(), "gates", "policy-stage"];
    Err(
        CommandError::refused(format!("policy `{}` has no stage `{wanted}`", policy.name))
            .hint(hint)
            .at(&context.file, &key),
    )
}

/// The approvals that count, and those of later policy stages.
pub(crate) fn counted(
    stage: &Stage,
    policy: Option<&Policy>,
    approvals: Vec<Approval>,
) -> (Vec<Approval>, Vec<Approval>) {
    let (Some(wanted), Some(policy)) = (&stage.gates.policy_stage, policy) else {
        return (approvals, Vec::new());
    };
    let last = policy.stages.iter().position(|stage| stage.name == *wanted);
    let later = policy.stages.iter().skip(last.map_or(0, |last| last + 1));
    let later: Vec<_> = later.flat_map(|stage| &stage.approvals).collect();
    // An approval that names none of the policy's own counts: nothing says that it may come later.
    approvals.into_iter().partition(|approval| {
        !later
            .iter()
            .any(|later| approval.stage_approval_id.as_ref() == Some(&later.id))
    })
}
