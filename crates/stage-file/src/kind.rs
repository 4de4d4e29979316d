//! The kinds of entity that are deployed.

use serde::Serialize;

/// The three kinds of entity that are deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A job, or a scheduled job.
    Job,
    /// A web app, which is published and then serves.
    App,
    /// A model endpoint.
    Model,
}

impl Kind {
    /// The word of the table's header: `[job.train]`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::App => "app",
            Self::Model => "model",
        }
    }
}
