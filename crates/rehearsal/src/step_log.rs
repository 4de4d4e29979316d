//! The output of one step: printed at once, or in one piece when it has ended, so that steps that run side by side do
//! not mix their lines.
//!
//! The console decides how a line looks and what is hidden in it.

use crate::console::{Console, Look, STEP_INDENT};

/// Where the output of a step goes.
pub enum StepLog {
    /// It is printed at once.
    Live(Console),
    /// It is kept and printed when the step has ended.
    Kept(Console, Vec<(Look, &'static str, String)>),
}

impl StepLog {
    /// The console on which it is printed.
    pub fn console(&self) -> &Console {
        match self {
            Self::Live(console) | Self::Kept(console, _) => console,
        }
    }

    /// The step's heading.
    pub fn heading(&mut self, text: &str) {
        self.say(Look::Bold, "   ", format!("▸ {text}"));
    }

    /// Notes that the step is skipped.
    pub fn skipped(&mut self, name: &str) {
        self.say(Look::Dim, "   ", format!("- {name}: skipped"));
    }

    /// One line of the step's output.
    pub fn output(&mut self, text: &str) {
        self.say(Look::Plain, STEP_INDENT, text.to_owned());
    }

    /// One line about the step.
    pub fn note(&mut self, look: Look, text: &str) {
        self.say(look, STEP_INDENT, text.to_owned());
    }

    /// Prints what was kept.
    pub fn end(self) {
        if let Self::Kept(console, lines) = self {
            console.block(&lines);
        }
    }

    /// Notes that something still runs. If steps run side by side, only the one that waits for them says so.
    pub fn still_runs(&self) {
        if let Self::Live(console) = self {
            console.still_runs();
        }
    }

    fn say(&mut self, look: Look, indent: &'static str, text: String) {
        match self {
            Self::Live(console) => console.write(look, indent, &text),
            Self::Kept(_, lines) => lines.push((look, indent, text)),
        }
    }
}
