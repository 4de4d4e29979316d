//! How governance describes users and refusals, and where its routes are.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::reply::Failure;
use crate::users::User;

pub(super) const API: &str = "/api/governance/v1";

/// A user as governance names who did something.
pub(super) fn by(user: &User) -> Value {
    json!({ "id": user.id, "userName": user.name, "name": user.name })
}

/// The refusal to change something archived.
pub(super) fn locked(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::LOCKED, message)
}

pub(super) fn conflict(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::CONFLICT, message)
}
