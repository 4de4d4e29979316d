//! What is compared with the specs: one request and its reply.

use serde_json::Value;

/// One request and its reply, as they went over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The method: `GET`.
    pub method: &'a str,
    /// The path, still percent-encoded: `/v4/jobs/start`.
    pub path: &'a str,
    /// The query without `?`.
    pub query: Option<&'a str>,
    /// The request's body.
    pub body: Option<&'a Value>,
    /// The reply's status.
    pub status: Option<u16>,
    /// The reply's body.
    pub reply: Option<&'a Value>,
}
