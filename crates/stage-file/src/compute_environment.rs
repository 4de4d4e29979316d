//! A compute environment as the file names it, and which of its revisions runs.

use std::fmt;

use serde::Serialize;

/// A compute environment by id or name, and which of its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComputeEnvironment {
    /// Id (24 hexadecimal digits) or name.
    pub id_or_name: String,
    /// Which revision runs.
    pub revision: Revision,
}

/// As people call it: the name, and the revision where it is not the active one.
impl fmt::Display for ComputeEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id_or_name)?;
        match &self.revision {
            Revision::Active => Ok(()),
            Revision::Latest => f.write_str(", newest revision"),
            Revision::AsBefore => f.write_str(", the revision that the stage before ran"),
            Revision::Id(id) => write!(f, ", revision {id}"),
        }
    }
}

/// Which revision of a compute environment runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revision {
    /// The active one, Domino's default.
    Active,
    /// The newest one.
    Latest,
    /// The one that the stage before ran; in the first stage the active one.
    AsBefore,
    /// A fixed one, by its id in Domino.
    Id(String),
}
