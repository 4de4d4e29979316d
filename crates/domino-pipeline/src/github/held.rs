//! Which of a service account's tokens an environment holds: GitHub tells nobody the value of a secret, so that a variable
//! beside it names the token. It is written after the secret: where it is right, the secret is.

use domino_core::error::Result;
use domino_core::github::EnvironmentWriter;

use super::access::Repository;
use super::secret::TOKEN;

/// The variable that names the token.
pub(crate) const TOKEN_NAME: &str = "DOMINO_TOKEN_NAME";

/// What an environment holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The name of the token, as the variable has it.
    pub(crate) name: Option<String>,
    /// Whether the secret is there.
    pub(crate) has_secret: bool,
}

impl Held {
    /// Looks at an environment; one that is not there holds nothing.
    pub(crate) async fn read(repository: &Repository, environment: &str) -> Result<Self> {
        let all = &repository.environments;
        let names = all.names().await?;
        if !names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(environment))
        {
            return Ok(Self::default());
        }
        let (name, secrets) = tokio::try_join!(
            all.variable(environment, TOKEN_NAME),
            all.secrets(environment)
        )?;
        Ok(Self {
            name,
            has_secret: secrets.iter().any(|secret| secret.name == TOKEN),
        })
    }

    /// Whether it holds the token of this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.has_secret && self.name.as_deref() == Some(name)
    }

    /// Writes the name of the token that it holds from now on.
    pub(crate) async fn set_name(
        &self,
        repository: &Repository,
        environment: &str,
        name: &str,
    ) -> Result<()> {
        EnvironmentWriter::of(&repository.environments)
            .set_variable(environment, TOKEN_NAME, name, self.name.is_some())
            .await
    }
}
