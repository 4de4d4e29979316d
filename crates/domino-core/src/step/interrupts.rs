//! Somebody wants us to stop: Ctrl-C at a terminal, or GitHub cancelling the job.

use tokio::signal::unix::{self, SignalKind};

use crate::error::{Exit, Failure};

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// How the program ends after it.
    pub fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }

    /// What is said when it came before anything was changed in `stage`.
    pub fn nothing_changed(self, stage: &str) -> Failure {
        let text = format!("interrupted; nothing was changed in stage `{stage}`");
        Failure::new(self.exit(), text)
    }
}

/// The two signals, listened to from the moment it is made.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Interrupts {
    /// Listens from now on, in place of dying at once.
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
}
