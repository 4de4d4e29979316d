//! The shapes of Domino's replies: the envelope of each family of routes, and how each family reports a failure.
//! Handlers report what went wrong; this file gives it its form.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::id;

/// What a handler returns.
pub(crate) type Answer = Result<Json<Value>, Failure>;

/// A request that Domino refuses. Its shape depends on the family of its route, so it is carried as an extension of
/// the response until the path is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Failure {
            status,
            message: message.into(),
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Failure::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Failure::new(StatusCode::NOT_FOUND, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The families of routes, which differ in their envelopes and in their errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `/v4/…`, the API of Domino's own pages.
    V4,
    /// `/api/…`, the public API.
    Public,
    /// `/api/governance/…`, which words errors as `/v4` does.
    Governance,
    /// `/api/2.0/mlflow…`: the experiment manager, which is MLflow's.
    Mlflow,
    /// `/v1/…` and everything else: plain text.
    Legacy,
}

impl Family {
    pub(crate) fn of(path: &str) -> Self {
        match path.trim_start_matches('/').split_once('/') {
            Some(("v4", _)) => Family::V4,
            Some(("api", rest)) if rest.starts_with("governance/") => Family::Governance,
            Some(("api", rest)) if rest.starts_with("2.0/mlflow") => Family::Mlflow,
            Some(("api", _)) => Family::Public,
            _ => Family::Legacy,
        }
    }

    /// A failure in the words of this family.
    pub(crate) fn failure(self, failure: Failure) -> Response {
        let Failure { status, message } = failure;
        let body = match self {
            Family::Legacy => return (status, message).into_response(),
            Family::V4 | Family::Governance => json!({ "message": message }),
            Family::Mlflow => {
                json!({ "error_code": mlflow_code(status), "message": message })
            }
            Family::Public => match status.as_u16() {
                400 | 404 | 500 => json!({ "error": message }),
                _ => json!({ "requestId": id::uuid(), "errors": [message] }),
            },
        };
        (status, Json(body)).into_response()
    }
}

/// MLflow's error code for a status without one.
fn mlflow_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "RESOURCE_DOES_NOT_EXIST",
        429 => "REQUEST_LIMIT_EXCEEDED",
        400..500 => "BAD_REQUEST",
        503 => "TEMPORARILY_UNAVAILABLE",
        _ => "INTERNAL_ERROR",
    }
}

/// A route that does not exist, or not with this method: Domino answers 404 to both.
pub(crate) fn no_such_route(path: &str) -> Response {
    let text = match Family::of(path) {
        Family::Public | Family::Governance | Family::Mlflow => {
            format!("The public api endpoint {path} was not found.")
        }
        Family::V4 | Family::Legacy => format!("Action not found: {path}"),
    };
    (StatusCode::NOT_FOUND, text).into_response()
}

/// The sign-in page that an ingress shows in place of a reply, with status 200.
pub(crate) fn login_page() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>Sign in to Domino</title></head>\n\
                <body><form method=\"post\"><input name=\"username\">\
                <input name=\"password\" type=\"password\"><button>Sign in</button></form></body></html>\n";
    let html = HeaderValue::from_static("text/html;charset=utf-8");
    ([(header::CONTENT_TYPE, html)], page).into_response()
}

/// A refusal whose body is no text, as the list of all hardware tiers gives it to non-admins.
pub(crate) fn binary_forbidden() -> Response {
    let body: &[u8] = b"\x1f\x8b\x08\x00\x00\xff\xfe\x00\x93\xab\xcd\xef\x00\x01\x80";
    let octets = HeaderValue::from_static("application/octet-stream");
    (
        StatusCode::FORBIDDEN,
        [(header::CONTENT_TYPE, octets)],
        body,
    )
        .into_response()
}

/// The 409 with which Domino asks a user to sign in again.
pub(crate) fn relogin() -> Response {
    let body = json!({ "redirectPath": "/login?reason=propagated-credentials-expired" });
    (StatusCode::CONFLICT, Json(body)).into_response()
}

/// One object of the public API, under its key and beside its metadata.
pub(crate) fn wrapped(key: &str, value: Value) -> Json<Value> {
    Json(json!({ key: value, "metadata": { "requestId": id::uuid(), "notices": [] } }))
}

/// One page of a list of the public API. Its specification asks for the place of the page under
/// `pagination` and describes it beside `requestId`, so it stands in both.
pub(crate) fn page(key: &str, items: Vec<Value>, slice: Slice) -> Json<Value> {
    let Slice {
        offset,
        limit,
        total,
    } = slice;
    Json(json!({
        key: items,
        "metadata": {
            "requestId": id::uuid(),
            "notices": [],
            "offset": offset,
            "limit": limit,
            "totalCount": total,
            "pagination": { "offset": offset, "limit": limit, "totalCount": total },
        },
    }))
}

/// What an object may hold or not.
pub(crate) trait Put {
    /// Puts `value` under `key`, if there is any.
    fn put(&mut self, key: &str, value: Option<impl Into<Value>>);
}

impl Put for Value {
    fn put(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self[key] = value.into();
        }
    }
}

/// A list of the oldest API.
pub(crate) fn legacy_list(url: &str, data: Vec<Value>) -> Json<Value> {
    Json(json!({ "objectType": "list", "url": url, "data": data }))
}

/// Which part of a list a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) total: usize,
}

impl Slice {
    /// No list route gives more than this on one page, whatever it is asked for.
    pub(crate) const CAP: usize = 100;

    /// The slice at `offset` of `limit` of a list of `total`, with the cap applied.
    pub(crate) fn of(offset: usize, limit: usize, total: usize) -> Self {
        Slice {
            offset,
            limit: limit.min(Slice::CAP),
            total,
        }
    }

    /// The items of this slice.
    pub(crate) fn cut<T>(self, items: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        items.into_iter().skip(self.offset).take(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_belongs_to_the_family_of_its_prefix() {
        assert_eq!(Family::of("/v4/jobs/start"), Family::V4);
        assert_eq!(Family::of("/api/jobs/v1/jobs"), Family::Public);
        assert_eq!(Family::of("/api/governance/v1/bundles"), Family::Governance);
        assert_eq!(Family::of("/api/2.0/mlflow/runs/get"), Family::Mlflow);
        assert_eq!(Family::of("/v1/models"), Family::Legacy);
        assert_eq!(Family::of("/version"), Family::Legacy);
    }

    #[test]
    fn no_page_is_longer_than_the_cap() {
        let slice = Slice::of(50, 1000, 200);
        assert_eq!(slice.limit, 100);
        assert_eq!(
            slice.cut(0..200).collect::<Vec<_>>(),
            (50..150).collect::<Vec<_>>()
        );
    }
}
