//! The third-party actions that our workflows use: name, commit, version.
//!
//! This table is the only place that names them. A commit cannot be moved, unlike a tag; the version is the comment
//! that a person and Dependabot read.

use serde_saphyr::Commented;

use github_workflow::write::Step;

/// An action at one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// `owner/name`.
    pub name: &'static str,
    /// The full commit.
    pub commit: &'static str,
    /// The version that the commit belongs to.
    pub version: &'static str,
}

/// Checks out the repository's files.
pub const CHECKOUT: Action = Action {
    name: "actions/checkout",
    commit: "9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0",
    version: "v7.0.0",
};

/// Uploads files for later jobs of the run.
pub const UPLOAD_ARTIFACT: Action = Action {
    name: "actions/upload-artifact",
    commit: "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a",
    version: "v7.0.1",
};

/// Downloads files that an earlier job of the run uploaded.
pub const DOWNLOAD_ARTIFACT: Action = Action {
    name: "actions/download-artifact",
    commit: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
    version: "v8.0.1",
};

/// Keeps files for later runs.
pub const CACHE: Action = Action {
    name: "actions/cache",
    commit: "55cc8345863c7cc4c66a329aec7e433d2d1c52a9",
    version: "v6.1.0",
};

/// Signs a statement that says which run built a file.
pub const ATTEST_BUILD_PROVENANCE: Action = Action {
    name: "actions/attest-build-provenance",
    commit: "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32",
    version: "v4.1.0",
};

/// Every action that our workflows use.
pub const ALL: [Action; 5] = [
    CHECKOUT,
    UPLOAD_ARTIFACT,
    DOWNLOAD_ARTIFACT,
    CACHE,
    ATTEST_BUILD_PROVENANCE,
];

impl Action {
    /// A step that runs this action.
    pub fn step(self, name: impl Into<String>) -> Step {
        Step {
            name: name.into(),
            uses: Some(Commented(
                format!("{}@{}", self.name, self.commit),
                self.version.to_owned(),
            )),
            ..Step::default()
        }
    }
}
