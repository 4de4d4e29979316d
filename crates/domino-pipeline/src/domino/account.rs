//! What the service account of a stage is called, and its tokens: one a GitHub environment at a time, by names that count.

use domino_core::api::service_accounts::TokenDetails;
use domino_core::client::Connection;
use domino_core::error::{CommandError, Result};
use stage_file::{Stage, StageFile};

/// What the service accounts of stages are called where a command says otherwise than the stage file, as `STAGE=NAME`s.
pub(crate) struct AccountNames(Vec<(String, String)>);

impl AccountNames {
    /// Reads `STAGE=NAME`s.
    pub(crate) fn read(given: &[String], file: &StageFile) -> Result<Self> {
        let read = |text: &String| {
            let parts = text.split_once('=').filter(|(_, name)| !name.is_empty());
            let (stage, name) = parts.ok_or_else(|| {
                CommandError::usage(
                    "`--service-account` takes `STAGE=NAME`, such as `prod=wine-prod`",
                )
            })?;
            Ok((file.stage(stage)?.name.clone(), name.to_owned()))
        };
        Ok(Self(given.iter().map(read).collect::<Result<_>>()?))
    }

    /// The name of a stage's account; that of the stage file where none was given.
    pub(crate) fn of(&self, stage: &Stage) -> String {
        let given = self.0.iter().find(|(name, _)| *name == stage.name);
        given.map_or_else(|| stage.service_account_name(), |(_, name)| name.clone())
    }
}

/// The address that a new account gets: Domino wants one, and nobody reads it.
pub(crate) fn email(name: &str, connection: &Connection) -> String {
    let host = connection.host().as_str();
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    let host = host.split([':', '/']).next().unwrap_or(host);
    format!("{name}@{host}")
}

/// The names of the tokens for one GitHub environment of one repository: `github-<owner>-<name>-<environment>-<number>`.
/// Others may use the same account, so that theirs are told apart.
pub(crate) struct TokenNames(String);

impl TokenNames {
    pub(crate) fn of(repository: &str, environment: &str) -> Self {
        let text = format!("github-{repository}-{environment}-");
        let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        Self(text.chars().map(legal).collect())
    }

    fn number(&self, name: &str) -> Option<u64> {
        name.strip_prefix(&self.0)?.parse().ok()
    }

    /// Those of them that open Domino, oldest first.
    pub(crate) fn valid<'a>(&self, tokens: &'a [TokenDetails]) -> Vec<&'a str> {
        let own = tokens.iter().filter(|token| token.is_valid);
        let mut own: Vec<_> = own
            .filter_map(|token| Some((self.number(&token.name)?, token.name.as_str())))
            .collect();
        own.sort_unstable();
        own.into_iter().map(|(_, name)| name).collect()
    }

    /// The name of the next one, which none had before.
    pub(crate) fn next(&self, tokens: &[TokenDetails]) -> String {
        let numbers = tokens.iter().filter_map(|token| self.number(&token.name));
        format!("{}{}", self.0, numbers.max().unwrap_or(0) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str, is_valid: bool) -> TokenDetails {
        TokenDetails {
            name: name.to_owned(),
            is_valid,
            expires_at: None,
        }
    }

    #[test]
    fn names_count_on_also_after_tokens_that_open_nothing() {
        let names = TokenNames::of("example-org/wine", "PROD EU");
        assert_eq!(names.next(&[]), "github-example-org-wine-PROD-EU-1");
        let tokens = [
            token("github-example-org-wine-PROD-EU-10", false),
            token("github-example-org-wine-PROD-EU-9", true),
            token("github-example-org-wine-PROD-EU-2", true),
            token("github-example-org-wine-PROD-EU-US-30", true),
            token("by hand", true),
        ];
        assert_eq!(names.next(&tokens), "github-example-org-wine-PROD-EU-11");
        assert_eq!(
            names.valid(&tokens),
            [
                "github-example-org-wine-PROD-EU-2",
                "github-example-org-wine-PROD-EU-9"
            ]
        );
    }
}
