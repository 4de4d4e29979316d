//! The one error that a command returns: what went wrong, what caused it, and as data the exit code, what to do next,
//! and the line of the stage file that decided it.
//!
//! Nothing here prints. Errors of the lower layers, which know nothing of programs, get their exit code and hint
//! here.

use std::convert::Infallible;
use std::fmt;

pub use crate::exit::Exit;

use crate::api::mlflow::TrackingError;
use crate::client::{ApiError, ConnectError};
use crate::credential::CredentialError;
use stage_file::{StageFile, StageFileError, UnknownName};

/// What a fallible function of a command returns.
pub type Result<T, E = CommandError> = std::result::Result<T, E>;

/// Why a command failed. Displays its outermost message, and with `{:#}` all messages in one line; the causes follow
/// as sources.
///
/// Each link of the chain may hold the exit code, what to do next, and the line that decided it. Of each, the
/// outermost link that has it counts.
#[derive(Debug, Clone)]
pub struct CommandError(Box<Link>);

/// One message of a chain.
#[derive(Debug, Clone)]
struct Link {
    message: String,
    exit: Option<Exit>,
    hint: Option<String>,
    line: Option<FileLine>,
    cause: Option<CommandError>,
}

/// A line of the stage file that decided something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// The file, as the person named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl CommandError {
    /// An error with an exit code and a message: lower case, no full stop, backticks around names.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        let mut error = Self::message(message);
        error.0.exit = Some(exit);
        error
    }

    /// An error without an exit code. Unless an outer link has one, it counts as a bug of ours.
    pub fn message(message: impl Into<String>) -> Self {
        Self(Box::new(Link {
            message: message.into(),
            exit: None,
            hint: None,
            line: None,
            cause: None,
        }))
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

    /// Adds the sentence that says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names the key of the stage file that decided this, such as `["stage", "prod", "hardware-tier"]`, so
    /// that an annotation can point at its line.
    pub fn at<S: AsRef<str>>(mut self, file: &StageFile, key: &[S]) -> Self {
        self.0.line = file.line_of(key).map(|line| FileLine {
            file: file.path.display().to_string(),
            line,
        });
        self
    }

    /// Puts `outer` around this error, which becomes its cause.
    pub fn context(self, outer: impl Into<Self>) -> Self {
        let mut outer = outer.into();
        let mut innermost = &mut outer.0;
        while innermost.cause.is_some() {
            innermost = &mut innermost.cause.as_mut().expect("looked at above").0;
        }
        innermost.cause = Some(self);
        outer
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.links().find_map(|link| link.exit).unwrap_or(Exit::Bug)
    }

    /// The sentence that says what to do next, if there is one.
    pub fn to_do(&self) -> Option<&str> {
        self.links().find_map(|link| link.hint.as_deref())
    }

    /// The line of the stage file to point at, if one decided this.
    pub fn line(&self) -> Option<&FileLine> {
        self.links().find_map(|link| link.line.as_ref())
    }

    /// The messages of the causes, outermost first.
    pub fn causes(&self) -> impl Iterator<Item = &str> {
        self.links().skip(1).map(|link| link.message.as_str())
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        std::iter::successors(Some(&*self.0), |link| {
            link.cause.as_ref().map(|cause| &*cause.0)
        })
    }

    /// The chain of another library's error, in its own words.
    pub(crate) fn of_chain(error: &dyn std::error::Error) -> Self {
        let outer = Self::message(error.to_string());
        match error.source() {
            Some(source) => Self::of_chain(source).context(outer),
            None => outer,
        }
    }

    /// Sets the exit code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.0.exit = Some(exit);
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for CommandError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

impl From<String> for CommandError {
    fn from(message: String) -> Self {
        Self::message(message)
    }
}

impl From<&str> for CommandError {
    fn from(message: &str) -> Self {
        Self::message(message)
    }
}

impl From<ApiError> for CommandError {
    fn from(error: ApiError) -> Self {
        let command = Self::of_chain(&error).with_exit(error.exit());
        match error.hint() {
            Some(hint) => command.hint(hint),
            None => command,
        }
    }
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        let command = Self::of_chain(&error);
        match error {
            ConnectError::Authorities { .. } => command
                .with_exit(Exit::Usage)
                .hint("`--ca-file` and `SSL_CERT_FILE` name a file of PEM certificates"),
            ConnectError::ClientCertificate { .. } => command.with_exit(Exit::Usage).hint(
                "`--client-cert` (or `DOMINO_CLIENT_CERT`) names a PEM file of the certificate, and `--client-key` (or \
                 `DOMINO_CLIENT_KEY`) one of its key without a password",
            ),
            ConnectError::Proxy(_) => command.with_exit(Exit::Usage),
            ConnectError::Setup(_) => command.with_exit(Exit::Bug),
        }
    }
}

impl From<CredentialError> for CommandError {
    fn from(error: CredentialError) -> Self {
        let command = Self::of_chain(&error);
        match error {
            CredentialError::MalformedProxy(_) => command.with_exit(Exit::Usage),
            CredentialError::Missing => command.with_exit(Exit::Refused).hint(
                "set `DOMINO_TOKEN` (a service account's token) or `DOMINO_USER_API_KEY` as a secret of the GitHub \
                 environment, or in your shell",
            ),
            _ => command.with_exit(Exit::Refused),
        }
    }
}

impl From<TrackingError> for CommandError {
    fn from(error: TrackingError) -> Self {
        match error {
            TrackingError::Connect(error) => error.into(),
            TrackingError::Malformed(_) => Self::of_chain(&error).with_exit(Exit::Usage),
            TrackingError::OtherHost { .. } => Self::of_chain(&error).with_exit(Exit::Usage).hint(
                "Domino's credential is not sent to another host: unset `MLFLOW_TRACKING_URI`, or correct `host` in \
                 stages.toml",
            ),
        }
    }
}

impl From<StageFileError> for CommandError {
    fn from(error: StageFileError) -> Self {
        Self::of_chain(&error).with_exit(Exit::Usage)
    }
}

impl From<UnknownName> for CommandError {
    fn from(error: UnknownName) -> Self {
        Self::of_chain(&error).with_exit(Exit::Usage)
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::of_chain(&error)
    }
}

impl From<serde_json::Error> for CommandError {
    fn from(error: serde_json::Error) -> Self {
        Self::of_chain(&error)
    }
}

impl From<Infallible> for CommandError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Puts a message around the error of a result.
pub trait Context<T> {
    /// Puts `outer` around an error.
    fn context(self, outer: impl Into<CommandError>) -> Result<T>;

    /// As [`Context::context`], with a message that is built only when needed.
    fn with_context<C: Into<CommandError>>(self, outer: impl FnOnce() -> C) -> Result<T>;
}

impl<T, E: Into<CommandError>> Context<T> for Result<T, E> {
    fn context(self, outer: impl Into<CommandError>) -> Result<T> {
        self.map_err(|error| error.into().context(outer))
    }

    fn with_context<C: Into<CommandError>>(self, outer: impl FnOnce() -> C) -> Result<T> {
        self.map_err(|error| error.into().context(outer()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_link_that_says_something_decides_it() {
        let inner = CommandError::new(Exit::Unsettled, "still on its way").hint("wait");
        assert_eq!(inner.exit(), Exit::Unsettled);
        let outer = inner
            .context("in words")
            .context(CommandError::failed("rolled back"));
        assert_eq!(outer.exit(), Exit::Failed);
        // The outer error has no hint of its own, so the inner one's is shown.
        assert_eq!(outer.to_do(), Some("wait"));
        assert_eq!(outer.to_string(), "rolled back");
        assert_eq!(
            format!("{outer:#}"),
            "rolled back: in words: still on its way"
        );
    }

    #[test]
    fn an_error_that_nobody_foresaw_is_a_bug() {
        assert_eq!(CommandError::message("so what").exit(), Exit::Bug);
        let io = std::io::Error::other("disk full");
        assert_eq!(CommandError::from(io).exit(), Exit::Bug);
    }
}
