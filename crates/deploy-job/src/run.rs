//! `deploy-job stop`, `status` and `logs`: what concerns a run that is there already.

use anyhow::Context;
use domino_core::api::jobs::{ExecutionStatus, Job as Run, JobId};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::error::{Exit, Failure};
use domino_core::log_tail::LogTail;
use domino_core::settle::{Looks, in_words};
use domino_core::step::{ChangeKind, Ending, Interrupts, Plan, Setting, Step};

use crate::follow::{describe, is_over, link};
use crate::key::EntityKey;
use crate::{LogsArgs, RunArgs, cannot, job_of};

/// Stops the newest run that is not over. Nothing to stop is fine.
pub(crate) async fn stop(
    step: &mut Step,
    setting: &Setting,
    args: &RunArgs,
) -> anyhow::Result<Ending> {
    let mut interrupts = Interrupts::listen()?;
    let found = tokio::select! {
        found = find(setting, &args.job, args.id.as_deref(), |run| !run.statuses.is_completed) => {
            found.with_context(|| cannot("stop", &args.job, &setting.stage))?
        }
        signal = interrupts.next() => return Err(signal.nothing_changed(&setting.stage.name).into()),
    };
    let (project, run) = found;
    let stage = &setting.stage.name;
    let Some(mut run) = run.filter(|run| !is_over(run)) else {
        step.show(&Plan::new(format!(
            "stop job `{}` in stage `{stage}`: nothing of it runs",
            args.job
        )));
        return Ok(Ending::unchanged(format!(
            "no run of job `{}` goes on in stage `{stage}`",
            args.job
        )));
    };
    let mut plan = Plan::new(format!("stop job `{}` in stage `{stage}`", args.job));
    plan.fact("run", format!("{} ({})", run.number, run.id))
        .fact("status", run.statuses.execution_status.word());
    plan.change(ChangeKind::Remove, format!("run {} is stopped", run.number));
    step.show(&plan);
    describe(&mut step.report, setting, &project, &run);
    if args.dry_run {
        return Ok(Ending::planned());
    }
    let writer = setting.connection.writer();
    let stopped = writer.stop_job(&project.id, &run.id).await;
    // Whatever the reply was, what counts is whether the run ends.
    let mut progress = step.progress();
    let mut looks = Looks::until(args.timeout, writer.reader().pace());
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
            more = looks.next() => more,
            signal = interrupts.next() => {
                let text = format!("interrupted; run {} was told to stop and is `{}`", run.number, run.statuses.execution_status.word());
                return Err(Failure::new(signal.exit(), text).into());
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
            return Err(Failure::new(Exit::Unsettled, text).into());
        }
    }
    progress.end();
    describe(&mut step.report, setting, &project, &run);
    Ok(Ending::done(format!(
        "run {} of job `{}` ended as `{}`",
        run.number,
        args.job,
        run.statuses.execution_status.word()
    )))
}

/// Shows the newest run. Its exit code says how the run stands.
pub(crate) async fn status(
    step: &mut Step,
    setting: &Setting,
    args: &RunArgs,
) -> anyhow::Result<Ending> {
    let (project, run) = find(setting, &args.job, args.id.as_deref(), |_| true).await?;
    let Some(run) = run else {
        return Err(no_run(setting, &args.job));
    };
    describe(&mut step.report, setting, &project, &run);
    if let Some(git_ref) = &run.main_repo_git_ref {
        step.report.fact("commit", git_ref.in_words());
    }
    let word = run.statuses.execution_status.word();
    let text = format!(
        "run {} of job `{}` in stage `{}` is `{word}`",
        run.number, args.job, setting.stage.name
    );
    if !is_over(&run) {
        return Err(Failure::new(Exit::Unsettled, text).into());
    }
    match run.statuses.execution_status {
        ExecutionStatus::Succeeded => Ok(Ending::unchanged(text)),
        _ => Err(Failure::failed(text).into()),
    }
}

/// Prints the log of the newest run.
pub(crate) async fn logs(
    step: &mut Step,
    setting: &Setting,
    args: &LogsArgs,
) -> anyhow::Result<Ending> {
    let (project, run) = find(setting, &args.job, args.id.as_deref(), |_| true).await?;
    let Some(run) = run else {
        return Err(no_run(setting, &args.job));
    };
    let reader = setting.connection.reader();
    let mut tail = LogTail::default();
    let mut looks = Looks::until(std::time::Duration::from_secs(u64::MAX >> 1), reader.pace());
    loop {
        let over = !args.follow || reader.job(&run.id).await?.is_none_or(|run| is_over(&run));
        let mut unwritten = None;
        tail.read(
            async |from: &str, limit: usize| reader.job_log(&run.id, from, limit).await,
            |line: &str| {
                if unwritten.is_none() {
                    unwritten = step.log_to_stdout(line).err();
                }
            },
        )
        .await?;
        // Whoever reads our stdout has seen enough, `head` for example.
        if unwritten.is_some() || (over && (tail.is_complete() || !args.follow)) {
            break;
        }
        looks.next().await;
    }
    step.report.output("id", run.id.as_str());
    Ok(Ending::unchanged(format!(
        "{} lines of run {}: {}",
        tail.lines(),
        run.number,
        link(setting, &project, &run.id)
    )))
}

/// One run by its id, or the newest run of the job in the stage that `wanted` picks.
async fn find(
    setting: &Setting,
    job: &str,
    id: Option<&str>,
    wanted: impl Fn(&Run) -> bool,
) -> anyhow::Result<(Project, Option<Run>)> {
    job_of(&setting.file, job)?;
    let reader = setting.connection.reader();
    let project = Project::of_stage(&reader, &setting.file, &setting.stage).await?;
    let run = match id {
        Some(id) => Some(by_id(&reader, id).await?),
        None => {
            let key = EntityKey::new(&setting.stage.name, job);
            let runs = reader
                .jobs(&project.id, i64::MIN, |run| key.is_of(run) && wanted(run))
                .await?;
            runs.into_iter().max_by_key(|run| run.number)
        }
    };
    Ok((project, run))
}

async fn by_id(reader: &Reader, id: &str) -> anyhow::Result<Run> {
    let run = reader.job(&JobId::new(id)).await?;
    Ok(run.ok_or_else(|| Failure::refused(format!("there is no run of the id `{id}`")))?)
}

fn no_run(setting: &Setting, job: &str) -> anyhow::Error {
    Failure::refused(format!(
        "job `{job}` has no run in stage `{}`",
        setting.stage.name
    ))
    .hint(format!(
        "start one: deploy-job start {job} --stage {}",
        setting.stage.name
    ))
    .into()
}
