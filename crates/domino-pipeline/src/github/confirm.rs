//! Asks a person whether to carry out the plan.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use domino_core::error::{CommandError, Result};

/// Whether anything is written, and whether a person is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    OnlyPlan,
    Ask,
    Given,
}

/// Refuses where nobody can be asked; `otherwise` is what to do there.
pub(crate) fn possible(otherwise: &str) -> Result<()> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    Err(CommandError::usage("nobody can be asked: this is no terminal").hint(otherwise))
}

/// Asks, and returns whether the answer is yes.
pub(crate) fn ask(changes: usize, place: &str) -> Result<bool> {
    let noun = if changes == 1 { "change" } else { "changes" };
    eprint!("\nmake {changes} {noun} {place}? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim().to_ascii_lowercase();
    Ok(answer == "y" || answer == "yes")
}
