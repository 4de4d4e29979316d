//! Putting back what ran before, when the new version of an app does not serve. What comes of it is said first:
//! that the app is down matters more than why the new version failed.

use domino_core::api::GitRef;
use domino_core::api::apps::{App, AppChanges, AppId, AppVersion};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{Interrupts, Progress, Step, StepResult};
use domino_core::wait::{Poll, Span};

use crate::before::Before;
use crate::find::{describe, describe_version, in_words};
use crate::health::{Health, Hidden};
use crate::rollout::{Rollout, Trace};
use crate::watch::{Expected, Target, Watched};

/// What was done to have the version before run, and where its page could not be looked at, what was seen there.
enum PutBack {
    /// Nothing: it never stopped.
    StillRuns(App, Option<Hidden>),
    /// It was started once more.
    RunsAgain(App, Option<Hidden>),
    /// It was started once more, and what runs is something else.
    Differs(AppVersion, Vec<String>),
}

impl Rollout<'_> {
    /// Puts the version before back, checks that it serves, and says both outcomes.
    pub(crate) async fn put_back(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        before: &Before,
        trace: &Trace,
        failed: CommandError,
    ) -> Result<StepResult> {
        let (name, stage) = (&self.entity.name, &self.context.stage.name);
        let was = in_words(&before.version);
        step.say(&format!(
            "the new version does not serve; seeing to it that {was} does"
        ));
        // What the report says from here on is about what runs, not about what failed.
        if let Some(version) = &trace.version {
            step.report.fact("failed version", version.as_str());
        }
        let mut undo = Trace {
            app: trace.app.clone(),
            changed: true,
            stopped: true,
            ..Trace::default()
        };
        let mut progress = step.progress();
        let done = tokio::select! {
            done = self.restore(step, &mut progress, &mut undo, before, trace) => done,
            signal = interrupts.next() => {
                progress.end();
                let before = Some(before);
                let said = self.interrupted(step, interrupts, signal, before, &undo).await;
                return Err(failed.context("the new version had failed before").context(said));
            }
        };
        progress.end();
        match done {
            Ok(PutBack::StillRuns(app, hidden)) => {
                describe(&mut step.report, self.context, &app);
                describe_version(&mut step.report, &before.version);
                let unseen = unseen(hidden.as_ref());
                step.report
                    .fact("runs now", format!("{was}, as before{unseen}"));
                // A request that was refused and changed nothing is a refusal and no failed version.
                if matches!(failed.exit(), Exit::Failed | Exit::Unsettled) {
                    let text = format!(
                        "app `{name}` was not published to stage `{stage}`; {was} never stopped and goes on{unseen}"
                    );
                    return Err(failed.context(CommandError::failed(text)));
                }
                Err(self.context(failed))
            }
            Ok(PutBack::RunsAgain(app, hidden)) => {
                describe(&mut step.report, self.context, &app);
                self.warn_of_unchecked(step, before, &app);
                let other = app.version_other_than(Some(&before.version.id));
                let named = other.map_or_else(String::new, |now| format!(" as version {}", now.id));
                let seen = match &hidden {
                    None => " and serves again".into(),
                    Some(_) => format!(" and runs again{}", unseen(hidden.as_ref())),
                };
                step.report.fact(
                    "runs now",
                    format!("{was}, put back{named}{}", unseen(hidden.as_ref())),
                );
                let text = format!(
                    "app `{name}` was not published to stage `{stage}`; {was} was put back{named}{seen}"
                );
                Err(failed.context(CommandError::failed(text)))
            }
            Ok(PutBack::Differs(version, different)) => {
                describe_version(&mut step.report, &version);
                let different = different.join("; ");
                let what = format!(
                    "APP `{name}` RUNS SOMETHING ELSE IN STAGE `{stage}`: the new version failed, and what was put \
                     back is not as before"
                );
                let problem = CommandError::message(different.to_string());
                Err(self
                    .lost(step, before, trace, failed, &what, &problem)
                    .await)
            }
            Err(problem) => {
                let what = format!(
                    "APP `{name}` DOES NOT SERVE IN STAGE `{stage}`: the new version failed, and {was} could not be \
                     put back"
                );
                Err(self
                    .lost(step, before, trace, failed, &what, &problem)
                    .await)
            }
        }
    }

    /// What is put back may be made of more than Domino tells, and its environment may have moved on.
    fn warn_of_unchecked(&self, step: &mut Step, before: &Before, app: &App) {
        let again = self.apps.capabilities().starts_versions_again;
        let version = app.version.as_ref();
        let Some(version) = version.filter(|now| !again || now.id == before.version.id) else {
            return;
        };
        let comparison = before.compare(self.apps.capabilities(), version);
        if !comparison.untold.is_empty() {
            let text = format!(
                "this Domino does not tell the {} of what an app runs, so that it was not checked that it is as before",
                comparison.untold.join(", the ")
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

    /// Everything here shares one time, which is as long as the new version had.
    async fn restore(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        undo: &mut Trace,
        before: &Before,
        trace: &Trace,
    ) -> Result<PutBack> {
        let Some(id) = trace.app.clone() else {
            return Err(CommandError::new(Exit::Bug, "an app without an id"));
        };
        let mut poll = Poll::until(self.timeout, self.reader.delay_scale());
        let app = self.app_now(&id).await?;
        self.change_entry_point_back(&app, before).await?;
        let mut current = app.version.clone();
        if let Some(new) = app.version_other_than(Some(&before.version.id)) {
            self.clear(progress, undo, &id, new, &poll).await;
        }
        let old = self.apps.version(&id, &before.version.id).await?;
        if let Some(old) = old {
            if old.status().is_up() {
                match self.look_at(&app, poll.left()).await {
                    Health::Good => return Ok(PutBack::StillRuns(app, None)),
                    Health::Hidden(hidden) => return Ok(PutBack::StillRuns(app, Some(hidden))),
                    Health::NotYet(_) => {}
                }
            }
            // Something that is about to stop cannot be started, and must not run beside what is put back.
            self.clear(progress, undo, &id, &old, &poll).await;
            if current.as_ref().is_some_and(|current| current.id == old.id) {
                current = Some(old);
            }
        }
        let target = self
            .launch_before(step, undo, &id, before, current.as_ref())
            .await?;
        let mut watch = self.watch(&id, Expected::Before(before), progress);
        match watch.until_it_serves(target, &mut poll).await? {
            Watched::Serves(app, _) => Ok(PutBack::RunsAgain(app, None)),
            Watched::Hidden(app, hidden) => Ok(PutBack::RunsAgain(app, Some(hidden))),
            Watched::Another(version, different) => Ok(PutBack::Differs(version, different)),
            Watched::Down(version) => Err(CommandError::failed(format!(
                "put back, it ended as `{}`",
                version.status().word()
            ))),
            Watched::TimeUp(version, problem) => {
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

    /// Takes away what must not run beside the version that is put back; what does not stop is forced to where that
    /// can be. What still stands in the way then does not stop us: nothing serves, and the start is worth a try.
    async fn clear(
        &self,
        progress: &mut Progress,
        undo: &mut Trace,
        id: &AppId,
        version: &AppVersion,
        poll: &Poll,
    ) {
        let third = || third_of(poll, self.reader.delay_scale());
        let asked = self
            .take_down(progress, undo, id, version, &mut third())
            .await;
        let Err(mut problem) = asked else {
            return;
        };
        if !self.apps.capabilities().replaces_what_runs {
            progress.status(&format!("{problem:#}; forcing it"));
            let forced = async { Ok(self.writer.force_stop(id).await?) };
            let mut poll = third();
            let down = self.until_down(progress, id, version, &mut poll, forced);
            match down.await {
                Ok(()) => return,
                Err(error) => problem = error,
            }
        }
        progress.status(&format!("{problem:#}; going on all the same"));
    }

    /// Launches what ran before: the version itself where that can be, else a new one of the same content.
    pub(crate) async fn launch_before(
        &self,
        step: &mut Step,
        undo: &mut Trace,
        app: &AppId,
        before: &Before,
        current: Option<&AppVersion>,
    ) -> Result<Target> {
        let content = self.content_before(step, before).await;
        if self.apps.capabilities().starts_versions_again {
            let (id, instance) = (&before.version.id, before.version.instance.as_ref());
            return self
                .start_again(step, undo, app, id, instance, &content)
                .await;
        }
        // Without a commit Domino would run whatever is the newest, which is what has just failed.
        let Some(git_ref) = &content.git_ref else {
            return Err(CommandError::refused(
                "Domino does not tell which commit it ran",
            ));
        };
        if let GitRef::Moving { .. } = git_ref {
            let text =
                format!("the version before ran `{git_ref}`, which may be another commit by now");
            step.warn(&text, None);
        }
        self.launch(step, undo, app, current, &content).await
    }

    async fn app_now(&self, id: &AppId) -> Result<App> {
        let app = self.apps.app(id).await?;
        app.ok_or_else(|| {
            CommandError::refused(format!("app `{}` is not there any more", self.name))
        })
    }

    async fn change_entry_point_back(&self, app: &App, before: &Before) -> Result<()> {
        if !self.apps.capabilities().changes_entry_point || app.entry_point == before.entry_point {
            return Ok(());
        }
        let changes = AppChanges {
            entry_point: before.entry_point.clone(),
            ..AppChanges::default()
        };
        match changes.is_empty() {
            true => Ok(()),
            false => self
                .change(&app.id, &changes)
                .await
                .context("cannot change the entry point back"),
        }
    }

    /// Neither the new version nor the one before, or not as it was: this is said before anything else.
    async fn lost(
        &self,
        step: &mut Step,
        before: &Before,
        trace: &Trace,
        failed: CommandError,
        what: &str,
        problem: &CommandError,
    ) -> CommandError {
        let (name, stage) = (&self.entity.name, &self.context.stage.name);
        let was = in_words(&before.version);
        let looked = match &trace.app {
            Some(id) => self.look_what_runs(id, Some(before)).await,
            None => Ok("it is not known what runs".into()),
        };
        let publish = format!("deploy-app publish {name} --stage {stage} --commit");
        let (failure, runs, next) = match looked {
            Ok(runs) => (
                CommandError::failed(format!("{what}; {runs}"))
                    .hint("look at the app in Domino now, or publish a commit that served before"),
                runs,
                match &before.version.git_ref {
                    Some(GitRef::Commit(commit)) => format!("{publish} {commit}"),
                    _ => format!("{publish} COMMIT"),
                },
            ),
            // What Domino does not let us see may well serve.
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
        step.report.fact("runs now", &runs);
        step.report.next = Some(next);
        failed
            .context(format!("putting back {was} failed: {problem:#}"))
            .context(failure)
    }
}

/// A third of the time that is left.
fn third_of(poll: &Poll, delay_scale: f64) -> Poll {
    Poll::until(poll.left() / 3, delay_scale)
}

/// The end of a sentence about a version that runs, when its page could not be looked at.
fn unseen(hidden: Option<&Hidden>) -> String {
    hidden.map_or_else(String::new, |hidden| {
        format!("; whether it answers cannot be seen: {}", hidden.what())
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_cleared_away_takes_its_time_from_that_of_putting_back() {
        let minute = Duration::from_secs(60);
        let whole = Poll::until(minute, 1.0);
        assert!(third_of(&whole, 1.0).left() <= minute / 3);
        // What is left after a third was waited out is shared again, and the next third is a shorter one.
        let rest = Poll::until(whole.left() - third_of(&whole, 1.0).left(), 1.0);
        assert!(third_of(&rest, 1.0).left() <= minute * 2 / 9 + Duration::from_secs(1));
        assert!(
            third_of(&Poll::until(Duration::ZERO, 1.0), 1.0)
                .left()
                .is_zero()
        );
    }
}
