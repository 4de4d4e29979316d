//! How long a process may take, how it is ended after that, and how it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;

/// How long a process has between the signals that end it.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    /// From SIGINT to SIGTERM.
    pub after_interrupt: Duration,
    /// From SIGTERM to SIGKILL.
    pub after_terminate: Duration,
    /// How much time remains for what runs on cancellation, once its job is late or cancelled.
    pub after_timeout: Duration,
    /// How long output is read after the shell ended, from processes that it left in the background.
    pub output: Duration,
}

impl Grace {
    /// The times that GitHub's runner uses.
    pub const GITHUB: Self = Self {
        after_interrupt: Duration::from_millis(7500),
        after_terminate: Duration::from_millis(2500),
        after_timeout: Duration::from_secs(300),
        output: Duration::from_secs(1),
    };
}

/// How a process ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exit(i32),
    /// By a signal that was not sent from here.
    Signal(i32),
    /// It exceeded its time limit and was ended.
    TimedOut,
    /// The rehearsal was interrupted, or its run or job cancelled.
    Cancelled,
    /// A later step ended it.
    Stopped,
    /// It did not start; the text is the reason.
    NotStarted(String),
}

/// When and how a process is ended.
#[derive(Debug)]
pub struct Limits<'a> {
    /// When it is ended at the latest.
    pub deadline: Option<Instant>,
    /// Whether somebody asked for the end.
    pub interrupt: &'a Interrupt,
    /// Whether a later step asked for the end.
    pub stop: Option<&'a AtomicBool>,
    /// Whether the first interrupt leaves it running, as GitHub does for a step that runs on cancellation.
    pub survives_cancel: bool,
    /// The pauses between the signals that end it.
    pub grace: Grace,
}

impl Limits<'_> {
    /// Why the process must end now, if it must.
    pub fn over(&self) -> Option<End> {
        let stopped = self.stop.is_some_and(|stop| stop.load(Ordering::SeqCst));
        let cancelled = self.interrupt.since();
        let exhausted = cancelled.is_some_and(|since| since.elapsed() >= self.grace.after_timeout);
        if exhausted || self.interrupt.times() > usize::from(self.survives_cancel) {
            Some(End::Cancelled)
        } else if stopped {
            Some(End::Stopped)
        } else {
            let deadline = self.deadline;
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            late.then_some(End::TimedOut)
        }
    }
}
