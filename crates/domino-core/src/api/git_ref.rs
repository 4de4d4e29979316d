//! What Domino checks out of the repository, in the spelling that v4 and apps share: plural words except `commitId`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::commit::Commit;

/// What is checked out of the repository. We only ever ask for a whole commit: a wrong word would be accepted and
/// fail the run later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub enum GitRef {
    /// One commit by its id, of which Domino may show only the first digits.
    Commit(String),
    /// What may be another commit tomorrow: `head`, or one of `branches` or `tags` by its name.
    Moving {
        /// Domino's word for the kind.
        kind: String,
        /// The name of the branch or tag; absent for `head`.
        value: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

const COMMIT: &str = "commitId";

impl From<Wire> for GitRef {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire {
                kind,
                value: Some(commit),
            } if kind == COMMIT => Self::Commit(commit),
            Wire { kind, value } => Self::Moving { kind, value },
        }
    }
}

impl From<GitRef> for Wire {
    fn from(git_ref: GitRef) -> Self {
        match git_ref {
            GitRef::Commit(commit) => Self {
                kind: COMMIT.into(),
                value: Some(commit),
            },
            GitRef::Moving { kind, value } => Self { kind, value },
        }
    }
}

impl GitRef {
    /// One commit by its whole id.
    pub fn commit(commit: &Commit) -> Self {
        Self::Commit(commit.as_str().into())
    }

    /// Whether this is exactly that commit.
    pub fn is(&self, commit: &Commit) -> bool {
        matches!(self, Self::Commit(id) if id.eq_ignore_ascii_case(commit.as_str()))
    }
}

/// As Domino writes it: `commitId 3f2a91c…`.
impl fmt::Display for GitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(commit) => write!(f, "{COMMIT} {commit}"),
            Self::Moving {
                kind,
                value: Some(value),
            } => write!(f, "{kind} {value}"),
            Self::Moving { kind, value: None } => f.write_str(kind),
        }
    }
}
