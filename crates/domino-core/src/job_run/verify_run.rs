//! Whether Domino runs what was asked for: commit, hardware tier and compute environment. Domino ignores a field with
//! a wrong name in silence, so that only the run itself proves anything.

use crate::api::jobs::{Job as Run, RuntimeDetails};
use crate::api::projects::Project;
use crate::client::Writer;
use crate::commit::Commit;
use crate::error::{CommandError, Exit, Result};
use crate::place::ResolvedPlacement;
use crate::revision::hand_on;
use crate::step::Step;
use crate::wait::Poll;

use super::over::is_over;

/// What a run must be.
#[derive(Debug)]
pub struct Requested<'a> {
    /// Stops one that is not.
    pub writer: &'a Writer,
    /// Where it runs.
    pub project: &'a Project,
    /// On what it runs.
    pub place: &'a ResolvedPlacement,
    /// What it runs.
    pub commit: &'a Commit,
}

impl Requested<'_> {
    /// Compares a run as it was read with what was asked for, and stops it when it differs. `false` when Domino did
    /// not tell everything yet.
    pub(super) async fn verify_run(&self, step: &mut Step, run: &Run, poll: &Poll) -> Result<bool> {
        let mut wrong = self.wrong_commit(run);
        wrong.append(&mut self.place.settings.wrong_in(run));
        if run.main_repo_git_ref.is_none() {
            wrong.push(format!("commit: none in place of {}", self.commit));
        }
        match poll.within(self.writer.reader().job_runtime(&run.id)).await {
            Some(Ok(got)) => {
                wrong.append(&mut self.wrong_placement(&got));
                hand_on(
                    &mut step.report,
                    got.environment.environment_revision_id.as_deref(),
                );
            }
            Some(Err(error)) if error.is_unknown_route() => {
                step.warn("this Domino does not tell on which hardware tier a run is, so that it was not checked", None);
            }
            // It is asked again at the next look; a run that ends first is not called good.
            Some(Err(error)) if error.exit() != Exit::Unreachable || is_over(run) => {
                return Err(error.into());
            }
            Some(Err(_)) | None => return Ok(false),
        }
        self.refuse(run, &wrong).await?;
        for unreported in self.place.settings.unreported_in(run) {
            step.warn(
                &format!("Domino does not tell whether the run has its {unreported}, so that it was not checked"),
                None,
            );
        }
        Ok(true)
    }

    /// The same for the reply to the start, which may leave the commit out and never tells the tier.
    pub async fn verify_commit(&self, run: &Run) -> Result<()> {
        self.refuse(run, &self.wrong_commit(run)).await
    }

    fn wrong_commit(&self, run: &Run) -> Vec<String> {
        let git_ref = run.main_repo_git_ref.iter();
        git_ref
            .filter(|git_ref| !git_ref.is(self.commit))
            .map(|git_ref| format!("commit: {git_ref} in place of {}", self.commit))
            .collect()
    }

    fn wrong_placement(&self, got: &RuntimeDetails) -> Vec<String> {
        let mut wrong = Vec::new();
        let tier = self.place.tier.as_ref();
        if let Some(tier) = tier.filter(|tier| tier.id != got.hardware_tier.id) {
            wrong.push(format!(
                "hardware tier: `{}` in place of `{}`",
                got.hardware_tier.id, tier.id
            ));
        }
        let runs_in = &got.environment.environment_id;
        let environment = self.place.environment.as_ref().map(|(wanted, _)| wanted);
        if let Some(environment) = environment.filter(|wanted| wanted.id != *runs_in) {
            wrong.push(format!(
                "environment: `{runs_in}` in place of `{}`",
                environment.id
            ));
        }
        wrong
    }

    /// Stops a run that differs from what was asked for.
    async fn refuse(&self, run: &Run, wrong: &[String]) -> Result<()> {
        if wrong.is_empty() {
            return Ok(());
        }
        let stopped = match self.writer.stop_job(&self.project.id, &run.id).await {
            Ok(()) => "it was stopped".to_owned(),
            Err(error) => format!("it could not be stopped: {error}"),
        };
        Err(CommandError::failed(format!("run {} is not what was asked for; {stopped}: {}", run.number, wrong.join("; ")))
            .hint("Domino took the request and did something else: is its version known to work with this program?"))
    }
}
