//! The notes of the repository that git calls `origin`: fetched, and pushed if nobody else was first.
//!
//! A token reaches git by its environment and never by an argument, and only for the server that it is of.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::receipt::{NOTES, Notes};
use domino_core::variable::variable;

/// Where GitHub is when nothing else is said.
const SERVER: &str = "https://github.com";

/// A repository on this machine, and its `origin`.
#[derive(Debug)]
pub struct Remote {
    folder: PathBuf,
}

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It arrived.
    Done,
    /// Somebody else was first.
    Second,
}

impl Remote {
    /// Of the repository in this folder.
    pub fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Fetches the notes into the ref of that name; where `origin` has none, the ref is removed.
    ///
    /// # Errors
    /// git's own words, also where the local notes are not a part of those of `origin` and nothing may be lost.
    pub fn fetch(&self, into: &str, lose: Lose) -> Result<()> {
        let listed = self.git(&["ls-remote", "--quiet", "origin", NOTES])?;
        if listed.stdout.is_empty() {
            if lose == Lose::Local {
                self.git(&["update-ref", "-d", into])?;
            }
            return Ok(());
        }
        let force = match lose {
            Lose::Local => "+",
            Lose::Nothing => "",
        };
        let refspec = format!("{force}{NOTES}:{into}");
        let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        // The history of the notes is of no use here; a whole repository must not become a shallow one.
        let shallow = self.git(&["rev-parse", "--is-shallow-repository"])?;
        if shallow.stdout.starts_with(b"true") {
            args.push("--depth=1");
        }
        args.extend(["origin", refspec.as_str()]);
        self.git(&args).map(drop)
    }

    /// Pushes the ref of that name as the notes of `origin`, upon what was fetched before.
    ///
    /// # Errors
    /// git's own words.
    pub fn push(&self, from: &str) -> Result<Pushed> {
        let refspec = format!("{from}:{NOTES}");
        let output = self.output(&["push", "--quiet", "--porcelain", "origin", &refspec])?;
        if output.status.success() {
            return Ok(Pushed::Done);
        }
        // Of two at once, the server tells one that its view is old, or that the other one holds the ref.
        let told = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        let is_second = [
            "fetch first",
            "non-fast-forward",
            "cannot lock ref",
            "failed to update ref",
        ]
        .iter()
        .any(|words| told.contains(words) || said.contains(words));
        match is_second {
            true => Ok(Pushed::Second),
            false => Err(refused("push", &output)),
        }
    }

    /// The notes under a ref of this repository.
    pub fn notes(&self, name: &str) -> Notes {
        Notes::named(&self.folder, name)
    }

    fn git(&self, args: &[&str]) -> Result<Output> {
        let output = self.output(args)?;
        match output.status.success() {
            true => Ok(output),
            false => Err(refused(args[0], &output)),
        }
    }

    fn output(&self, args: &[&str]) -> Result<Output> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.folder).args(args);
        git.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
        git.env("LC_ALL", "C");
        if let Some((key, value)) = self.authorization() {
            git.env("GIT_CONFIG_COUNT", "1")
                .env("GIT_CONFIG_KEY_0", key)
                .env("GIT_CONFIG_VALUE_0", value);
        }
        git.output().map_err(|problem| {
            CommandError::new(Exit::Usage, format!("git cannot be run: {problem}"))
        })
    }

    /// A setting of git that signs in at the server of the token, where `origin` is there.
    fn authorization(&self) -> Option<(String, String)> {
        let token = variable("GITHUB_TOKEN")?;
        let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| SERVER.to_owned());
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.folder);
        let output = git.args(["config", "--get", "remote.origin.url"]).output();
        let url = String::from_utf8(output.ok()?.stdout).ok()?;
        signs_in(&server, url.trim(), &token)
    }
}

/// What a fetch may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lose {
    /// What only the local ref has.
    Local,
    /// Nothing: then it fails.
    Nothing,
}

fn signs_in(server: &str, origin: &str, token: &str) -> Option<(String, String)> {
    let server = format!("{}/", server.trim_end_matches('/'));
    let is_safe = server.starts_with("https://") && origin.starts_with(&server);
    is_safe.then(|| {
        let secret = STANDARD.encode(format!("x-access-token:{token}"));
        (
            format!("http.{server}.extraheader"),
            format!("AUTHORIZATION: basic {secret}"),
        )
    })
}

fn refused(verb: &str, output: &Output) -> CommandError {
    let said = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout);
    let said = match said.trim() {
        "" => told.trim().to_owned(),
        said => said.to_owned(),
    };
    let text = format!("git could not {verb} the receipts: {said}");
    CommandError::new(Exit::Refused, text).hint(
        "on GitHub the job needs `permissions: contents: write`, and `GITHUB_TOKEN: ${{ github.token }}`; a rule of the \
         repository may forbid it to write refs/notes/deployments",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_its_own_server_over_tls_and_to_no_other() {
        let origin = "https://github.com/example/wine";
        let (key, value) = signs_in("https://github.com", origin, "t").unwrap();
        assert_eq!(key, "http.https://github.com/.extraheader");
        assert_eq!(value, "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46dA==");
        for (server, origin) in [
            ("https://github.com", "https://github.com.example.com/a/b"),
            ("https://github.com", "git@github.com:example/wine"),
            ("https://github.com", "/tmp/origin.git"),
            ("http://github.com", "http://github.com/example/wine"),
        ] {
            assert_eq!(signs_in(server, origin, "t"), None, "{server} {origin}");
        }
    }
}
