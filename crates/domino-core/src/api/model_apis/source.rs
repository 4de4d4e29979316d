//! What a version of a model API serves: a version of a registered model, or a function in a file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::registered_models::VersionNumber;

/// What a version serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelApiSource {
    /// A version of a registered model.
    Registered {
        /// The registered model's name.
        name: String,
        /// Its version.
        version: VersionNumber,
    },
    /// A function in a file of the project.
    Function {
        /// The file.
        file: String,
        /// The function.
        function: String,
    },
}

impl fmt::Display for ModelApiSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { name, version } => write!(f, "version {version} of `{name}`"),
            Self::Function { file, function } => write!(f, "`{function}` in `{file}`"),
        }
    }
}

/// A source in the newer routes: a type and what belongs to it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Typed {
    #[serde(rename_all = "camelCase")]
    Registry {
        registered_model_name: String,
        registered_model_version: VersionNumber,
    },
    File {
        file: String,
        function: String,
    },
}

impl From<&ModelApiSource> for Typed {
    fn from(source: &ModelApiSource) -> Self {
        match source.clone() {
            ModelApiSource::Registered { name, version } => Self::Registry {
                registered_model_name: name,
                registered_model_version: version,
            },
            ModelApiSource::Function { file, function } => Self::File { file, function },
        }
    }
}

impl From<Typed> for ModelApiSource {
    fn from(typed: Typed) -> Self {
        match typed {
            Typed::Registry {
                registered_model_name: name,
                registered_model_version: version,
            } => Self::Registered { name, version },
            Typed::File { file, function } => Self::Function { file, function },
        }
    }
}

/// A source in the older routes: its fields stand among the others, and a version may be text.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Flat {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registered_model_name: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "number_or_text"
    )]
    registered_model_version: Option<VersionNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<String>,
}

fn number_or_text<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<VersionNumber>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(VersionNumber),
        Text(String),
    }
    Ok(
        Option::<Either>::deserialize(deserializer)?.and_then(|either| match either {
            Either::Number(number) => Some(number),
            Either::Text(text) => text.parse().ok(),
        }),
    )
}

impl From<&ModelApiSource> for Flat {
    fn from(source: &ModelApiSource) -> Self {
        match source.clone() {
            ModelApiSource::Registered { name, version } => Self {
                registered_model_name: Some(name),
                registered_model_version: Some(version),
                ..Self::default()
            },
            ModelApiSource::Function { file, function } => Self {
                file: Some(file),
                function: Some(function),
                ..Self::default()
            },
        }
    }
}

impl Flat {
    /// The source, if all of one is there.
    pub(super) fn whole(self) -> Option<ModelApiSource> {
        match self {
            Self {
                registered_model_name: Some(name),
                registered_model_version: Some(version),
                ..
            } => Some(ModelApiSource::Registered { name, version }),
            Self {
                file: Some(file),
                function: Some(function),
                ..
            } => Some(ModelApiSource::Function { file, function }),
            _ => None,
        }
    }
}
