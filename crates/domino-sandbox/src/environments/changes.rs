//! What people and clients change about environments: they create and archive them, add revisions, and restrict one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, patch, post};
use serde_json::json;

use super::{Environment, Environments, Revision};
use crate::id;
use crate::reply::{Answer, Failure, wrapped};
use crate::request::{Fields, Id, Ids, Of};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<Environments>> {
    const ENVIRONMENTS: &str = "/api/environments/beta/environments";
    Router::new()
        .route(ENVIRONMENTS, post(create))
        .route(&format!("{ENVIRONMENTS}/{{id}}/revisions"), post(revise))
        .route(
            &format!("{ENVIRONMENTS}/{{id}}/revisions/{{revision}}"),
            patch(restrict),
        )
        .route("/api/environments/v1/environments/{id}", delete(archive))
}

/// Creates an environment with one revision, which is active; nothing is built.
async fn create(State(environments): Of<Environments>, _: Caller, mut fields: Fields) -> Answer {
    let name = fields.text("name");
    fields.text("image");
    fields.text("visibility");
    fields.flag("addBaseDependencies");
    fields.finish()?;
    if name.trim().is_empty() {
        return Err(Failure::bad_request("The name of the environment is empty"));
    }
    let environment = Environment::new(id::object_id(), &name, false, 1);
    environments.all.lock().push(environment.clone());
    Ok(wrapped("environment", environment.public()))
}

/// Adds a revision, which is the latest one then and not the active one.
async fn revise(
    State(environments): Of<Environments>,
    _: Caller,
    Path(id): Id,
    fields: Fields,
) -> Answer {
    fields.finish()?;
    let environment = environments.known(&id)?;
    let mut revisions = environment.revisions.lock();
    let revision = Revision {
        id: id::object_id(),
        number: revisions.len() + 1,
    };
    revisions.push(revision.clone());
    Ok(wrapped("environmentRevision", revision.public()))
}

/// Makes a revision the one that restricted projects use, or no longer.
async fn restrict(
    State(environments): Of<Environments>,
    _: Caller,
    Path((id, revision)): Ids,
    mut fields: Fields,
) -> Answer {
    let is_restricted = fields.flag("isRestricted");
    fields.finish()?;
    let environment = environments.known(&id)?;
    let place = environment.place_of(&revision)?;
    let mut restricted = environment.restricted.lock();
    match is_restricted {
        true => *restricted = Some(place),
        false => *restricted = restricted.filter(|known| *known != place),
    }
    Ok(Json(json!({ "id": revision })))
}

async fn archive(State(environments): Of<Environments>, _: Caller, Path(id): Id) -> Answer {
    let environment = environments.known(&id)?;
    environment.is_archived.store(true, Ordering::Relaxed);
    Ok(wrapped("environment", environment.public()))
}
