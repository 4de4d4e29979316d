//! Why a verb failed: what went wrong, what caused it, and as data the exit code and what to do next.
//!
//! Nothing here prints. Lower layers define with [`From`] what their errors mean.

use std::fmt;

use stage_file::{StageFileError, UnknownName};

/// A bug of ours, or a problem of this machine.
const BUG: u8 = 1;
/// Wrong usage, or a problem in `stages.toml`.
const USAGE: u8 = 2;

/// What a fallible function returns.
pub type Result<T, E = VerbError> = std::result::Result<T, E>;

/// Why a verb failed. Displays its outermost message, and with `{:#}` all messages in one line.
#[derive(Debug)]
pub struct VerbError {
    /// The messages, outermost first.
    messages: Vec<String>,
    exit_code: u8,
    hint: Option<String>,
}

impl VerbError {
    /// An error that is due to this machine, or to a bug of ours.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            messages: vec![message.into()],
            exit_code: BUG,
            hint: None,
        }
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit_code: USAGE,
            ..Self::new(message)
        }
    }

    /// Adds the sentence that says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code that a program ends with because of it.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// The error, its causes and the hint, as a person reads them.
    pub fn told(&self) -> String {
        let mut text = format!("error: {self}\n");
        for cause in self.messages.iter().skip(1) {
            text += &format!("  caused by: {cause}\n");
        }
        if let Some(hint) = &self.hint {
            text += &format!("\nhint: {hint}\n");
        }
        text
    }

    fn of_chain(error: &dyn std::error::Error) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source());
        Self {
            messages: chain.map(ToString::to_string).collect(),
            exit_code: BUG,
            hint: None,
        }
    }
}

impl fmt::Display for VerbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            f.write_str(&self.messages.join(": "))
        } else {
            f.write_str(self.messages.first().map_or("", String::as_str))
        }
    }
}

impl From<StageFileError> for VerbError {
    fn from(error: StageFileError) -> Self {
        Self {
            exit_code: USAGE,
            ..Self::of_chain(&error)
        }
    }
}

impl From<UnknownName> for VerbError {
    fn from(error: UnknownName) -> Self {
        Self {
            exit_code: USAGE,
            ..Self::of_chain(&error)
        }
    }
}

impl From<std::io::Error> for VerbError {
    fn from(error: std::io::Error) -> Self {
        Self::of_chain(&error)
    }
}

impl From<serde_json::Error> for VerbError {
    fn from(error: serde_json::Error) -> Self {
        Self::of_chain(&error)
    }
}

impl From<serde_saphyr::ser::Error> for VerbError {
    fn from(error: serde_saphyr::ser::Error) -> Self {
        Self::of_chain(&error)
    }
}

#[cfg(feature = "import-ini")]
impl From<ini::ParseError> for VerbError {
    fn from(error: ini::ParseError) -> Self {
        Self::of_chain(&error)
    }
}

#[cfg(feature = "rehearse")]
impl From<anyhow::Error> for VerbError {
    fn from(error: anyhow::Error) -> Self {
        Self::of_chain(error.as_ref())
    }
}

#[cfg(feature = "rehearse")]
impl From<domino_core::error::CommandError> for VerbError {
    fn from(error: domino_core::error::CommandError) -> Self {
        Self {
            exit_code: error.exit() as u8,
            hint: error.to_do().map(str::to_owned),
            ..Self::of_chain(&error)
        }
    }
}

/// Puts a message around the error of a result.
pub trait Context<T> {
    /// Puts the message around an error; it is built only if there is one.
    ///
    /// # Errors
    /// The error, with the message around it.
    fn context(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<VerbError>> Context<T> for Result<T, E> {
    fn context(self, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| {
            let mut error = error.into();
            error.messages.insert(0, message());
            error
        })
    }
}
