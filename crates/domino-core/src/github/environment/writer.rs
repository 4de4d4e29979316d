//! Changes a GitHub environment: its rules, the branches that may deploy to it, its variables and secrets.
//!
//! Each write is sent once. If its reply was lost, one looks whether it happened; so a second run finishes what a
//! first one began, and nothing exists twice. Settings that are not named are sent back unchanged.

use reqwest::{Method, StatusCode};
use serde::Serialize;

use super::branches::{BranchLimit, BranchPolicy};
use super::environments::Environments;
use super::protection::Protection;
use super::reviewer::{Reviewer, ReviewerKind};
use super::secrets::{PublicKey, Secret};
use crate::client::{ApiError, Cause, Writer, segment, write_once};
use crate::error::{CommandError, Exit, Result};
use crate::github::failure;

/// What to do when the token may not write.
const PERMISSION: &str = "use a `GITHUB_TOKEN` of an administrator of the repository: a classic one with the scope `repo`, or a \
     fine-grained one with the repository permissions Administration and Environments, read and write";

/// What to do when GitHub rejects the rules.
const PLAN: &str = "in a private repository, required reviewers and wait timers need GitHub Enterprise: where GitHub's plan lacks them, \
     leave `wait-timer` out, and let `approvers` start the runs by hand (`gate = \"dispatch\"` under `[stage.<stage>]`), or \
     leave them out and let Domino's gates ask (`domino-approval` under `[stage.<stage>.gates]`). The environment may be there now without these rules";

/// Changes the environments of a repository.
#[derive(Debug)]
pub struct EnvironmentWriter<'a> {
    environments: &'a Environments,
    writer: Writer,
    delay_scale: f64,
}

/// GitHub answers with an error to a rule that a repository's plan does not have, even if the rule is off. So a rule
/// that is not wanted and was not set is left out.
#[derive(Serialize)]
struct Rules<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_timer: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevent_self_review: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewers: Option<Vec<Sent<'a>>>,
    deployment_branch_policy: Option<Limit>,
}

#[derive(Serialize)]
struct Sent<'a> {
    #[serde(rename = "type")]
    kind: &'a ReviewerKind,
    id: u64,
}

#[derive(Serialize)]
struct Limit {
    protected_branches: bool,
    custom_branch_policies: bool,
}

#[derive(Serialize)]
struct Policy<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Sealed<'a> {
    encrypted_value: &'a str,
    key_id: &'a str,
}

impl<'a> EnvironmentWriter<'a> {
    /// A writer for these environments; created only when a plan is applied.
    pub fn of(environments: &'a Environments) -> Self {
        let connection = &environments.connection;
        Self {
            environments,
            writer: connection.writer(),
            delay_scale: connection.delay_scale(),
        }
    }

    /// `PUT /repos/{owner}/{repo}/environments/{name}`: creates the environment, or replaces the rules of `before`
    /// with these. GitHub keeps some rules only in some plans, so they are read back. Contract: GitHub's published
    /// OpenAPI description.
    pub async fn set_rules(
        &self,
        name: &str,
        rules: &Protection,
        before: Option<&Protection>,
    ) -> Result<()> {
        let had = before.cloned().unwrap_or_default();
        let reviewers = rules.reviewers.iter();
        let body = Rules {
            wait_timer: (rules.wait_timer != 0 || had.wait_timer != 0).then_some(rules.wait_timer),
            prevent_self_review: (!rules.reviewers.is_empty())
                .then_some(rules.prevents_self_review),
            reviewers: (!rules.reviewers.is_empty() || !had.reviewers.is_empty())
                .then(|| reviewers.map(Sent::of).collect()),
            deployment_branch_policy: Limit::of(rules.branches),
        };
        let what = format!("set the rules of GitHub environment `{name}`");
        let path = self.environments.of_name(name);
        let is_done = async || {
            let there = self.environments.read_protection(name).await?;
            Ok(there.is_some_and(|there| has_rules(&there, rules)))
        };
        let sent = self.send(Method::PUT, &path, Some(&body), is_done).await;
        sent.map_err(|error| match error.status() {
            Some(StatusCode::UNPROCESSABLE_ENTITY) => told(&what, &error).hint(PLAN),
            _ => told(&what, &error),
        })?;
        match self.environments.protection(name).await? {
            Some(there) if has_rules(&there, rules) => Ok(()),
            there => {
                let error = match there {
                    Some(_) => "does not have them all",
                    None => "then shows no such environment (404)",
                };
                let error = format!("GitHub took the rules of environment `{name}`, and {error}");
                Err(CommandError::new(Exit::Refused, error)
                    .hint("somebody else may be changing them, or the repository's plan lacks one: look at it"))
            }
        }
    }

    /// `POST …/environments/{name}/deployment-branch-policies`: allows a branch to deploy. If it was allowed already,
    /// GitHub answers 303. Contract: GitHub's published OpenAPI description.
    pub async fn open_branch(&self, name: &str, branch: &str) -> Result<()> {
        let what = format!("let branch `{branch}` deploy to GitHub environment `{name}`");
        let path = format!(
            "{}/deployment-branch-policies",
            self.environments.of_name(name)
        );
        let body = Policy {
            name: branch,
            kind: "branch",
        };
        let is_done = async || {
            let policies = self.environments.read_branch_policies(name).await?;
            Ok(policies.iter().any(|policy| policy.is_branch(branch)))
        };
        let sent = self.send(Method::POST, &path, Some(&body), is_done).await;
        sent.map_err(|error| told(&what, &error))
    }

    /// `DELETE …/environments/{name}/deployment-branch-policies/{id}`. Contract: GitHub's published OpenAPI description.
    pub async fn close_branch(&self, name: &str, policy: &BranchPolicy) -> Result<()> {
        let what = format!("keep {policy} from GitHub environment `{name}`");
        let path = format!(
            "{}/deployment-branch-policies/{}",
            self.environments.of_name(name),
            policy.id
        );
        let is_done = async || {
            let policies = self.environments.read_branch_policies(name).await?;
            Ok(policies.iter().all(|there| there.id != policy.id))
        };
        let sent = self.send(Method::DELETE, &path, None::<&()>, is_done);
        sent.await.map_err(|error| told(&what, &error))
    }

    /// `POST …/environments/{name}/variables`, or `PATCH …/{variable}` if the variable exists. Contract: GitHub's
    /// published OpenAPI description.
    pub async fn set_variable(
        &self,
        name: &str,
        variable: &str,
        value: &str,
        is_there: bool,
    ) -> Result<()> {
        let what = format!("set variable `{variable}` of GitHub environment `{name}`");
        let all = format!("{}/variables", self.environments.of_name(name));
        let body = Variable {
            name: variable,
            value,
        };
        let is_done = async || {
            let there = self.environments.read_variable(name, variable).await?;
            Ok(there.as_deref() == Some(value))
        };
        let (method, path) = match is_there {
            true => (Method::PATCH, format!("{all}/{}", segment(variable))),
            false => (Method::POST, all),
        };
        let sent = self.send(method, &path, Some(&body), is_done).await;
        sent.map_err(|error| told(&what, &error))
    }

    /// `PUT …/environments/{name}/secrets/{secret}` with a value that was encrypted with the key. `before` is the
    /// secret that it replaces. Contract: GitHub's published OpenAPI description.
    pub async fn set_secret(
        &self,
        name: &str,
        secret: &str,
        key: &PublicKey,
        sealed: &str,
        before: Option<&Secret>,
    ) -> Result<()> {
        let what = format!("set secret `{secret}` of GitHub environment `{name}`");
        let path = format!(
            "{}/secrets/{}",
            self.environments.of_name(name),
            segment(secret)
        );
        let body = Sealed {
            encrypted_value: sealed,
            key_id: &key.key_id,
        };
        // The value is never shown; that it was written since is.
        let is_done = async || {
            let there = self.environments.read_secret(name, secret).await?;
            Ok(there
                .is_some_and(|there| before.is_none_or(|had| had.updated_at != there.updated_at)))
        };
        let sent = self.send(Method::PUT, &path, Some(&body), is_done).await;
        sent.map_err(|error| told(&what, &error))
    }

    /// Sends a write once. If its outcome is unknown, or GitHub says that it is done already, one looks.
    async fn send<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        mut is_done: impl AsyncFnMut() -> Result<bool, ApiError>,
    ) -> Result<(), ApiError> {
        let written = write_once(
            self.delay_scale,
            async || self.writer.write_only(method.clone(), path, body).await,
            async || Ok(is_done().await?.then_some(())),
        );
        let error = match written.await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if may_be_so_already(&error, &method) && is_done().await.unwrap_or(false) {
            return Ok(());
        }
        Err(error)
    }
}

impl<'a> Sent<'a> {
    fn of(reviewer: &'a Reviewer) -> Self {
        Self {
            kind: &reviewer.kind,
            id: reviewer.id,
        }
    }
}

impl Limit {
    fn of(branches: BranchLimit) -> Option<Self> {
        let protected_branches = match branches {
            BranchLimit::Any => return None,
            BranchLimit::Protected => true,
            BranchLimit::Named => false,
        };
        Some(Self {
            protected_branches,
            custom_branch_policies: !protected_branches,
        })
    }
}

/// Whether an environment has these rules. Whether administrators may bypass them cannot be set.
fn has_rules(there: &Protection, rules: &Protection) -> bool {
    let ids = |protection: &Protection| {
        let reviewers = protection.reviewers.iter();
        let mut ids: Vec<_> = reviewers.map(|one| (one.kind as u8, one.id)).collect();
        ids.sort_unstable();
        ids
    };
    ids(there) == ids(rules)
        && there.wait_timer == rules.wait_timer
        && there.branches == rules.branches
        && (rules.reviewers.is_empty() || there.prevents_self_review == rules.prevents_self_review)
}

fn told(what: &str, error: &ApiError) -> CommandError {
    failure(&format!("cannot {what}"), PERMISSION, error)
}

/// What GitHub answers if somebody else, or a request of ours whose reply was lost, was first.
fn may_be_so_already(error: &ApiError, method: &Method) -> bool {
    match error.cause() {
        Cause::Redirected { .. } => true,
        Cause::Refused { status, .. } => match status.as_u16() {
            404 => *method == Method::DELETE,
            409 | 422 => *method == Method::POST,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests;
