//! How a person follows remote work: one live line on a terminal, plain lines elsewhere.

use crate::stderr::tell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::scrubber::Scrubber;

/// Without a terminal, a line is printed after this much silence.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A live view of remote work.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    /// Whether lines of a remote log are shown.
    shows_log: bool,
    scrubber: Scrubber,
    status: String,
    started: Instant,
    spoken: Instant,
}

impl Progress {
    pub(super) fn new(terminal: bool, shows_log: bool, scrubber: Scrubber) -> Self {
        let bar = terminal.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            shows_log,
            scrubber,
            status: String::new(),
            started: now,
            spoken: now,
        }
    }

    /// A view that shows nothing, for a wait too short to mention.
    pub fn hidden() -> Self {
        let bar = Some(ProgressBar::hidden());
        let shown = Self::new(false, true, Scrubber::default());
        Self { bar, ..shown }
    }

    /// Shows a status. A repeated status is only printed now and then, as a sign of life.
    pub fn status(&mut self, status: &str) {
        let status = self.scrubber.clean(status);
        if let Some(bar) = &self.bar {
            bar.set_message(status);
            return;
        }
        let news = status != self.status;
        if news || self.spoken.elapsed() >= HEARTBEAT {
            let seconds = self.started.elapsed().as_secs();
            tell(format_args!(
                "  {:>2}:{:02}  {status}",
                seconds / 60,
                seconds % 60
            ));
            self.spoken = Instant::now();
            self.status = status;
        }
    }

    /// Shows one line of a remote log, unless log lines are off.
    pub fn log(&mut self, line: &str) {
        if !self.shows_log {
            return;
        }
        let line = self.scrubber.clean(line);
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(format_args!("  | {line}"))),
            None => tell(format_args!("  | {line}")),
        }
        self.spoken = Instant::now();
    }

    /// Removes the live line.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
