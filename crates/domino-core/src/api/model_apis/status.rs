//! The status of a version of a model API, in Domino's words.

use std::fmt;

use serde::Deserialize;

/// The status of a version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// The status word.
    pub status: DeploymentStatus,
    /// Whether a change is still in progress.
    pub is_pending: bool,
}

impl Deployment {
    /// Whether it is running and no change is in progress.
    pub fn is_running(&self) -> bool {
        self.status == DeploymentStatus::Running && !self.is_pending
    }
}

/// Domino's words for the status of a version. The newer routes write them with spaces and a capital, the older ones
/// in lower case; both are read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum DeploymentStatus {
    /// The build is queued.
    PreparingToBuild,
    /// The image is being built.
    Building,
    /// The image is built.
    ReadyToRun,
    /// The instances are starting.
    Starting,
    /// It serves requests.
    Running,
    /// It does not come up, but may recover.
    Stalled,
    /// It does not answer, but may recover.
    Unreachable,
    /// It failed for good.
    Failed,
    /// It was stopped.
    Stopped,
    /// A word that we do not know.
    Unknown(String),
}

impl DeploymentStatus {
    /// The word, as Domino writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::PreparingToBuild => "Preparing to build",
            Self::Building => "Building",
            Self::ReadyToRun => "Ready to run",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stalled => "Stalled",
            Self::Unreachable => "Unreachable",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for DeploymentStatus {
    fn from(word: String) -> Self {
        let plain = word.trim().to_ascii_lowercase().replace('_', " ");
        match plain.as_str() {
            "preparing to build" | "preparing" => Self::PreparingToBuild,
            "building" => Self::Building,
            "ready to run" => Self::ReadyToRun,
            "starting" => Self::Starting,
            "running" => Self::Running,
            "stalled" => Self::Stalled,
            "unreachable" => Self::Unreachable,
            "failed" | "error" => Self::Failed,
            "stopped" => Self::Stopped,
            _ => Self::Unknown(word),
        }
    }
}

impl fmt::Display for DeploymentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_without_case_and_unknown_ones_kept() {
        for (text, status) in [
            ("Running", DeploymentStatus::Running),
            ("running", DeploymentStatus::Running),
            ("Preparing to build", DeploymentStatus::PreparingToBuild),
            ("ready_to_run", DeploymentStatus::ReadyToRun),
            ("error", DeploymentStatus::Failed),
            ("Dreaming", DeploymentStatus::Unknown("Dreaming".into())),
        ] {
            assert_eq!(DeploymentStatus::from(text.to_owned()), status, "{text}");
        }
    }

    #[test]
    fn running_counts_only_when_nothing_is_under_way() {
        let deployment = |is_pending| Deployment {
            status: DeploymentStatus::Running,
            is_pending,
        };
        assert!(deployment(false).is_running());
        assert!(!deployment(true).is_running());
    }
}
