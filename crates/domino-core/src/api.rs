//! Domino's REST API, one noun a file: its ids, its types, its methods, and tests of the exact requests.
//!
//! Methods on `Reader` are named by the noun, methods on `Writer` by the verb. What a deployment does not have
//! is `None`; lists are whole. Nothing here decides what to do with an answer.

pub mod apps;
pub mod choice;
pub mod environments;
pub mod governance;
pub mod hardware_tiers;
pub mod jobs;
pub mod logs;
pub mod mlflow;
pub mod model_apis;
pub mod model_endpoints;
pub mod projects;
pub mod registered_models;
pub mod reviews;
pub mod schedules;
pub mod users;
pub mod version;

/// Makes a newtype for an id of Domino's, so that a name or another noun's id cannot be sent in its place.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id that Domino gave.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use id;

/// The part of the repository that Domino checks out, in the spelling of v4 and apps: plural words but
/// `commitId`. Only whole commits are ever asked for; a wrong word would be accepted and fail the run later.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GitRef {
    /// `head`, `branches`, `tags` or `commitId`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is called; nothing for `head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl GitRef {
    /// One commit by its whole id.
    pub fn commit(commit: &crate::commit::Commit) -> Self {
        Self {
            kind: "commitId".into(),
            value: Some(commit.as_str().into()),
        }
    }

    /// Whether this is exactly that commit.
    pub fn is(&self, commit: &crate::commit::Commit) -> bool {
        self.kind == "commitId"
            && self
                .value
                .as_deref()
                .is_some_and(|v| v.eq_ignore_ascii_case(commit.as_str()))
    }

    /// For people: `commitId 3f2a91c…`.
    pub fn in_words(&self) -> String {
        match &self.value {
            Some(value) => format!("{} {value}", self.kind),
            None => self.kind.clone(),
        }
    }
}
