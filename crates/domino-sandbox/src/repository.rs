//! The repository that projects have their code from, as Domino names it to its users. Reading
//! code out of it is the business of `checkout`.

use std::path::Path;
use std::process::Command;

use crate::id;

/// Where the code of a project comes from.
#[derive(Clone, Debug)]
pub(crate) struct MainRepository {
    pub(crate) id: String,
    pub(crate) uri: String,
    pub(crate) name: String,
}

impl MainRepository {
    /// Asks git where `repository` comes from; a repository that comes from nowhere is named by
    /// its path. A password in the address stays here.
    pub(crate) fn of(repository: &Path) -> Self {
        let folder = std::fs::canonicalize(repository).unwrap_or_else(|_| repository.to_owned());
        let asked = Command::new("git")
            .arg("-C")
            .arg(repository)
            .args(["config", "--get", "remote.origin.url"])
            .output();
        let uri = asked
            .ok()
            .filter(|asked| asked.status.success())
            .and_then(|asked| String::from_utf8(asked.stdout).ok())
            .map(|uri| without_user(uri.trim()))
            .unwrap_or_else(|| format!("file://{}", folder.display()));
        Self::at(uri)
    }

    /// A repository at this address.
    pub(crate) fn at(uri: String) -> Self {
        let last = uri.rsplit(['/', ':']).next().unwrap_or_default();
        MainRepository {
            id: id::object_id(),
            name: last.trim_end_matches(".git").to_owned(),
            uri,
        }
    }

    /// The host and the path of the address; a repository of the machine itself has no host.
    pub(crate) fn host_and_path(&self) -> (&str, &str) {
        match self.uri.split_once("://") {
            Some((_, rest)) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            // As ssh writes it: `git@github.com:owner/name.git`.
            None => self.uri.split_once(':').unwrap_or(("", &self.uri)),
        }
    }

    fn is_github(&self) -> bool {
        self.uri.contains("github.com")
    }

    /// The provider in the words of `/v4`.
    pub(crate) fn v4_provider(&self) -> &'static str {
        if self.is_github() {
            "github"
        } else {
            "unknown"
        }
    }

    /// The provider in the words of the public API.
    pub(crate) fn public_provider(&self) -> &'static str {
        if self.is_github() {
            "Github"
        } else {
            "Unknown"
        }
    }
}

/// `https://user:password@host/path` without what is before the `@`.
fn without_user(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_path() {
        let parts = |uri: &str| {
            let repository = MainRepository {
                id: String::new(),
                uri: uri.to_owned(),
                name: String::new(),
            };
            let (host, path) = repository.host_and_path();
            format!("{host} {path}")
        };
        assert_eq!(parts("https://github.com/a/b.git"), "github.com /a/b.git");
        assert_eq!(parts("git@github.com:a/b.git"), "git@github.com a/b.git");
        assert_eq!(parts("file:///a/b"), " /a/b");
    }

    #[test]
    fn a_password_in_the_address_of_a_repository_is_not_told() {
        assert_eq!(
            without_user("https://user:canary@github.com/a/b.git"),
            "https://github.com/a/b.git"
        );
        assert_eq!(
            without_user("git@github.com:a/b.git"),
            "git@github.com:a/b.git"
        );
        assert_eq!(without_user("file:///a@b/c"), "file:///a@b/c");
    }
}
