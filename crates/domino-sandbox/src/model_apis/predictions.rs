//! Calls of asynchronous models: a request is left there, and its answer is fetched. The endpoint's own access token
//! opens it, as a bearer's, and no other credential of this Domino.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::invocation::refusal;
use super::model_api::ModelApi;
use super::prediction::Prediction;
use super::serving;
use super::store::ModelApis;
use crate::host::Host;
use crate::id;
use crate::reply::{Put, no_such_route};
use crate::request::{Id, Ids, Of};

/// How many bytes a request may have, about.
const LARGEST: usize = 10 * 1024;

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    let path = "/api/modelApis/async/v1/{id}";
    Router::new()
        .route(path, post(request))
        .route(&format!("{path}/{{prediction}}"), get(prediction))
}

/// The endpoint, where the token opens it.
fn opened(apis: &ModelApis, id: &str, headers: &HeaderMap) -> Result<Arc<ModelApi>, Box<Response>> {
    let api = apis.with_id(id).filter(|api| api.is_async);
    let api =
        api.ok_or_else(|| Box::new(no_such_route(&format!("/api/modelApis/async/v1/{id}"))))?;
    let value = headers.get(header::AUTHORIZATION);
    let token = value.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token.is_some_and(|token| apis.takes(&api, token)) {
        true => Ok(api),
        false => Err(refusal(StatusCode::UNAUTHORIZED, "Unauthorized").into()),
    }
}

async fn request(
    State(apis): Of<ModelApis>,
    Path(id): Id,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let api = match opened(&apis, &id, &headers) {
        Ok(api) => api,
        Err(refusal) => return *refusal,
    };
    if body.len() > LARGEST {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large");
    }
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    let parameters = body.as_ref().map(|body| &body["parameters"]);
    let Some(parameters) = parameters.filter(|parameters| parameters.is_object()) else {
        let message = "`parameters` must be an object";
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, message);
    };
    let prediction = id::uuid();
    api.predictions.push(&prediction, Prediction::Pending);
    let call = json!({ "data": parameters }).to_string();
    tokio::spawn(answered(
        apis.host.clone(),
        api.clone(),
        prediction.clone(),
        call,
    ));
    Json(json!({ "asyncPredictionId": prediction })).into_response()
}

/// Has the version that is active answer.
async fn answered(host: Arc<Host>, api: Arc<ModelApi>, id: String, call: String) {
    host.delays.step().await;
    api.predictions
        .with(&id, |now| *now = Prediction::Processing);
    let version = api.active();
    let process = version.as_ref().and_then(|version| version.process());
    let outcome = match process {
        None => Prediction::Failed("No version of the model is running".to_owned()),
        Some(process) => match serving::call(&process, call.into()).await {
            Err(_) => Prediction::Failed("The model did not answer".to_owned()),
            Ok((StatusCode::OK, mut reply)) => Prediction::Succeeded(reply["result"].take()),
            Ok((_, reply)) => {
                let message = reply["error"]["message"].as_str();
                Prediction::Failed(message.unwrap_or("The function failed").to_owned())
            }
        },
    };
    if let Some(version) = version {
        version.count();
    }
    api.predictions.with(&id, |now| *now = outcome);
}

async fn prediction(
    State(apis): Of<ModelApis>,
    Path((id, prediction)): Ids,
    headers: HeaderMap,
) -> Response {
    let api = match opened(&apis, &id, &headers) {
        Ok(api) => api,
        Err(refusal) => return *refusal,
    };
    let Some(found) = api.predictions.with_id(&prediction) else {
        return refusal(StatusCode::NOT_FOUND, "There is no such prediction");
    };
    let mut told = json!({ "asyncPredictionId": prediction, "status": found.word() });
    match found {
        Prediction::Succeeded(result) => told["result"] = result,
        Prediction::Failed(why) => told.put("errors", Some(vec![why])),
        Prediction::Pending | Prediction::Processing => {}
    }
    Json(told).into_response()
}
