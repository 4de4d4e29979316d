//! `deploy-job stop`: stops the newest run. If nothing runs, nothing is done.

use std::future::ready;
use std::time::Duration;

use domino_core::api::jobs::Job as Run;
use domino_core::api::projects::Project;
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::job_run::{describe, is_over, report_what_is};
use domino_core::step::{
    ChangeKind, Interrupts, Plan, Step, StepContext, StepFlags, StepResult, duration,
};
use domino_core::wait::{Look, Poll, Span, Waited};

use crate::run::{Which, cannot, find};

/// `deploy-job stop`.
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    pub(crate) job: String,
    /// One run by its id in Domino, in place of the newest
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait for the run to stop
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Stops the newest run that has not ended. It is fine if there is none.
pub(crate) async fn stop(
    step: &mut Step,
    context: &StepContext,
    args: &StopArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let found = tokio::select! {
        found = find(context, &args.job, args.id.as_deref(), Which::NewestThatGoesOn) => {
            found.with_context(|| cannot("stop", &args.job, &context.stage))?
        }
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let (project, run) = found;
    let stage = &context.stage.name;
    let Some(run) = run.filter(|run| !is_over(run)) else {
        step.show(&Plan::new(format!(
            "stop job `{}` in stage `{stage}`: nothing of it runs",
            args.job
        )));
        return Ok(StepResult::unchanged(format!(
            "no run of job `{}` goes on in stage `{stage}`",
            args.job
        )));
    };
    let mut plan = Plan::new(format!("stop job `{}` in stage `{stage}`", args.job));
    plan.fact("run", format!("{} ({})", run.number, run.id))
        .fact("status", run.statuses.execution_status.word());
    plan.change(ChangeKind::Remove, format!("run {} is stopped", run.number));
    step.show(&plan);
    describe(&mut step.report, context, &project, &run);
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    let id = run.id.clone();
    let stopped = stop_and_wait(step, &mut interrupts, context, args, &project, run).await;
    let run = match stopped {
        Ok(run) => run,
        Err(error) => {
            report_what_is(&mut step.report, context, &project, &id).await;
            return Err(error);
        }
    };
    describe(&mut step.report, context, &project, &run);
    Ok(StepResult::done(format!(
        "run {} of job `{}` ended as `{}`",
        run.number,
        args.job,
        run.statuses.execution_status.word()
    )))
}

/// Stops a run and waits until it has ended.
async fn stop_and_wait(
    step: &Step,
    interrupts: &mut Interrupts,
    context: &StepContext,
    args: &StopArgs,
    project: &Project,
    mut run: Run,
) -> Result<Run> {
    let writer = context.connection.writer();
    let reader = writer.reader();
    let stopped = writer.stop_job(&project.id, &run.id).await;
    let stopped =
        stopped.with_context(|| format!("cannot stop run {} of job `{}`", run.number, args.job));
    let mut progress = step.progress();
    let mut poll = Poll::until(args.timeout, reader.delay_scale());
    let (id, what) = (run.id.clone(), format!("run {}", run.number));
    let stopping = poll.stop_and_wait(&mut progress, &what, ready(stopped), async || {
        if let Some(now) = reader.job(&id).await? {
            run = now;
        }
        let word = run.statuses.execution_status.word();
        Ok(match is_over(&run) {
            true => Look::Over(()),
            false => Look::Pending(word.to_owned()),
        })
    });
    let waited = tokio::select! {
        waited = stopping => waited,
        signal = interrupts.next() => {
            let word = run.statuses.execution_status.word();
            let text = format!("interrupted; {what} was told to stop and is `{word}`");
            return Err(CommandError::new(signal.exit(), text));
        }
    };
    progress.end();
    match waited? {
        Waited::Over(()) => Ok(run),
        Waited::TimeUp(word) => {
            let waited = Span(args.timeout);
            let text = format!("{what} was told to stop and is still `{word}` after {waited}");
            Err(CommandError::new(Exit::Unsettled, text))
        }
    }
}
