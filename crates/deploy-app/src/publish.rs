//! `deploy-app publish`: the commit becomes the version that serves, unless it already is.

use domino_core::approval::{Approval, Ask};
use domino_core::deployment::Deployment;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::receipt::ReceiptKind;
use domino_core::receipt_before::WantedBefore;
use domino_core::step::{Interrupts, Step, StepContext, StepResult};
use stage_file::Kind;

use crate::find::cannot;
use crate::launch::Launcher;
use crate::rollout::Rollout;

use crate::publish_args::PublishArgs;
use crate::publish_plan::plan;

/// What a report says about an app.
const OF_AN_APP: &[&str] = &["app", "id", "link", "url", "version", "status", "commit"];
/// How often a step may find that another one created the app first.
const ATTEMPTS: usize = 3;

/// Publishes the commit, or finds that it already serves.
pub(crate) async fn publish(
    step: &mut Step,
    context: &StepContext,
    args: &PublishArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    for _ in 0..ATTEMPTS {
        if let Some(result) = attempt(step, &mut interrupts, context, args).await? {
            return Ok(result);
        }
        // What was reported about our app is no longer true.
        step.report.forget(OF_AN_APP);
    }
    let app = &args.app.app;
    Err(CommandError::refused(format!(
        "another step creates app `{app}` again and again; ours was taken back"
    ))
    .hint("run this again once the other one has ended"))
}

/// One attempt. `None` if another step created the app first, and ours was removed.
async fn attempt(
    step: &mut Step,
    interrupts: &mut Interrupts,
    context: &StepContext,
    args: &PublishArgs,
) -> Result<Option<StepResult>> {
    let mut progress = step.progress();
    let (planned, approval) = tokio::select! {
        planned = Approval::beside(plan(context, args, &mut progress, &mut step.report), context, Ask::unless(args.dry_run)) => planned.with_context(|| cannot("publish", &args.app.app, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    progress.end();
    let before = WantedBefore {
        of: (Kind::App, &args.app.app),
        commit: planned.wanted.commit.as_str(),
        version: None,
    };
    let passed = args.receipt.passed(context, before).await?;
    let mut view = planned.view(context);
    approval.describe(&mut view);
    passed.describe(&mut view);
    step.show(&view);
    for remark in planned
        .decision
        .remarks
        .iter()
        .chain(&planned.order.warning)
    {
        step.warn(remark, None);
    }
    if args.dry_run {
        step.report
            .output("commit", planned.wanted.commit.as_str())
            .fact("commit", planned.wanted.commit.as_str());
        return Ok(Some(match planned.decision.is_as_wanted() {
            true => StepResult::unchanged(format!(
                "app `{}` in stage `{}` is as wanted",
                planned.entity.name, context.stage.name
            )),
            false => StepResult::planned(),
        }));
    }
    if !planned.decision.is_as_wanted() {
        let approved = approval.require(step, context);
        approved
            .and_then(|()| passed.require(step))
            .with_context(|| cannot("publish", &args.app.app, &context.stage))?;
    }
    let deployment = Deployment {
        context,
        kind: ReceiptKind::App,
        commit: planned.wanted.commit.as_str(),
        place: Some(&planned.wanted.place),
        version: None,
    };
    step.deploys(deployment.draft(&approval, &passed));
    step.report
        .output("commit", planned.wanted.commit.as_str())
        .fact("commit", planned.wanted.commit.as_str());
    // An app that is as wanted is only read; no request changes anything.
    let rollout = Rollout {
        launcher: Launcher {
            context,
            reader: context.connection.reader(),
            writer: context.connection.writer().apps(planned.apps.generation()),
            apps: planned.apps,
            project: &planned.project,
            entity: planned.entity,
            name: &planned.name,
        },
        existing: planned.existing.as_ref(),
        wanted: &planned.wanted,
        decision: &planned.decision,
        health: planned.health,
        timeout: args.timeout_of(planned.entity, &context.stage),
    };
    rollout.apply(step, interrupts).await
}
