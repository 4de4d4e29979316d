//! Somebody wants us to stop: Ctrl-C at a terminal, or GitHub cancelling the job.

use crate::error::{CommandError, Exit};
use std::pin::pin;
use std::time::Duration;

use tokio::signal::unix::{self, SignalKind};

/// How long work that has begun may still take after a signal: GitHub kills us soon after.
const GRACE: Duration = Duration::from_secs(5);

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// The exit code of the program after it.
    pub fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }

    /// The error when it came before anything was changed in `stage`.
    pub fn nothing_changed(self, stage: &str) -> CommandError {
        let text = format!("interrupted; nothing was changed in stage `{stage}`");
        CommandError::new(self.exit(), text)
    }
}

/// How a piece of work ended that a signal must not break off halfway.
#[derive(Debug)]
pub enum Through<T> {
    /// No signal came.
    Completed(T),
    /// A signal came; the result of the work that had begun, unless it took too long.
    Interrupted(Signal, Option<T>),
}

/// The two signals, handled from the moment this is created.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Interrupts {
    /// Handles the signals from now on, instead of dying at once.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }

    /// Runs `work` to its end. After a signal it has a few seconds to end; a second signal breaks it off.
    pub async fn finish<T>(&mut self, work: impl Future<Output = T>) -> Through<T> {
        let mut work = pin!(work);
        let signal = tokio::select! {
            biased;
            signal = self.next() => signal,
            done = &mut work => return Through::Completed(done),
        };
        let done = tokio::select! {
            biased;
            done = &mut work => Some(done),
            _ = self.next() => None,
            () = tokio::time::sleep(GRACE) => None,
        };
        Through::Interrupted(signal, done)
    }
}
