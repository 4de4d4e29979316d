//! Applies a decision: launches the version, watches it until it serves, and says how that ended.
//!
//! `rollback` and `interrupted` handle failures and signals.

use std::time::{Duration, Instant};

use domino_core::api::apps::{App, AppChanges, AppVersion};
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Excerpt, Interrupts, Progress, Signal, Step, StepResult};
use domino_core::wait::{Poll, Span};

use crate::decision::{Action, Decision};
use crate::find::{describe, describe_version, link, version_text};
use crate::health::{Health, HealthCheck};
use crate::interrupted::Interruption;
use crate::launch::{Launcher, RolloutProgress, RolloutState, Target};
use crate::previous::PreviousVersion;
use crate::rollback::Rollback;
use crate::wanted::Wanted;
use crate::watch::{Expected, Watch, WatchOutcome};
use crate::what_runs::report_what_is;

/// Everything that is needed to make a version of an app serve.
pub(crate) struct Rollout<'a> {
    pub(crate) launcher: Launcher<'a>,
    pub(crate) existing: Option<&'a App>,
    pub(crate) wanted: &'a Wanted,
    pub(crate) decision: &'a Decision,
    pub(crate) health: Option<HealthCheck>,
    pub(crate) timeout: Duration,
}

/// How a rollout ended.
pub(crate) enum RolloutOutcome {
    /// It serves; these things were not reported by Domino, so they were not checked.
    Serves(Box<App>, Vec<&'static str>),
    /// It does not serve, and is rolled back if something ran before.
    Failed(CommandError),
    /// Another step created the app first, and ours was removed.
    Second,
    /// Another step has published another commit meanwhile, which stays.
    Overtaken(Box<AppVersion>),
    /// It runs, but something about it could not be read or changed: it is not rolled back.
    Incomplete(CommandError),
    /// A signal came.
    Interrupted(Signal),
}

impl Rollout<'_> {
    /// Applies the decision. `None` if another step created the app first, which must then be read again.
    pub(crate) async fn apply(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
    ) -> Result<Option<StepResult>> {
        let (previous, started) = (self.previous(), Instant::now());
        let mut done = RolloutProgress {
            app: self.existing.map(|app| app.id.clone()),
            ..RolloutProgress::default()
        };
        let mut progress = step.progress();
        let outcome = tokio::select! {
            outcome = self.contested(step, &mut progress, &mut done) => outcome,
            signal = interrupts.next() => RolloutOutcome::Interrupted(signal),
        };
        progress.end();
        match (outcome, &previous) {
            (RolloutOutcome::Serves(app, unreported), _) => {
                describe(&mut step.report, self.launcher.context, &app);
                if done.state > RolloutState::Untouched || done.version.is_some() {
                    let waited = Span(started.elapsed()).to_string();
                    step.report.fact("waited", waited);
                }
                self.warn_of_unreported(step, &unreported);
                Ok(Some(self.done(&app)))
            }
            (RolloutOutcome::Second, _) => Ok(None),
            (RolloutOutcome::Overtaken(by), _) => {
                self.report_what_is(step, &done).await;
                Err(self.launcher.overtaken(&by))
            }
            (RolloutOutcome::Interrupted(signal), previous) => {
                let interruption = Interruption {
                    launcher: &self.launcher,
                    previous: previous.as_ref(),
                    done: &done,
                };
                let error = interruption.error(step, interrupts, signal).await;
                self.report_what_is(step, &done).await;
                Err(error)
            }
            (RolloutOutcome::Failed(error), Some(previous))
                if done.state >= RolloutState::Stopped =>
            {
                let rollback = Rollback {
                    launcher: &self.launcher,
                    health: self.health.as_ref(),
                    timeout: self.timeout,
                    previous,
                    failed: &done,
                };
                rollback.apply(step, interrupts, error).await.map(Some)
            }
            (RolloutOutcome::Failed(error), _) => {
                self.report_what_is(step, &done).await;
                Err(self.launcher.cannot_publish(error))
            }
            (RolloutOutcome::Incomplete(error), _) => {
                self.report_what_is(step, &done).await;
                Err(error)
            }
        }
    }

    /// A failed step reports what Domino has, not what was wanted.
    async fn report_what_is(&self, step: &mut Step, done: &RolloutProgress) {
        let launcher = &self.launcher;
        match &done.app {
            Some(id) => {
                report_what_is(&mut step.report, launcher.context, &launcher.apps, id).await;
            }
            None => step.report.forget(&["commit"]),
        }
    }

    /// The running version that is about to be replaced.
    fn previous(&self) -> Option<PreviousVersion> {
        let app = self
            .existing
            .filter(|_| self.decision.action == Action::Publish)?;
        let version = app.version.as_ref().filter(|v| v.status().is_up())?;
        Some(PreviousVersion {
            version: version.clone(),
            entry_point: app.entry_point.clone(),
        })
    }

    pub(crate) async fn roll_out(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
    ) -> Result<RolloutOutcome> {
        let mut poll = Poll::until(self.timeout, self.launcher.reader.delay_scale());
        let (first, last) = self.decision.changes_around_launch();
        if let Some(app) = self.existing.filter(|_| !first.is_empty()) {
            done.reach(RolloutState::Changed);
            self.launcher.change(&app.id, &first).await?;
        }
        if let (Action::Keep(_), Some(app)) = (&self.decision.action, self.existing) {
            return self.answers(app, done).await;
        }
        let Some(target) = self.launch(step, progress, done, &mut poll).await? else {
            return Ok(RolloutOutcome::Second);
        };
        self.watch(step, progress, done, target, &mut poll, &last)
            .await
    }

    /// Watches what was launched until it serves, and then applies the remaining changes to the app.
    pub(crate) async fn watch(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
        target: Target,
        poll: &mut Poll,
        last: &AppChanges,
    ) -> Result<RolloutOutcome> {
        let Some(app) = done.app.clone() else {
            return Err(CommandError::new(Exit::Bug, "an app without an id"));
        };
        let (health, expected) = (self.health.as_ref(), Expected::Wanted(self.wanted));
        let mut watch = Watch::new(&self.launcher, &app, health, expected, progress);
        let current = self.existing.and_then(|app| app.version.as_ref());
        watch.replaces = current
            .filter(|_| self.decision.action == Action::Publish)
            .map(|version| &version.id);
        let watched = watch.until_it_serves(target, poll).await?;
        done.found(watched.version(), self.wanted);
        let lines = watch.tail.excerpt();
        if let Some(why) = watch.unread {
            let text =
                format!("the log of the version that went down was not read to its end: {why}");
            step.warn(&text, None);
        }
        let (app, unreported) = match watched {
            WatchOutcome::Serves(app, unreported) if !last.is_empty() => (app, Some(unreported)),
            WatchOutcome::AuthWall(app, _) if !last.is_empty() => (app, None),
            watched => return Ok(self.outcome_of(step, watched, done, lines)),
        };
        self.change_what_runs(step, done, app, unreported, last)
            .await
    }

    /// Sends the requests of the decision, up to the launch.
    async fn launch(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        done: &mut RolloutProgress,
        poll: &mut Poll,
    ) -> Result<Option<Target>> {
        let launcher = &self.launcher;
        let Some(app) = self.existing else {
            return launcher.create(step, done, self.wanted).await;
        };
        let (current, content) = (app.version.as_ref(), self.wanted.content());
        let target = match &self.decision.action {
            Action::Create => return launcher.create(step, done, self.wanted).await,
            Action::Follow(version) | Action::Keep(version) => {
                done.version = Some(version.clone());
                Target::Version(version.clone(), None)
            }
            Action::StartAgain(version) => {
                let instance = current.and_then(|v| v.instance.as_ref());
                launcher
                    .start_again(step, done, &app.id, version, instance, &content)
                    .await?
            }
            Action::Publish => {
                if let Some(current) =
                    current.filter(|_| !launcher.apps.capabilities().replaces_what_runs)
                {
                    launcher
                        .take_down(progress, done, &app.id, current, poll)
                        .await?;
                }
                launcher
                    .launch(step, done, &app.id, current, &content)
                    .await?
            }
        };
        Ok(Some(target))
    }

    /// Applies the remaining changes to an app whose new version runs. If it was not seen to serve because its page
    /// asked for a sign-in, the page may be open to us now and is read once more.
    async fn change_what_runs(
        &self,
        step: &mut Step,
        done: &mut RolloutProgress,
        app: App,
        unreported: Option<Vec<&'static str>>,
        changes: &AppChanges,
    ) -> Result<RolloutOutcome> {
        done.reach(RolloutState::Changed);
        if let Err(error) = self.launcher.change(&app.id, changes).await {
            describe(&mut step.report, self.launcher.context, &app);
            let (name, stage) = (
                &self.launcher.entity.name,
                &self.launcher.context.stage.name,
            );
            let runs = app.version.as_ref().map_or_else(String::new, version_text);
            return Ok(RolloutOutcome::Incomplete(error.context(format!(
                "app `{name}` runs {runs} in stage `{stage}`, but its visibility, description or thumbnail could not be changed"
            ))));
        }
        match unreported {
            Some(unreported) => Ok(RolloutOutcome::Serves(Box::new(app), unreported)),
            None => self.answers(&app, done).await,
        }
    }

    /// Whether a running app answers.
    async fn answers(&self, app: &App, done: &RolloutProgress) -> Result<RolloutOutcome> {
        if let Err(failure) = self.page_answers(app).await {
            return Ok(RolloutOutcome::Incomplete(failure));
        }
        let now = match done.state {
            RolloutState::Untouched => None,
            _ => self.launcher.apps.app(&app.id).await?,
        };
        let now = now.unwrap_or_else(|| app.clone());
        Ok(RolloutOutcome::Serves(Box::new(now), Vec::new()))
    }

    /// Whether the page of a running app answers.
    async fn page_answers(&self, app: &App) -> Result<(), CommandError> {
        let (name, stage) = (
            &self.launcher.entity.name,
            &self.launcher.context.stage.name,
        );
        let Some(check) = &self.health else {
            return Ok(());
        };
        let (reader, apps) = (&self.launcher.reader, &self.launcher.apps);
        match check.wait(reader, apps, app, self.timeout).await {
            Health::Good => Ok(()),
            Health::AuthWall(wall) => Err(wall.failure(name, &self.launcher.context.file)),
            Health::NotYet(why) => Err(CommandError::failed(format!(
                "app `{name}` runs in stage `{stage}`, but does not answer: {why}"
            ))
            .hint(format!(
                "its log may say why; to start it anew: deploy-app unpublish {name} --stage {stage}, then publish with `--put-back`"
            ))
            .at(&self.launcher.context.file, &["app", name, "health-path"])),
        }
    }

    /// What the end of watching means.
    fn outcome_of(
        &self,
        step: &mut Step,
        watched: WatchOutcome,
        done: &RolloutProgress,
        log: Vec<String>,
    ) -> RolloutOutcome {
        let (name, file) = (&self.launcher.entity.name, &self.launcher.context.file);
        let (failure, version) = match watched {
            WatchOutcome::Serves(app, unreported) => {
                return RolloutOutcome::Serves(Box::new(app), unreported);
            }
            WatchOutcome::AuthWall(app, wall) => {
                describe(&mut step.report, self.launcher.context, &app);
                return RolloutOutcome::Incomplete(wall.failure(name, file));
            }
            WatchOutcome::Down(version) => (self.went_down(&version), Some(version)),
            WatchOutcome::Mismatch(version, different) => {
                let failure = CommandError::failed(format!(
                    "version {} is not what was asked for: {}",
                    version.id,
                    different.join("; ")
                ))
                .hint("Domino took the request and did something else: is its version known to work with this program?");
                (failure, Some(version))
            }
            WatchOutcome::TimeUp(version, problem) => {
                (self.time_is_up(version.as_ref(), problem), version)
            }
        };
        if let Some(version) = &version {
            describe_version(&mut step.report, version);
        }
        if !log.is_empty() {
            step.report.excerpt = Some(Excerpt {
                title: "the last lines of the new version's log".into(),
                lines: log,
                was_live: true,
            });
        }
        let existing = self.existing.and_then(|app| app.version.as_ref());
        let id = version.as_ref().map(|version| &version.id);
        let id = id.or(done.version.as_ref());
        if let Some(id) = id.or(existing.map(|version| &version.id)) {
            let stage = &self.launcher.context.stage.name;
            step.report.next = Some(format!(
                "deploy-app logs {name} --stage {stage} --version-id {id}"
            ));
        }
        RolloutOutcome::Failed(failure)
    }

    fn went_down(&self, version: &AppVersion) -> CommandError {
        let status = version.status();
        let hint = match status.word() {
            "Succeeded" => {
                "its entry point came to an end: it must go on, and listen on 0.0.0.0:8888"
            }
            "Stopped" => "somebody stopped it in Domino",
            _ => "its log says why; correct the code and push, or run this again",
        };
        CommandError::failed(format!(
            "{} ended as `{}`",
            version_text(version),
            status.word()
        ))
        .hint(hint)
        .at(
            &self.launcher.context.file,
            &["app", &self.launcher.entity.name, "entry-point"],
        )
    }

    /// A slow version that replaces nothing may still come up, so it is left alone.
    fn time_is_up(&self, version: Option<&AppVersion>, problem: Option<String>) -> CommandError {
        let waited = Span(self.timeout);
        let file = &self.launcher.context.file;
        let Some(version) = version else {
            let text = format!("Domino does not show a new version after {waited}");
            return CommandError::new(Exit::Unsettled, text)
                .hint("run this again; it finds what it left");
        };
        let (words, status) = (version_text(version), version.status());
        if status.is_up() {
            let why = problem.unwrap_or_else(|| "it was not seen to answer".into());
            return CommandError::failed(format!("{words} did not serve within {waited}: {why}"))
                .hint("does its entry point listen on 0.0.0.0:8888? Its log may say more; or give a longer `--timeout`")
                .at(file, &["app", &self.launcher.entity.name, "health-path"]);
        }
        let text = format!("{words} is still `{}` after {waited}", status.word());
        match self.previous().is_some() {
            true => CommandError::failed(text).hint("give a longer `--timeout` if it needs it"),
            false => CommandError::new(Exit::Unsettled, text).hint(
                "it goes on in Domino; run this again to follow it, or give a longer `--timeout`",
            ),
        }
    }

    fn warn_of_unreported(&self, step: &mut Step, unreported: &[&'static str]) {
        if !unreported.is_empty() {
            let text = format!(
                "this Domino does not tell the {} of what an app runs, so that it was asked for and not checked",
                unreported.join(", the ")
            );
            step.warn(&text, None);
        }
    }

    fn done(&self, app: &App) -> StepResult {
        let (name, stage) = (
            &self.launcher.entity.name,
            &self.launcher.context.stage.name,
        );
        let what = app.version.as_ref().map_or_else(String::new, version_text);
        let at =
            link(self.launcher.context, app).map_or_else(String::new, |link| format!(": {link}"));
        match self.decision.action {
            Action::Keep(_) if self.decision.changes.is_empty() => StepResult::unchanged(format!(
                "app `{name}` serves {what} in stage `{stage}` already{at}"
            )),
            Action::Keep(_) => StepResult::done(format!(
                "changed app `{name}` in stage `{stage}`; it goes on to serve {what}{at}"
            )),
            _ => StepResult::done(format!("app `{name}` serves {what} in stage `{stage}`{at}")),
        }
    }
}
