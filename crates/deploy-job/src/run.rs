//! `deploy-job stop`, `status` and `logs`: what concerns a run that is there already.

use domino_core::error::{CommandError, Context as _, Exit, Result};
use std::time::Duration;

use domino_core::api::jobs::{ExecutionStatus, Job as Run, JobId};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::deployment_marker::EntityMarker;
use domino_core::log_tail::LogTail;
use domino_core::settle::{Poll, in_words};
use domino_core::step::{ChangeKind, Interrupts, Plan, Step, StepContext, StepResult};

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
    let stopped = writer.stop_job(&project.id, &run.id).await;
    // Whatever the reply was, what counts is whether the run ends.
    let mut progress = step.progress();
    let mut poll = Poll::until(args.timeout, writer.reader().delay_scale());
    loop {
        if let Some(now) = writer.reader().job(&run.id).await? {
            run = now;
        }
        progress.status(&format!(
            "run {}: {}",
            run.number,
            run.statuses.execution_status.word()
        ));
        if is_over(&run) {
            break;
        }
        if let Err(error) = stopped {
            progress.end();
            return Err(error)
                .with_context(|| format!("cannot stop run {} of job `{}`", run.number, args.job));
        }
        let more = tokio::select! {
            more = poll.next() => more,
            signal = interrupts.next() => {
                let text = format!("interrupted; run {} was told to stop and is `{}`", run.number, run.statuses.execution_status.word());
                return Err(CommandError::new(signal.exit(), text));
            }
        };
        if !more {
            progress.end();
            let text = format!(
                "run {} was told to stop and is still `{}` after {}",
                run.number,
                run.statuses.execution_status.word(),
                in_words(args.timeout)
            );
            return Err(CommandError::new(Exit::Unsettled, text));
        }
    }
    progress.end();
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
    let page = async |from: &str, limit: usize| reader.job_log(&run.id, from, limit).await;
    let mut poll = Poll::until(Duration::from_secs(u64::MAX >> 1), reader.delay_scale());
    let (began, mut over) = (reader.now(), is_over(&run));
    loop {
        if args.follow && !over {
            over = reader.job(&run.id).await?.is_none_or(|run| is_over(&run));
        }
        let mut unwritten = None;
        let print = |line: &str| {
            if unwritten.is_none() {
                unwritten = step.log_to_stdout(line).err();
            }
        };
        tail.read(page, print).await?;
        // A run that goes on may write faster than we read; what it writes after we began was not asked for.
        let enough = !tail.has_more() || (!args.follow && !over && tail.reaches(began));
        // Whoever reads our stdout has seen enough, `head` for example.
        if unwritten.is_some() || (enough && !args.follow) {
            return Ok((project, run));
        }
        if enough && over {
            let print = |line: &str| drop(step.log_to_stdout(line));
            tail.rest(LOG_GRACE, reader.delay_scale(), page, print)
                .await?;
            return Ok((project, run));
        }
        if enough {
            poll.next().await;
        }
    }
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
