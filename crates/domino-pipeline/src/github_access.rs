//! How a verb reaches GitHub: the token, the repository and the address, from environment variables.

use std::path::Path;

use domino_core::variable::variable;
use stage_file::StageFile;

use crate::repository;

/// How to get a token if there is none.
pub const NO_TOKEN: &str =
    "set `GITHUB_TOKEN` or `GH_TOKEN`; `gh auth token` shows the one that `gh` uses";

/// The token, from `GITHUB_TOKEN` or otherwise `GH_TOKEN`.
pub fn token() -> Option<String> {
    variable("GITHUB_TOKEN").or_else(|| variable("GH_TOKEN"))
}

/// GitHub's address, if it is not github.com.
pub fn api() -> Option<String> {
    variable("GITHUB_API_URL")
}

/// The repository, `owner/name`: from the environment, otherwise from git's origin.
pub fn repository(file: &StageFile) -> Option<String> {
    let origin = || {
        let folder = file.path.parent()?;
        // The folder of a bare `stages.toml` is this one.
        repository::origin(&Path::new(".").join(folder))
    };
    variable("GITHUB_REPOSITORY").or_else(origin)
}
