//! A sandbox that another process keeps running, called as one of its users: the requests for approval that wait, and
//! the answer to one. The caller provides its address and the credential.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::Value;

use crate::outbound::{self, Peer};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running sandbox, with the token of one user.
pub struct RunningSandbox {
    peer: Peer,
    token: String,
}

impl RunningSandbox {
    /// The sandbox at `http://host:port`, asked with this token.
    ///
    /// # Errors
    /// When that is no address of a sandbox.
    pub fn at(url: &str, token: &str) -> anyhow::Result<Self> {
        let (peer, _) = Peer::of(url)?;
        Ok(RunningSandbox {
            peer,
            token: token.to_owned(),
        })
    }

    /// Every request that waits for an approval.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn waiting(&self) -> anyhow::Result<Vec<Value>> {
        match self.ask(Method::GET, "/sandbox/requests")? {
            Value::Array(waiting) => Ok(waiting),
            _ => bail!("the sandbox did not answer with a list"),
        }
    }

    /// Answers the request with this id: `approve` or `reject`.
    ///
    /// # Errors
    /// When it does not take the answer, in its words.
    pub fn answer(&self, id: &str, word: &str) -> anyhow::Result<Value> {
        self.ask(Method::POST, &format!("/sandbox/requests/{id}/{word}"))
    }

    fn ask(&self, method: Method, path: &str) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::empty())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let sent =
            async { tokio::time::timeout(PATIENCE, outbound::send(&self.peer, request)).await };
        let reply = runtime.block_on(sent);
        let reply = reply
            .map_err(anyhow::Error::from)
            .and_then(|sent| Ok(sent?));
        let reply = reply.context("the sandbox does not run any more")?;
        let said = String::from_utf8_lossy(reply.body());
        ensure!(reply.status().is_success(), "the sandbox says: {said}");
        Ok(serde_json::from_slice(reply.body())?)
    }
}
