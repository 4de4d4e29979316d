//! A reply in full, as it is harmed and recorded before it leaves.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::apps::Streamed;

/// A reply in full, before it leaves.
pub(super) struct FullReply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The body instead, where it is passed on as it comes; then nothing of it is recorded.
    pub(super) streamed: Option<Body>,
    pub(super) user: Option<String>,
}

impl FullReply {
    /// Reads `response`, unless it is to be passed on as it comes.
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let mut reply = FullReply {
            status: parts.status,
            headers: parts.headers,
            body: Bytes::new(),
            streamed: Some(body),
            user: None,
        };
        if parts.extensions.get::<Streamed>().is_none() {
            // Other replies are made in memory, so reading one fails only when memory runs out.
            reply = reply.read().await;
        }
        reply
    }

    /// Reads a body that would be passed on as it comes, to do something to it.
    pub(super) async fn read(mut self) -> Self {
        if let Some(body) = self.streamed.take() {
            self.body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        }
        self
    }

    pub(super) fn content_type(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }
}

impl IntoResponse for FullReply {
    fn into_response(self) -> Response {
        let body = self.streamed.unwrap_or_else(|| self.body.into());
        (self.status, self.headers, body).into_response()
    }
}
