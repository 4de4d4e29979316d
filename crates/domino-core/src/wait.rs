//! Waiting for something remote: how often to look at it, what an outage in between means, how it is stopped, and how
//! a span of time reads. Logs are in `log`, and the looks of the first of several in `rechecks`.
//!
//! An outage is shown on the progress line and waited out while there is time; a refusal is an error at once.

mod log;
mod rechecks;

use std::fmt;
use std::time::{Duration, Instant};

pub use self::log::{LogPrint, LogTail, LogWriter};
pub use self::rechecks::Rechecks;
use crate::client::ApiError;
use crate::error::Exit;
use crate::step::Progress;

/// The first pause between two looks.
const FIRST: Duration = Duration::from_millis(250);
/// The longest pause: the end of a run is noticed within two seconds.
const LONGEST: Duration = Duration::from_millis(1500);
/// How long the last look may take that begins when the time is up.
const LAST: Duration = Duration::from_secs(2);

/// The pauses between looks: short at first, longer later, until a deadline.
#[derive(Debug)]
pub struct Poll {
    pause: Duration,
    delay_scale: f64,
    deadline: Instant,
}

/// What one look found.
#[derive(Debug)]
pub enum Look<T> {
    /// What was waited for.
    Over(T),
    /// Still in progress: its status, in a word.
    Pending(String),
}

/// How waiting ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Waited<T> {
    /// What was waited for has come.
    Over(T),
    /// The time was up; this was the status at the last look.
    TimeUp(String),
}

impl Poll {
    /// Polls until `timeout` has passed, with pauses multiplied by `delay_scale`.
    pub fn until(timeout: Duration, delay_scale: f64) -> Self {
        let now = Instant::now();
        // A year is long enough, and avoids a time that overflows.
        let deadline = now
            .checked_add(timeout)
            .unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
        Self {
            pause: FIRST,
            delay_scale,
            deadline,
        }
    }

    /// Polls without a deadline.
    pub fn forever(delay_scale: f64) -> Self {
        Self::until(Duration::MAX, delay_scale)
    }

    /// Waits for the next look; `false` when the time is up.
    pub async fn next(&mut self) -> bool {
        let left = self.left();
        if left.is_zero() {
            return false;
        }
        tokio::time::sleep(self.pause.mul_f64(self.delay_scale).min(left)).await;
        self.pause = self.pause.mul_f64(1.2).min(LONGEST);
        true
    }

    /// Carries out one look: it may take the time that is left, and two seconds at the very end. `None` if that was
    /// not enough.
    pub async fn within<T>(&self, look: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.left().max(LAST), look).await.ok()
    }

    /// Looks until `look` finds what is waited for or the time is up, and shows the status of `what` after each look.
    /// If the last look met an outage, that is the error.
    pub async fn wait_for<T>(
        &mut self,
        progress: &mut Progress,
        what: &str,
        mut look: impl AsyncFnMut() -> Result<Look<T>, ApiError>,
    ) -> Result<Waited<T>, ApiError> {
        loop {
            let (line, last) = match look().await {
                Ok(Look::Over(found)) => return Ok(Waited::Over(found)),
                Ok(Look::Pending(word)) => (format!("{what}: {word}"), Ok(Waited::TimeUp(word))),
                Err(error) if is_outage(&error) => (outage(&error), Err(error)),
                Err(error) => return Err(error),
            };
            progress.status(&line);
            if !self.next().await {
                return last;
            }
        }
    }

    /// Calls `stop` and waits until `look` finds that `what` has ended. Whatever the reply was, the end is what
    /// counts: if the stop failed, one look decides whether that matters.
    pub async fn stop_and_wait<T, E: From<ApiError>>(
        &mut self,
        progress: &mut Progress,
        what: &str,
        stop: impl Future<Output = Result<(), E>>,
        mut look: impl AsyncFnMut() -> Result<Look<T>, ApiError>,
    ) -> Result<Waited<T>, E> {
        match stop.await {
            Ok(()) => Ok(self.wait_for(progress, what, look).await?),
            Err(error) => match look().await {
                Ok(Look::Over(found)) => Ok(Waited::Over(found)),
                _ => Err(error),
            },
        }
    }

    /// Shows an outage while there is time to wait it out; otherwise returns the error.
    pub fn wait_out(&self, progress: &mut Progress, error: ApiError) -> Result<(), ApiError> {
        progress.status(&self.outage(error)?);
        Ok(())
    }

    /// A sentence on an outage that there is still time to wait out; otherwise the error, as for every refusal.
    pub fn outage(&self, error: ApiError) -> Result<String, ApiError> {
        match is_outage(&error) && !self.left().is_zero() {
            true => Ok(outage(&error)),
            false => Err(error),
        }
    }

    /// Something changed: look again soon.
    pub fn reset_backoff(&mut self) {
        self.pause = FIRST;
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

fn is_outage(error: &ApiError) -> bool {
    error.exit() == Exit::Unreachable
}

/// An outage, for the progress line.
fn outage(error: &ApiError) -> String {
    format!("Domino does not answer: {error}")
}

/// A span of time for people: `1 h 5 min`, `3 min 20 s`, `2.4 s`.
#[derive(Debug, Clone, Copy)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..10 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            10..60 => write!(f, "{seconds} s"),
            60..3600 if seconds.is_multiple_of(60) => write!(f, "{} min", seconds / 60),
            60..3600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            _ if seconds % 3600 < 60 => write!(f, "{} h", seconds / 3600),
            _ => write!(f, "{} h {} min", seconds / 3600, seconds % 3600 / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_their_limit_and_shrink_when_something_moves() {
        let mut poll = Poll::until(Duration::from_secs(3600), 1.0);
        for _ in 0..20 {
            assert!(poll.next().await);
        }
        assert_eq!(poll.pause, LONGEST);
        poll.reset_backoff();
        assert_eq!(poll.pause, FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_never_ends_is_broken_off_when_the_time_is_up() {
        let poll = Poll::until(Duration::from_secs(1), 1.0);
        assert_eq!(poll.within(std::future::pending::<()>()).await, None);
        assert_eq!(poll.within(std::future::ready(7)).await, Some(7));
    }

    #[tokio::test]
    async fn the_time_is_up_at_once_without_any() {
        assert!(!Poll::until(Duration::ZERO, 1.0).next().await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_waited_out_and_one_at_the_end_is_the_error() {
        let outage = || ApiError::endless("/v4/x", 1);
        let mut looks = [
            Err(outage()),
            Ok(Look::Pending("on its way".into())),
            Ok(Look::Over(7)),
        ]
        .into_iter();
        let mut poll = Poll::until(Duration::from_secs(60), 1.0);
        let waited = poll
            .wait_for(&mut Progress::hidden(), "it", async || {
                looks.next().expect("another look")
            })
            .await;
        assert_eq!(waited.unwrap(), Waited::Over(7));
        let mut poll = Poll::until(Duration::ZERO, 1.0);
        let waited = poll
            .wait_for(&mut Progress::hidden(), "it", async || {
                Err::<Look<()>, _>(outage())
            })
            .await;
        assert!(waited.is_err());
    }

    #[tokio::test]
    async fn a_stop_that_failed_matters_only_while_the_thing_runs() {
        let mut poll = Poll::until(Duration::ZERO, 1.0);
        let failed = || std::future::ready(Err(ApiError::endless("/v4/x", 1)));
        let stopped = poll
            .stop_and_wait(&mut Progress::hidden(), "it", failed(), async || {
                Ok(Look::Over(()))
            })
            .await;
        assert_eq!(stopped.unwrap(), Waited::Over(()));
        let runs = async || Ok(Look::<()>::Pending("Running".into()));
        let stopped = poll
            .stop_and_wait(&mut Progress::hidden(), "it", failed(), runs)
            .await;
        assert!(stopped.is_err());
        let obeyed = std::future::ready(Ok::<(), ApiError>(()));
        let stopped = poll
            .stop_and_wait(&mut Progress::hidden(), "it", obeyed, runs)
            .await;
        assert_eq!(stopped.unwrap(), Waited::TimeUp("Running".into()));
    }
}
