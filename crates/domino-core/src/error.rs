//! What can go wrong, sorted by what the caller would do differently: an exit code, a hint, a line of the
//! stage file.
//!
//! Causes are chained with `anyhow`; this module only says how a chain ends. Nothing here prints.

use std::fmt;

use crate::client::ApiError;
use stage_file::{StageFile, StageFileError, UnknownName};

/// How a program ends. The numbers are a documented contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or already as wanted.
    Done = 0,
    /// A bug of ours.
    Bug = 1,
    /// Wrong usage, or a problem in `stages.toml`.
    Usage = 2,
    /// Domino refused: credential, permission, something missing or ambiguous, a conflict.
    Refused = 3,
    /// Domino could not be reached after retries, or its answer was not understood.
    Unreachable = 4,
    /// What was deployed failed.
    Failed = 5,
    /// Not settled when the time was up.
    Unsettled = 6,
    /// Not approved.
    NotApproved = 7,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

/// Something went wrong and we know what kind of thing it is.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
    key: Option<FileLine>,
}

/// A line of the stage file that decided something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// The file, as the person named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl Failure {
    /// A failure that ends with `exit` and reads `message`: lower case, no full stop, backticks around names.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            key: None,
        }
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Domino refused, or does not have what was asked for.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// What was deployed failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Adds the sentence that says what to do now.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the key of the stage file that decided this, such as `["stage", "prod", "hardware-tier"]`, so
    /// that an annotation can point at its line.
    pub fn at<S: AsRef<str>>(mut self, file: &StageFile, key: &[S]) -> Self {
        self.key = file.line_of(key).map(|line| FileLine {
            file: file.path.display().to_string(),
            line,
        });
        self
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit code that a chain of causes asks for: the outermost failure decides, and where there is none, the
/// first link that knows one.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    // A failure that was added as context is hidden from the links of the chain; the whole finds it, outermost
    // first.
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.exit;
    }
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.exit;
        }
        if let Some(api) = cause.downcast_ref::<ApiError>() {
            return api.exit();
        }
        if cause.is::<StageFileError>() || cause.is::<UnknownName>() {
            return Exit::Usage;
        }
    }
    if let Some(api) = error.downcast_ref::<ApiError>() {
        return api.exit();
    }
    Exit::Bug
}

/// The sentence that says what to do now, if a link of the chain has one.
pub fn hint_of(error: &anyhow::Error) -> Option<String> {
    if let Some(hint) = error.downcast_ref::<Failure>().and_then(|f| f.hint.clone()) {
        return Some(hint);
    }
    error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.hint.clone();
        }
        cause.downcast_ref::<ApiError>().and_then(ApiError::hint)
    })
}

/// The line of the stage file to point at, if a link of the chain names one.
pub fn line_of(error: &anyhow::Error) -> Option<FileLine> {
    if let Some(key) = error.downcast_ref::<Failure>().and_then(|f| f.key.clone()) {
        return Some(key);
    }
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>().and_then(|f| f.key.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_failure_decides_how_a_program_ends() {
        let inner =
            anyhow::Error::new(Failure::new(Exit::Unsettled, "still on its way").hint("wait"));
        assert_eq!(exit_of(&inner), Exit::Unsettled);
        let outer = inner
            .context("in words")
            .context(Failure::failed("put back"));
        assert_eq!(exit_of(&outer), Exit::Failed);
        // The outer one has no hint of its own, so that the inner one's is shown.
        assert_eq!(hint_of(&outer).as_deref(), Some("wait"));
    }
}
