//! Finds the runs that are ours: by the marker in their title, otherwise by what they run.
//!
//! A title can be edited while the run continues; whether a run without a marker is ours is decided elsewhere.

use std::cell::Cell;

use jiff::Timestamp;
use stage_file::StageFile;

use crate::api::jobs::Job as Run;
use crate::api::projects::Project;
use crate::client::{ApiError, Reader};
use crate::deployment_marker::{DeploymentMarker, EntityMarker};
use crate::step::StepContext;
use crate::workflow_start::workflow_start;

/// GitHub ends a workflow run after 35 days, so no run of ours with its id is older.
const LONGEST_WORKFLOW_RUN: i64 = 36 * 24 * 3600 * 1000;

/// What a start looks for among the runs of its project.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// What the step has opened: the stage file, the stage, the connection.
    pub context: &'a StepContext,
    /// The command that the run executes.
    pub command: &'a str,
    /// The marker that its title ends with.
    pub marker: &'a DeploymentMarker,
    /// The project that it runs in.
    pub project: &'a Project,
}

/// The runs that were found, newest first.
#[derive(Debug, Default)]
pub struct OwnRuns {
    /// Those with exactly this marker.
    pub marked: Vec<Run>,
    /// Those of the same entity, stage and commit that a person or another workflow run started and that have not
    /// ended.
    pub alike: Vec<Run>,
    /// Those with the same command and commit, without a marker of ours, that have not ended.
    pub unmarked: Vec<Run>,
    /// Other runs of the same entity and stage, of any commit.
    pub others: Vec<Run>,
    /// The number of the newest run of the project, whoever started it; zero if there is none.
    pub newest: u64,
}

impl Search<'_> {
    /// Searches the runs that may be of this workflow run, and those that have not ended, by the server's clock: this
    /// machine's may be wrong.
    pub async fn find(&self, reader: &Reader) -> Result<OwnRuns, ApiError> {
        let at_most = reader.now().as_millisecond() - LONGEST_WORKFLOW_RUN;
        let since = async {
            match self.marker.workflow_run {
                Some(_) => workflow_start(&self.context.connection)
                    .await
                    .map(Timestamp::as_millisecond),
                // Without a workflow run, only a run that has not ended replaces a new one.
                None => Some(i64::MAX),
            }
        };
        let newest = Cell::new(0);
        let is_one = |run: &Run| self.is_one(&newest, run);
        let project = &self.project.id;
        let runs = reader.jobs(project, at_most, since, is_one).await?;
        Ok(self.sorted(runs, newest.get()))
    }

    /// The same among the runs after the one with this number.
    pub async fn find_after(&self, reader: &Reader, number: u64) -> Result<OwnRuns, ApiError> {
        let newest = Cell::new(0);
        let is_one = |run: &Run| self.is_one(&newest, run);
        let project = &self.project.id;
        let runs = reader.jobs_after(project, number, is_one).await?;
        Ok(self.sorted(runs, newest.get()))
    }

    fn is_one(&self, newest: &Cell<u64>, run: &Run) -> bool {
        newest.set(newest.get().max(run.number));
        is_of(run, &self.marker.of) || self.is_unmarked(run)
    }

    fn sorted(&self, runs: Vec<Run>, newest: u64) -> OwnRuns {
        let mut found = OwnRuns {
            newest,
            ..OwnRuns::default()
        };
        for run in runs {
            if self.is_marked(&run) {
                found.marked.push(run);
            } else if self.is_alike(&run) {
                found.alike.push(run);
            } else if self.is_unmarked(&run) {
                found.unmarked.push(run);
            } else {
                found.others.push(run);
            }
        }
        found
    }

    /// Whether it has exactly this marker, and runs exactly its commit as far as Domino tells.
    fn is_marked(&self, run: &Run) -> bool {
        let git_ref = run.main_repo_git_ref.as_ref();
        run.title
            .as_deref()
            .is_some_and(|title| self.marker.ends(title))
            && git_ref.is_none_or(|git_ref| git_ref.is(&self.marker.commit))
    }

    fn is_alike(&self, run: &Run) -> bool {
        let title = run.title.as_deref();
        title.is_some_and(|title| self.marker.is_of_same_commit(title)) && self.goes_on(run)
    }

    fn is_unmarked(&self, run: &Run) -> bool {
        run.job_run_command.as_deref() == Some(self.command)
            && !is_of_file(&self.context.file, run)
            && run.statuses.is_scheduled != Some(true)
            && self.goes_on(run)
    }

    fn goes_on(&self, run: &Run) -> bool {
        let git_ref = run.main_repo_git_ref.as_ref();
        !run.statuses.is_completed && git_ref.is_some_and(|git_ref| git_ref.is(&self.marker.commit))
    }
}

/// Whether a run's title contains this marker.
pub fn is_of(run: &Run, marker: &EntityMarker) -> bool {
    let title = run.title.as_deref();
    title.is_some_and(|title| marker.is_of(title))
}

/// Whether a title contains the marker of any job of the file in any stage.
pub fn is_of_file(file: &StageFile, run: &Run) -> bool {
    file.stages.iter().any(|stage| {
        let mut jobs = file.jobs.iter();
        jobs.any(|job| is_of(run, &EntityMarker::new(&stage.name, &job.name)))
    })
}
