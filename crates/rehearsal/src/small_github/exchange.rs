//! A request to the small GitHub and its reply, whatever carried them.

use serde_json::{Value, json};

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// Percent-encoded.
    pub path: &'a str,
    /// The header `authorization`.
    pub authorization: Option<&'a str>,
    /// The header `accept`.
    pub accept: Option<&'a str>,
    /// The header `x-github-api-version`.
    pub version: Option<&'a str>,
    /// The body.
    pub body: Option<&'a Value>,
}

/// A reply.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; a 204 has none.
    pub body: Option<Value>,
}

impl Answer {
    /// A reply with a body.
    pub fn json(status: u16, body: Value) -> Self {
        let body = Some(body);
        Self { status, body }
    }

    /// A reply without one.
    pub fn empty(status: u16) -> Self {
        Self { status, body: None }
    }

    /// An error of GitHub's.
    pub fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message, "status": status.to_string(),
            "documentation_url": "https://docs.github.com/rest",
        });
        Self::json(status, body)
    }
}
