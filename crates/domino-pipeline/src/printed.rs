//! What a verb found, written where people and machines read it: stdout, and the summary of a step on GitHub.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use domino_core::step::Step;
use domino_core::variable::variable;

use crate::error::Result;

/// Writes a text on stdout. If the reader closed the pipe, it has seen enough.
pub(crate) fn print(step: &mut Step, text: &str) -> Result<()> {
    for line in text.lines() {
        match step.log_to_stdout(line) {
            Err(problem) if problem.kind() == ErrorKind::BrokenPipe => break,
            other => other?,
        }
    }
    Ok(())
}

/// A step of a workflow shows the page as its summary, too.
pub(crate) fn summarize(step: &Step, page: &str) {
    let Some(path) = variable("GITHUB_STEP_SUMMARY") else {
        return;
    };
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let page = step.scrubber().clean_lines(page);
    if let Err(problem) = file.and_then(|mut file| file.write_all(page.as_bytes())) {
        step.say(&format!(
            "warning: cannot write the step summary to `{path}`: {problem}"
        ));
    }
}
