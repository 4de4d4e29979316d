//! The stages that the experiment manager has: four, and on some deployments words of their own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A stage of a model version. The server accepts the four in any case and answers in this spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ModelStage {
    /// No stage.
    None,
    /// The word `Staging`.
    Staging,
    /// The word `Production`.
    Production,
    /// The word `Archived`.
    Archived,
    /// A word that upstream's server refuses, but a deployment may have.
    Unknown(String),
}

impl ModelStage {
    /// The word, as MLflow writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ModelStage {
    fn from(word: String) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "none" | "" => Self::None,
            "staging" => Self::Staging,
            "production" => Self::Production,
            "archived" => Self::Archived,
            _ => Self::Unknown(word),
        }
    }
}

impl From<&str> for ModelStage {
    fn from(word: &str) -> Self {
        word.to_owned().into()
    }
}

impl From<ModelStage> for String {
    fn from(stage: ModelStage) -> Self {
        stage.word().to_owned()
    }
}

impl fmt::Display for ModelStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_without_case_and_written_as_mlflow_does() {
        for (text, stage) in [
            ("PRODUCTION", ModelStage::Production),
            ("staging", ModelStage::Staging),
            ("", ModelStage::None),
            ("Canary", ModelStage::Unknown("Canary".into())),
        ] {
            assert_eq!(ModelStage::from(text), stage);
        }
        assert_eq!(ModelStage::from("archived").to_string(), "Archived");
    }
}
