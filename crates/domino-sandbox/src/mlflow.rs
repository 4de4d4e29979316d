//! The experiment manager: MLflow's REST API, under the address that runs know as
//! `MLFLOW_TRACKING_URI`. Either the sandbox keeps experiments, runs and registered models itself,
//! or another MLflow server does, and the sandbox passes everything on to it.
//!
//! Whatever asks about registered models inside the sandbox asks here, in MLflow's own terms, so
//! that it does not matter which of the two it is.

mod artifacts;
mod experiment;
mod filter;
mod input;
mod model_version;
mod page;
mod refusal;
mod registered_model;
mod run;
mod tags;
mod upstream;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::Value;

use crate::clock::Moment;
use crate::domino::Domino;
use crate::users::Caller;
use artifacts::Artifacts;
pub(crate) use artifacts::Entry;
use experiment::Experiment;
use filter::{Actual, Order};
use input::Input;
pub(crate) use refusal::Refusal;
use registered_model::RegisteredModel;
use run::Run;
use upstream::Upstream;

const API: &str = "/api/2.0/mlflow/";
const ARTIFACTS: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// The experiment manager of a sandbox.
pub(crate) enum Mlflow {
    Own(Store),
    Upstream(Upstream),
}

/// What the sandbox keeps itself.
pub(crate) struct Store {
    kept: Mutex<Kept>,
    artifacts: Artifacts,
}

struct Kept {
    experiments: Vec<Experiment>,
    runs: Vec<Run>,
    models: BTreeMap<String, RegisteredModel>,
}

/// One call of a route.
struct Call<'a> {
    input: Input,
    user: &'a str,
    /// Epoch milliseconds.
    now: i64,
}

/// A route: its path, its methods, its answer.
type Route = (
    &'static str,
    &'static [Method],
    fn(&mut Kept, &Call) -> Result<Value, Refusal>,
);

pub(crate) fn routes() -> Router<Arc<Domino>> {
    Router::new()
        .route("/api/2.0/mlflow/{*route}", any(api))
        .route("/api/2.0/mlflow-artifacts/artifacts", any(artifact_list))
        .route("/api/2.0/mlflow-artifacts/artifacts/{*path}", any(artifact))
}

impl Mlflow {
    /// A registry of the sandbox's own with its files below `folder`, or the server at `upstream`.
    pub(crate) fn new(
        upstream: Option<&str>,
        folder: &FilePath,
        now: Moment,
    ) -> anyhow::Result<Self> {
        Ok(match upstream {
            Some(address) => Mlflow::Upstream(Upstream::new(address)?),
            None => Mlflow::Own(Store {
                kept: Mutex::new(Kept {
                    experiments: vec![Experiment::default_one(milliseconds(now))],
                    runs: Vec::new(),
                    models: BTreeMap::new(),
                }),
                artifacts: Artifacts::new(folder),
            }),
        })
    }

    /// Asks one route, as `user`.
    pub(crate) async fn ask(
        &self,
        domino: &Domino,
        user: &str,
        method: Method,
        route: &str,
        input: Value,
    ) -> Result<Value, Refusal> {
        let input = Input::of(input);
        match self {
            Mlflow::Own(store) => store.answer(domino, user, &method, route, input),
            Mlflow::Upstream(upstream) => upstream.ask(method, route, input).await,
        }
    }

    /// The file at `path` below the place of all artifacts.
    pub(crate) async fn artifact(&self, path: &str) -> Result<Bytes, Refusal> {
        match self {
            Mlflow::Own(store) => store.artifacts.read(path).map(Bytes::from),
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
            Mlflow::Own(store) => store.artifacts.list(path),
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
            Mlflow::Own(store) => {
                let kept = store.lock();
                kept.models.values().map(RegisteredModel::state).collect()
            }
            Mlflow::Upstream(_) => Value::Null,
        }
    }
}

/// Epoch milliseconds, in which MLflow counts.
fn milliseconds(moment: Moment) -> i64 {
    i64::try_from(moment.nanoseconds() / 1_000_000).unwrap_or(i64::MAX)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl Store {
    fn answer(
        &self,
        domino: &Domino,
        user: &str,
        method: &Method,
        route: &str,
        input: Input,
    ) -> Result<Value, Refusal> {
        if route == "artifacts/list" {
            return self.list_artifacts(method, &input);
        }
        let nouns = [
            experiment::ROUTES,
            run::ROUTES,
            registered_model::ROUTES,
            model_version::ROUTES,
        ];
        let mut known = nouns.into_iter().flatten().filter(|known| known.0 == route);
        let mut refusal = Refusal::NoRoute;
        let answer = known.find_map(|(_, methods, answer)| {
            refusal = Refusal::WrongMethod;
            methods.contains(method).then_some(answer)
        });
        let call = Call {
            input,
            user,
            now: milliseconds(domino.now()),
        };
        answer.ok_or(refusal)?(&mut self.lock(), &call)
    }

    fn list_artifacts(&self, method: &Method, input: &Input) -> Result<Value, Refusal> {
        if *method != Method::GET {
            return Err(Refusal::WrongMethod);
        }
        let root = self.lock().run(input.text("run_id")?)?.artifacts();
        let folder = input.text_or_empty("path")?;
        let entries = match folder.as_str() {
            "" => self.artifacts.list(&root)?,
            folder => self.artifacts.list(&format!("{root}/{folder}"))?,
        };
        let mut listing = artifacts::listing(&entries, &folder);
        listing["root_uri"] = format!("mlflow-artifacts:/{root}").into();
        Ok(listing)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The order of two results by what `orders` name; what one of them lacks comes last.
fn by(
    orders: &[Order],
    actual: impl Fn(&filter::Key) -> (Option<Actual>, Option<Actual>),
) -> Ordering {
    let each = orders.iter().map(|order| match actual(&order.key) {
        (Some(one), Some(other)) if order.descending => other.compare(&one),
        (Some(one), Some(other)) => one.compare(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    each.fold(Ordering::Equal, Ordering::then)
}

async fn api(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    request: Request,
) -> Response {
    let store = match &domino.mlflow {
        Mlflow::Own(store) => store,
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
    match store.answer(&domino, &user.name, &method, &route, input) {
        Ok(reply) => Json(reply).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn artifact_list(State(domino): State<Arc<Domino>>, _: Caller, request: Request) -> Response {
    let store = match &domino.mlflow {
        Mlflow::Own(store) => store,
        Mlflow::Upstream(upstream) => return upstream.pass(request).await,
    };
    if request.method() != Method::GET {
        return Refusal::WrongMethod.into_response();
    }
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
    let path = pairs.iter().find(|(name, _)| name == "path");
    let path = path.map_or("", |(_, path)| path.as_str());
    match store.artifacts.list(path) {
        Ok(entries) => Json(artifacts::listing(&entries, "")).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn artifact(
    State(domino): State<Arc<Domino>>,
    _: Caller,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let store = match &domino.mlflow {
        Mlflow::Own(store) => store,
        Mlflow::Upstream(upstream) => return upstream.pass(request).await,
    };
    let answer = match *request.method() {
        Method::GET => store.artifacts.read(&path).map(IntoResponse::into_response),
        Method::PUT => match Bytes::from_request(request, &()).await {
            Ok(body) => store
                .artifacts
                .put(&path, &body)
                .map(|()| StatusCode::OK.into_response()),
            Err(problem) => Ok(problem.into_response()),
        },
        _ => Err(Refusal::WrongMethod),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}
