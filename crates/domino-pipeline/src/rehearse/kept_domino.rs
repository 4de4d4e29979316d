//! The sandbox of a rehearsal that another process keeps running, reached over its own routes, as a person's browser
//! would.
//!
//! The steps call Domino's API themselves; that is not done here.

use anyhow::Context;
use domino_sandbox::RunningSandbox;
use serde::{Deserialize, Serialize};

/// How to reach a sandbox, and as which user. Its tokens were generated at its start and open nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptDomino {
    /// The address of its API and its pages.
    pub url: String,
    /// The version of Domino that it emulates.
    pub version: String,
    /// The token of each of its users.
    pub tokens: Vec<(String, String)>,
    /// The token that its model endpoints accept.
    pub model_token: String,
    /// What the GitHub environments hold, where a set-up filled them; otherwise each holds what a rehearsal gives it.
    pub environments: Vec<KeptEnvironment>,
}

/// What a GitHub environment holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptEnvironment {
    /// Its name.
    pub name: String,
    /// The variable that gives `status` and others the token of its stage.
    pub token_variable: String,
    /// Names and values.
    pub variables: Vec<(String, String)>,
    /// Names and values.
    pub secrets: Vec<(String, String)>,
}

/// A request for an approval.
#[derive(Deserialize)]
struct Waiting {
    id: String,
    what: String,
    rule: String,
    approvers: Vec<String>,
}

impl Waiting {
    fn in_words(&self) -> String {
        let approvers = self.approvers.join(" or ");
        format!("{} by {approvers}, for {}", self.what, self.rule)
    }
}

impl KeptDomino {
    /// What a GitHub environment holds, where a set-up filled it. GitHub compares names without case.
    pub fn environment(&self, name: &str) -> Option<&KeptEnvironment> {
        let mut all = self.environments.iter();
        all.find(|known| known.name.eq_ignore_ascii_case(name))
    }

    /// The values of all secrets that a set-up put on GitHub.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let all = self.environments.iter().flat_map(|one| &one.secrets);
        all.map(|(_, value)| value.as_str())
    }

    /// The token of a user.
    pub fn token_of(&self, user: &str) -> String {
        let known = self.tokens.iter().find(|(name, _)| name == user);
        known.map_or_else(String::new, |(_, token)| token.clone())
    }

    /// Every request that waits for an approval, one line each.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn waiting_requests(&self, user: &str) -> anyhow::Result<Vec<String>> {
        let waiting = self.waiting(user)?;
        Ok(waiting.iter().map(Waiting::in_words).collect())
    }

    /// Approves everything that waits for a user, and reports the result of each.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn approve_waiting(&self, user: &str) -> anyhow::Result<Vec<String>> {
        let mut results = Vec::new();
        for request in self.waiting(user)? {
            if !request.approvers.iter().any(|approver| approver == user) {
                continue;
            }
            let what = request.in_words();
            results.push(match self.sandbox(user)?.answer(&request.id, "approve") {
                Ok(_) => format!("approved {what}"),
                Err(error) => format!("could not approve {what}: {error:#}"),
            });
        }
        Ok(results)
    }

    fn sandbox(&self, user: &str) -> anyhow::Result<RunningSandbox> {
        RunningSandbox::at(&self.url, &self.token_of(user))
    }

    fn waiting(&self, user: &str) -> anyhow::Result<Vec<Waiting>> {
        let told = self.sandbox(user)?.waiting()?;
        serde_json::from_value(told.into())
            .context("the sandbox's list of requests is not understood")
    }
}
