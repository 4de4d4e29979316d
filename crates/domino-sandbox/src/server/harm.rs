//! Harms a request or its reply as a fault says. `faults` picks the request; `wire` breaks the connection.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;

use super::full_reply::FullReply;
use crate::faults::Misbehaviour;
use crate::reply::{Failure, Family, binary_forbidden, login_page, relogin};
use crate::wire::{Connection, ListenerSwitch};

/// What is to be done with a harmed request.
pub(super) enum Processing {
    /// It takes effect.
    Process,
    /// It does not, and this is its reply.
    Skip(Response),
}

/// Whether the client gets any reply or partial reply.
pub(super) fn leaves_a_reply(fault: &Misbehaviour) -> bool {
    !matches!(
        fault,
        Misbehaviour::Reset { .. } | Misbehaviour::Hang { .. } | Misbehaviour::Refuse { .. }
    )
}

impl Misbehaviour {
    /// Before the request is processed, if it is processed at all.
    pub(super) async fn before(&self, switch: &ListenerSwitch, path: &str) -> Processing {
        let answer = match self {
            Misbehaviour::Status { processed, .. }
            | Misbehaviour::Reset { processed }
            | Misbehaviour::Hang { processed }
                if *processed =>
            {
                return Processing::Process;
            }
            Misbehaviour::Status { .. } => self.status(path),
            Misbehaviour::Reply {
                status,
                content_type,
                body,
            } => custom(*status, content_type, body),
            Misbehaviour::LoginPage => login_page(),
            Misbehaviour::BinaryForbidden => binary_forbidden(),
            Misbehaviour::Relogin => relogin(),
            Misbehaviour::Redirect { origin } => {
                let location = format!("{}{path}", origin.trim_end_matches('/'));
                (
                    StatusCode::TEMPORARY_REDIRECT,
                    [(header::LOCATION, location)],
                )
                    .into_response()
            }
            Misbehaviour::Refuse { lasting } => {
                switch.switch_off(*lasting).await;
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
            // Nobody reads a reply that is not sent.
            Misbehaviour::Reset { .. } | Misbehaviour::Hang { .. } | Misbehaviour::Huge { .. } => {
                StatusCode::OK.into_response()
            }
            Misbehaviour::Delay { by } => {
                tokio::time::sleep(*by).await;
                return Processing::Process;
            }
            Misbehaviour::Truncate
            | Misbehaviour::CutJson
            | Misbehaviour::Trickle { .. }
            | Misbehaviour::Edit { .. }
            | Misbehaviour::IgnoreQuery { .. } => return Processing::Process,
        };
        Processing::Skip(answer)
    }

    /// The request as its route gets it.
    pub(super) fn altered(&self, mut request: Request) -> Request {
        if let Misbehaviour::IgnoreQuery { names } = self {
            let kept: Vec<&str> = request
                .uri()
                .query()
                .unwrap_or_default()
                .split('&')
                .filter(|pair| {
                    let name = pair.split('=').next().unwrap_or_default();
                    !names.iter().any(|ignored| ignored == name)
                })
                .collect();
            let uri = format!("{}?{}", request.uri().path(), kept.join("&"));
            if let Ok(uri) = uri.parse::<Uri>() {
                *request.uri_mut() = uri;
            }
        }
        request
    }

    /// The reply as the recorder and the client see it.
    pub(super) async fn edited(&self, mut reply: FullReply, path: &str) -> FullReply {
        match self {
            Misbehaviour::Status {
                processed: true, ..
            } => FullReply {
                user: reply.user,
                ..FullReply::of(self.status(path)).await
            },
            Misbehaviour::CutJson => {
                reply.headers.remove(header::CONTENT_LENGTH);
                reply.body.truncate(reply.body.len() / 2);
                reply
            }
            Misbehaviour::Edit { set, remove } => {
                let Ok(mut value) = serde_json::from_slice::<Value>(&reply.body) else {
                    return reply;
                };
                for (pointer, new) in set {
                    edit(&mut value, pointer, Some(new));
                }
                for pointer in remove {
                    edit(&mut value, pointer, None);
                }
                reply.headers.remove(header::CONTENT_LENGTH);
                reply.body = value.to_string().into();
                reply
            }
            _ => reply,
        }
    }

    /// Sends the reply, or does not.
    pub(super) async fn after(self, reply: FullReply, connection: &Connection) -> Response {
        match self {
            Misbehaviour::Reset { .. } | Misbehaviour::Refuse { .. } => {
                connection.reset();
                reply.into_response()
            }
            Misbehaviour::Hang { .. } => std::future::pending().await,
            Misbehaviour::Truncate => truncated(reply),
            Misbehaviour::Trickle { pause, bytes } => trickled(reply, pause, bytes),
            Misbehaviour::Huge { bytes } => huge(bytes),
            _ => reply.into_response(),
        }
    }

    fn status(&self, path: &str) -> Response {
        let Misbehaviour::Status {
            status,
            retry_after,
            ..
        } = self
        else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let words = status.canonical_reason().unwrap_or("Unknown");
        let failure = Failure::new(status, format!("{words} (a fault of the sandbox)"));
        let mut response = Family::of(path).failure(failure);
        if let Some(seconds) = retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, (*seconds).into());
        }
        response
    }
}

fn custom(status: u16, content_type: &str, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let content_type = HeaderValue::from_str(content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    (
        status,
        [(header::CONTENT_TYPE, content_type)],
        body.to_owned(),
    )
        .into_response()
}

/// Sets or removes what `pointer` leads to.
fn edit(value: &mut Value, pointer: &str, new: Option<&Value>) {
    let Some(rest) = pointer.strip_prefix('/') else {
        return;
    };
    let (segment, rest) = match rest.find('/') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, ""),
    };
    if segment == "*" {
        if let Value::Array(elements) = value {
            for element in elements {
                match (rest, new) {
                    ("", Some(new)) => *element = new.clone(),
                    ("", None) => *element = Value::Null,
                    _ => edit(element, rest, new),
                }
            }
        }
        return;
    }
    match (rest, value) {
        ("", Value::Object(fields)) => {
            match new {
                Some(new) => fields.insert(segment.to_owned(), new.clone()),
                None => fields.remove(segment),
            };
        }
        (_, Value::Object(fields)) => {
            if let Some(inner) = fields.get_mut(segment) {
                edit(inner, rest, new);
            }
        }
        (_, Value::Array(elements)) => {
            let at: Option<usize> = segment.parse().ok();
            if let Some(inner) = at.and_then(|at| elements.get_mut(at)) {
                match (rest, new) {
                    ("", Some(new)) => *inner = new.clone(),
                    ("", None) => *inner = Value::Null,
                    _ => edit(inner, rest, new),
                }
            }
        }
        _ => {}
    }
}

/// Promises all of the body and closes after half of it.
fn truncated(reply: FullReply) -> Response {
    let length = reply.body.len().max(2);
    let half = reply.body.slice(..reply.body.len() / 2);
    // The pause lets the first half leave before the connection ends.
    let pieces = stream::unfold(Some(half), |half| async {
        match half {
            Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
            _ => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Some((Err(io::Error::from(io::ErrorKind::BrokenPipe)), None))
            }
        }
    });
    let mut response = (reply.status, reply.headers, Body::from_stream(pieces)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    response
}

/// Sends the body in pieces of `size` bytes with a pause before each.
fn trickled(reply: FullReply, pause: Duration, size: usize) -> Response {
    let length = reply.body.len();
    let pieces = stream::unfold(reply.body, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = left.split_to(size.min(left.len()));
        Some((Ok::<_, Infallible>(piece), left))
    });
    let mut response = (reply.status, reply.headers, Body::from_stream(pieces)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    response
}

/// One JSON string of `bytes` bytes, of unannounced length.
fn huge(bytes: u64) -> Response {
    const PIECE: u64 = 64 << 10;
    let pieces = stream::unfold(0, move |sent| async move {
        if sent >= bytes {
            return None;
        }
        let size = PIECE.min(bytes - sent);
        let mut piece = vec![b'x'; size as usize];
        if sent == 0 {
            piece[0] = b'"';
        }
        if sent + size == bytes {
            piece[size as usize - 1] = b'"';
        }
        Some((Ok::<_, Infallible>(Bytes::from(piece)), sent + size))
    });
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], Body::from_stream(pieces)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_edit_sets_and_removes_by_pointer() {
        let mut value = json!({ "jobs": [{ "a": 1 }, { "a": 2, "b": 3 }], "c": { "d": 4 } });
        edit(&mut value, "/jobs/*/a", Some(&json!("x")));
        edit(&mut value, "/jobs/1/b", None);
        edit(&mut value, "/c/e", Some(&json!(true)));
        edit(&mut value, "/nowhere/to/go", Some(&json!(0)));
        assert_eq!(
            value,
            json!({ "jobs": [{ "a": "x" }, { "a": "x" }], "c": { "d": 4, "e": true } })
        );
    }

    #[test]
    fn ignored_parameters_are_gone_from_the_query() {
        let fault = Misbehaviour::IgnoreQuery {
            names: vec!["offset".into()],
        };
        let uri = "/api/x?projectId=1&offset=10&limit=2";
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        let altered = fault.altered(request);
        assert_eq!(altered.uri().query(), Some("projectId=1&limit=2"));
    }
}
