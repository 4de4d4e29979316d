//! What one step says: at once, or in one piece when it has ended, so that steps side by side do not mix their lines.
//!
//! How a line looks and what is hidden in it is the console's to decide.

use crate::console::{Console, Look, STEP_INDENT};

/// The log of a step.
pub enum StepLog {
    /// It is said at once.
    Live(Console),
    /// It is said when the step has ended.
    Kept(Console, Vec<(Look, &'static str, String)>),
}

impl StepLog {
    /// The console on which it is said.
    pub fn console(&self) -> &Console {
        match self {
            Self::Live(console) | Self::Kept(console, _) => console,
        }
    }

    /// The step's heading.
    pub fn heading(&mut self, text: &str) {
        self.say(Look::Bold, "   ", format!("▸ {text}"));
    }

    /// That it does not run.
    pub fn skipped(&mut self, name: &str) {
        self.say(Look::Dim, "   ", format!("- {name}: skipped"));
    }

    /// One line of its output.
    pub fn output(&mut self, text: &str) {
        self.say(Look::Plain, STEP_INDENT, text.to_owned());
    }

    /// One line about it.
    pub fn note(&mut self, look: Look, text: &str) {
        self.say(look, STEP_INDENT, text.to_owned());
    }

    /// Says what was kept.
    pub fn end(self) {
        if let Self::Kept(console, lines) = self {
            console.block(&lines);
        }
    }

    /// Something still runs. Of steps side by side only what waits for them says so.
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
