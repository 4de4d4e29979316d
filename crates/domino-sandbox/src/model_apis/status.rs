//! The status of an endpoint's version, in Domino's words with their spaces.

/// The status of a version's deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Preparing,
    Building,
    Ready,
    Starting,
    Running,
    Failed,
    Stopped,
    /// A word that a fault puts in place of another.
    Other(String),
}

impl Status {
    pub(crate) fn word(&self) -> &str {
        match self {
            Status::Preparing => "Preparing to build",
            Status::Building => "Building",
            Status::Ready => "Ready to run",
            Status::Starting => "Starting",
            Status::Running => "Running",
            Status::Failed => "Failed",
            Status::Stopped => "Stopped",
            Status::Other(word) => word,
        }
    }
}

/// Whether a deployment that shows `word` calls itself pending.
pub(super) fn is_pending(word: &str) -> bool {
    !["Running", "Failed", "Stopped"].contains(&word)
}

/// How far the build of a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Build {
    Preparing,
    Building,
    Complete,
    Failed,
}

impl Build {
    pub(super) fn word(self) -> &'static str {
        match self {
            Build::Preparing => "preparing",
            Build::Building => "building",
            Build::Complete => "complete",
            Build::Failed => "failed",
        }
    }
}
