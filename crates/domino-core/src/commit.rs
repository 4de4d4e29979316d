//! Which commit of the repository is deployed. It is always a whole SHA: anything shorter could mean something
//! else tomorrow.

use std::fmt;
use std::process::Command;

use serde::Serialize;

use crate::error::CommandError;

/// A whole commit id: 40 (or 64) lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Commit(String);

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

    /// A whole commit id.
    pub fn whole(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|b| b.is_ascii_hexdigit());
        (hexadecimal && matches!(text.len(), 40 | 64)).then(|| Self(text.to_ascii_lowercase()))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
    fn only_whole_ids_are_commits() {
        assert!(Commit::whole("3f2a91c").is_none());
        assert!(Commit::whole(&"g".repeat(40)).is_none());
        assert_eq!(
            Commit::whole(&"A".repeat(40)).unwrap().as_str(),
            "a".repeat(40)
        );
        assert_eq!(
            Commit::whole(&"b".repeat(40)).unwrap().short(),
            "bbbbbbbbbbbb"
        );
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        assert!(rev_parse("--all").is_none());
    }
}
