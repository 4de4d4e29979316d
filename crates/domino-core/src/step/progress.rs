//! How a person watches something remote go on: one live line on a terminal, plain lines elsewhere.

use crate::stderr::tell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::scrubber::Scrubber;

/// Without a terminal, silence longer than this is broken by one line.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A live view of something remote.
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

    /// One that shows nothing, for a wait too short to tell of.
    pub fn hidden() -> Self {
        let bar = Some(ProgressBar::hidden());
        let shown = Self::new(false, true, Scrubber::default());
        Self { bar, ..shown }
    }

    /// Shows a status. The same one again is only a sign of life now and then.
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

    /// Shows one line of a remote log, unless these are not to be shown.
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

    /// Takes the live line away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
