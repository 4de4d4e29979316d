//! Where the code of the projects is, and the token by which their runs get it.

use std::path::PathBuf;

use domino_core::error::{CommandError, Result};
use domino_core::step::Step;
use domino_core::variable::variable;
use secrecy::{ExposeSecret, SecretString};
use stage_file::Stage;

use super::administrator;
use crate::github::hidden;

/// The variable that holds the token.
const VARIABLE: &str = "DOMINO_GIT_TOKEN";

/// The repository on GitHub.
pub(super) struct Code {
    /// `owner/name`.
    pub(super) repository: String,
    /// The address to clone from.
    pub(super) url: String,
    /// The host.
    pub(super) domain: String,
}

/// A token that may read the repository.
pub(super) struct GitToken {
    pub(super) value: Option<SecretString>,
    /// Where it comes from, in words.
    pub(super) source: String,
}

impl Code {
    /// The repository at GitHub's address, where that is not github.com.
    pub(super) fn of(repository: String) -> Self {
        let server = variable("GITHUB_SERVER_URL");
        let server = server.unwrap_or_else(|| "https://github.com".to_owned());
        let server = server.trim_end_matches('/');
        let domain = server.split_once("://").map_or(server, |(_, rest)| rest);
        Self {
            url: format!("{server}/{repository}.git"),
            domain: domain.to_owned(),
            repository,
        }
    }

    /// Whether this address means the repository: by ssh or https, with `.git` or without.
    pub(super) fn is_at(&self, address: &str) -> bool {
        let plain = |text: &str| {
            let text = text.split_once("://").map_or(text, |(_, rest)| rest);
            let text = text.rsplit('@').next().unwrap_or(text);
            text.trim_end_matches(".git")
                .replace(':', "/")
                .to_lowercase()
        };
        plain(address) == plain(&self.url)
    }
}

impl GitToken {
    /// What to do where there is none.
    pub(super) const TO_DO: &str = "set `DOMINO_GIT_TOKEN` (or `DOMINO_GIT_TOKEN_<STAGE>`) to a token that may read the repository and nothing \
         else, name its file by `--git-token-file`, or apply on a terminal, which asks";

    /// The token of a stage, if one was given or can be asked for.
    pub(super) fn of(
        file: Option<&PathBuf>,
        stage: &Stage,
        may_ask: bool,
        step: &mut Step,
    ) -> Result<Option<Self>> {
        if let Some(file) = file {
            let value = administrator::read(file)?;
            step.hide_text(value.expose_secret());
            let source = format!("out of file `{}`", file.display());
            let value = Some(value);
            return Ok(Some(Self { value, source }));
        }
        for name in [stage.own_variable(VARIABLE), VARIABLE.to_owned()] {
            if let Some(value) = variable(&name) {
                step.hide_text(&value);
                return Ok(Some(Self {
                    value: Some(value.into()),
                    source: format!("out of `{name}`"),
                }));
            }
        }
        Ok(may_ask.then(|| Self {
            value: None,
            source: "asked for on this terminal".to_owned(),
        }))
    }

    /// Asks for the token, where it was not given.
    pub(super) async fn ask(&mut self, stage: &Stage, step: &mut Step) -> Result<()> {
        if self.value.is_some() {
            return Ok(());
        }
        let question = format!(
            "a token that may read the repository, for the runs of stage `{}` (not shown): ",
            stage.name
        );
        let answer = hidden::answer(&question).await?;
        let answer = answer.trim();
        if answer.is_empty() {
            return Err(CommandError::usage("no token was given").hint("nothing was changed"));
        }
        step.hide_text(answer);
        self.value = Some(answer.to_owned().into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_means_the_repository_however_it_is_written() {
        let code = Code::of("example-org/wine".to_owned());
        for address in [
            "https://github.com/example-org/wine.git",
            "https://github.com/Example-Org/wine",
            "git@github.com:example-org/wine.git",
            "ssh://git@github.com/example-org/wine.git",
        ] {
            assert!(code.is_at(address), "{address}");
        }
        assert!(!code.is_at("https://github.com/example-org/wine-2.git"));
        assert!(!code.is_at("https://git.example.com/example-org/wine.git"));
    }
}
