//! Finding a run that exists: by its id, or the newest of a job in a stage.

use std::cell::RefCell;

use domino_core::api::jobs::{Job as Run, JobId};
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;
use stage_file::Stage;

use crate::own_run::{by_this_account, is_of_file, uncertain};

/// One run by its id, or the newest run of the job in the stage that `wanted` picks.
pub(crate) async fn find(
    context: &StepContext,
    job: &str,
    id: Option<&str>,
    wanted: impl Fn(&Run) -> bool,
) -> Result<(Project, Option<Run>)> {
    let command = &context.file.job(job)?.command;
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
            // One that goes on with another title may be the one that is meant.
            let unmarked = RefCell::new(Vec::new());
            let marked = reader
                .newest_job(&project.id, |run| {
                    if is_unmarked(context, command, run) {
                        unmarked.borrow_mut().push(run.clone());
                    }
                    ours(run)
                })
                .await?;
            if marked.is_none() {
                refuse_unmarked(&reader, &marker, &unmarked.into_inner()).await?;
            }
            marked
        }
    };
    Ok((project, run))
}

/// Whether a run goes on with the command of the job and carries no marker of ours.
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

/// What could not be done, for the first line of an error.
pub(crate) fn cannot(verb: &str, job: &str, stage: &Stage) -> String {
    format!("cannot {verb} job `{job}` in stage `{}`", stage.name)
}
