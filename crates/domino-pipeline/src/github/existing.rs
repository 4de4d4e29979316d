//! The present state of an environment on GitHub.

use domino_core::error::CommandError;
use domino_core::github::{BranchPolicy, Environments, Protection, Secret};

use super::wanted::VARIABLE;

/// The present state of an environment on GitHub.
#[derive(Debug, Default)]
pub(crate) struct Existing {
    /// `None` if the environment does not exist.
    pub(crate) protection: Option<Protection>,
    pub(crate) policies: Vec<BranchPolicy>,
    pub(crate) variable: Option<String>,
    pub(crate) secrets: Vec<Secret>,
}

impl Existing {
    /// `names` are those of all environments: one that is listed but cannot be read is not considered new, because
    /// then its rules would be overwritten.
    pub(crate) async fn read(
        environments: &Environments,
        names: &[String],
        name: &str,
    ) -> Result<Self, CommandError> {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(Self::default());
        }
        let Some(protection) = environments.protection(name).await? else {
            let error = format!("GitHub lists environment `{name}`, and shows no such one (404)");
            return Err(CommandError::refused(error)
                .hint("use a `GITHUB_TOKEN` that may read it, or run this again if it was deleted just now"));
        };
        let (policies, variable, secrets) = tokio::try_join!(
            environments.branch_policies(name),
            environments.variable(name, VARIABLE),
            environments.secrets(name)
        )?;
        Ok(Self {
            protection: Some(protection),
            policies,
            variable,
            secrets,
        })
    }
}
