//! `deploy-job schedule`: the scheduled job in Domino becomes what the stage file says; never a second one.

use domino_core::approval::{Approval, Ask};
use domino_core::commit::Commit;
use domino_core::deployment::Deployment;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::receipt::ReceiptKind;
use domino_core::receipt_before::{Passed, WantedBefore};
use domino_core::step::{Interrupts, Signal, Step, StepContext, StepResult, Through};
use stage_file::Kind;

use crate::apply_schedule::Applied;
use crate::plan_schedule::{ScheduleArgs, plan};
use crate::run::cannot;
use crate::schedule_plan::SchedulePlan;

/// How often a step may find that another one did the same first.
const ATTEMPTS: usize = 5;

/// Creates, updates or deletes the scheduled job, or leaves it as it is.
pub(crate) async fn schedule(
    step: &mut Step,
    context: &StepContext,
    args: &ScheduleArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    for _ in 0..ATTEMPTS {
        if let Some(result) = attempt(step, &mut interrupts, context, args).await? {
            return Ok(result);
        }
    }
    let job = &args.job;
    Err(CommandError::refused(format!(
        "another step creates the schedule of job `{job}` again and again; ours was taken back"
    ))
    .hint("run this again once the other one has ended"))
}

/// One attempt. `None` if another step did the same first, and ours was removed.
async fn attempt(
    step: &mut Step,
    interrupts: &mut Interrupts,
    context: &StepContext,
    args: &ScheduleArgs,
) -> Result<Option<StepResult>> {
    // A deletion deploys nothing that nobody has reviewed, and must not wait.
    let ask = match args.delete {
        true => Ask::Never,
        false => Ask::unless(args.dry_run),
    };
    let (planned, approval) = tokio::select! {
        planned = Approval::beside(plan(context, args), context, ask) => planned.with_context(|| cannot("schedule", &args.job, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let passed = leave_receipt(step, context, args, &planned, &approval).await?;
    let mut view = planned.view(context, &args.job);
    approval.describe(&mut view);
    passed.describe(&mut view);
    step.show(&view);
    for warning in &planned.warnings {
        step.warn(warning, None);
    }
    planned.report_existing(step);
    let (job, stage) = (&args.job, &context.stage.name);
    if args.dry_run || planned.is_as_wanted() {
        planned.report_wanted(step);
    }
    if planned.is_as_wanted() {
        let text = as_wanted(context, job, &planned);
        return Ok(Some(StepResult::unchanged(text)));
    }
    if args.dry_run {
        return Ok(Some(StepResult::planned()));
    }
    let approved = approval.require(step, context);
    approved
        .and_then(|()| passed.require(step))
        .with_context(|| cannot("schedule", job, &context.stage))?;
    let applied = interrupts.finish(planned.apply(context)).await;
    let (signal, applied) = match completed(applied, job, stage) {
        Ok(completed) => completed,
        Err(error) => {
            planned.report_what_is(step, context).await;
            return Err(error);
        }
    };
    let text = report_applied(step, &planned, &applied, job, stage);
    match signal {
        None if matches!(applied, Applied::Second(_)) => Ok(None),
        None => Ok(Some(StepResult::done(text))),
        Some(signal) => {
            let text = format!("interrupted after this was done: {text}");
            Err(CommandError::new(signal.exit(), text))
        }
    }
}

/// Why there is nothing to do.
fn as_wanted(context: &StepContext, job: &str, planned: &SchedulePlan) -> String {
    let stage = &context.stage.name;
    match planned.wanted {
        Some(_) => format!("the schedule of job `{job}` in stage `{stage}` is as wanted"),
        None if context.file.job(job).is_err() => format!(
            "job `{job}` has no schedule in stage `{stage}`, and is not in {}",
            context.file.path.display()
        ),
        None => format!("job `{job}` has no schedule in stage `{stage}`"),
    }
}

/// Reports what was written. Returns it as a sentence.
fn report_applied(
    step: &mut Step,
    planned: &SchedulePlan,
    applied: &Applied,
    job: &str,
    stage: &str,
) -> String {
    match applied {
        Applied::Second(first) => {
            let text = format!(
                "another step was first with the same: scheduled job `{first}` stays, and ours was deleted again"
            );
            step.warn(&text, None);
            text
        }
        Applied::Is(now) => {
            planned.report_wanted(step);
            step.report.output("id", now.id.as_str());
            step.report.fact("scheduled job", now.id.as_str());
            let verb = match planned.existing {
                Some(_) => "updated",
                None => "created",
            };
            format!("{verb} the schedule of job `{job}` in stage `{stage}`")
        }
        Applied::Deleted => format!("deleted the schedule of job `{job}` in stage `{stage}`"),
    }
}

/// Asks for the receipt of the stage before, and says of what there is to be one once it is done. What is taken away
/// passed nothing.
async fn leave_receipt(
    step: &mut Step,
    context: &StepContext,
    args: &ScheduleArgs,
    planned: &SchedulePlan,
    approval: &Approval,
) -> Result<Passed> {
    let of = |commit, place| Deployment {
        context,
        kind: ReceiptKind::Schedule,
        commit,
        place,
        version: None,
    };
    let Some(wanted) = &planned.wanted else {
        // What is deleted was perhaps of an older commit; that of the workflow run says who deleted it.
        if let Ok(commit) = Commit::wanted(None) {
            step.deploys(of(commit.as_str(), None).removal());
        }
        return Ok(Passed::NotAsked);
    };
    let commit = wanted.commit.as_str();
    let before = WantedBefore {
        of: (Kind::Job, &args.job),
        commit,
        version: None,
    };
    let passed = args.receipt.passed(context, before).await?;
    step.deploys(of(commit, Some(&wanted.place)).draft(approval, &passed));
    Ok(passed)
}

/// What was written, even if a signal came meanwhile; otherwise the error for it.
fn completed(
    applied: Through<Result<Applied>>,
    job: &str,
    stage: &str,
) -> Result<(Option<Signal>, Applied)> {
    let wrong = format!(
        "cannot bring the schedule of job `{job}` in stage `{stage}` to what stages.toml says"
    );
    match applied {
        Through::Completed(done) => Ok((None, done.context(wrong)?)),
        Through::Interrupted(signal, Some(Ok(done))) => Ok((Some(signal), done)),
        Through::Interrupted(signal, Some(Err(error))) => {
            let text = format!("interrupted; {wrong}");
            Err(error.context(CommandError::new(signal.exit(), text)))
        }
        Through::Interrupted(signal, None) => {
            let text = format!(
                "interrupted; whether the schedule of job `{job}` in stage `{stage}` was changed is not known"
            );
            Err(CommandError::new(signal.exit(), text)
                .hint("run this again: it finds what it left"))
        }
    }
}
