//! The sandbox of a rehearsal that another process keeps up: asked over its own routes, as a person's browser would.
//!
//! What a Domino itself answers is asked by the steps, not here.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long the sandbox may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to reach a sandbox, and as whom. Its tokens were made up at its start and open nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptDomino {
    /// Its address.
    pub url: String,
    /// Its version.
    pub version: String,
    /// The token of each of its users.
    pub tokens: Vec<(String, String)>,
    /// The token that its model endpoints take.
    pub model_token: String,
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
            let path = format!("/sandbox/requests/{}/approve", request.id);
            let what = request.in_words();
            results.push(match self.ask("POST", &path, user) {
                Ok(_) => format!("approved {what}"),
                Err(error) => format!("could not approve {what}: {error:#}"),
            });
        }
        Ok(results)
    }

    fn waiting(&self, user: &str) -> anyhow::Result<Vec<Waiting>> {
        let told = self.ask("GET", "/sandbox/requests", user)?;
        serde_json::from_value(told).context("the sandbox's list of requests is not understood")
    }

    fn ask(&self, method: &str, path: &str, user: &str) -> anyhow::Result<Value> {
        let address = self.url.strip_prefix("http://").unwrap_or(&self.url);
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let token = self.token_of(user);
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
        )?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        let (head, body) = reply.split_once("\r\n\r\n").context("it broke off")?;
        let status = head.lines().next().unwrap_or_default();
        anyhow::ensure!(
            status.contains(" 200 "),
            "{method} {path}: {status}: {body}"
        );
        serde_json::from_str(body).with_context(|| format!("{method} {path} answered {body}"))
    }
}
