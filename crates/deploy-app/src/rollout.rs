//! Carrying a decision out: launch the version, watch it until it serves, and judge how that ended.
//!
//! What a failure or an interruption then asks for is in `put_back` and `interrupted`.

use domino_core::error::{CommandError, Exit, Result};
use std::time::{Duration, Instant};

use domino_core::api::apps::{App, AppChanges, AppId, AppVersion, AppVersionId, Apps};
use domino_core::api::projects::Project;
use domino_core::client::{Reader, Writer};
use domino_core::wait::LogTail;
use domino_core::wait::{Poll, Span};

use domino_core::step::{Excerpt, Interrupts, Progress, Signal, Step, StepContext, StepResult};

use crate::before::Before;
use crate::cannot;
use crate::decision::{Action, Decision};
use crate::find::{describe, describe_version, in_words, link};
use crate::health::{Health, HealthCheck, Patience};
use crate::wanted::Wanted;
use crate::watch::{Expected, Target, Watch, Watched};

/// How long an app that runs already may take to answer.
const ANSWER_GRACE: Duration = Duration::from_secs(30);

/// All that is needed to bring a version of an app to serve.
pub(crate) struct Rollout<'a> {
    pub(crate) context: &'a StepContext,
    pub(crate) reader: Reader,
    pub(crate) apps: Apps<Reader>,
    pub(crate) writer: Apps<Writer>,
    pub(crate) project: &'a Project,
    /// The app as the stage file has it.
    pub(crate) entity: &'a stage_file::App,
    /// Its name in Domino.
    pub(crate) name: &'a str,
    pub(crate) wanted: &'a Wanted,
    pub(crate) health: Option<HealthCheck>,
    pub(crate) timeout: Duration,
}

/// How far it has come. It says what may be different from before, also when a reply never came.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// The app, once it is known.
    pub(crate) app: Option<AppId>,
    /// A request that changes something was sent.
    pub(crate) changed: bool,
    /// The version that ran was told to stop, or is down for another reason, and is not replaced.
    pub(crate) stopped: bool,
    /// The new version was launched.
    pub(crate) launched: bool,
    /// The new version, once it is known.
    pub(crate) version: Option<AppVersionId>,
}

/// How carrying it out ended.
enum Ended {
    /// It serves; these things were not told and so not checked.
    Serves(Box<App>, Vec<&'static str>),
    /// It does not, and what ran before is wanted back.
    Failed(CommandError),
    /// It runs, but something about it could not be seen or changed: nothing is put back.
    Incomplete(CommandError),
    /// Somebody wants us to stop.
    Interrupted(Signal),
}

impl Rollout<'_> {
    /// Carries the decision out.
    pub(crate) async fn carry_out(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        there: Option<&App>,
        decision: &Decision,
    ) -> Result<StepResult> {
        let (before, started) = (self.before(there, decision), Instant::now());
        let mut trace = Trace {
            app: there.map(|app| app.id.clone()),
            ..Trace::default()
        };
        let mut progress = step.progress();
        let ended = tokio::select! {
            ended = self.roll_out(step, &mut progress, &mut trace, there, decision) => {
                ended.unwrap_or_else(Ended::Failed)
            }
            signal = interrupts.next() => Ended::Interrupted(signal),
        };
        progress.end();
        match (ended, before) {
            (Ended::Serves(app, untold), _) => {
                describe(&mut step.report, self.context, &app);
                if trace.changed || trace.version.is_some() {
                    step.report
                        .fact("waited", Span(started.elapsed()).to_string());
                }
                self.warn_of_untold(step, &untold);
                Ok(self.done(&app, decision))
            }
            (Ended::Interrupted(signal), before) => {
                let before = before.as_ref();
                Err(self
                    .interrupted(step, interrupts, signal, before, &trace)
                    .await)
            }
            (Ended::Failed(error), Some(before)) if trace.launched || trace.stopped => {
                self.put_back(step, interrupts, &before, &trace, error)
                    .await
            }
            (Ended::Failed(error), _) => Err(self.context(error)),
            (Ended::Incomplete(error), _) => Err(error),
        }
    }

    /// The version that runs and is about to be replaced.
    fn before(&self, there: Option<&App>, decision: &Decision) -> Option<Before> {
        let app = there.filter(|_| decision.action == Action::Publish)?;
        let version = app.version.as_ref().filter(|v| v.status().is_up())?;
        Some(Before {
            version: version.clone(),
            entry_point: app.entry_point.clone(),
        })
    }

    async fn roll_out(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        trace: &mut Trace,
        there: Option<&App>,
        decision: &Decision,
    ) -> Result<Ended> {
        let mut poll = Poll::until(self.timeout, self.reader.delay_scale());
        let (first, last) = decision.changes_around_launch();
        if let Some(app) = there.filter(|_| !first.is_empty()) {
            trace.changed = true;
            self.change(&app.id, &first).await?;
        }
        let current = there.and_then(|app| app.version.as_ref());
        let target = match (&decision.action, there) {
            (Action::Create, _) | (_, None) => self.create(step, trace).await?,
            (Action::Keep(_), Some(app)) => return self.answers(app, trace).await,
            (Action::Follow(version), _) => {
                trace.version = Some(version.clone());
                Target::Version(version.clone(), None)
            }
            (Action::StartAgain(version), Some(app)) => {
                let instance = current.and_then(|v| v.instance.as_ref());
                let content = self.wanted.content();
                self.start_again(step, trace, &app.id, version, instance, &content)
                    .await?
            }
            (Action::Publish, Some(app)) => {
                if let Some(current) =
                    current.filter(|_| !self.apps.capabilities().replaces_what_runs)
                {
                    self.take_down(progress, trace, &app.id, current, &mut poll)
                        .await?;
                }
                let content = self.wanted.content();
                self.launch(step, trace, &app.id, current, &content).await?
            }
        };
        let Some(app) = trace.app.clone() else {
            return Err(CommandError::new(Exit::Bug, "an app without an id"));
        };
        let mut watch = self.watch(&app, Expected::Wanted(self.wanted), progress);
        watch.before = current
            .filter(|_| decision.action == Action::Publish)
            .map(|version| &version.id);
        let watched = watch.until_it_serves(target, &mut poll).await?;
        let tail = watch.tail;
        if let Some(why) = watch.unread {
            let text =
                format!("the log of the version that went down was not read to its end: {why}");
            step.warn(&text, None);
        }
        let (app, untold) = match watched {
            Watched::Serves(app, untold) if !last.is_empty() => (app, Some(untold)),
            Watched::Hidden(app, _) if !last.is_empty() => (app, None),
            watched => return self.judge(step, watched, &tail, there, decision),
        };
        trace.changed = true;
        self.change_what_runs(step, trace, app, untold, &last).await
    }

    /// Changes the rest about an app whose new version runs. Where it was not seen to serve, because its page was
    /// hidden, the page may be open to us now and is looked at once more.
    async fn change_what_runs(
        &self,
        step: &mut Step,
        trace: &Trace,
        app: App,
        untold: Option<Vec<&'static str>>,
        changes: &AppChanges,
    ) -> Result<Ended> {
        if let Err(error) = self.change(&app.id, changes).await {
            describe(&mut step.report, self.context, &app);
            let (name, stage) = (&self.entity.name, &self.context.stage.name);
            let runs = app.version.as_ref().map_or_else(String::new, in_words);
            return Ok(Ended::Incomplete(error.context(format!(
                "app `{name}` runs {runs} in stage `{stage}`, but its visibility or description could not be changed"
            ))));
        }
        match untold {
            Some(untold) => Ok(Ended::Serves(Box::new(app), untold)),
            None => self.answers(&app, trace).await,
        }
    }

    /// What watches a version of the app.
    pub(crate) fn watch<'a>(
        &'a self,
        app: &'a AppId,
        expected: Expected<'a>,
        progress: &'a mut Progress,
    ) -> Watch<'a> {
        Watch {
            reader: &self.reader,
            apps: &self.apps,
            app,
            health: self.health.as_ref(),
            expected,
            before: None,
            progress,
            tail: LogTail::default(),
            log_misses: 0,
            unread: None,
        }
    }

    /// Whether an app that runs already answers.
    async fn answers(&self, app: &App, trace: &Trace) -> Result<Ended> {
        if let Err(failure) = self.page_answers(app).await {
            return Ok(Ended::Incomplete(failure));
        }
        let now = match trace.changed {
            true => self.apps.app(&app.id).await?,
            false => None,
        };
        let now = now.unwrap_or_else(|| app.clone());
        Ok(Ended::Serves(Box::new(now), Vec::new()))
    }

    /// What the page of an app that runs answers, with some patience; good when no page is to be asked.
    pub(crate) async fn look_at(&self, app: &App, at_most: Duration) -> Health {
        let Some(check) = &self.health else {
            return Health::Good;
        };
        let mut poll = Poll::until(ANSWER_GRACE.min(at_most), self.reader.delay_scale());
        let (mut patience, mut address) = (Patience::default(), app.url.clone());
        loop {
            let health = check.look(&self.reader, address.as_deref()).await;
            let health = patience.judge(health);
            let over = matches!(health, Health::Good | Health::Hidden(_));
            if over || !poll.next().await {
                return health;
            }
            // What was just started may get another address.
            if let Ok(Some(now)) = self.apps.app(&app.id).await {
                address = now.url;
            }
        }
    }

    /// Whether the page of an app that runs answers.
    async fn page_answers(&self, app: &App) -> Result<(), CommandError> {
        let (name, stage) = (&self.entity.name, &self.context.stage.name);
        match self.look_at(app, self.timeout).await {
            Health::Good => Ok(()),
            Health::Hidden(hidden) => Err(hidden.failure(name, &self.context.file)),
            Health::NotYet(why) => Err(CommandError::failed(format!(
                "app `{name}` runs in stage `{stage}`, but does not answer: {why}"
            ))
            .hint(format!(
                "its log may say why; to start it anew: deploy-app unpublish {name} --stage {stage}, then publish"
            ))
            .at(&self.context.file, &["app", name, "health-path"])),
        }
    }

    /// What the end of watching means.
    fn judge(
        &self,
        step: &mut Step,
        watched: Watched,
        tail: &LogTail,
        there: Option<&App>,
        decision: &Decision,
    ) -> Result<Ended> {
        let (name, file) = (&self.entity.name, &self.context.file);
        let failure = match watched {
            Watched::Serves(app, untold) => return Ok(Ended::Serves(Box::new(app), untold)),
            Watched::Hidden(app, hidden) => {
                describe(&mut step.report, self.context, &app);
                return Ok(Ended::Incomplete(hidden.failure(name, file)));
            }
            Watched::Down(version) => {
                describe_version(&mut step.report, &version);
                self.went_down(&version)
            }
            Watched::Another(version, different) => {
                describe_version(&mut step.report, &version);
                CommandError::failed(format!(
                    "version {} is not what was asked for: {}",
                    version.id,
                    different.join("; ")
                ))
                .hint("Domino took the request and did something else: is its version known to work with this program?")
            }
            Watched::TimeUp(version, problem) => {
                if let Some(version) = &version {
                    describe_version(&mut step.report, version);
                }
                let replaces = self.before(there, decision).is_some();
                self.time_is_up(version.as_ref(), problem, replaces)
            }
        };
        let lines = tail.excerpt();
        if !lines.is_empty() {
            step.report.excerpt = Some(Excerpt {
                title: "the last lines of the new version's log".into(),
                lines,
                was_live: true,
            });
        }
        if let Some((_, version)) = step
            .report
            .outputs
            .iter()
            .find(|(name, _)| *name == "version")
        {
            let stage = &self.context.stage.name;
            step.report.next = Some(format!(
                "deploy-app logs {name} --stage {stage} --version-id {version}"
            ));
        }
        Ok(Ended::Failed(failure))
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
            in_words(version),
            status.word()
        ))
        .hint(hint)
        .at(
            &self.context.file,
            &["app", &self.entity.name, "entry-point"],
        )
    }

    /// Something that takes its time and replaces nothing may yet come to serve, so that it is left alone.
    fn time_is_up(
        &self,
        version: Option<&AppVersion>,
        problem: Option<String>,
        replaces: bool,
    ) -> CommandError {
        let waited = Span(self.timeout);
        let file = &self.context.file;
        let Some(version) = version else {
            let text = format!("Domino does not show a new version after {waited}");
            return CommandError::new(Exit::Unsettled, text)
                .hint("run this again; it finds what it left");
        };
        let (words, status) = (in_words(version), version.status());
        if status.is_up() {
            let why = problem.unwrap_or_else(|| "it was not seen to answer".into());
            return CommandError::failed(format!("{words} did not serve within {waited}: {why}"))
                .hint("does its entry point listen on 0.0.0.0:8888? Its log may say more; or give a longer `--timeout`")
                .at(file, &["app", &self.entity.name, "health-path"]);
        }
        let text = format!("{words} is still `{}` after {waited}", status.word());
        match replaces {
            true => CommandError::failed(text).hint("give a longer `--timeout` if it needs it"),
            false => CommandError::new(Exit::Unsettled, text).hint(
                "it goes on in Domino; run this again to follow it, or give a longer `--timeout`",
            ),
        }
    }

    fn warn_of_untold(&self, step: &mut Step, untold: &[&'static str]) {
        if !untold.is_empty() {
            let text = format!(
                "this Domino does not tell the {} of what an app runs, so that it was asked for and not checked",
                untold.join(", the ")
            );
            step.warn(&text, None);
        }
    }

    fn done(&self, app: &App, decision: &Decision) -> StepResult {
        let (name, stage) = (&self.entity.name, &self.context.stage.name);
        let what = app.version.as_ref().map_or_else(String::new, in_words);
        let at = link(self.context, app).map_or_else(String::new, |link| format!(": {link}"));
        match decision.action {
            Action::Keep(_) if decision.changes.is_empty() => StepResult::unchanged(format!(
                "app `{name}` serves {what} in stage `{stage}` already{at}"
            )),
            Action::Keep(_) => StepResult::done(format!(
                "changed app `{name}` in stage `{stage}`; it goes on to serve {what}{at}"
            )),
            _ => StepResult::done(format!("app `{name}` serves {what} in stage `{stage}`{at}")),
        }
    }

    /// Puts the sentence in front of an error that says what could not be done.
    pub(crate) fn context(&self, error: CommandError) -> CommandError {
        error.context(cannot("publish", &self.entity.name, &self.context.stage))
    }
}
