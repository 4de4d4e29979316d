//! Finds an existing run: by its id, or the newest of a job in a stage.

use std::cell::RefCell;
use std::future::ready;

use domino_core::api::jobs::{Job as Run, JobId};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Result};
use domino_core::job_run::{Words, is_of, is_of_file};
use domino_core::step::StepContext;
use stage_file::{Job, Stage};

use crate::own_run::{by_this_account, uncertain};

/// Which run of a job is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Newest,
    NewestThatGoesOn,
}

/// The job, which is deployed to the stage. What it left in another stage can still be read, stopped and deleted.
pub(crate) fn deployed_here<'a>(
    context: &'a StepContext,
    name: &str,
) -> Result<&'a Job, CommandError> {
    let StepContext { file, stage, .. } = context;
    let job = file.job(name)?;
    if job.is_deployed_to(stage) {
        return Ok(job);
    }
    let key = ["job", job.name.as_str(), "stages"];
    let (why, hint) = match file.sets(&key) {
        true => (
            "it is for other `stages`",
            format!("change {}", file.place_of(&key)),
        ),
        false => (
            "it trains a model, and does so in the first stage",
            format!(
                "later stages get the version that it registered; `stages` under {} has it run elsewhere too",
                file.place_of(&key[..2])
            ),
        ),
    };
    let (job, stage) = (&job.name, &stage.name);
    Err(CommandError::usage(format!(
        "job `{job}` is not deployed to stage `{stage}`: {why}"
    ))
    .hint(hint)
    .at(file, &key))
}

/// One run by its id, or one of the job in the stage.
pub(crate) async fn find(
    context: &StepContext,
    job: &str,
    id: Option<&str>,
    which: Which,
) -> Result<(Project, Option<Run>)> {
    let command = &context.file.job(job)?.command;
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, &context.file, &context.stage).await?;
    if let Some(id) = id {
        let run = by_id(&reader, id).await?;
        return Ok((project, Some(run)));
    }
    let marker = EntityMarker::new(&context.stage.name, job);
    // A run that has not ended, under another title, may be the one that is meant.
    let unmarked = RefCell::new(Vec::new());
    let is_one = |run: &Run| {
        if is_unmarked(context, command, run) {
            unmarked.borrow_mut().push(run.clone());
        }
        is_of(run, &marker) && (which == Which::Newest || !run.statuses.is_completed)
    };
    let marked = match which {
        Which::Newest => reader.newest_job(&project.id, is_one).await?,
        Which::NewestThatGoesOn => {
            let since = ready(Some(i64::MAX));
            let going = reader.jobs(&project.id, i64::MIN, since, is_one).await?;
            going.into_iter().max_by_key(|run| run.number)
        }
    };
    if marked.is_none() {
        refuse_unmarked(&reader, &marker, &unmarked.into_inner()).await?;
    }
    Ok((project, marked))
}

/// Whether a run has not ended, runs the command of the job and has no marker of ours.
fn is_unmarked(context: &StepContext, command: &str, run: &Run) -> bool {
    !run.statuses.is_completed
        && run.statuses.is_scheduled != Some(true)
        && run.job_run_command.as_deref() == Some(command)
        && !is_of_file(&context.file, run)
}

async fn refuse_unmarked(reader: &Reader, of: &EntityMarker, unmarked: &[Run]) -> Result<()> {
    if unmarked.is_empty() {
        return Ok(());
    }
    let maybe = by_this_account(reader, unmarked).await?;
    match maybe[..] {
        [] => Ok(()),
        _ => Err(uncertain(of, &maybe).hint("if it is, name it by its id: `--id`")),
    }
}

async fn by_id(reader: &Reader, id: &str) -> Result<Run> {
    let run = reader.job(&JobId::new(id)).await?;
    run.ok_or_else(|| CommandError::refused(format!("there is no run of the id `{id}`")))
}

pub(crate) fn no_run(context: &StepContext, job: &str) -> CommandError {
    CommandError::refused(format!(
        "job `{job}` has no run in stage `{}`",
        context.stage.name
    ))
    .hint(format!(
        "start one: deploy-job start {job} --stage {}",
        context.stage.name
    ))
}

/// The first line of an error: what could not be done.
pub(crate) fn cannot(verb: &str, job: &str, stage: &Stage) -> String {
    format!("cannot {verb} job `{job}` in stage `{}`", stage.name)
}

/// The words for a run of a job, in a step with this verb.
pub(crate) fn words(verb: &str, job: &str, stage: &Stage) -> Words {
    let status = format!("deploy-job status {job} --stage {}", stage.name);
    Words {
        what: format!("job `{job}`"),
        cannot: cannot(verb, job, stage),
        look: format!("to see whether it runs: {status}"),
        status,
    }
}
