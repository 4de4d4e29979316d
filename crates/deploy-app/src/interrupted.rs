//! Somebody wants us to stop in the middle of publishing: what was stopped and not yet replaced is started again,
//! and what runs now is said exactly, because it was looked at.

use domino_core::error::{CommandError, Result};
use std::time::Duration;

use domino_core::api::apps::{App, AppId, AppVersion};
use domino_core::client::ApiError;
use domino_core::step::{Interrupts, Progress, Signal, Step};
use domino_core::wait::{Look, Poll, Waited};

use crate::before::Before;
use crate::find::in_words;
use crate::rollout::{Rollout, Trace};

/// How long we act and look after a signal: GitHub kills us soon after.
const GRACE: Duration = Duration::from_secs(5);

impl Rollout<'_> {
    /// The error that says what runs now.
    pub(crate) async fn interrupted(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        signal: Signal,
        before: Option<&Before>,
        trace: &Trace,
    ) -> CommandError {
        let (name, stage) = (&self.entity.name, &self.context.stage.name);
        if !trace.changed && trace.version.is_none() {
            return signal.nothing_changed(stage);
        }
        step.say("interrupted: looking at what runs now");
        let looked = tokio::select! {
            looked = tokio::time::timeout(GRACE * 2, self.after_interruption(step, before, trace)) => looked.ok(),
            _ = interrupts.next() => None,
        };
        let runs = looked.unwrap_or_else(|| "it was not seen in time what runs now".into());
        step.report.fact("runs now", &runs);
        step.report.next = Some(format!("deploy-app status {name} --stage {stage}"));
        CommandError::new(
            signal.exit(),
            format!("interrupted while publishing app `{name}` to stage `{stage}`; {runs}"),
        )
        .hint("run this again: it finds what it left")
    }

    async fn after_interruption(
        &self,
        step: &mut Step,
        before: Option<&Before>,
        trace: &Trace,
    ) -> String {
        let Some(id) = &trace.app else {
            return self.what_was_created().await;
        };
        let down_for_nothing = trace.stopped && !trace.launched;
        let Some(before) = before.filter(|_| down_for_nothing) else {
            return self.what_runs(id, before).await;
        };
        let started = self.start_before(step, id, before).await;
        let runs = self.what_runs(id, Some(before)).await;
        match started {
            Ok(true) => format!("{} was started again; {runs}", in_words(&before.version)),
            Ok(false) => runs,
            Err(error) => format!(
                "{} was stopped and could not be started again ({error:#}); {runs}",
                in_words(&before.version)
            ),
        }
    }

    /// Starts the version that was stopped for nothing, as soon as it is down. `false` when it never went down.
    async fn start_before(&self, step: &mut Step, id: &AppId, before: &Before) -> Result<bool> {
        let look = async || {
            let old = &before.version.id;
            let now = self.apps.version(id, old).await?;
            Ok(match now.as_ref().map(AppVersion::status) {
                Some(status) if !status.is_down() => Look::Pending(status.word().to_owned()),
                _ => Look::Over(now),
            })
        };
        let waited = Poll::until(GRACE, self.reader.delay_scale())
            .wait_for(&mut Progress::hidden(), "", look)
            .await?;
        let Waited::Over(version) = waited else {
            return Ok(false);
        };
        let mut undo = Trace::default();
        self.launch_before(step, &mut undo, id, before, version.as_ref())
            .await?;
        Ok(true)
    }

    async fn what_was_created(&self) -> String {
        match self.apps.named(&self.project.id, self.name).await {
            Ok(apps) => match apps.first() {
                Some(app) => format!(
                    "app `{}` was created as `{}`; {}",
                    self.name,
                    app.id,
                    standing(app, None)
                ),
                None => format!("app `{}` is not to be seen in Domino", self.name),
            },
            Err(error) => format!("it could not be seen what was created: {error}"),
        }
    }

    /// What runs now, looked at this moment, or why it could not be.
    async fn what_runs(&self, id: &AppId, before: Option<&Before>) -> String {
        let looked = self.look_what_runs(id, before).await;
        looked.unwrap_or_else(|error| format!("it could not be seen what runs now: {error}"))
    }

    /// What runs now, looked at this moment.
    pub(crate) async fn look_what_runs(
        &self,
        id: &AppId,
        before: Option<&Before>,
    ) -> Result<String, ApiError> {
        let Some(app) = self.apps.app(id).await? else {
            return Ok(format!("app `{}` is not there any more", self.name));
        };
        // Where a new version replaces another, the one before may still run while Domino shows the new one.
        let replaced = before
            .filter(|before| app.version_other_than(Some(&before.version.id)).is_some())
            .filter(|_| self.apps.capabilities().replaces_what_runs);
        let old = match replaced {
            Some(before) => {
                let id = &before.version.id;
                let old = self.apps.version(&app.id, id).await;
                old.ok().flatten().or_else(|| Some(before.version.clone()))
            }
            None => None,
        };
        Ok(standing(&app, old.as_ref()))
    }
}

/// In words, how an app stands: its current version, and the one that it replaces.
fn standing(app: &App, old: Option<&AppVersion>) -> String {
    let one = |version: &AppVersion| match version.status() {
        status if status.is_up() => format!("{} runs", in_words(version)),
        status => format!("{} is `{}`", in_words(version), status.word()),
    };
    let current = match &app.version {
        None => "nothing of it runs".into(),
        Some(version) if version.status().is_down() => {
            let word = version.status().word().to_owned();
            format!("nothing of it runs: {} is `{word}`", in_words(version))
        }
        Some(version) => one(version),
    };
    match old {
        Some(old) if old.status().is_up() => format!(
            "{}, and {}",
            one(old),
            match &app.version {
                Some(version) => one(version),
                None => "no other".into(),
            }
        ),
        Some(old) => format!("{current}; before, {}", one(old)),
        None => current,
    }
}

#[cfg(test)]
mod tests {
    use domino_core::api::apps::AppVersionId;

    use super::*;
    use crate::wanted::tests::version;

    fn app(current: Option<AppVersion>) -> App {
        App {
            id: AppId::new("a1"),
            name: "dashboard-dev".into(),
            entry_point: None,
            description: None,
            visibility: None,
            url: None,
            version: current,
        }
    }

    fn named(id: &str, status: &str) -> AppVersion {
        AppVersion {
            id: AppVersionId::new(id),
            ..version(status)
        }
    }

    #[test]
    fn what_runs_is_said_exactly() {
        assert_eq!(standing(&app(None), None), "nothing of it runs");
        assert_eq!(
            standing(&app(Some(named("v2", "Running"))), None),
            "version v2 of commit abababababab runs"
        );
        assert_eq!(
            standing(&app(Some(named("v2", "Preparing"))), None),
            "version v2 of commit abababababab is `Preparing`"
        );
        assert_eq!(
            standing(&app(Some(named("v2", "Stopped"))), None),
            "nothing of it runs: version v2 of commit abababababab is `Stopped`"
        );
    }

    #[test]
    fn two_versions_at_once_are_both_named() {
        assert_eq!(
            standing(
                &app(Some(named("v2", "Queued"))),
                Some(&named("v1", "Running"))
            ),
            "version v1 of commit abababababab runs, and version v2 of commit abababababab is `Queued`"
        );
        assert_eq!(
            standing(
                &app(Some(named("v2", "Queued"))),
                Some(&named("v1", "Stopped"))
            ),
            "version v2 of commit abababababab is `Queued`; before, version v1 of commit abababababab is `Stopped`"
        );
    }
}
