//! Which run is reused in place of a new one: a run of ours by its marker, otherwise by what it runs and who started
//! it.
//!
//! A title can be edited while the run continues. What is certainly ours is followed; what may be ours is an error
//! that names it: another one beside it would do the same work twice.

use domino_core::api::GitRef;
use domino_core::api::jobs::{ExecutionStatus, Job as Run};
use domino_core::client::Reader;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Result};
use domino_core::job_run::{OwnRuns, Search};
use domino_core::place::ResolvedPlacement;
use stage_file::{Job, Kind};

/// What a start looks for: a run of this job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reuse<'a> {
    pub(crate) job: &'a Job,
    pub(crate) search: Search<'a>,
}

/// A run to reuse in place of a new one.
#[derive(Debug, Clone)]
pub(crate) struct Reusable {
    pub(crate) run: Run,
    /// Why it is reused, if not only because of its marker.
    pub(crate) because: Option<String>,
}

impl Reuse<'_> {
    /// The run to reuse in place of a new one: one that has not ended, or one that succeeded for this workflow run.
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
        if self.search.marker.workflow_run.is_some()
            && let Some(run) = found.marked.iter().find(succeeded)
        {
            return Ok(Some(with_marker(run)));
        }
        match beside {
            true => Ok(None),
            false => self.without_marker(reader, found, place).await,
        }
    }

    /// The run that lost its marker, if that is certain.
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
            _ => Err(uncertain(&self.search.marker.of, &here).hint(format!(
                "if it is, end its title with `{}` in Domino; if not, give `--beside`",
                self.search.marker
            ))),
        }
    }

    /// Whether another job of the file, or this one in another stage, would start the same command in the same place.
    fn may_be_another(&self) -> bool {
        let (file, here) = (&self.search.context.file, &self.search.context.stage);
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

/// Runs without a marker that may still be ours: they have not ended, run this command, and our account started them.
pub(crate) async fn by_this_account(reader: &Reader, runs: &[Run]) -> Result<Vec<Run>> {
    let user = reader.own_user().await?;
    let is_ours = |run: &&Run| run.started_by.as_ref().is_some_and(|by| by.id == user.id);
    Ok(runs.iter().filter(is_ours).cloned().collect())
}

/// The error when no run has the marker, and these may be ours.
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

/// A run on another tier was started for another stage.
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
