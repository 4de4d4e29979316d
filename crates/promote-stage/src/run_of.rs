//! The run that created or measured a version, as far as it can be read: only what needs it cares if it cannot.

use domino_core::api::mlflow::{Run, TrackingReader};
use domino_core::error::Result;

/// A run, or why there is none to read.
#[derive(Debug, Clone)]
pub(crate) enum RunOf {
    /// No run is named.
    None,
    Known(Box<Run>),
    /// It cannot be read; the text is the reason.
    Unread(String),
}

impl RunOf {
    pub(crate) fn known(&self) -> Option<&Run> {
        match self {
            Self::Known(run) => Some(run),
            Self::None | Self::Unread(_) => None,
        }
    }

    /// Why it cannot be read.
    pub(crate) fn trouble(&self) -> Option<String> {
        match self {
            Self::None => Some("the version was made by no run".into()),
            Self::Known(_) => None,
            Self::Unread(why) => Some(why.clone()),
        }
    }
}

/// Reads a run. A forbidden run and a removed one look the same: some servers answer 403 for both.
pub(crate) async fn run_of(tracking: &TrackingReader, id: &str) -> Result<RunOf> {
    if id.is_empty() {
        return Ok(RunOf::None);
    }
    match tracking.run(id).await {
        Ok(Some(run)) => Ok(RunOf::Known(Box::new(run))),
        Ok(None) => Ok(RunOf::Unread(format!("run {id} no longer exists"))),
        Err(error) if error.status().is_some_and(|status| status.as_u16() == 403) => Ok(
            RunOf::Unread(format!("run {id} no longer exists, or may not be read")),
        ),
        Err(error) => Err(error.into()),
    }
}
