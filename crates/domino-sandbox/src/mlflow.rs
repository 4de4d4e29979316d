//! The experiment manager: MLflow's REST API, at the address that runs know as `MLFLOW_TRACKING_URI`. Either the
//! sandbox keeps experiments, runs and registered models itself, or another MLflow server does, and the sandbox
//! passes everything on to it.
//!
//! Code in the sandbox that needs registered models asks here, in MLflow's own terms, so that it does not matter
//! which of the two it is.

mod artifacts;
mod call;
mod data_set;
mod experiment;
mod filter;
mod input;
mod logged_model;
mod logged_model_routes;
mod model_source;
mod model_version;
mod order;
mod own;
mod page;
mod refusal;
mod registered_model;
mod run;
mod run_inputs;
#[cfg(test)]
mod search_tests;
mod tags;
mod tokens;
mod upstream;
mod version_routes;
mod whose;

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::mlflow_context::InProject;
use crate::reply::Failure;
use crate::request::{Id, Of};
use crate::run_tags::RunTags;
use crate::users::Caller;
pub(crate) use artifacts::Entry;
use input::Input;
use own::OwnMlflow;
pub(crate) use refusal::Refusal;
use upstream::Upstream;

const API: &str = "/api/2.0/mlflow/";
/// Routes whose results get Domino's own tags when a run of Domino's calls them.
const TAGGED: [&str; 3] = [
    "runs/create",
    "registered-models/create",
    "model-versions/create",
];
const ARTIFACTS: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// The experiment manager of a sandbox.
pub(crate) enum Mlflow {
    Own(OwnMlflow),
    Upstream(Upstream),
}

pub(crate) fn routes(mlflow: Arc<Mlflow>, run_tags: Arc<RunTags>) -> Router {
    Router::new()
        .route("/api/2.0/mlflow/{*route}", any(api))
        .route("/api/2.0/mlflow-artifacts/artifacts", any(artifact_list))
        .route("/api/2.0/mlflow-artifacts/artifacts/{*path}", any(artifact))
        .layer(Extension(run_tags))
        .with_state(mlflow)
}

impl Mlflow {
    /// A registry of the sandbox's own with its files below `folder`, or the server at `upstream`.
    pub(crate) fn new(
        upstream: Option<&str>,
        folder: &FilePath,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        Ok(match upstream {
            Some(address) => Mlflow::Upstream(Upstream::new(address)?),
            None => Mlflow::Own(OwnMlflow::new(folder, clock)),
        })
    }

    /// Asks one route, as `user`.
    pub(crate) async fn ask(
        &self,
        user: &str,
        method: Method,
        route: &str,
        input: Value,
    ) -> Result<Value, Refusal> {
        let input = Input::of(input);
        match self {
            Mlflow::Own(own) => own.answer(user, &method, route, input),
            Mlflow::Upstream(upstream) => upstream.ask(method, route, input).await,
        }
    }

    /// The file at `path` below the place of all artifacts.
    pub(crate) async fn artifact(&self, path: &str) -> Result<Bytes, Refusal> {
        match self {
            Mlflow::Own(own) => own.artifacts.read(path).map(Bytes::from),
            Mlflow::Upstream(upstream) => {
                let path: Vec<String> = path.split('/').map(encoded).collect();
                upstream
                    .fetch(&format!("{ARTIFACTS}/{}", path.join("/")))
                    .await
            }
        }
    }

    /// What is in the folder at `path` below the place of all artifacts.
    pub(crate) async fn artifacts(&self, path: &str) -> Result<Vec<Entry>, Refusal> {
        match self {
            Mlflow::Own(own) => own.artifacts.list(path),
            Mlflow::Upstream(upstream) => {
                let listed = upstream
                    .fetch(&format!("{ARTIFACTS}?path={}", encoded(path)))
                    .await?;
                let listed: Value = serde_json::from_slice(&listed).unwrap_or_default();
                let files = listed["files"].as_array().into_iter().flatten();
                Ok(files.filter_map(Entry::of).collect())
            }
        }
    }

    /// The registered models, or null when another server has them.
    pub(crate) fn state(&self) -> Value {
        match self {
            Mlflow::Own(own) => own.state(),
            Mlflow::Upstream(_) => Value::Null,
        }
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn api(
    State(mlflow): Of<Mlflow>,
    Extension(run_tags): Extension<Arc<RunTags>>,
    Caller(user): Caller,
    request: Request,
) -> Response {
    let request = match with_tags(request, &run_tags).await {
        Ok(request) => request,
        Err(problem) => return problem,
    };
    let request = match in_project(&mlflow, &user.name, request).await {
        Ok(request) => request,
        Err(problem) => return problem,
    };
    let own = match &*mlflow {
        Mlflow::Own(own) => own,
        Mlflow::Upstream(upstream) => return upstream.pass(request).await,
    };
    let method = request.method().clone();
    let route = request.uri().path().strip_prefix(API).unwrap_or_default();
    let route = route.to_owned();
    let input = if method == Method::GET {
        match Query::<Vec<(String, String)>>::try_from_uri(request.uri()) {
            Ok(Query(pairs)) => Input::of_query(pairs),
            Err(problem) => return Refusal::invalid(problem.body_text()).into_response(),
        }
    } else {
        match Bytes::from_request(request, &()).await {
            Ok(body) => Input::of_body(&body),
            Err(problem) => return problem.into_response(),
        }
    };
    match own.answer(&user.name, &method, &route, input) {
        Ok(reply) => Json(reply).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// What a run of Domino makes, with the tags that Domino adds to it.
async fn with_tags(request: Request, run_tags: &RunTags) -> Result<Request, Response> {
    let route = request.uri().path().strip_prefix(API).unwrap_or_default();
    let tags = run_tags.of(request.headers());
    if tags.is_empty() || request.method() != Method::POST || !TAGGED.contains(&route) {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &()).await;
    let body = body.map_err(IntoResponse::into_response)?;
    let mut made: Value = serde_json::from_slice(&body).unwrap_or_default();
    if made.is_object() && made["tags"].is_null() {
        made["tags"] = json!([]);
    }
    let Some(told) = made["tags"].as_array_mut() else {
        return Ok(Request::from_parts(parts, Body::from(body)));
    };
    for (key, value) in tags {
        if !told.iter().any(|tag| tag["key"] == key.as_str()) {
            told.push(json!({ "key": key, "value": value }));
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(made.to_string())))
}

/// The request, unless it comes in the context of another project than that of what it writes. If nothing tells that
/// project, any context will do.
async fn in_project(mlflow: &Mlflow, user: &str, request: Request) -> Result<Request, Response> {
    let Some(InProject(project)) = request.extensions().get().cloned() else {
        return Ok(request);
    };
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &()).await;
    let body = body.map_err(IntoResponse::into_response)?;
    let route = parts.uri.path().strip_prefix(API).unwrap_or_default();
    let written = serde_json::from_slice(&body).unwrap_or_default();
    let found = match whose::question(route, &written) {
        Some((question, input)) => mlflow.ask(user, Method::GET, question, input).await.ok(),
        None => None,
    };
    match found.as_ref().and_then(whose::project_in) {
        Some(other) if other != project => Err(Failure::forbidden(format!(
            "X-Domino-Execution names a run of project {project}, and this is of another project, {other}"
        ))
        .into_response()),
        _ => Ok(Request::from_parts(parts, Body::from(body))),
    }
}

async fn artifact_list(State(mlflow): Of<Mlflow>, _: Caller, request: Request) -> Response {
    let own = match &*mlflow {
        Mlflow::Own(own) => own,
        Mlflow::Upstream(upstream) => return upstream.pass(request).await,
    };
    if request.method() != Method::GET {
        return Refusal::WrongMethod.into_response();
    }
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
    let path = pairs.iter().find(|(name, _)| name == "path");
    let path = path.map_or("", |(_, path)| path.as_str());
    match own.artifacts.list(path) {
        Ok(entries) => Json(artifacts::listing(&entries, "")).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn artifact(
    State(mlflow): Of<Mlflow>,
    _: Caller,
    Path(path): Id,
    request: Request,
) -> Response {
    let own = match &*mlflow {
        Mlflow::Own(own) => own,
        Mlflow::Upstream(upstream) => return upstream.pass(request).await,
    };
    let answer = match *request.method() {
        Method::GET => own.artifacts.read(&path).map(IntoResponse::into_response),
        Method::PUT => match Bytes::from_request(request, &()).await {
            Ok(body) => own
                .artifacts
                .put(&path, &body)
                .map(|()| StatusCode::OK.into_response()),
            Err(problem) => Ok(problem.into_response()),
        },
        _ => Err(Refusal::WrongMethod),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}
