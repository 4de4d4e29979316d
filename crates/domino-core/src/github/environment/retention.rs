//! How long GitHub keeps what a job hands on to later ones.

use serde::Deserialize;

use super::environments::Environments;
use crate::error::CommandError;
use crate::github::refusal;

#[derive(Deserialize)]
struct Wire {
    days: u32,
}

impl Environments {
    /// `GET /repos/{owner}/{repo}/actions/permissions/artifact-and-log-retention`: the most days that artifacts are
    /// kept. Needs an administrator's token. Contract: GitHub's published OpenAPI description.
    pub async fn artifact_days(&self) -> Result<u32, CommandError> {
        let path = format!(
            "{}/actions/permissions/artifact-and-log-retention",
            self.repository
        );
        let wire: Wire = self.reader.read(&path, &[]).await.map_err(|error| {
            let may = "it takes a token of an administrator of the repository";
            refusal("how long artifacts are kept", may, &error)
        })?;
        Ok(wire.days)
    }
}
