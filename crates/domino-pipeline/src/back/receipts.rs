//! The receipts of a repository, fetched where a workflow's checkout has none.
//!
//! A token reaches git by its environment and never by an argument, and only for the server that it is of.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domino_core::receipt::{History, NOTES, Notes, in_folder};
use domino_core::variable::variable;

use crate::error::Result;

/// Those of a folder, else the notes of the repository that `repository` is in.
pub(super) fn receipts(folder: Option<&Path>, repository: &Path) -> Result<History> {
    if let Some(folder) = folder {
        return Ok(in_folder(folder)?);
    }
    if let Some(token) = variable("GITHUB_TOKEN")
        && let Some(server) = variable("GITHUB_SERVER_URL")
        && !fetch(repository, &server, &token)
    {
        eprintln!("no receipts could be fetched from `origin`: those that are here count");
    }
    Ok(Notes::of(repository).read()?)
}

/// Whether it could. Nobody has receipts before the first is recorded.
fn fetch(repository: &Path, server: &str, token: &str) -> bool {
    let basic = STANDARD.encode(format!("x-access-token:{token}"));
    let fetched = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(["fetch", "--quiet", "--no-tags", "origin"])
        .arg(format!("+{NOTES}:{NOTES}"))
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", format!("http.{server}/.extraheader"))
        .env(
            "GIT_CONFIG_VALUE_0",
            format!("AUTHORIZATION: basic {basic}"),
        )
        .output();
    fetched.is_ok_and(|output| output.status.success())
}
