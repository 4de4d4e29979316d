//! Follows a run to its end: its status and its log. `verify_run` checks whether it is the run that was asked for,
//! and `interrupted` handles signals; the caller decides whether it ended well.

use std::time::Duration;

use crate::api::jobs::Job as Run;
use crate::api::projects::Project;
use crate::error::{CommandError, Context as _, Exit, Result};
use crate::step::{Excerpt, Interrupts, Progress, Signal, Step, StepContext};
use crate::wait::{LogTail, Poll, Span};

use super::interrupted::{Interruption, goes_on};
use super::over::{is_over, is_over_here};
use super::report::{describe, link, report_what_is, status_line};
use super::verify_run::Requested;
use super::words::Words;

/// How long a log may lag behind the end of its run.
pub const LOG_GRACE: Duration = Duration::from_secs(2);
/// How long a log may delay the next look at its run.
const LOG_LOOK: Duration = Duration::from_secs(10);

/// A run to follow.
#[derive(Debug)]
pub struct Follow<'a> {
    /// What the step has opened: the stage file, the stage, the connection.
    pub context: &'a StepContext,
    /// The project that the run is in.
    pub project: &'a Project,
    /// What people call it.
    pub words: &'a Words,
    /// What it must run; not checked if somebody else started it.
    pub requested: Option<Requested<'a>>,
    /// What a signal does. A run that somebody else owns continues.
    pub interruption: Option<Interruption<'a>>,
    /// How long it is followed at most.
    pub timeout: Duration,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Followed {
    /// The run as it was last read, with its final status.
    pub run: Run,
    /// The last lines of its log.
    pub tail: LogTail,
}

/// How following it ended.
enum FollowOutcome {
    /// The run has ended; the text says why its log was not read to the end, if it was not.
    Over(Run, Option<String>),
    /// The time was up while the run continues.
    TimeUp(Run),
    /// A signal came.
    Interrupted(Signal),
}

impl Follow<'_> {
    /// Follows the run until it has ended.
    pub async fn to_its_end(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        run: Run,
    ) -> Result<Followed> {
        let words = self.words;
        let id = run.id.clone();
        let number = run.number;
        let mut tail = LogTail::default();
        let mut progress = step.progress();
        let outcome = tokio::select! {
            outcome = self.watch(step, &mut progress, &mut tail, run) => {
                outcome.with_context(|| format!("lost sight of run {number} of {}, which may still go on", words.what))
            }
            signal = interrupts.next() => Ok(FollowOutcome::Interrupted(signal)),
        };
        progress.end();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                report_what_is(&mut step.report, self.context, self.project, &id).await;
                return Err(error);
            }
        };
        match outcome {
            FollowOutcome::Over(run, unread) => {
                if let Some(why) = unread {
                    let text = format!("the log of run {number} was not read to its end: {why}");
                    step.warn(&text, None);
                }
                describe(&mut step.report, self.context, self.project, &run);
                Ok(Followed { run, tail })
            }
            FollowOutcome::TimeUp(run) => {
                describe(&mut step.report, self.context, self.project, &run);
                step.report.next = Some(words.status.clone());
                Err(CommandError::new(
                    Exit::Unsettled,
                    format!(
                        "run {} of {} is still `{}` after {}",
                        run.number,
                        words.what,
                        run.statuses.execution_status.word(),
                        Span(self.timeout)
                    ),
                )
                .hint("the run goes on in Domino; run this again to follow it, or give a longer `--timeout`"))
            }
            FollowOutcome::Interrupted(signal) => Err(match &self.interruption {
                Some(interruption) => {
                    interruption
                        .stop_run(step, interrupts, signal, &id, number)
                        .await
                }
                None => goes_on(signal, number, &link(self.context, self.project, &id)),
            }),
        }
    }

    /// Reads run and log until the run has ended or the time is up.
    async fn watch(
        &self,
        step: &mut Step,
        progress: &mut Progress,
        tail: &mut LogTail,
        mut run: Run,
    ) -> Result<FollowOutcome> {
        let reader = self.context.connection.reader();
        let id = run.id.clone();
        let mut poll = Poll::until(self.timeout, reader.delay_scale());
        let (mut checked, mut groups) = (self.requested.is_none(), None);
        progress.status(&status_line(&run));
        loop {
            if !poll.next().await {
                return Ok(FollowOutcome::TimeUp(run));
            }
            let lines = tail.lines();
            let look = async {
                let log = tail.read(
                    async |from: &str, limit: usize| reader.job_log(&id, from, limit).await,
                    |line: &str| progress.log(line),
                );
                // Whether the log could be read counts when the run has ended: see `LogTail::finish`.
                tokio::join!(reader.job(&id), tokio::time::timeout(LOG_LOOK, log)).0
            };
            let Some(job) = poll.within(look).await else {
                return Ok(FollowOutcome::TimeUp(run));
            };
            if tail.lines() > lines {
                poll.reset_backoff();
            }
            match job {
                Ok(Some(now)) => {
                    if now.statuses.execution_status != run.statuses.execution_status {
                        poll.reset_backoff();
                    }
                    run = now;
                }
                Ok(None) => {
                    return Err(CommandError::refused(format!(
                        "run {} is not there any more",
                        run.number
                    )));
                }
                Err(error) => {
                    poll.wait_out(progress, error)?;
                    continue;
                }
            }
            // The reply to the start may leave out what a later read tells.
            if let Some(requested) = self.requested.as_ref().filter(|_| !checked) {
                checked = requested.verify_run(step, &run, &poll).await?;
            }
            progress.status(&status_line(&run));
            if is_over(&run) || is_over_here(&reader, &run, &mut groups, &poll).await {
                if !checked {
                    let text = format!(
                        "run {} ended as `{}`, and Domino did not tell in time on which hardware tier it was",
                        run.number,
                        run.statuses.execution_status.word()
                    );
                    return Err(CommandError::new(Exit::Unsettled, text));
                }
                // A log may come late; the end of the run is what counts.
                let rest = tail.finish(
                    LOG_GRACE,
                    reader.delay_scale(),
                    async |from: &str, limit: usize| reader.job_log(&id, from, limit).await,
                    |line: &str| progress.log(line),
                );
                return Ok(FollowOutcome::Over(run, rest.await.err()));
            }
        }
    }
}

impl Followed {
    /// Reports the end of its log, and says why it failed, as far as Domino tells.
    pub fn failure(&self, step: &mut Step, failure: CommandError) -> CommandError {
        let lines = self.tail.excerpt();
        if !lines.is_empty() {
            step.report.excerpt = Some(Excerpt {
                title: "the last lines of the run's log".into(),
                lines,
                was_live: true,
            });
        }
        let reason = self.run.abnormal_status.as_ref().map(|why| {
            [
                why.run_failure_reason.as_str(),
                why.run_failure_message.as_str(),
            ]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(": ")
        });
        match reason.filter(|reason| !reason.is_empty()) {
            Some(reason) => {
                CommandError::message(format!("Domino says: {reason}")).context(failure)
            }
            None => failure,
        }
    }
}
