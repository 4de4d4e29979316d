//! A rollout while another step publishes the same app: of two commits the newer one serves in the end, and the step
//! of the other one ends and names it. `contest` finds out what the other step did.

use std::time::Duration;

use domino_core::api::apps::AppVersion;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Progress, Step};
use domino_core::wait::Poll;

use crate::contest::Contest;
use crate::find::version_text;
use crate::launch::{RolloutProgress, RolloutState, Target};
use crate::previous::PreviousVersion;
use crate::rollout::{Rollout, RolloutOutcome};
use crate::watch::{Expected, Watch};

/// How often another step may publish in between before that counts as a failure.
const CONTESTS: usize = 4;
/// How long the step of a newer commit, which ours has replaced, may take to launch it again.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(20);

impl Rollout<'_> {
    /// Rolls out. If another step has published meanwhile, the newer of the two commits serves.
    pub(crate) async fn contested(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
    ) -> RolloutOutcome {
        let outcome = self.roll_out(step, progress, done).await;
        let mut outcome = outcome.unwrap_or_else(RolloutOutcome::Failed);
        let planned = self.existing.and_then(|app| app.version.as_ref());
        for _ in 0..CONTESTS {
            let contestable = matches!(
                outcome,
                RolloutOutcome::Serves(..) | RolloutOutcome::Failed(_)
            );
            if !contestable || done.state < RolloutState::Stopped || planned.is_none() {
                break;
            }
            let contest = self.launcher.contest(done, planned, self.wanted).await;
            let next = match contest {
                // If it cannot be read, nothing else is done.
                Err(_) | Ok(Contest::None) => break,
                Ok(Contest::Newer(by)) => return RolloutOutcome::Overtaken(Box::new(by)),
                Ok(Contest::Replaced(by)) => {
                    self.give_back(step, progress, done, &by).await;
                    return RolloutOutcome::Overtaken(Box::new(by));
                }
                Ok(Contest::Same(theirs)) => {
                    done.version = Some(theirs.id.clone());
                    let target = Target::Version(theirs.id.clone(), None);
                    self.watch_again(step, progress, done, target).await
                }
                Ok(Contest::Older(theirs)) => self.win_over(step, progress, done, &theirs).await,
            };
            outcome = next.unwrap_or_else(RolloutOutcome::Failed);
        }
        outcome
    }

    async fn watch_again(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
        target: Target,
    ) -> Result<RolloutOutcome> {
        let mut poll = Poll::until(self.timeout, self.launcher.reader.delay_scale());
        let (_, last) = self.decision.changes_around_launch();
        self.watch(step, progress, done, target, &mut poll, &last)
            .await
    }

    /// An older commit was launched in place of ours, which is launched once more.
    async fn win_over(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
        theirs: &AppVersion,
    ) -> Result<RolloutOutcome> {
        let launcher = &self.launcher;
        step.say(&format!(
            "another step has published {}, which is older: ours is launched once more",
            version_text(theirs)
        ));
        let Some(app) = done.app.clone() else {
            return Err(CommandError::new(Exit::Bug, "an app without an id"));
        };
        let mut poll = Poll::until(self.timeout, launcher.reader.delay_scale());
        if !launcher.apps.capabilities().replaces_what_runs {
            launcher
                .take_down(progress, done, &app, theirs, &mut poll)
                .await?;
        }
        let content = self.wanted.content();
        let target = launcher
            .launch(step, done, &app, Some(theirs), &content)
            .await?;
        self.watch_again(step, progress, done, target).await
    }

    /// A newer commit was launched before ours replaced it: it is launched again, unless its own step has done so.
    async fn give_back(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
        theirs: &AppVersion,
    ) {
        let launcher = &self.launcher;
        let Some(app) = done.app.clone() else { return };
        let mut poll = Poll::until(GIVEN_BACK_WITHIN, launcher.reader.delay_scale());
        while poll.next().await {
            let now = launcher.apps.app(&app).await.ok().flatten();
            let current = now.and_then(|app| app.version);
            if current.is_some_and(|current| done.version.as_ref() != Some(&current.id)) {
                return;
            }
        }
        step.say(&format!(
            "ours took the place of {}, which is newer: that one is launched again",
            version_text(theirs)
        ));
        let previous = PreviousVersion {
            version: theirs.clone(),
            entry_point: None,
        };
        let launched = launcher
            .launch_previous(step, done, &app, &previous, None)
            .await;
        let watched = match launched {
            Ok(target) => {
                let expected = Expected::Previous(&previous);
                let health = self.health.as_ref();
                let mut watch = Watch::new(launcher, &app, health, expected, progress);
                let mut poll = Poll::until(self.timeout, launcher.reader.delay_scale());
                watch
                    .until_it_serves(target, &mut poll)
                    .await
                    .map_err(CommandError::from)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = watched {
            let text = format!(
                "{} could not be launched again: {error:#}",
                version_text(theirs)
            );
            step.warn(&text, None);
        }
    }
}
