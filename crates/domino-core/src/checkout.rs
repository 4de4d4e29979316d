//! What git knows about this checkout: which commit a person means, and where a file is in the repository.

use std::path::Path;
use std::process::Command;

use crate::commit::Commit;
use crate::error::CommandError;

impl Commit {
    /// The commit that was asked for: the flag, else `GITHUB_SHA`, else the checkout's `HEAD`.
    pub fn wanted(flag: Option<&str>) -> Result<Self, CommandError> {
        if let Some(flag) = flag {
            return Self::named(flag, "--commit");
        }
        if let Some(sha) = std::env::var("GITHUB_SHA")
            .ok()
            .filter(|sha| !sha.is_empty())
        {
            return Self::whole(&sha).ok_or_else(|| {
                CommandError::usage(format!("`GITHUB_SHA` is no commit id: `{sha}`"))
            });
        }
        rev_parse("HEAD").ok_or_else(|| {
            CommandError::usage("it is not known which commit to deploy: this is no git checkout")
                .hint("give `--commit SHA`, or run this inside the checkout")
        })
    }

    /// A commit by whole id, or anything that git knows in this checkout: a short id, a branch, a tag.
    fn named(text: &str, source: &str) -> Result<Self, CommandError> {
        if let Some(commit) = Self::whole(text) {
            return Ok(commit);
        }
        rev_parse(text).ok_or_else(|| {
            CommandError::usage(format!(
                "`{source} {text}` is no whole commit id, and git knows no commit of that name here"
            ))
        })
    }
}

/// The path of a file from the top folder of its repository; absent outside of a repository.
pub fn path_in_repository(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let output = Command::new("git")
        .arg("-C")
        .arg(folder.unwrap_or(Path::new(".")))
        .args(["rev-parse", "--show-prefix"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let prefix = String::from_utf8(output.stdout).ok()?;
    Some(format!(
        "{}{}",
        prefix.trim_end_matches('\n'),
        file.file_name()?.to_str()?
    ))
}

/// Who wrote a commit, by name, where git has it here.
pub fn author_of(commit: &str) -> Option<String> {
    let output = Command::new("git")
        .args(["log", "-1", "--no-show-signature", "--format=%aN"])
        .args(["--end-of-options", commit, "--"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// `^{commit}` makes git peel tags, and `--end-of-options` keeps a name with a dash from being one.
fn rev_parse(name: &str) -> Option<Commit> {
    let output = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
        .arg(format!("{name}^{{commit}}"))
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| Commit::whole(String::from_utf8_lossy(&output.stdout).trim()))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_from_the_top_of_its_repository() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let of = |file: &str| path_in_repository(&here.join(file));
        assert_eq!(of("src/lib.rs").unwrap(), "crates/domino-core/src/lib.rs");
        assert_eq!(of("../../stages.toml").unwrap(), "stages.toml");
        let outside = tempfile::tempdir().unwrap();
        assert_eq!(path_in_repository(&outside.path().join("x")), None);
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        assert!(rev_parse("--all").is_none());
    }
}
