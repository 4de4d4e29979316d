//! How MLflow refuses a request: an error code with a message in JSON,
//! or a page of its web framework where no route of it was reached.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A request that MLflow does not grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An error of a route.
    Error {
        status: StatusCode,
        code: String,
        message: String,
    },
    /// No such route.
    NoRoute,
    /// A route, but not with this method.
    WrongMethod,
}

impl Refusal {
    fn error(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Refusal::Error {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Refusal::error(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)
    }

    /// 400, not the 409 one would think of.
    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Refusal::error(StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS", message)
    }

    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Refusal::error(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Refusal::error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)
    }

    /// What a reply of another MLflow server means.
    pub(crate) fn from_reply(status: StatusCode, body: &[u8]) -> Self {
        let reply: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str| reply[key].as_str().unwrap_or_default().to_owned();
        match text("error_code") {
            code if !code.is_empty() => Refusal::Error {
                status,
                code,
                message: text("message"),
            },
            _ => Refusal::error(
                status,
                "INTERNAL_ERROR",
                format!("the MLflow server answered {status}"),
            ),
        }
    }

    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Refusal::Error { code, .. } if code == "RESOURCE_DOES_NOT_EXIST")
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Refusal::Error { message, .. } => message,
            Refusal::NoRoute => "the MLflow server has no such route",
            Refusal::WrongMethod => "the MLflow server has no such method on this route",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Error {
                status,
                code,
                message,
            } => {
                let body = json!({ "error_code": code, "message": message });
                (status, Json(body)).into_response()
            }
            Refusal::NoRoute => html(
                StatusCode::NOT_FOUND,
                "The requested URL was not found on the server.",
            ),
            Refusal::WrongMethod => html(
                StatusCode::METHOD_NOT_ALLOWED,
                "The method is not allowed for the requested URL.",
            ),
        }
    }
}

fn html(status: StatusCode, text: &str) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let page = format!(
        "<!doctype html>\n<html lang=en>\n<title>{} {reason}</title>\n<h1>{reason}</h1>\n<p>{text}</p>\n",
        status.as_u16()
    );
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, html)], page).into_response()
}
