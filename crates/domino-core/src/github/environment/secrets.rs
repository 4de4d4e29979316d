//! The names of secrets: those of an environment, and those outside of it that every job gets as well. And the key
//! with which a secret of an environment is encrypted.

use jiff::Timestamp;
use serde::Deserialize;

use super::environments::{Environments, PERMISSION};
use crate::client::{ApiError, segment};
use crate::error::CommandError;
use crate::github::refusal;

/// A secret. GitHub never shows its value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Secret {
    /// Its name, in capitals.
    pub name: String,
    /// When it was last written.
    pub updated_at: Option<Timestamp>,
}

/// Where a secret is that does not belong to the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// In the repository: every job gets it.
    Repository,
    /// In the organisation, and shared with the repository.
    Organization,
}

/// The key with which values for an environment are encrypted: only GitHub can decrypt them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublicKey {
    /// GitHub's id of the key.
    pub key_id: String,
    /// An X25519 key, in base64.
    pub key: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    secrets: Vec<Wire>,
}

#[derive(Deserialize)]
struct Wire {
    name: Option<String>,
    updated_at: Option<Timestamp>,
}

impl Environments {
    /// `GET …/environments/{name}/secrets`. Contract: GitHub's published OpenAPI description.
    pub async fn secrets(&self, name: &str) -> Result<Vec<Secret>, CommandError> {
        let path = format!("{}/secrets", self.of_name(name));
        self.told(name, self.secrets_at(&path).await)
    }

    /// The secrets that every job of the repository gets, whatever its environment. Contract: GitHub's published
    /// OpenAPI description of `GET /repos/{owner}/{repo}/actions/secrets` and `…/actions/organization-secrets`.
    pub async fn secrets_outside(&self) -> Result<Vec<(SecretPlace, Secret)>, CommandError> {
        let mut all = Vec::new();
        for (place, route) in [
            (SecretPlace::Repository, "secrets"),
            (SecretPlace::Organization, "organization-secrets"),
        ] {
            let path = format!("{}/actions/{route}", self.repository);
            let secrets = match self.secrets_at(&path).await {
                // A person's own repository has no organisation.
                Err(error) if error.is_absent() && place == SecretPlace::Organization => Vec::new(),
                secrets => secrets.map_err(|error| {
                    refusal("the secrets outside of environments", PERMISSION, &error)
                })?,
            };
            all.extend(secrets.into_iter().map(|secret| (place, secret)));
        }
        Ok(all)
    }

    /// `GET …/environments/{name}/secrets/public-key`. Contract: GitHub's published OpenAPI description.
    pub async fn public_key(&self, name: &str) -> Result<PublicKey, CommandError> {
        let path = format!("{}/secrets/public-key", self.of_name(name));
        self.told(name, self.reader.read(&path, &[]).await)
    }

    async fn secrets_at(&self, path: &str) -> Result<Vec<Secret>, ApiError> {
        let wires = self.all(path, &[], |page: Page| page.secrets).await?;
        let secret = |wire: Wire| {
            Some(Secret {
                name: wire.name?,
                updated_at: wire.updated_at,
            })
        };
        Ok(wires.into_iter().filter_map(secret).collect())
    }

    /// `GET …/environments/{name}/secrets/{secret}`. Contract: GitHub's published OpenAPI description.
    pub(super) async fn read_secret(
        &self,
        name: &str,
        secret: &str,
    ) -> Result<Option<Secret>, ApiError> {
        let path = format!("{}/secrets/{}", self.of_name(name), segment(secret));
        self.reader.read_if_there(&path, &[]).await
    }
}
