//! Combines the nouns' routes and handles each request: record it, harm it if a fault says so, authenticate it,
//! answer, shape failures, record the reply.

mod full_reply;
mod harm;

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use full_reply::FullReply;
use harm::{Processing, leaves_a_reply};

use crate::account::SignInRefusal;
use crate::apps;
use crate::domino::Domino;
use crate::faults::Misbehaviour;
use crate::recorder::Completion;
use crate::reply::{Failure, Family, no_such_route};
use crate::users::{self, Caller};
use crate::version::Version;
use crate::wire::{Connection, SwitchedListener};
use crate::{
    data_planes, decisions, environments, external_volumes, git_credentials, governance,
    hardware_tiers, index, jobs, mlflow, model_apis, own_specs, projects, registered_models,
    reviews, scheduled_jobs, service_accounts,
};

/// No request of Domino's API that the sandbox knows is larger.
const LARGEST_REQUEST: usize = 32 << 20;

/// Serves until told to stop.
pub(crate) async fn serve(
    domino: Arc<Domino>,
    listener: std::net::TcpListener,
    stopped: oneshot::Receiver<()>,
) {
    let switch = domino.listener_switch.clone();
    let Ok(listener) = SwitchedListener::new(switch, listener) else {
        return;
    };
    let app = app(domino.clone()).into_make_service_with_connect_info::<Connection>();
    tokio::select! {
        _ = axum::serve(listener, app) => {}
        _ = stopped => {}
    }
    domino.host.processes.end_all().await;
}

/// Every route. Routes that need no credential of Domino's API are merged after the layer that requires one.
fn app(domino: Arc<Domino>) -> Router {
    let release = domino.host.version;
    let catalog = &domino.catalog;
    let registered_models = domino.registered_models.clone();
    Router::new()
        .merge(users::routes(catalog.users.clone()))
        .merge(projects::routes::routes(catalog.clone()))
        .merge(git_credentials::routes(domino.git_credentials.clone()))
        .merge(service_accounts::routes(domino.service_accounts.clone()))
        .merge(data_planes::routes(catalog.data_planes.clone()))
        .merge(hardware_tiers::routes(catalog.hardware_tiers.clone()))
        .merge(environments::routes::routes(catalog.environments.clone()))
        .merge(external_volumes::routes(catalog.external_volumes.clone()))
        .merge(jobs::routes(domino.jobs.clone()))
        .merge(scheduled_jobs::routes(domino.scheduled_jobs.clone()))
        .merge(mlflow::routes(
            domino.mlflow.clone(),
            domino.host.run_tags.clone(),
        ))
        .merge(registered_models::routes(registered_models, release))
        .merge(model_apis::routes(domino.model_apis.clone(), release))
        .merge(governance::routes(domino.governance.clone(), release))
        .merge(reviews::routes(domino.reviews.clone(), release))
        .merge(decisions::routes(domino.decisions.clone()))
        .merge(apps::routes(domino.apps.clone()))
        .route_layer(from_fn_with_state(domino.clone(), sign_in))
        .route("/version", get(move || version(release)))
        .merge(own_specs::open_routes(release))
        .merge(index::routes(domino.clone()))
        .merge(model_apis::open_routes(domino.model_apis.clone()))
        .merge(decisions::open_routes(domino.decisions.clone()))
        .merge(apps::open_routes(domino.apps.clone()))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn_with_state(domino, exchange))
}

async fn version(version: Version) -> Json<Value> {
    Json(json!({ "version": version.release() }))
}

async fn unknown(uri: Uri) -> Response {
    no_such_route(uri.path())
}

/// Authenticates a request, and passes the user on to the handlers.
async fn sign_in(State(domino): State<Arc<Domino>>, mut request: Request, next: Next) -> Response {
    let account = match domino
        .host
        .accounts
        .sign_in(request.headers(), domino.host.version)
    {
        Ok(account) => account,
        Err(SignInRefusal::NotSignedIn) => {
            return Failure::new(
                StatusCode::UNAUTHORIZED,
                "The current user cannot perform this operation because they are not logged in",
            )
            .into_response();
        }
        Err(SignInRefusal::KeyAsBearer) => {
            let text = "No current user found in the request";
            return (StatusCode::FORBIDDEN, text).into_response();
        }
    };
    let Some(user) = domino.catalog.users.named(&account.user_name) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if request.uri().path().starts_with("/api/2.0/mlflow")
        && !domino.host.accounts.are_of_run(request.headers())
    {
        let project_of_own = |run: &str| {
            let jobs = domino.jobs.all();
            let own = jobs
                .iter()
                .find(|job| job.id == run && job.started_by.name == user.name);
            own.map(|job| job.project.id.clone())
        };
        let demands = domino.host.mlflow_context;
        match demands.check(request.method(), request.headers(), project_of_own) {
            Ok(Some(project)) => drop(request.extensions_mut().insert(project)),
            Ok(None) => {}
            Err(failure) => return failure.into_response(),
        }
    }
    let caller = Caller(user.clone());
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller);
    response
}

/// The outermost layer. As with any server behind an ingress, a request that was received is
/// processed even when the client no longer waits for its reply.
async fn exchange(
    State(domino): State<Arc<Domino>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let exchange = tokio::spawn(carry_through(domino, connection, request, next));
    let internal_error = StatusCode::INTERNAL_SERVER_ERROR;
    exchange
        .await
        .unwrap_or_else(|_| internal_error.into_response())
}

/// One request from its arrival to the reply that leaves.
async fn carry_through(
    domino: Arc<Domino>,
    connection: Connection,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let recorder = &domino.recorder;
    let number = recorder.arrived(connection.number, &parts.method, &parts.uri, &parts.headers);
    let Ok(body) = to_bytes(body, LARGEST_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    recorder.body(number, &body);
    let path = parts.uri.path().to_owned();
    let method = parts.method.clone();
    // While nothing listens, earlier connections are dead as well.
    let fault = match domino.listener_switch.off_until() {
        Some(_) => Some(Misbehaviour::Reset { processed: false }),
        None => domino.host.faults.pick(&method, &path),
    };
    if let Some(fault) = &fault {
        recorder.fault(number, fault.kind());
    }

    let request = Request::from_parts(parts, Body::from(body));
    let mut reply = match &fault {
        None => process(request, next).await,
        Some(fault) => match fault.before(&domino.listener_switch, &path).await {
            Processing::Skip(response) => FullReply::of(response).await,
            Processing::Process => process(fault.altered(request), next).await,
        },
    };
    if let Some(fault) = &fault {
        reply = fault.edited(reply.read().await, &path).await;
    }
    if domino.host.clock.skew() != 0
        && let Ok(date) = HeaderValue::from_str(&domino.host.now().http_date())
    {
        reply.headers.insert(header::DATE, date);
    }
    let arrives = fault.as_ref().is_none_or(leaves_a_reply);
    recorder.ended(
        number,
        Completion {
            user: reply.user.clone(),
            status: arrives.then(|| reply.status.as_u16()),
            content_type: reply.content_type(),
            reply: arrives.then(|| reply.body.clone()),
        },
    );
    if domino.verbose {
        let status = if arrives { reply.status.as_str() } else { "-" };
        let user = reply.user.as_deref().unwrap_or("-");
        let fault = match &fault {
            Some(fault) => format!(" fault={}", fault.kind()),
            None => String::new(),
        };
        let took = started.elapsed().as_millis();
        let line = format!("{method} {path} {status} {user} {took} ms{fault}");
        eprintln!("{}", domino.host.accounts.without_secrets(line));
    }
    match fault {
        Some(fault) => fault.after(reply, &connection).await,
        None => reply.into_response(),
    }
}

/// Has the request answered by its route.
async fn process(request: Request, next: Next) -> FullReply {
    let family = Family::of(request.uri().path());
    let mut response = next.run(request).await;
    let user = response.extensions_mut().remove::<Caller>();
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = family.failure(failure);
    }
    let mut reply = FullReply::of(response).await;
    reply.user = user.map(|Caller(user)| user.name.clone());
    reply
}
