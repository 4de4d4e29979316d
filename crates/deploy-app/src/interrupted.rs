//! A signal in the middle of publishing: what was stopped and not yet replaced is started again. The error says
//! exactly what runs now, because it was read.

use domino_core::error::{CommandError, Result};
use std::time::Duration;

use domino_core::api::apps::{AppId, AppVersion};
use domino_core::step::{Interrupts, Progress, Signal, Step};
use domino_core::wait::{Look, Poll, Waited};

use crate::find::version_text;
use crate::launch::{Launcher, RolloutProgress, RolloutState};
use crate::previous::PreviousVersion;
use crate::what_runs::{what_runs, what_was_created};

/// How long we act and look after a signal: GitHub kills us soon after.
const GRACE: Duration = Duration::from_secs(5);

/// A rollout that a signal ends.
pub(crate) struct Interruption<'a> {
    pub(crate) launcher: &'a Launcher<'a>,
    pub(crate) previous: Option<&'a PreviousVersion>,
    pub(crate) done: &'a RolloutProgress,
}

impl Interruption<'_> {
    /// The error that says what runs now.
    pub(crate) async fn error(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        signal: Signal,
    ) -> CommandError {
        let (name, stage) = (
            &self.launcher.entity.name,
            &self.launcher.context.stage.name,
        );
        if self.done.state == RolloutState::Untouched && self.done.version.is_none() {
            return signal.nothing_changed(stage);
        }
        step.say("interrupted: looking at what runs now");
        let looked = tokio::select! {
            looked = tokio::time::timeout(GRACE * 2, self.settle(step)) => looked.ok(),
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

    async fn settle(&self, step: &mut Step) -> String {
        let Some(id) = &self.done.app else {
            return what_was_created(self.launcher).await;
        };
        let stopped_for_nothing = self.done.state == RolloutState::Stopped;
        let Some(previous) = self.previous.filter(|_| stopped_for_nothing) else {
            return what_runs(self.launcher, id, self.previous).await;
        };
        let was = version_text(&previous.version);
        let started = self.start_previous(step, id, previous).await;
        let runs = what_runs(self.launcher, id, Some(previous)).await;
        match started {
            Ok(true) => format!("{was} was started again; {runs}"),
            Ok(false) => runs,
            Err(error) => {
                format!("{was} was stopped and could not be started again ({error:#}); {runs}")
            }
        }
    }

    /// Starts the version that was stopped in vain, as soon as it is down. `false` if it never went down.
    async fn start_previous(
        &self,
        step: &mut Step,
        id: &AppId,
        previous: &PreviousVersion,
    ) -> Result<bool> {
        let look = async || {
            let now = self.launcher.apps.version(id, &previous.version.id).await?;
            Ok(match now.as_ref().map(AppVersion::status) {
                Some(status) if !status.is_down() => Look::Pending(status.word().to_owned()),
                _ => Look::Over(now),
            })
        };
        let waited = Poll::until(GRACE, self.launcher.reader.delay_scale())
            .wait_for(&mut Progress::hidden(), "", look)
            .await?;
        let Waited::Over(version) = waited else {
            return Ok(false);
        };
        let mut done = RolloutProgress::default();
        self.launcher
            .launch_previous(step, &mut done, id, previous, version.as_ref())
            .await?;
        Ok(true)
    }
}
