//! The routes that list environments and show one. `changes` has those that change them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Environments, changes};
use crate::reply::{Answer, Failure, legacy_list, wrapped};
use crate::request::{Id, Of, Parameters, object_id};
use crate::users::Caller;

pub(crate) fn routes(environments: Arc<Environments>) -> Router {
    Router::new()
        .route(
            "/v4/projects/{project_id}/useableEnvironments",
            get(useable),
        )
        .route("/v4/environments/self", get(v4_list))
        .route("/v4/environments/defaultEnvironment", get(v4_default))
        .route("/v4/environments/{id}", get(v4_one))
        .route("/v4/environments/{id}/setactive", post(set_active))
        .route(
            "/v4/environments/environmentRevision/{revision_id}",
            get(v4_revision),
        )
        .route("/api/environments/beta/environments", get(public_list))
        .route("/api/environments/v1/environments/{id}", get(public_one))
        .route("/v1/environments", get(legacy))
        .merge(changes::routes())
        .with_state(environments)
}

async fn useable(
    State(environments): Of<Environments>,
    Caller(user): Caller,
    Path(project_id): Id,
) -> Answer {
    environments.projects.seen_by(&user, &project_id)?;
    let selected = environments.default_environment();
    let environments: Vec<Value> = environments
        .unarchived()
        .iter()
        .map(|environment| environment.v4_useable())
        .collect();
    Ok(Json(json!({
        "currentlySelectedEnvironment": {
            "id": selected.id,
            "name": selected.name,
            "supportedClusters": [],
            "v2EnvironmentDetails": {
                "latestRevision": selected.latest().number,
                "latestRevisionUrl": format!("/environments/revisions/{}", selected.latest().id),
                "latestRevisionStatus": "Succeeded",
                "selectedRevision": selected.active().number,
                "selectedRevisionId": selected.active().id,
            },
        },
        "environments": environments,
    })))
}

async fn v4_list(State(environments): Of<Environments>, _: Caller) -> Json<Value> {
    Json(environments.v4_all().into())
}

async fn v4_default(State(environments): Of<Environments>, _: Caller) -> Json<Value> {
    Json(environments.default_environment().v4())
}

async fn v4_one(State(environments): Of<Environments>, _: Caller, Path(id): Id) -> Answer {
    let environment = environments.known(object_id("environmentId", &id)?)?;
    Ok(Json(environment.v4()))
}

/// Makes a revision that was built the active one.
async fn set_active(
    State(environments): Of<Environments>,
    _: Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Result<StatusCode, Failure> {
    let environment = environments.known(object_id("environmentId", &id)?)?;
    let place = environment.place_of(parameters.required("revisionId")?)?;
    environment.active.store(place, Ordering::Relaxed);
    Ok(StatusCode::NO_CONTENT)
}

async fn v4_revision(State(environments): Of<Environments>, _: Caller, Path(id): Id) -> Answer {
    object_id("environmentRevisionId", &id)?;
    let all = environments.all.lock().clone();
    let found = all.iter().find_map(|environment| {
        let place = environment.place_of(&id).ok()?;
        Some((environment, environment.revision_at(place)))
    });
    let (environment, revision) = found
        .ok_or_else(|| Failure::not_found(format!("Environment revision {id} was not found")))?;
    let default = environments.default_environment();
    Ok(Json(json!({
        "environment": environment.v4_facts(),
        "environmentRevision": environment.v4_details(&revision),
        "isLatestRevision": environment.latest().id == id,
        "visibleEnvironments": {
            "activeEnvironmentRevisions": [],
            "defaultEnv": default.v4_facts(),
            "defaultEnvRev": default.v4_details(&default.active()),
        },
        "canRevertTo": false,
        "hasRunningBuild": false,
    })))
}

async fn public_list(
    State(environments): Of<Environments>,
    _: Caller,
    parameters: Parameters,
) -> Answer {
    let all = environments.unarchived();
    parameters.page("environments", 10, all, |environment| environment.public())
}

async fn public_one(State(environments): Of<Environments>, _: Caller, Path(id): Id) -> Answer {
    let environment = environments.known(&id)?;
    Ok(wrapped("environment", environment.public()))
}

/// A route older than `/v4`, with which python-domino still lists environments.
async fn legacy(State(environments): Of<Environments>, _: Caller) -> Json<Value> {
    legacy_list("/v1/environments", environments.v4_all())
}
