//! How a version of a model API stands, in Domino's words.

use std::fmt;

use serde::Deserialize;

/// How a version stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// The status word.
    pub status: DeploymentStatus,
    /// Whether something is still under way.
    pub is_pending: bool,
}

impl Deployment {
    /// Running, with nothing under way.
    pub fn is_running(&self) -> bool {
        self.status == DeploymentStatus::Running && !self.is_pending
    }
}

/// Domino's words for the status of a version. The newer routes write them with spaces and a capital, the older
/// ones in lower case; they are read alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum DeploymentStatus {
    /// The build waits.
    PreparingToBuild,
    /// The image is being built.
    Building,
    /// The image is there.
    ReadyToRun,
    /// The instances start.
    Starting,
    /// It serves.
    Running,
    /// It does not come up, and may recover.
    Stalled,
    /// It does not answer, and may recover.
    Unreachable,
    /// It will not serve.
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
