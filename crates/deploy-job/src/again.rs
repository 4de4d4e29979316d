//! A start in a later attempt at the workflow run: whether a run that succeeded counts, and whether a newer commit
//! has been run since.

use domino_core::api::jobs::Job as Run;
use domino_core::api::projects::Project;
use domino_core::deployment_marker::DeploymentMarker;
use domino_core::error::Result;
use domino_core::job_run::is_of;
use domino_core::older_commit::{OrderNotes, Running};
use domino_core::rerun::Rerun;
use domino_core::step::StepContext;

use crate::own_run::Reusable;

/// What is known when a workflow run is run again.
pub(crate) struct Again {
    rerun: Rerun,
    /// The newest run of the same job in the stage, of any commit. Not read in a first attempt.
    newest: Option<Run>,
}

impl Again {
    /// Asks GitHub and Domino side by side; nothing in a first attempt.
    pub(crate) async fn ask(
        context: &StepContext,
        project: &Project,
        marker: &DeploymentMarker,
    ) -> Result<Self> {
        if !domino_core::rerun::is_rerun() {
            let (rerun, newest) = (Rerun::First, None);
            return Ok(Self { rerun, newest });
        }
        let reader = context.connection.reader();
        let is_of = |run: &Run| is_of(run, &marker.of);
        let (rerun, newest) = tokio::join!(
            Rerun::of_this_job(&context.connection),
            reader.newest_job(&project.id, is_of),
        );
        let newest = newest?;
        Ok(Self { rerun, newest })
    }

    /// The run to reuse in place of a new one, and what to report. Without `back`, an older commit is refused if a
    /// run would be started, or if one that succeeded would count as the requested one.
    pub(crate) async fn reusable_run(
        self,
        context: &StepContext,
        marker: &DeploymentMarker,
        reusable: Option<Reusable>,
        back: bool,
    ) -> Result<(Option<Reusable>, OrderNotes)> {
        let goes_on = reusable
            .as_ref()
            .is_some_and(|reusable| !reusable.run.statuses.is_completed);
        match (&self.rerun, &reusable) {
            (Rerun::First, _) => return Ok((reusable, OrderNotes::default())),
            (Rerun::OfWhatFailed, Some(_)) => return Ok((reusable, OrderNotes::default())),
            _ if goes_on => return Ok((reusable, OrderNotes::default())),
            _ => {}
        }
        let mut notes = self.check_order(context, marker, back).await?;
        match (self.rerun, reusable) {
            (Rerun::Unknown(why), Some(reusable)) if !back => {
                notes.warning = Some(format!(
                    "run {} succeeded for this workflow run and counts; whether all jobs are run again, so that it was to \
                     be started once more, is not known: {why}",
                    reusable.run.number
                ));
                Ok((Some(reusable), notes))
            }
            _ => Ok((None, notes)),
        }
    }

    async fn check_order(
        &self,
        context: &StepContext,
        marker: &DeploymentMarker,
        back: bool,
    ) -> Result<OrderNotes> {
        let Some(newest) = &self.newest else {
            return Ok(OrderNotes::default());
        };
        let running = Running {
            what: &format!("job `{}`", marker.of.entity),
            git_ref: newest.main_repo_git_ref.as_ref(),
            deployed: &format!(" as run {}", newest.number),
        };
        let connection = &context.connection;
        running.check_order(&marker.commit, connection, back).await
    }
}
