//! Rolls back to what ran before if the new version of an app does not serve. The result is reported first: that the
//! app is down matters more than why the new version failed.

use std::time::Duration;

use domino_core::api::GitRef;
use domino_core::api::apps::{App, AppChanges, AppId, AppVersion};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{Interrupts, Progress, Step, StepResult};
use domino_core::wait::{Poll, Span};

use crate::find::{describe, describe_version, version_text};
use crate::health::{AuthWall, Health, HealthCheck};
use crate::interrupted::Interruption;
use crate::launch::{Launcher, RolloutProgress, RolloutState};
use crate::previous::PreviousVersion;
use crate::watch::{Expected, Watch, WatchOutcome};
use crate::what_runs::{look_what_runs, report_what_is};

/// A rollback to the version that ran before.
pub(crate) struct Rollback<'a> {
    pub(crate) launcher: &'a Launcher<'a>,
    pub(crate) health: Option<&'a HealthCheck>,
    /// As much time as the new version had.
    pub(crate) timeout: Duration,
    pub(crate) previous: &'a PreviousVersion,
    /// How far the failed rollout came.
    pub(crate) failed: &'a RolloutProgress,
}

/// What was done to have the version before run, and where its page could not be looked at, what was seen there.
///
/// ```text
///                 it runs and answers
/// clear the new ─────────────────────> StillRuns
///       │ else                 serves
///       └─> launch the old ──────────> RunsAgain
///                  │ runs, and is not as before
///                  ├─────────────────> Differs
///                  └─────────────────> (an error: nothing serves)
/// ```
enum RollbackOutcome {
    /// Nothing was needed: it never stopped.
    StillRuns(App, Option<AuthWall>),
    /// It was started again.
    RunsAgain(App, Option<AuthWall>),
    /// It was started again, but what runs is something else.
    Differs(AppVersion, Vec<String>),
}

impl Rollback<'_> {
    /// Rolls back, checks that the previous version serves, and reports both outcomes; `why` is what failed before.
    pub(crate) async fn apply(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        why: CommandError,
    ) -> Result<StepResult> {
        let was = version_text(&self.previous.version);
        step.say(&format!(
            "the new version does not serve; seeing to it that {was} does"
        ));
        // From here on the report is about what runs, not about what failed.
        if !matches!(self.previous.version.git_ref, Some(GitRef::Commit(_))) {
            step.report.forget(&["commit"]);
        }
        if let Some(version) = &self.failed.version {
            step.report.fact("failed version", version.as_str());
        }
        let mut done = RolloutProgress {
            state: RolloutState::Stopped,
            app: self.failed.app.clone(),
            version: None,
        };
        let mut progress = step.progress();
        let outcome = tokio::select! {
            outcome = self.run(step, &mut progress, &mut done) => outcome,
            signal = interrupts.next() => {
                progress.end();
                let interruption = Interruption {
                    launcher: self.launcher,
                    previous: Some(self.previous),
                    done: &done,
                };
                let said = interruption.error(step, interrupts, signal).await;
                if let Some(id) = &self.failed.app {
                    let launcher = self.launcher;
                    report_what_is(&mut step.report, launcher.context, &launcher.apps, id).await;
                }
                return Err(why.context("the new version had failed before").context(said));
            }
        };
        progress.end();
        let (name, stage) = (
            &self.launcher.entity.name,
            &self.launcher.context.stage.name,
        );
        Err(match outcome {
            Ok(RollbackOutcome::StillRuns(app, wall)) => {
                self.report_still_runs(step, &app, wall.as_ref(), why)
            }
            Ok(RollbackOutcome::RunsAgain(app, wall)) => {
                self.report_runs_again(step, &app, wall.as_ref(), why)
            }
            Ok(RollbackOutcome::Differs(version, different)) => {
                describe_version(&mut step.report, &version);
                let what = format!(
                    "APP `{name}` RUNS SOMETHING ELSE IN STAGE `{stage}`: the new version failed, and what was put \
                     back is not as before"
                );
                let problem = CommandError::message(different.join("; "));
                self.lost(step, why, &what, &problem).await
            }
            Err(problem) => {
                let what = format!(
                    "APP `{name}` DOES NOT SERVE IN STAGE `{stage}`: the new version failed, and {was} could not be \
                     put back"
                );
                self.lost(step, why, &what, &problem).await
            }
        })
    }

    fn report_still_runs(
        &self,
        step: &mut Step,
        app: &App,
        wall: Option<&AuthWall>,
        why: CommandError,
    ) -> CommandError {
        let (name, stage) = (
            &self.launcher.entity.name,
            &self.launcher.context.stage.name,
        );
        let was = version_text(&self.previous.version);
        describe(&mut step.report, self.launcher.context, app);
        describe_version(&mut step.report, &self.previous.version);
        let unseen = unseen(wall);
        step.report
            .fact("runs now", format!("{was}, as before{unseen}"));
        // A request that was refused and changed nothing is a refusal, not a failed version.
        if !matches!(why.exit(), Exit::Failed | Exit::Unsettled) {
            return self.launcher.cannot_publish(why);
        }
        why.context(CommandError::failed(format!(
            "app `{name}` was not published to stage `{stage}`; {was} never stopped and goes on{unseen}"
        )))
    }

    fn report_runs_again(
        &self,
        step: &mut Step,
        app: &App,
        wall: Option<&AuthWall>,
        why: CommandError,
    ) -> CommandError {
        let (name, stage) = (
            &self.launcher.entity.name,
            &self.launcher.context.stage.name,
        );
        let was = version_text(&self.previous.version);
        describe(&mut step.report, self.launcher.context, app);
        self.warn_of_unchecked(step, app);
        let other = app.version_other_than(Some(&self.previous.version.id));
        let named = other.map_or_else(String::new, |now| format!(" as version {}", now.id));
        let unseen = unseen(wall);
        let seen = match wall {
            None => " and serves again".into(),
            Some(_) => format!(" and runs again{unseen}"),
        };
        step.report
            .fact("runs now", format!("{was}, put back{named}{unseen}"));
        why.context(CommandError::failed(format!(
            "app `{name}` was not published to stage `{stage}`; {was} was put back{named}{seen}"
        )))
    }

    /// What was rolled back to may have settings that Domino does not tell, and its environment may have changed.
    fn warn_of_unchecked(&self, step: &mut Step, app: &App) {
        let again = self.launcher.apps.capabilities().starts_versions_again;
        let version = app.version.as_ref();
        let Some(version) = version.filter(|now| !again || now.id == self.previous.version.id)
        else {
            return;
        };
        let comparison = self
            .previous
            .compare(self.launcher.apps.capabilities(), version);
        if !comparison.unreported.is_empty() {
            let text = format!(
                "this Domino does not tell the {} of what an app runs, so that it was not checked that it is as before",
                comparison.unreported.join(", the ")
            );
            step.warn(&text, None);
        }
        if let Some(revision) = comparison.newer_revision {
            step.warn(
                &format!("what was put back runs in another {revision}"),
                None,
            );
        }
    }

    /// Everything here shares one time limit, the same as that of the new version.
    async fn run(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
    ) -> Result<RollbackOutcome> {
        let (launcher, previous) = (self.launcher, self.previous);
        let Some(id) = self.failed.app.clone() else {
            return Err(CommandError::new(Exit::Bug, "an app without an id"));
        };
        let mut poll = Poll::until(self.timeout, launcher.reader.delay_scale());
        let app = launcher.apps.app(&id).await?;
        let app = app.ok_or_else(|| {
            CommandError::refused(format!("app `{}` is not there any more", launcher.name))
        })?;
        self.change_entry_point_back(&app).await?;
        let mut current = app.version.clone();
        if let Some(new) = app.version_other_than(Some(&previous.version.id)) {
            self.clear(progress, done, &id, new, &poll).await;
        }
        let old = &previous.version.id;
        if let Some(old) = launcher.apps.version(&id, old).await? {
            if old.status().is_up() {
                match self.page_of(&app, &poll).await {
                    Health::Good => return Ok(RollbackOutcome::StillRuns(app, None)),
                    Health::AuthWall(wall) => {
                        return Ok(RollbackOutcome::StillRuns(app, Some(wall)));
                    }
                    Health::NotYet(_) => {}
                }
            }
            // A version that is about to stop cannot be started, and must not run beside the one that is rolled back
            // to.
            self.clear(progress, done, &id, &old, &poll).await;
            if current.as_ref().is_some_and(|current| current.id == old.id) {
                current = Some(old);
            }
        }
        let target = launcher
            .launch_previous(step, done, &id, previous, current.as_ref())
            .await?;
        let expected = Expected::Previous(previous);
        let mut watch = Watch::new(launcher, &id, self.health, expected, progress);
        self.outcome_of(watch.until_it_serves(target, &mut poll).await?)
    }

    async fn page_of(&self, app: &App, poll: &Poll) -> Health {
        let (reader, apps) = (&self.launcher.reader, &self.launcher.apps);
        match self.health {
            Some(check) => check.wait(reader, apps, app, poll.left()).await,
            None => Health::Good,
        }
    }

    fn outcome_of(&self, watched: WatchOutcome) -> Result<RollbackOutcome> {
        match watched {
            WatchOutcome::Serves(app, _) => Ok(RollbackOutcome::RunsAgain(app, None)),
            WatchOutcome::AuthWall(app, wall) => Ok(RollbackOutcome::RunsAgain(app, Some(wall))),
            WatchOutcome::Mismatch(version, different) => {
                Ok(RollbackOutcome::Differs(version, different))
            }
            WatchOutcome::Down(version) => Err(CommandError::failed(format!(
                "put back, it ended as `{}`",
                version.status().word()
            ))),
            WatchOutcome::TimeUp(version, problem) => {
                let word = version.map_or_else(
                    || "nowhere to be seen".into(),
                    |v| v.status().word().to_owned(),
                );
                let why = problem.map_or_else(String::new, |why| format!(" ({why})"));
                let waited = Span(self.timeout);
                Err(CommandError::failed(format!(
                    "put back, it is `{word}`{why} when the {waited} for it were up"
                )))
            }
        }
    }

    /// Stops what must not run beside the version that is rolled back to; what does not stop is forced to where that
    /// can be. What runs on even then is no reason to give up: nothing serves, and the start is worth a try.
    async fn clear(
        &self,
        progress: &mut Progress,
        done: &mut RolloutProgress,
        id: &AppId,
        version: &AppVersion,
        poll: &Poll,
    ) {
        let launcher = self.launcher;
        let third = || third_of(poll, launcher.reader.delay_scale());
        let asked = launcher
            .take_down(progress, done, id, version, &mut third())
            .await;
        let Err(mut problem) = asked else {
            return;
        };
        if !launcher.apps.capabilities().replaces_what_runs {
            progress.status(&format!("{problem:#}; forcing it"));
            let forced = async { Ok(launcher.writer.force_stop(id).await?) };
            let mut poll = third();
            match launcher
                .until_down(progress, id, version, &mut poll, forced)
                .await
            {
                Ok(()) => return,
                Err(error) => problem = error,
            }
        }
        progress.status(&format!("{problem:#}; going on all the same"));
    }

    async fn change_entry_point_back(&self, app: &App) -> Result<()> {
        let old = &self.previous.entry_point;
        if !self.launcher.apps.capabilities().changes_entry_point
            || app.entry_point == *old
            || old.is_none()
        {
            return Ok(());
        }
        let changes = AppChanges {
            entry_point: old.clone(),
            ..AppChanges::default()
        };
        self.launcher
            .change(&app.id, &changes)
            .await
            .context("cannot change the entry point back")
    }

    /// Neither the new version nor the previous one serves, or not as it did: this is reported first.
    async fn lost(
        &self,
        step: &mut Step,
        why: CommandError,
        what: &str,
        problem: &CommandError,
    ) -> CommandError {
        let (name, stage) = (
            &self.launcher.entity.name,
            &self.launcher.context.stage.name,
        );
        let was = version_text(&self.previous.version);
        let looked = match &self.failed.app {
            Some(id) => look_what_runs(self.launcher, id, Some(self.previous)).await,
            None => Ok("it is not known what runs".into()),
        };
        let publish = format!("deploy-app publish {name} --stage {stage} --commit");
        let (failure, runs, next) = match looked {
            Ok(runs) => (
                CommandError::failed(format!("{what}; {runs}"))
                    .hint("look at the app in Domino now, or publish a commit that served before"),
                runs,
                match &self.previous.version.git_ref {
                    Some(GitRef::Commit(commit)) => format!("{publish} {commit}"),
                    _ => format!("{publish} COMMIT"),
                },
            ),
            // What Domino does not let us read may well serve.
            Err(error) => (
                CommandError::new(
                    error.exit(),
                    format!(
                        "IT CANNOT BE SEEN WHETHER APP `{name}` SERVES IN STAGE `{stage}`: while it was published, \
                         it could no longer be looked at"
                    ),
                )
                .hint("when Domino lets it be seen again, run this again: it finds what it left"),
                format!("not to be seen: {error}"),
                format!("deploy-app status {name} --stage {stage}"),
            ),
        };
        if let Some(id) = &self.failed.app {
            let launcher = self.launcher;
            report_what_is(&mut step.report, launcher.context, &launcher.apps, id).await;
        }
        step.report.fact("runs now", &runs);
        step.report.next = Some(next);
        why.context(format!("putting back {was} failed: {problem:#}"))
            .context(failure)
    }
}

/// A third of the remaining time.
fn third_of(poll: &Poll, delay_scale: f64) -> Poll {
    Poll::until(poll.left() / 3, delay_scale)
}

/// The end of a sentence about a running version whose page could not be read.
fn unseen(wall: Option<&AuthWall>) -> String {
    wall.map_or_else(String::new, |wall| {
        format!("; whether it answers cannot be seen: {}", wall.what())
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_cleared_away_takes_its_time_from_that_of_the_rollback() {
        let minute = Duration::from_secs(60);
        let whole = Poll::until(minute, 1.0);
        assert!(third_of(&whole, 1.0).left() <= minute / 3);
        // What remains after a third has passed is divided again, so the next third is shorter.
        let rest = Poll::until(whole.left() - third_of(&whole, 1.0).left(), 1.0);
        assert!(third_of(&rest, 1.0).left() <= minute * 2 / 9 + Duration::from_secs(1));
        assert!(
            third_of(&Poll::until(Duration::ZERO, 1.0), 1.0)
                .left()
                .is_zero()
        );
    }
}
