//! How a process is ended: the signals GitHub's runner sends, and when.

use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::limits::{End, Limits};

/// A process that is being ended.
pub struct Termination {
    /// The reason for which it is ended.
    pub end: End,
    since: Instant,
    terminated: bool,
    killed: bool,
}

impl Termination {
    /// Sends the first signal, if it is time to end.
    pub fn begin(process: Pid, limits: &Limits<'_>) -> Option<Self> {
        let end = limits.over()?;
        // GitHub interrupts a cancelled or late step, and terminates a step that a `cancel` names.
        let (signal, terminated) = match end {
            End::Stopped => (Signal::TERM, true),
            _ => (Signal::INT, false),
        };
        // A process that has already ended needs no signal.
        let _ = kill_process(process, signal);
        Some(Self {
            end,
            since: Instant::now(),
            terminated,
            killed: false,
        })
    }

    /// Sends the next signal, once it is due.
    pub fn escalate(&mut self, group: Pid, limits: &Limits<'_>) {
        let insists = limits.interrupt.times() > 1;
        let terminate = limits.grace.after_interrupt;
        let kill = match self.end {
            End::Stopped => terminate,
            _ => terminate + limits.grace.after_terminate,
        };
        if !self.killed && (insists || self.since.elapsed() >= kill) {
            self.killed = true;
            let _ = kill_process_group(group, Signal::KILL);
        } else if !self.terminated && self.since.elapsed() >= terminate {
            self.terminated = true;
            let _ = kill_process(group, Signal::TERM);
        }
    }
}
