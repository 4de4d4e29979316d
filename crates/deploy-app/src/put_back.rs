//! Putting back what ran before, when the new version of an app does not serve. What comes of it is said first:
//! that the app is down matters more than why the new version failed.

use anyhow::Context;
use domino_core::api::apps::{App, AppChanges, AppId, AppVersion};
use domino_core::error::{Exit, Failure, exit_of};
use domino_core::settle::{Looks, in_words as span_in_words};
use domino_core::step::{Ending, Interrupts, Progress, Step};

use crate::find::{describe, describe_version, in_words};
use crate::rollout::{Before, Rollout, Trace};
use crate::watch::{Expected, Target, Watched};

/// What was done to have the version before run.
enum PutBack {
    /// Nothing: it never stopped.
    StillRuns(App),
    /// It was started once more.
    RunsAgain(App),
}

impl Rollout<'_> {
    /// Puts the version before back, checks that it serves, and says both outcomes.
    pub(crate) async fn put_back(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        before: &Before,
        trace: &Trace,
        failed: anyhow::Error,
    ) -> anyhow::Result<Ending> {
        let (name, stage) = (&self.entity.name, &self.setting.stage.name);
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
            Ok(PutBack::StillRuns(app)) => {
                describe(&mut step.report, self.setting, &app);
                describe_version(&mut step.report, &before.version);
                step.report.fact("runs now", format!("{was}, as before"));
                // A request that was refused and changed nothing is a refusal and no failed version.
                if matches!(exit_of(&failed), Exit::Failed | Exit::Unsettled) {
                    let text = format!(
                        "app `{name}` was not published to stage `{stage}`; {was} never stopped and goes on"
                    );
                    return Err(failed.context(Failure::failed(text)));
                }
                Err(self.context(failed))
            }
            Ok(PutBack::RunsAgain(app)) => {
                describe(&mut step.report, self.setting, &app);
                let other = app.version_other_than(Some(&before.version.id));
                let named = other.map_or_else(String::new, |now| format!(" as version {}", now.id));
                step.report
                    .fact("runs now", format!("{was}, put back{named}"));
                let text = format!(
                    "app `{name}` was not published to stage `{stage}`; {was} was put back{named} and serves again"
                );
                Err(failed.context(Failure::failed(text)))
            }
            Err(problem) => Err(self.lost(step, before, trace, failed, &problem).await),
        }
    }

    async fn restore(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        undo: &mut Trace,
        before: &Before,
        trace: &Trace,
    ) -> anyhow::Result<PutBack> {
        let Some(id) = trace.app.clone() else {
            return Err(Failure::new(Exit::Bug, "an app without an id").into());
        };
        let app = self.app_now(&id).await?;
        self.change_entry_point_back(&app, before).await?;
        let mut current = app.version.clone();
        if let Some(new) = app.version_other_than(Some(&before.version.id)) {
            self.clear(progress, undo, &id, new).await;
        }
        let old = self
            .reader
            .app_version(self.api, &id, &before.version.id)
            .await?;
        if let Some(old) = old {
            if old.status().is_up() && self.look_at(&app).await.is_ok() {
                return Ok(PutBack::StillRuns(app));
            }
            // Something that is about to stop cannot be started, and must not run beside what is put back.
            self.clear(progress, undo, &id, &old).await;
            if current.as_ref().is_some_and(|current| current.id == old.id) {
                current = Some(old);
            }
        }
        let target = self
            .launch_before(step, undo, &id, before, current.as_ref())
            .await?;
        let mut watch = self.watch(&id, Expected::Before(&before.version), progress);
        let mut looks = Looks::until(self.timeout, self.reader.pace());
        match watch.until_it_serves(target, &mut looks).await? {
            Watched::Serves(app, _) | Watched::Hidden(app, _) => Ok(PutBack::RunsAgain(app)),
            Watched::Down(version) => Err(Failure::failed(format!(
                "put back, it ended as `{}`",
                version.status().word()
            ))
            .into()),
            Watched::Another(_, different) => Err(Failure::failed(format!(
                "put back, it is not the same: {}",
                different.join("; ")
            ))
            .into()),
            Watched::TimeUp(version, problem) => {
                let word = version.map_or_else(
                    || "nowhere to be seen".into(),
                    |v| v.status().word().to_owned(),
                );
                let why = problem.map_or_else(String::new, |why| format!(" ({why})"));
                let waited = span_in_words(self.timeout);
                Err(Failure::failed(format!("put back, it is `{word}`{why} after {waited}")).into())
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
    ) {
        let third = || Looks::until(self.timeout / 3, self.reader.pace());
        let asked = self
            .take_down(progress, undo, id, version, &mut third())
            .await;
        let Err(mut problem) = asked else {
            return;
        };
        if !self.api.replaces_what_runs() {
            progress.status(&format!("{problem:#}; forcing it"));
            if let Err(error) = self.writer.force_stop_app(id).await {
                problem = error.into();
            } else if let Err(error) = self.until_down(progress, id, version, &mut third()).await {
                problem = error;
            } else {
                return;
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
    ) -> anyhow::Result<Target> {
        let content = before.version.content();
        if self.api.starts_versions_again() {
            let (id, instance) = (&before.version.id, before.version.instance.as_ref());
            return self
                .start_again(step, undo, app, id, instance, &content)
                .await;
        }
        // Without a commit Domino would run whatever is the newest, which is what has just failed.
        let Some(git_ref) = &content.git_ref else {
            return Err(Failure::refused("Domino does not tell which commit it ran").into());
        };
        if git_ref.kind != "commitId" {
            let text = format!(
                "the version before ran `{}`, which may be another commit by now",
                git_ref.in_words()
            );
            step.warn(&text, None);
        }
        self.launch(step, undo, app, current, &content).await
    }

    async fn app_now(&self, id: &AppId) -> anyhow::Result<App> {
        let app = self.reader.app(self.api, id).await?;
        Ok(app.ok_or_else(|| {
            Failure::refused(format!("app `{}` is not there any more", self.name))
        })?)
    }

    async fn change_entry_point_back(&self, app: &App, before: &Before) -> anyhow::Result<()> {
        if !self.api.changes_entry_point() || app.entry_point == before.entry_point {
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

    /// Neither the new version nor the one before: this is said before anything else.
    async fn lost(
        &self,
        step: &mut Step,
        before: &Before,
        trace: &Trace,
        failed: anyhow::Error,
        problem: &anyhow::Error,
    ) -> anyhow::Error {
        let (name, stage) = (&self.entity.name, &self.setting.stage.name);
        let was = in_words(&before.version);
        let runs = match &trace.app {
            Some(id) => self.what_runs(id, Some(before)).await,
            None => "it is not known what runs".into(),
        };
        step.report.fact("runs now", &runs);
        let text = format!(
            "APP `{name}` DOES NOT SERVE IN STAGE `{stage}`: the new version failed, and {was} could not be put back; {runs}"
        );
        let again = match &before.version.git_ref {
            Some(git_ref) if git_ref.kind == "commitId" => {
                let commit = git_ref.value.as_deref().unwrap_or_default();
                format!("deploy-app publish {name} --stage {stage} --commit {commit}")
            }
            _ => format!("deploy-app publish {name} --stage {stage} --commit COMMIT"),
        };
        step.report.next = Some(again);
        failed
            .context(format!("putting back {was} failed: {problem:#}"))
            .context(
                Failure::failed(text)
                    .hint("look at the app in Domino now, or publish a commit that served before"),
            )
    }
}
