//! The repository that the verbs work in, and how this program was called there.
//!
//! `cargo xtask` passes both in environment variables; the program by itself works in the current folder.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The top of the repository.
pub fn root() -> PathBuf {
    std::env::var_os("DOMINO_PIPELINE_ROOT")
        .filter(|root| !root.is_empty())
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Whether `folder` is the repository for which `cargo xtask` has just built this program.
pub fn is_checkout_of_caller(folder: &Path) -> bool {
    let given = std::env::var_os("DOMINO_PIPELINE_ROOT").filter(|root| !root.is_empty());
    given.is_some_and(|given| {
        let given = Path::new(&given).canonicalize();
        given.is_ok_and(|given| folder.canonicalize().is_ok_and(|folder| folder == given))
    })
}

/// The command with which a person calls this program.
pub fn called_as() -> String {
    std::env::var("DOMINO_PIPELINE_CALLED_AS").unwrap_or_else(|_| "domino-pipeline".to_owned())
}

/// The `owner/name` on GitHub that git calls `origin`.
pub fn origin(root: &Path) -> Option<String> {
    let output = Command::new("git")
        .args(["remote", "get-url", "origin"])
        .current_dir(root)
        .output()
        .ok()?;
    let url = String::from_utf8(output.stdout).ok()?;
    owner_and_name(url.trim())
}

fn owner_and_name(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("github.com")?;
    let path = rest.trim_start_matches([':', '/']).trim_end_matches(".git");
    let (owner, name) = path.split_once('/')?;
    let is_part = |part: &str| !part.is_empty() && !part.contains(['/', ' ', '"']);
    (is_part(owner) && is_part(name)).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_known_by_its_address_on_github() {
        for url in [
            "https://github.com/example-org/programs.git",
            "git@github.com:example-org/programs.git",
            "ssh://git@github.com/example-org/programs",
        ] {
            assert_eq!(
                owner_and_name(url).as_deref(),
                Some("example-org/programs"),
                "{url}"
            );
        }
        for url in [
            "",
            "../programs",
            "https://git.example.com/a/b",
            "https://github.com/a",
        ] {
            assert_eq!(owner_and_name(url), None, "{url}");
        }
    }
}
