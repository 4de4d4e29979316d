//! Another MLflow server in place of the sandbox's own registry: requests are passed on to it as
//! they came, without the credentials of this Domino.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::input::Input;
use super::refusal::Refusal;
use crate::outbound::{self, Peer};

/// A server at a plain address.
pub(crate) struct Upstream {
    peer: Peer,
    prefix: String,
}

impl Upstream {
    pub(super) fn new(address: &str) -> anyhow::Result<Self> {
        let (peer, prefix) = Peer::of(address)?;
        Ok(Upstream { peer, prefix })
    }

    /// Passes a client's request on, and its reply back.
    pub(super) async fn pass(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        match self.send(parts.method, path, content_type, body).await {
            Ok((status, content_type, body)) => {
                let mut response = (status, body).into_response();
                let headers = response.headers_mut();
                headers.remove(header::CONTENT_TYPE);
                if let Some(content_type) = content_type {
                    headers.insert(header::CONTENT_TYPE, content_type);
                }
                response
            }
            Err(problem) => (StatusCode::BAD_GATEWAY, unreachable(&problem)).into_response(),
        }
    }

    /// One call of its API.
    pub(super) async fn ask(
        &self,
        method: Method,
        route: &str,
        input: Input,
    ) -> Result<Value, Refusal> {
        let mut path = format!("/api/2.0/mlflow/{route}");
        let mut body = Body::empty();
        let mut content_type = None;
        if method == Method::GET {
            let pairs = input.pairs();
            path = format!("{path}?{}", query(&pairs));
        } else {
            body = Body::from(input.into_json().to_string());
            content_type = Some(HeaderValue::from_static("application/json"));
        }
        let body = self.read(method, &path, content_type, body).await?;
        serde_json::from_slice(&body).map_err(|_| {
            Refusal::internal(format!("the MLflow server answered no JSON to {route}"))
        })
    }

    /// A file or a listing, by its path and query.
    pub(super) async fn fetch(&self, path: &str) -> Result<Bytes, Refusal> {
        self.read(Method::GET, path, None, Body::empty()).await
    }

    async fn read(
        &self,
        method: Method,
        path: &str,
        content_type: Option<HeaderValue>,
        body: Body,
    ) -> Result<Bytes, Refusal> {
        let sent = self.send(method, path, content_type, body).await;
        let (status, _, body) = sent.map_err(|problem| Refusal::internal(unreachable(&problem)))?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(Refusal::from_reply(status, &body))
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<HeaderValue>,
        body: Body,
    ) -> std::io::Result<(StatusCode, Option<HeaderValue>, Bytes)> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.prefix)
            .parse()
            .map_err(std::io::Error::other)?;
        if let Some(content_type) = content_type {
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        let (parts, body) = outbound::send(&self.peer, request).await?.into_parts();
        let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
        Ok((parts.status, content_type, body))
    }
}

fn unreachable(problem: &std::io::Error) -> String {
    format!("the MLflow server behind the sandbox was not reached: {problem}")
}

/// `pairs` as a query.
pub(super) fn query(pairs: &[(String, String)]) -> String {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect::<Vec<_>>()
        .join("&")
}
