//! Calls of models. An endpoint accepts its own access token as user and password of HTTP Basic, and no other
//! credential of this Domino.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::model_api::ModelApi;
use super::serving;
use super::store::ModelApis;
use super::version::ModelApiVersion;
use crate::id;
use crate::reply::no_such_route;
use crate::request::{Ids, Of};

/// How long a model may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    Router::new()
        .route("/models/{id}/{which}/model", post(call))
        .route("/models/{id}/labels/{label}/model", post(call_labelled))
}

async fn call(
    State(apis): Of<ModelApis>,
    Path((id, which)): Ids,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    called(&apis, &id, &which, &headers, body).await
}

/// The version behind a label.
async fn call_labelled(
    State(apis): Of<ModelApis>,
    Path((id, label)): Ids,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let which = format!("labels/{label}");
    called(&apis, &id, &which, &headers, body).await
}

async fn called(
    apis: &ModelApis,
    id: &str,
    which: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = match apis.with_id(id) {
        // Where an asynchronous model answers is another address.
        Some(api) if api.is_async => no_such_route(&format!("/models/{id}/{which}/model")),
        None => no_such_route(&format!("/models/{id}/{which}/model")),
        Some(api) => match token(headers).filter(|token| apis.takes(&api, token)) {
            None => unauthorized(),
            Some(_) => answer(&api, which, body).await,
        },
    };
    let anybody = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    response
}

/// The token that is both user and password of HTTP Basic.
fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (user, password) = decoded.split_once(':')?;
    (user == password).then(|| password.to_owned())
}

fn unauthorized() -> Response {
    let challenge = HeaderValue::from_static("Basic realm=\"Domino Model\"");
    let body = json!({ "error": { "message": "Unauthorized" } });
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, challenge)],
        Json(body),
    )
        .into_response()
}

async fn answer(api: &ModelApi, which: &str, body: Bytes) -> Response {
    let version = match which {
        "latest" => api.active(),
        label if label.starts_with("labels/") => api.labelled(&label["labels/".len()..]),
        number => {
            let number: Option<usize> = number.parse().ok();
            let mut versions = api.versions().into_iter();
            versions.find(|version| Some(version.number) == number)
        }
    };
    let Some(version) = version else {
        let message = format!("The model has no version `{which}`");
        return refusal(StatusCode::NOT_FOUND, &message);
    };
    let Some(process) = version.process() else {
        let message = format!("Version {} of the model is not running", version.number);
        return refusal(StatusCode::SERVICE_UNAVAILABLE, &message);
    };
    let started = Instant::now();
    let called = tokio::time::timeout(PATIENCE, serving::call(&process, body)).await;
    match called {
        Err(_) => refusal(
            StatusCode::GATEWAY_TIMEOUT,
            "The model did not answer in time",
        ),
        Ok(Err(_)) => refusal(StatusCode::BAD_GATEWAY, "The model did not answer"),
        Ok(Ok((status, reply))) => {
            version.count();
            let reply = match status {
                StatusCode::OK => with_facts(&version, reply, started.elapsed()),
                _ => reply,
            };
            (status, Json(reply)).into_response()
        }
    }
}

/// The result with what Domino adds to it.
fn with_facts(version: &ModelApiVersion, mut reply: Value, took: Duration) -> Value {
    json!({
        "result": reply["result"].take(),
        "model_time_in_ms": reply["milliseconds"].take(),
        "timing": took.as_secs_f64() * 1000.0,
        "request_id": id::run_id()[..16].to_uppercase(),
        "release": {
            "harness_version": "0.1",
            "model_version": version.id,
            "model_version_number": version.number,
        },
    })
}

pub(super) fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": { "message": message } }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<String> {
        let value = HeaderValue::from_str(value).unwrap();
        token(&[(header::AUTHORIZATION, value)].into_iter().collect())
    }

    #[test]
    fn a_token_is_user_and_password_at_once() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(of(&basic("t:t")).as_deref(), Some("t"));
        assert_eq!(of(&basic(":t")), None);
        assert_eq!(of(&basic("user:t")), None);
        assert_eq!(of("Bearer t"), None);
        assert_eq!(of("Basic !"), None);
    }
}
