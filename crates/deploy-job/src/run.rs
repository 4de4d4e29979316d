//! `deploy-job stop`, `status` and `logs`: what concerns a run that is there already.

use domino_core::error::{CommandError, Context as _, Exit, Result};
use std::future::ready;

use domino_core::api::jobs::{ExecutionStatus, Job as Run, JobId};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::deployment_marker::EntityMarker;
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult};
use domino_core::wait::{LogPrint, LogTail, LogWriter, Look, Poll, Span, Waited};

use crate::follow::{LOG_GRACE, is_over};
use crate::shown::{describe, link};
use crate::{LogsArgs, StatusArgs, StopArgs, cannot, job_of};

/// Stops the newest run that is not over. Nothing to stop is fine.
pub(crate) async fn stop(
    step: &mut Step,
    context: &StepContext,
    args: &StopArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let found = tokio::select! {
        found = find(context, &args.job, args.id.as_deref(), |run| !run.statuses.is_completed) => {
            found.with_context(|| cannot("stop", &args.job, &context.stage))?
        }
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let (project, run) = found;
    let stage = &context.stage.name;
    let Some(mut run) = run.filter(|run| !is_over(run)) else {
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
    if let Waited::TimeUp(word) = waited? {
        let waited = Span(args.timeout);
        let text = format!("{what} was told to stop and is still `{word}` after {waited}");
        return Err(CommandError::new(Exit::Unsettled, text));
    }
    describe(&mut step.report, context, &project, &run);
    Ok(StepResult::done(format!(
        "run {} of job `{}` ended as `{}`",
        run.number,
        args.job,
        run.statuses.execution_status.word()
    )))
}

/// Shows the newest run. Its exit code says how the run stands.
pub(crate) async fn status(
    step: &mut Step,
    context: &StepContext,
    args: &StatusArgs,
) -> Result<StepResult> {
    let (project, run) = find(context, &args.job, args.id.as_deref(), |_| true).await?;
    let Some(run) = run else {
        return Err(no_run(context, &args.job));
    };
    describe(&mut step.report, context, &project, &run);
    if let Some(git_ref) = &run.main_repo_git_ref {
        step.report.fact("commit", git_ref.to_string());
    }
    let word = run.statuses.execution_status.word();
    let text = format!(
        "run {} of job `{}` in stage `{}` is `{word}`",
        run.number, args.job, context.stage.name
    );
    if !is_over(&run) {
        return Err(CommandError::new(Exit::Unsettled, text));
    }
    match run.statuses.execution_status {
        ExecutionStatus::Succeeded => Ok(StepResult::unchanged(text)),
        _ => Err(CommandError::failed(text)),
    }
}

/// Prints the log of the newest run: what there is of it now, or until the run is over.
pub(crate) async fn logs(
    step: &mut Step,
    context: &StepContext,
    args: &LogsArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let mut tail = LogTail::default();
    let (project, run) = tokio::select! {
        printed = print_log(step, context, args, &mut tail) => printed?,
        signal = interrupts.next() => {
            let text = format!("interrupted after {} lines", tail.lines());
            return Err(CommandError::new(signal.exit(), text));
        }
    };
    Ok(StepResult::unchanged(format!(
        "{} lines of run {}: {}",
        tail.lines(),
        run.number,
        link(context, &project, &run.id)
    )))
}

async fn print_log(
    step: &mut Step,
    context: &StepContext,
    args: &LogsArgs,
    tail: &mut LogTail,
) -> Result<(Project, Run)> {
    let (project, run) = find(context, &args.job, args.id.as_deref(), |_| true).await?;
    let run = run.ok_or_else(|| no_run(context, &args.job))?;
    step.report.output("id", run.id.as_str());
    let reader = context.connection.reader();
    let how = LogPrint {
        reader: &reader,
        follow: args.follow,
        writer: LogWriter::over_if(is_over(&run)),
        grace: LOG_GRACE,
    };
    tail.print(
        how,
        async || {
            let now = reader.job(&run.id).await?;
            Ok(LogWriter::over_if(now.is_none_or(|now| is_over(&now))))
        },
        async |from: &str, limit: usize| reader.job_log(&run.id, from, limit).await,
        |line: &str| step.log_to_stdout(line),
    )
    .await?;
    Ok((project, run))
}

/// One run by its id, or the newest run of the job in the stage that `wanted` picks.
async fn find(
    context: &StepContext,
    job: &str,
    id: Option<&str>,
    wanted: impl Fn(&Run) -> bool,
) -> Result<(Project, Option<Run>)> {
    job_of(&context.file, job)?;
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, &context.file, &context.stage).await?;
    let run = match id {
        Some(id) => Some(by_id(&reader, id).await?),
        None => {
            let marker = EntityMarker::new(&context.stage.name, job);
            let ours = |run: &Run| {
                run.title
                    .as_deref()
                    .is_some_and(|title| marker.is_of(title))
                    && wanted(run)
            };
            reader.newest_job(&project.id, ours).await?
        }
    };
    Ok((project, run))
}

async fn by_id(reader: &Reader, id: &str) -> Result<Run> {
    let run = reader.job(&JobId::new(id)).await?;
    run.ok_or_else(|| CommandError::refused(format!("there is no run of the id `{id}`")))
}

fn no_run(context: &StepContext, job: &str) -> CommandError {
    CommandError::refused(format!(
        "job `{job}` has no run in stage `{}`",
        context.stage.name
    ))
    .hint(format!(
        "start one: deploy-job start {job} --stage {}",
        context.stage.name
    ))
}
