//! The governance bundle of a request: created unless it exists, and its approvals requested.

use std::time::Duration;

use domino_core::api::governance::{
    Approval, ApprovalEvent, ApprovalEventType, ApprovalStatus, Bundle, NewBundle, Policy,
    PolicyStage,
};
use domino_core::client::{Reader, Writer, write_once};
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::step::{Step, StepContext};
use domino_core::wait::Poll;

use super::evidence::{self, Evidence};
use crate::candidate::Candidate;
use crate::gates::governance::{Governed, bundle_name};
use crate::gates::policy_stage;
use crate::registry_writer::RegistryWriter;
use crate::request_note::RequestNote;
use crate::target::PromotionTarget;

/// How long it may take until a new bundle lists the approvals that it needs.
const UNTIL_APPROVALS: Duration = Duration::from_secs(10);

/// Creates the bundle unless it exists, and requests its approvals.
pub(crate) async fn submit(
    step: &mut Step,
    context: &StepContext,
    candidate: &Candidate<'_>,
    governed: &Governed,
    given: &Evidence,
) -> Result<String> {
    let writer = &context.connection.writer();
    let reader = writer.reader();
    let policy = match &governed.whole {
        Some(policy) => Some(policy.clone()),
        None => reader.policy(&governed.policy.id).await?,
    };
    let bundle = match &governed.request {
        Some(request) => request.bundle.clone(),
        None => create(writer, candidate, governed).await?,
    };
    report(step, &bundle);
    // Before anybody is asked, so that a rerun writes it if this one cannot.
    note(step, context, candidate, &bundle).await?;
    if let Some(file) = &given.file {
        let project = &candidate.project.id;
        file.attach(step, writer, project, &bundle).await?;
    }
    evidence::submit(step, writer, governed, &bundle, &given.answers).await?;
    let approvals = listed_approvals(&reader, &bundle, governed).await?;
    let stage = &context.stage;
    let (approvals, _) = policy_stage::counted(stage, policy.as_ref(), approvals);
    let mut approvers: Vec<String> = Vec::new();
    for approval in next_to_submit(&approvals, policy.as_ref()) {
        ask_for(writer, candidate, governed, &bundle, approval)
            .await
            .with_context(|| format!("approval `{}` could not be asked for", approval.name))?;
        for approver in &approval.approvers {
            let name = format!("`{}`", approver.name);
            if !approvers.contains(&name) {
                approvers.push(name);
            }
        }
    }
    let whom = match approvers.is_empty() {
        true => "its reviewers".into(),
        false => approvers.join(", "),
    };
    Ok(format!(
        "bundle `{}` of policy `{}` waits for {whom}",
        bundle.name, governed.policy.name
    ))
}

/// Records at the version that the bundle is for it, and not for another version of its name and number.
async fn note(
    step: &mut Step,
    context: &StepContext,
    candidate: &Candidate<'_>,
    bundle: &Bundle,
) -> Result<()> {
    let tracking = PromotionTarget::tracking(context)?.writer();
    let registry = RegistryWriter::of(&tracking, &candidate.registry, context);
    let key = RequestNote::key(&candidate.target.stage.name);
    let value = RequestNote::value(bundle, &candidate.version)?;
    if candidate.version.tags.get(&key) == Some(&value) {
        return Ok(());
    }
    let noted = registry.set_tag(candidate.number(), &key, &value).await;
    for lack in registry.missing_features() {
        step.warn(&lack, None);
    }
    noted.context("nobody was asked: for which version the bundle is could not be noted at it")
}

/// Reports the bundle that holds the request.
pub(crate) fn report(step: &mut Step, bundle: &Bundle) {
    step.report
        .output("request-id", bundle.id.as_str())
        .fact("bundle", format!("{} ({})", bundle.name, bundle.id));
}

/// The approvals that the policy asks for. A new bundle may not list them at once.
async fn listed_approvals(
    reader: &Reader,
    bundle: &Bundle,
    governed: &Governed,
) -> Result<Vec<Approval>> {
    let delay_scale = reader.delay_scale();
    let mut poll = Poll::until(UNTIL_APPROVALS.mul_f64(delay_scale.min(1.0)), delay_scale);
    loop {
        let mut approvals = reader.bundle_approvals(&bundle.id).await?;
        approvals.retain(|approval| {
            let policy = &governed.policy.id;
            approval.policy_id.as_ref().is_none_or(|id| id == policy)
        });
        if !approvals.is_empty() {
            return Ok(approvals);
        }
        if !poll.next().await {
            return Err(CommandError::refused(format!(
                "policy `{}` asks for no approval, so that nobody can give one",
                governed.policy.name
            ))
            .hint(
                "add an approval to the policy in Domino, or name another policy in stages.toml",
            ));
        }
    }
}

async fn ask_for(
    writer: &Writer,
    candidate: &Candidate<'_>,
    governed: &Governed,
    bundle: &Bundle,
    approval: &Approval,
) -> Result<()> {
    let reader = writer.reader();
    let event = ApprovalEvent {
        bundle_id: bundle.id.clone(),
        policy_id: governed.policy.id.clone(),
        project_id: candidate.project.id.clone(),
        event_type: ApprovalEventType::RequestSubmitted,
        approval_id: approval.id.clone(),
        stage_approval_id: approval.stage_approval_id.clone(),
    };
    write_once(
        reader.delay_scale(),
        async || writer.publish_approval_event(&event).await,
        async || {
            let all = reader.bundle_approvals(&bundle.id).await?;
            Ok(all.into_iter().find(|known| {
                known.id == approval.id && known.status != ApprovalStatus::PendingSubmission
            }))
        },
    )
    .await?;
    Ok(())
}

/// The approvals to request now. A policy that enforces the order of its stages accepts them one stage after the
/// other.
fn next_to_submit<'a>(approvals: &'a [Approval], policy: Option<&Policy>) -> Vec<&'a Approval> {
    let pending: Vec<&Approval> = approvals
        .iter()
        .filter(|approval| approval.status == ApprovalStatus::PendingSubmission)
        .collect();
    let Some(policy) = policy.filter(|policy| policy.enforce_sequential_order) else {
        return pending;
    };
    let given = |approval: &Approval| approval.status.is_given();
    let of_stage = |approval: &Approval, stage: &PolicyStage| {
        let ids = stage.approvals.iter().map(|wanted| &wanted.id);
        ids.clone()
            .any(|id| approval.stage_approval_id.as_ref() == Some(id))
    };
    let current = policy.stages.iter().find(|stage| {
        let mut here = approvals
            .iter()
            .filter(|approval| of_stage(approval, stage));
        here.any(|approval| !given(approval))
    });
    match current {
        Some(stage) => pending
            .into_iter()
            .filter(|approval| of_stage(approval, stage))
            .collect(),
        None => pending,
    }
}

async fn create(writer: &Writer, candidate: &Candidate<'_>, governed: &Governed) -> Result<Bundle> {
    let new = NewBundle {
        name: bundle_name(candidate),
        policy: governed.policy.id.clone(),
        project: candidate.project.id.clone(),
        model: candidate.target.name.to_owned(),
        version: candidate.number(),
    };
    let reader = writer.reader();
    let created = write_once(
        reader.delay_scale(),
        async || writer.create_bundle(&new).await,
        async || {
            let all = reader.bundles(&new.project, &new.policy).await?;
            Ok(all.into_iter().find(|bundle| {
                let attached = &bundle.attachments;
                bundle.name == new.name
                    && attached
                        .iter()
                        .any(|attachment| attachment.is_model_version(&new.model, new.version))
            }))
        },
    )
    .await;
    match created {
        Ok(bundle) => Ok(bundle.into_inner()),
        Err(error) if error.status().is_some_and(|status| status.as_u16() == 409) => {
            let failure = CommandError::refused(format!("bundle `{}` cannot be made", new.name)).hint(
                "Domino has another of that name, archived perhaps, or without this version: rename it there",
            );
            Err(CommandError::from(error).context(failure))
        }
        Err(error) => Err(error.into()),
    }
}
