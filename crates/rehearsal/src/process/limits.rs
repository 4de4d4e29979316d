//! How long a process may take, how it is ended then, and how it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;

/// How long a process has between the signals that end it.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    /// From SIGINT to SIGTERM.
    pub after_interrupt: Duration,
    /// From SIGTERM to the end.
    pub after_terminate: Duration,
    /// How long what runs on cancellation has, once its job takes longer than it may or is cancelled.
    pub after_timeout: Duration,
    /// How long output is awaited after the shell ended, for what it left in the background.
    pub output: Duration,
}

impl Grace {
    /// What GitHub's runner gives.
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
    /// By a signal that did not come from here.
    Signal(i32),
    /// It took longer than it may, and was ended.
    TimedOut,
    /// The person wanted the rehearsal to end.
    Cancelled,
    /// A later step ended it.
    Stopped,
    /// It did not start.
    NotStarted(String),
}

/// What the run of a process depends on.
#[derive(Debug)]
pub struct Limits<'a> {
    /// When it must have ended.
    pub deadline: Option<Instant>,
    /// Whether the person wants an end.
    pub interrupt: &'a Interrupt,
    /// Whether a later step wants an end.
    pub stop: Option<&'a AtomicBool>,
    /// Whether the first interrupt leaves it alone, as GitHub leaves a step that runs on cancellation.
    pub survives_cancel: bool,
    /// How it is ended.
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
