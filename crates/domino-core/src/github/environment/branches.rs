//! Which branches may deploy to an environment.

use serde::Deserialize;

use super::environments::{Environments, PERMISSION};
use crate::client::ApiError;
use crate::error::CommandError;
use crate::github::refusal;

/// Which branches may deploy to an environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BranchLimit {
    /// Any of them.
    #[default]
    Any,
    /// Those with branch protection; if no branch has it, any of them.
    Protected,
    /// Those that match the environment's policies.
    Named,
}

/// A policy of an environment: the branches or tags that may deploy to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchPolicy {
    /// GitHub's id, by which the policy is deleted.
    pub id: u64,
    /// A name, or a pattern of names.
    pub name: String,
    /// Whether it is for tags.
    pub is_tag: bool,
}

#[derive(Deserialize)]
pub(super) struct WirePolicy {
    #[serde(default)]
    protected_branches: bool,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    branch_policies: Vec<Wire>,
}

#[derive(Deserialize)]
struct Wire {
    id: Option<u64>,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
}

impl From<WirePolicy> for BranchLimit {
    fn from(policy: WirePolicy) -> Self {
        match policy.protected_branches {
            true => Self::Protected,
            false => Self::Named,
        }
    }
}

impl BranchPolicy {
    /// Whether it allows the branch of this name and nothing else.
    pub fn is_branch(&self, name: &str) -> bool {
        !self.is_tag && self.name == name
    }
}

impl std::fmt::Display for BranchPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let noun = if self.is_tag { "tag" } else { "branch" };
        write!(f, "{noun} `{}`", self.name)
    }
}

impl Environments {
    /// `GET …/environments/{name}/deployment-branch-policies`: the environment's policies. They count only under
    /// [`BranchLimit::Named`]. Contract: GitHub's published OpenAPI description.
    pub async fn branch_policies(&self, name: &str) -> Result<Vec<BranchPolicy>, CommandError> {
        self.told(name, self.read_branch_policies(name).await)
    }

    pub(super) async fn read_branch_policies(
        &self,
        name: &str,
    ) -> Result<Vec<BranchPolicy>, ApiError> {
        let path = format!("{}/deployment-branch-policies", self.of_name(name));
        let all = self.all(&path, &[], |page: Page| page.branch_policies);
        let wires = all.await?;
        let policy = |wire: Wire| {
            Some(BranchPolicy {
                id: wire.id?,
                name: wire.name?,
                is_tag: wire.kind.as_deref() == Some("tag"),
            })
        };
        Ok(wires.into_iter().filter_map(policy).collect())
    }

    /// `GET /repos/{owner}/{repo}/branches?protected=true`: the names of the branches with branch protection. Contract:
    /// GitHub's published OpenAPI description.
    pub async fn protected_branches(&self) -> Result<Vec<String>, CommandError> {
        let path = format!("{}/branches", self.repository);
        let all = self.all(&path, &[("protected", "true")], |page: Vec<Branch>| page);
        let branches = all
            .await
            .map_err(|error| refusal("the protected branches", PERMISSION, &error))?;
        Ok(branches.into_iter().map(|branch| branch.name).collect())
    }
}
