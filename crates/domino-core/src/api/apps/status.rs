//! The status of a start of an app, in Domino's words and in what they mean for us.

use serde::Deserialize;

/// Domino's words for the status of an app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum AppStatus {
    /// `Running` or `Serving`: its container runs, which does not mean that it answers requests.
    Up(String),
    /// One of the words for an app that is starting.
    Starting(String),
    /// One of the words for an app that is stopping.
    Stopping(String),
    /// `Stopped`, `Succeeded`, `Failed` or `Error`.
    Down(String),
    /// It was never started.
    Never,
    /// A word that we do not know.
    Unknown(String),
}

impl From<String> for AppStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "" => Self::Never,
            "Running" | "Serving" => Self::Up(word),
            "Queued" | "Scheduled" | "Pending" | "Preparing" | "Building" | "Pulling" => {
                Self::Starting(word)
            }
            "StopRequested" | "StopAndDiscardRequested" | "Stopping" | "Finishing" => {
                Self::Stopping(word)
            }
            "Stopped" | "Succeeded" | "Failed" | "Error" => Self::Down(word),
            _ => Self::Unknown(word),
        }
    }
}

impl AppStatus {
    /// The word, as Domino writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::Never => "never started",
            Self::Up(word)
            | Self::Starting(word)
            | Self::Stopping(word)
            | Self::Down(word)
            | Self::Unknown(word) => word,
        }
    }

    /// Whether nothing of it runs, nor will start by itself.
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Down(_) | Self::Never)
    }

    /// Whether its container runs.
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_word_has_its_meaning() {
        let status = |word: &str| AppStatus::from(word.to_owned());
        for word in ["Running", "Serving"] {
            assert!(status(word).is_up());
        }
        for word in ["Stopped", "Succeeded", "Failed", "Error", ""] {
            assert!(status(word).is_down(), "{word}");
        }
        for word in [
            "Queued",
            "Scheduled",
            "Pending",
            "Preparing",
            "Building",
            "Pulling",
        ] {
            assert!(matches!(status(word), AppStatus::Starting(_)), "{word}");
        }
        for word in [
            "StopRequested",
            "StopAndDiscardRequested",
            "Stopping",
            "Finishing",
        ] {
            assert!(matches!(status(word), AppStatus::Stopping(_)), "{word}");
        }
        assert_eq!(status("Dancing").word(), "Dancing");
        assert!(matches!(status("Dancing"), AppStatus::Unknown(_)));
    }
}
