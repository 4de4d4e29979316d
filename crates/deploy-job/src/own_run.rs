//! Finding the runs that are ours: by the marker in their title, else by what they run and who started them.
//!
//! A title can be edited while the run goes on. What is certainly ours is followed, what may be ours is refused by
//! name: another one beside it would do the same work twice.

use std::cell::Cell;

use domino_core::api::GitRef;
use domino_core::api::jobs::{ExecutionStatus, Job as Run};
use domino_core::api::projects::Project;
use domino_core::client::{ApiError, Reader};
use domino_core::deployment_marker::{DeploymentMarker, EntityMarker};
use domino_core::error::{CommandError, Result};
use domino_core::place::ResolvedPlacement;
use domino_core::step::StepContext;
use domino_core::workflow_start::workflow_start;
use jiff::Timestamp;
use stage_file::{Job, Kind, StageFile};

/// GitHub ends a workflow run after 35 days, so that no run of ours with its id is older.
const LONGEST_WORKFLOW_RUN: i64 = 36 * 24 * 3600 * 1000;

/// What a start looks for among the runs of its project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) context: &'a StepContext,
    pub(crate) job: &'a Job,
    pub(crate) marker: &'a DeploymentMarker,
    pub(crate) project: &'a Project,
}

/// What it finds, newest first.
#[derive(Debug, Default)]
pub(crate) struct OwnRuns {
    /// With exactly this marker.
    pub(crate) marked: Vec<Run>,
    /// Of the same job, stage and commit, started by a person or by another workflow run; they go on.
    pub(crate) alike: Vec<Run>,
    /// With the same command and commit and no marker of ours; they go on.
    unmarked: Vec<Run>,
    /// The number of the newest run of the project, whoever started it; zero when there is none.
    pub(crate) newest: u64,
}

/// The run in place of a new one.
#[derive(Debug, Clone)]
pub(crate) struct Reusable {
    pub(crate) run: Run,
    /// Why it is taken, where that is not its marker alone.
    pub(crate) because: Option<String>,
}

impl Search<'_> {
    /// Looks through the runs that may be of this workflow run, and those that go on, by the server's clock: this
    /// machine's may be wrong.
    pub(crate) async fn find(&self, reader: &Reader) -> Result<OwnRuns, ApiError> {
        let at_most = reader.now().as_millisecond() - LONGEST_WORKFLOW_RUN;
        let since = async {
            match self.marker.workflow_run {
                Some(_) => workflow_start(&self.context.connection)
                    .await
                    .map(Timestamp::as_millisecond),
                // Without a workflow run, only what goes on is taken in place of a new run.
                None => Some(i64::MAX),
            }
        };
        let newest = Cell::new(0);
        let is_one = |run: &Run| self.is_one(&newest, run);
        let project = &self.project.id;
        let runs = reader.jobs(project, at_most, since, is_one).await?;
        Ok(self.sorted(runs, newest.get()))
    }

    /// The same among the runs that came after the one with this number.
    pub(crate) async fn find_after(
        &self,
        reader: &Reader,
        number: u64,
    ) -> Result<OwnRuns, ApiError> {
        let newest = Cell::new(0);
        let is_one = |run: &Run| self.is_one(&newest, run);
        let project = &self.project.id;
        let runs = reader.jobs_after(project, number, is_one).await?;
        Ok(self.sorted(runs, newest.get()))
    }

    fn is_one(&self, newest: &Cell<u64>, run: &Run) -> bool {
        newest.set(newest.get().max(run.number));
        self.is_marked(run) || self.is_alike(run) || self.is_unmarked(run)
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
            } else {
                found.unmarked.push(run);
            }
        }
        found
    }

    /// With exactly this marker, and running exactly its commit as far as Domino tells.
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
        run.job_run_command.as_ref() == Some(&self.job.command)
            && !is_of_file(&self.context.file, run)
            && run.statuses.is_scheduled != Some(true)
            && self.goes_on(run)
    }

    fn goes_on(&self, run: &Run) -> bool {
        let git_ref = run.main_repo_git_ref.as_ref();
        !run.statuses.is_completed && git_ref.is_some_and(|git_ref| git_ref.is(&self.marker.commit))
    }

    /// The run in place of a new one: one that still goes on, or one that succeeded for this workflow run.
    pub(crate) async fn reusable(
        &self,
        reader: &Reader,
        found: &OwnRuns,
        place: &ResolvedPlacement,
        beside: bool,
    ) -> Result<Option<Reusable>> {
        let with_marker = |run: &Run| Reusable {
            run: run.clone(),
            because: None,
        };
        let going = found.marked.iter().find(|run| !run.statuses.is_completed);
        if let Some(run) = going {
            return Ok(Some(with_marker(run)));
        }
        if !beside && let Some(run) = found.alike.first() {
            let because = match &run.started_by {
                Some(by) => format!("started by `{}` for the same commit", by.username),
                None => "started for the same commit".into(),
            };
            return Ok(Some(Reusable {
                run: run.clone(),
                because: Some(because),
            }));
        }
        let succeeded = |run: &&Run| run.statuses.execution_status == ExecutionStatus::Succeeded;
        if self.marker.workflow_run.is_some()
            && let Some(run) = found.marked.iter().find(succeeded)
        {
            return Ok(Some(with_marker(run)));
        }
        match beside {
            true => Ok(None),
            false => self.without_marker(reader, found, place).await,
        }
    }

    /// The one that lost its marker, if that is certain.
    async fn without_marker(
        &self,
        reader: &Reader,
        found: &OwnRuns,
        place: &ResolvedPlacement,
    ) -> Result<Option<Reusable>> {
        if found.unmarked.is_empty() {
            return Ok(None);
        }
        let mut maybe = by_this_account(reader, &found.unmarked).await?;
        let mut here = Vec::new();
        for run in maybe.drain(..) {
            if is_on_tier(reader, &run, place).await? {
                here.push(run);
            }
        }
        match &here[..] {
            [] => Ok(None),
            [run] if !self.may_be_another() => Ok(Some(Reusable {
                run: run.clone(),
                because: Some(format!(
                    "called `{}` in Domino: ours by its command, commit and account",
                    run.title.as_deref().unwrap_or_default()
                )),
            })),
            _ => Err(uncertain(&self.marker.of, &here).hint(format!(
                "if it is, end its title with `{}` in Domino; if not, give `--beside`",
                self.marker
            ))),
        }
    }

    /// Whether another job of the file, or this one in another stage, would start the same command at the same place.
    fn may_be_another(&self) -> bool {
        let (file, here) = (&self.context.file, &self.context.stage);
        let tier = |job: &Job, stage| file.target(Kind::Job, &job.name, stage).hardware_tier;
        let ours = tier(self.job, here);
        let same_place =
            |stage: &&stage_file::Stage| stage.host == here.host && stage.project == here.project;
        file.stages.iter().filter(same_place).any(|stage| {
            let same = file
                .jobs
                .iter()
                .filter(|job| job.command == self.job.command);
            let here_too = same.filter(|job| job.is_deployed_to(stage));
            let others =
                here_too.filter(|job| job.name != self.job.name || stage.name != here.name);
            others.into_iter().any(|job| tier(job, stage) == ours)
        })
    }
}

/// Runs without a marker that may be ours all the same: they go on with this command, and our account started them.
pub(crate) async fn by_this_account(reader: &Reader, runs: &[Run]) -> Result<Vec<Run>> {
    let user = reader.own_user().await?;
    let is_ours = |run: &&Run| run.started_by.as_ref().is_some_and(|by| by.id == user.id);
    Ok(runs.iter().filter(is_ours).cloned().collect())
}

/// Whether a title carries the marker of any job of the file in any stage.
pub(crate) fn is_of_file(file: &StageFile, run: &Run) -> bool {
    let title = run.title.as_deref().unwrap_or_default();
    file.stages.iter().any(|stage| {
        let mut jobs = file.jobs.iter();
        jobs.any(|job| EntityMarker::new(&stage.name, &job.name).is_of(title))
    })
}

/// No run carries the marker, and these may be ours.
pub(crate) fn uncertain(of: &EntityMarker, maybe: &[Run]) -> CommandError {
    let named: Vec<String> = maybe
        .iter()
        .map(|run| {
            let title = run.title.as_deref().unwrap_or_default();
            let what = match &run.main_repo_git_ref {
                Some(GitRef::Commit(commit)) => format!(" of commit {commit}"),
                _ => String::new(),
            };
            format!(
                "run {} ({}){what}, called `{title}` in Domino",
                run.number, run.id
            )
        })
        .collect();
    CommandError::refused(format!(
        "no run that goes on carries the key `{of}`, and this may be ours under another title: {}",
        named.join("; ")
    ))
}

/// What runs on another tier was started for another stage.
async fn is_on_tier(reader: &Reader, run: &Run, place: &ResolvedPlacement) -> Result<bool> {
    let Some(tier) = &place.tier else {
        return Ok(true);
    };
    match reader.job_runtime(&run.id).await {
        Ok(got) => Ok(got.hardware_tier.id == tier.id),
        Err(error) if error.is_unknown_route() => Ok(true),
        Err(error) => Err(error.into()),
    }
}
