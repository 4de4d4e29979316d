//! How a verb reaches GitHub: the token, the repository and the address, out of the environment.

use std::path::Path;

use domino_core::variable::variable;
use stage_file::StageFile;

use crate::repository;

/// What says how to get a token, where there is none.
pub const NO_TOKEN: &str =
    "set `GITHUB_TOKEN` or `GH_TOKEN`; `gh auth token` shows the one that `gh` uses";

/// The token, of `GITHUB_TOKEN` or else of `GH_TOKEN`.
pub fn token() -> Option<String> {
    variable("GITHUB_TOKEN").or_else(|| variable("GH_TOKEN"))
}

/// GitHub's address, where it is not github.com.
pub fn api() -> Option<String> {
    variable("GITHUB_API_URL")
}

/// The repository, `owner/name`: as the environment has it, or else git's origin.
pub fn repository(file: &StageFile) -> Option<String> {
    let origin = || {
        let folder = file.path.parent()?;
        // The folder of a bare `stages.toml` is this one.
        repository::origin(&Path::new(".").join(folder))
    };
    variable("GITHUB_REPOSITORY").or_else(origin)
}
