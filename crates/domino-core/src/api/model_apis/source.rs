//! What a version of a model API serves: a version of a registered model, or a function in a file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::registered_models::VersionNumber;
use super::carried::Carried;

/// What a version serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelApiSource {
    /// A version of a registered model.
    Registered {
        /// The registered model's name.
        name: String,
        /// The version's number in the registry.
        version: VersionNumber,
    },
    /// A function in a file of the project.
    Function {
        /// The file's path in the project.
        file: String,
        /// The function's name in that file.
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
    #[serde(rename_all = "camelCase")]
    File {
        file: String,
        function: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exclude_files: Vec<String>,
    },
}

impl From<&ModelApiSource> for Typed {
    fn from(source: &ModelApiSource) -> Self {
        match source.clone() {
            ModelApiSource::Registered { name, version } => Self::Registry {
                registered_model_name: name,
                registered_model_version: version,
            },
            ModelApiSource::Function { file, function } => Self::File {
                file,
                function,
                exclude_files: Vec::new(),
            },
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
            Typed::File { file, function, .. } => Self::Function { file, function },
        }
    }
}

/// The key under which the list of files that a build leaves out is carried over.
const EXCLUDED: &str = "excludeFiles";

impl Typed {
    /// The source with the list of files that the previous version left out.
    pub(super) fn without_files_of(source: &ModelApiSource, carried: &mut Carried) -> Self {
        let excluded = excluded(carried);
        let mut typed = Self::from(source);
        if let Self::File { exclude_files, .. } = &mut typed {
            *exclude_files = excluded;
        }
        typed
    }

    /// Adds the list of files that are left out to what the next version takes over.
    pub(super) fn keep_excluded(&self, carried: Carried) -> Carried {
        match self {
            Self::File { exclude_files, .. } => with_excluded(carried, exclude_files.clone()),
            Self::Registry { .. } => carried,
        }
    }
}

/// The same, for routes where the list is beside the source.
pub(super) fn with_excluded(mut carried: Carried, files: Vec<String>) -> Carried {
    if !files.is_empty() {
        carried.insert(EXCLUDED.to_owned(), files.into());
    }
    carried
}

/// Removes the list of files that the previous version left out from what is carried over.
pub(super) fn excluded(carried: &mut Carried) -> Vec<String> {
    let files = carried.remove(EXCLUDED).unwrap_or_default();
    serde_json::from_value(files).unwrap_or_default()
}

/// A source in the older routes: its fields are among the others, and a version may be text.
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
    /// The source, if all its fields are present.
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
