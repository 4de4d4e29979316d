//! The receipts of a repository, fetched where a workflow's checkout has none.

use std::path::Path;

use domino_core::receipt::{History, NOTES, Notes, in_folder};
use domino_core::variable::variable;

use crate::error::Result;
use crate::receipts::remote::{Lose, Remote};

/// Those of a folder, else the notes of the repository that `repository` is in.
pub(super) fn receipts(folder: Option<&Path>, repository: &Path) -> Result<History> {
    if let Some(folder) = folder {
        return Ok(in_folder(folder)?);
    }
    // On a workflow run; elsewhere those that a person fetched count.
    if variable("GITHUB_ACTIONS").is_some()
        && let Err(error) = Remote::of(repository).fetch(NOTES, Lose::Nothing)
    {
        eprintln!(
            "no receipts could be fetched from `origin`, so those that are here count: {error}"
        );
    }
    Ok(Notes::of(repository).read()?)
}
