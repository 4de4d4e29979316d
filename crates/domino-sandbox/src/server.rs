//! Puts the nouns' routes together and carries each request through: record it, harm it if a
//! fault says so, see who it is from, answer, shape failures, record the reply.

mod harm;

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::account::Refusal;
use crate::apps::{self, Streamed};
use crate::domino::Domino;
use crate::faults::Misbehaviour;
use crate::recorder::Ending;
use crate::reply::{Failure, Family, no_such_route};
use crate::users::{self, Caller};
use crate::wire::{Connection, Door};
use crate::{
    data_planes, decisions, environments, governance, hardware_tiers, jobs, mlflow, model_apis,
    page, projects, registered_models, reviews, scheduled_jobs,
};

/// No request of Domino's API that the sandbox knows is larger.
const LARGEST_REQUEST: usize = 32 << 20;

/// Serves until told to stop.
pub(crate) async fn serve(
    domino: Arc<Domino>,
    listener: std::net::TcpListener,
    stopped: oneshot::Receiver<()>,
) {
    let Ok(door) = Door::new(domino.clone(), listener) else {
        return;
    };
    let app = app(domino.clone()).into_make_service_with_connect_info::<Connection>();
    tokio::select! {
        _ = axum::serve(door, app) => {}
        _ = stopped => {}
    }
    domino.processes.end_all().await;
}

/// Every route. What needs no credential of Domino's API is merged after the layer that asks for one.
fn app(domino: Arc<Domino>) -> Router {
    Router::new()
        .merge(users::routes())
        .merge(projects::routes())
        .merge(data_planes::routes())
        .merge(hardware_tiers::routes())
        .merge(environments::routes())
        .merge(jobs::routes())
        .merge(scheduled_jobs::routes())
        .merge(mlflow::routes())
        .merge(registered_models::routes(domino.version))
        .merge(model_apis::routes(domino.version))
        .merge(governance::routes(domino.version))
        .merge(reviews::routes(domino.version))
        .merge(decisions::routes())
        .merge(apps::routes(domino.version))
        .route_layer(from_fn_with_state(domino.clone(), sign_in))
        .route("/version", get(version))
        .merge(page::routes())
        .merge(model_apis::open_routes())
        .merge(decisions::open_routes())
        .merge(apps::open_routes())
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn_with_state(domino.clone(), exchange))
        .with_state(domino)
}

async fn version(State(domino): State<Arc<Domino>>) -> Json<Value> {
    Json(json!({ "version": domino.version.release() }))
}

async fn unknown(uri: Uri) -> Response {
    no_such_route(uri.path())
}

/// Lets in who has a credential, and tells the handlers who that is.
async fn sign_in(State(domino): State<Arc<Domino>>, mut request: Request, next: Next) -> Response {
    let account = match domino.accounts.sign_in(request.headers(), domino.version) {
        Ok(account) => account,
        Err(Refusal::NotSignedIn) => {
            return Failure::new(
                StatusCode::UNAUTHORIZED,
                "The current user cannot perform this operation because they are not logged in",
            )
            .into_response();
        }
        Err(Refusal::KeyAsBearer) => {
            let text = "No current user found in the request";
            return (StatusCode::FORBIDDEN, text).into_response();
        }
    };
    let Some(user) = domino.users.named(&account.user_name) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let caller = Caller(user.clone());
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller);
    response
}

/// The outermost layer. As with any server behind an ingress, a request that was received is
/// carried through even when nobody waits for its reply any more.
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
    // While nobody listens, the connections from before are dead as well.
    let fault = match domino.gate.is_closed() {
        Some(_) => Some(Misbehaviour::Reset { processed: false }),
        None => domino.faults.pick(&method, &path),
    };
    if let Some(fault) = &fault {
        recorder.fault(number, fault.kind());
    }

    let request = Request::from_parts(parts, Body::from(body));
    let mut whole = match &fault {
        None => process(request, next).await,
        Some(fault) => match fault.before(&domino, &path).await {
            harm::Before::Answer(response) => whole(response).await,
            harm::Before::Process => process(fault.altered(request), next).await,
        },
    };
    if let Some(fault) = &fault {
        whole = fault.edited(whole.read().await, &path).await;
    }
    if domino.faults.clock_skew() != 0
        && let Ok(date) = HeaderValue::from_str(&domino.now().http_date())
    {
        whole.headers.insert(header::DATE, date);
    }
    let arrives = fault.as_ref().is_none_or(harm::leaves_a_reply);
    recorder.ended(
        number,
        Ending {
            user: whole.user.clone(),
            status: arrives.then(|| whole.status.as_u16()),
            content_type: whole.content_type(),
            reply: arrives.then(|| whole.body.clone()),
        },
    );
    if domino.verbose {
        let status = if arrives { whole.status.as_str() } else { "-" };
        let user = whole.user.as_deref().unwrap_or("-");
        let fault = match &fault {
            Some(fault) => format!(" fault={}", fault.kind()),
            None => String::new(),
        };
        let took = started.elapsed().as_millis();
        let line = format!("{method} {path} {status} {user} {took} ms{fault}");
        eprintln!("{}", domino.accounts.without_secrets(line));
    }
    match fault {
        Some(fault) => fault.after(whole, &connection).await,
        None => whole.into_response(),
    }
}

/// A reply in full, before it leaves.
struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// The body instead, where it is passed on as it comes; then nothing of it is recorded.
    streamed: Option<Body>,
    user: Option<String>,
}

impl Whole {
    /// Reads a body that would be passed on as it comes, to do something to it.
    async fn read(mut self) -> Self {
        if let Some(body) = self.streamed.take() {
            self.body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        }
        self
    }

    fn content_type(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }
}

impl IntoResponse for Whole {
    fn into_response(self) -> Response {
        let body = self.streamed.unwrap_or_else(|| self.body.into());
        (self.status, self.headers, body).into_response()
    }
}

/// Has the request answered by its route.
async fn process(request: Request, next: Next) -> Whole {
    let family = Family::of(request.uri().path());
    let mut response = next.run(request).await;
    let user = response.extensions_mut().remove::<Caller>();
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = family.failure(failure);
    }
    let mut whole = whole(response).await;
    whole.user = user.map(|Caller(user)| user.name.clone());
    whole
}

async fn whole(response: Response) -> Whole {
    let (parts, body) = response.into_parts();
    let mut whole = Whole {
        status: parts.status,
        headers: parts.headers,
        body: Bytes::new(),
        streamed: Some(body),
        user: None,
    };
    if parts.extensions.get::<Streamed>().is_none() {
        // Other replies are made in memory, so that reading one can fail only for want of memory.
        whole = whole.read().await;
    }
    whole
}
