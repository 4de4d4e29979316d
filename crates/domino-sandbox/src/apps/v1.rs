//! Apps as `/api/apps/v1` has them, from 6.4 on: creating an app makes its first version and starts
//! nothing. Drafts, the other half of this generation, belong to workspaces, which a sandbox has
//! none of; their routes are not there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::beta::{archive, facts_of, listed, read_changes, read_facts, user_of};
use super::v1_versions::{read_version, version_of};
use super::{App, Apps};
use crate::domino::Domino;
use crate::reply::{Answer, Failure, Slice, page};
use crate::request::{Fields, Parameters};
use crate::users::Caller;

const APPS: &str = "/api/apps/v1/apps";

pub(super) fn routes() -> Router<Arc<Domino>> {
    let one_app = format!("{APPS}/{{app_id}}");
    Router::new()
        .route(APPS, get(list).post(create))
        .route(&one_app, get(one).patch(update).delete(archive))
}

/// An app in the words of v1.
fn v1(domino: &Domino, app: &App) -> Value {
    let access = app.facts().access;
    let mut json = facts_of(domino, app);
    json["authorship"] = json!({ "isDraft": false, "author": user_of(&app.publisher) });
    json["accessControl"] = json!({
        "visibility": access.visibility.word(),
        "accessStatuses": access.statuses_json(),
        "discoverable": access.is_discoverable,
    });
    if let Some(version) = app.current_version() {
        json["currentVersion"] = version_of(domino, app, &version);
    }
    json
}

/// Published apps only, and here there are no others.
async fn list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let (mut apps, mut slice) = listed(&domino, &user, &parameters)?;
    let entry_point = parameters.text("entryPoint");
    apps.retain(|app| entry_point.is_none_or(|wanted| app.entry_point() == wanted));
    if parameters.flag("draftsOnly")? {
        apps.clear();
    }
    slice = Slice {
        total: apps.len(),
        ..slice
    };
    let items = slice.cut(apps).map(|app| v1(&domino, &app));
    Ok(page("items", items.collect(), slice))
}

async fn create(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let project_id = fields.text("projectId");
    let facts = read_facts(&mut fields);
    let wish = fields.optional_object("initialVersion", read_version);
    fields.finish()?;
    let project = domino.projects.seen_by(&user, &project_id)?;
    let wish = wish.unwrap_or_default();
    domino
        .environments
        .for_run(wish.environment_id.as_deref())?;
    if let Some(url) = &wish.vanity_url {
        domino.apps.free_vanity_url(url, None)?;
    }
    let app = Apps::create(&domino, &user, project, facts)?;
    app.add_version(&domino, &user, wish)?;
    Ok(Json(v1(&domino, &app)))
}

async fn one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(v1(&domino, &*Apps::seen_by(&domino, &user, &id)?)))
}

/// What is not said stays as it is. The entry point is for ever.
async fn update(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
    mut fields: Fields,
) -> Answer {
    let app = Apps::seen_by(&domino, &user, &id)?;
    let mut facts = app.facts();
    read_changes(&mut fields, &mut facts);
    let entry_point = fields.optional_text("entryPoint");
    fields.finish()?;
    if entry_point.is_some() {
        return Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The entry point of an app cannot be changed",
        ));
    }
    app.change(domino.now(), |held| *held = facts);
    Ok(Json(v1(&domino, &app)))
}
