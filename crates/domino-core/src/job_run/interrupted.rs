//! A signal while a run is followed: the run is stopped as well, unless it is to continue, and the result is
//! reported.

use std::time::Duration;

use crate::api::jobs::{Job as Run, JobId};
use crate::api::projects::Project;
use crate::client::{ApiError, Writer};
use crate::error::{CommandError, Result};
use crate::step::{Interrupts, Progress, Signal, Step, StepContext};
use crate::wait::{Look, Poll, Waited};

use super::over::is_over;
use super::report::{link, report_what_is};
use super::words::Words;

/// How long we wait for a run to stop after a signal: GitHub kills us soon after.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How long a last look at the run may take after a signal.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// A run that is followed, and what a signal may do to it.
#[derive(Debug)]
pub struct Interruption<'a> {
    /// What the step has opened: the stage file, the stage, the connection.
    pub context: &'a StepContext,
    /// The project that the run is in.
    pub project: &'a Project,
    /// The client that stops it.
    pub writer: &'a Writer,
    /// What people call it.
    pub words: &'a Words,
    /// Whether the run continues.
    pub keep_running: bool,
}

impl Interruption<'_> {
    /// Stops the run, unless it is to continue. The error says what happened to the run.
    pub(super) async fn stop_run(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        signal: Signal,
        id: &JobId,
        number: u64,
    ) -> CommandError {
        let link = link(self.context, self.project, id);
        if self.keep_running {
            return goes_on(signal, number, &link);
        }
        step.say(&format!("interrupted: stopping run {number}"));
        let outcome = tokio::select! {
            outcome = self.stop(id, number) => outcome,
            _ = interrupts.next() => Ok(format!("interrupted again before it was known whether run {number} stopped: {link}")),
        };
        let text = outcome.unwrap_or_else(|error| {
            format!("interrupted; run {number} could not be stopped: {error}; see {link}")
        });
        let look = report_what_is(&mut step.report, self.context, self.project, id);
        // GitHub kills us soon after a signal.
        let _ = tokio::time::timeout(LAST_LOOK, look).await;
        CommandError::new(signal.exit(), text)
    }

    async fn stop(&self, id: &JobId, number: u64) -> Result<String, ApiError> {
        let reader = self.writer.reader();
        let look = async || {
            let run = reader.job(id).await?;
            let word = |run: &Run| run.statuses.execution_status.word().to_owned();
            Ok(match run {
                None => Look::Over("interrupted; the run is not there any more".to_owned()),
                Some(run) if is_over(&run) => Look::Over(format!(
                    "interrupted; run {number} ended as `{}`",
                    word(&run)
                )),
                Some(run) => Look::Pending(word(&run)),
            })
        };
        if let Look::Over(text) = look().await? {
            return Ok(text);
        }
        let stop = self.writer.stop_job(&self.project.id, id);
        let waited = Poll::until(STOP_GRACE, reader.delay_scale())
            .stop_and_wait(&mut Progress::hidden(), "", stop, look)
            .await?;
        Ok(match waited {
            Waited::Over(text) => text,
            Waited::TimeUp(word) => {
                format!("interrupted; run {number} was told to stop and is `{word}`")
            }
        })
    }

    /// The signal came while the start was in progress. `None` if its end was not seen in time.
    pub(super) async fn at_the_start(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        signal: Signal,
        started: Option<Result<Run, ApiError>>,
    ) -> CommandError {
        let what = &self.words.what;
        let text = match started {
            Some(Ok(run)) => {
                return self
                    .stop_run(step, interrupts, signal, &run.id, run.number)
                    .await;
            }
            Some(Err(error)) if !error.outcome_unknown() => {
                let text = format!("interrupted; {what} was not started");
                return CommandError::from(error).context(CommandError::new(signal.exit(), text));
            }
            _ => format!("interrupted; whether Domino has started {what} is not known"),
        };
        CommandError::new(signal.exit(), text).hint(&self.words.look)
    }
}

/// The error after a signal that leaves the run alone.
pub(super) fn goes_on(signal: Signal, number: u64, link: &str) -> CommandError {
    let text = format!("interrupted; run {number} goes on: {link}");
    CommandError::new(signal.exit(), text).hint("run this again to follow it")
}
