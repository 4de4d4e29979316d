//! The variables of an environment.

use serde::Deserialize;

use super::environments::Environments;
use crate::client::{ApiError, segment};
use crate::error::CommandError;

#[derive(Deserialize)]
struct Variable {
    value: Option<String>,
}

impl Environments {
    /// `GET …/environments/{name}/variables/{variable}`: the value of a variable of the environment. Contract:
    /// GitHub's published OpenAPI description.
    pub async fn variable(
        &self,
        name: &str,
        variable: &str,
    ) -> Result<Option<String>, CommandError> {
        self.told(name, self.read_variable(name, variable).await)
    }

    pub(super) async fn read_variable(
        &self,
        name: &str,
        variable: &str,
    ) -> Result<Option<String>, ApiError> {
        let path = format!("{}/variables/{}", self.of_name(name), segment(variable));
        let found: Option<Variable> = self.reader.read_if_there(&path, &[]).await?;
        Ok(found.and_then(|variable| variable.value))
    }
}
