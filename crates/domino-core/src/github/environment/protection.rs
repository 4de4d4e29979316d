//! What a job must pass to enter an environment: reviewers, wait timer, branches.

use serde::Deserialize;

use super::branches::{BranchLimit, WirePolicy};
use super::environments::Environments;
use super::reviewer::{self, Reviewer};
use crate::client::ApiError;
use crate::error::CommandError;

/// What a job must pass to enter an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    /// Who may approve.
    pub reviewers: Vec<Reviewer>,
    /// Whether the person who started the run may not approve it.
    pub prevents_self_review: bool,
    /// How many minutes a job waits.
    pub wait_timer: u32,
    /// Which branches may deploy to it.
    pub branches: BranchLimit,
    /// Whether an administrator may let a job in without approval; `None` if GitHub does not tell.
    pub admins_may_bypass: Option<bool>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    protection_rules: Vec<Rule>,
    deployment_branch_policy: Option<WirePolicy>,
    /// Missing in the description, but present in every answer.
    can_admins_bypass: Option<bool>,
}

#[derive(Deserialize)]
struct Rule {
    wait_timer: Option<u32>,
    #[serde(default)]
    prevent_self_review: bool,
    #[serde(default)]
    reviewers: Vec<reviewer::Wire>,
}

impl Environments {
    /// `GET /repos/{owner}/{repo}/environments/{name}`. `None` if no environment has this name, or the token cannot
    /// see the repository. Contract: GitHub's published OpenAPI description.
    pub async fn protection(&self, name: &str) -> Result<Option<Protection>, CommandError> {
        self.told(name, self.read_protection(name).await)
    }

    pub(super) async fn read_protection(&self, name: &str) -> Result<Option<Protection>, ApiError> {
        let wire: Option<Wire> = self.reader.read_if_there(&self.of_name(name), &[]).await?;
        Ok(wire.map(Protection::from))
    }
}

impl From<Wire> for Protection {
    fn from(wire: Wire) -> Self {
        let mut protection = Self {
            branches: wire
                .deployment_branch_policy
                .map_or(BranchLimit::Any, BranchLimit::from),
            admins_may_bypass: wire.can_admins_bypass,
            ..Self::default()
        };
        for rule in wire.protection_rules {
            protection.wait_timer = protection.wait_timer.max(rule.wait_timer.unwrap_or(0));
            protection.prevents_self_review |= rule.prevent_self_review;
            let reviewers = rule.reviewers.into_iter();
            protection
                .reviewers
                .extend(reviewers.filter_map(Reviewer::of_wire));
        }
        protection
    }
}
