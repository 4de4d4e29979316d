//! What the generations of the apps' API have in common: routes that differ only in how they spell an app or a
//! version, and what both newer generations read and write alike.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::access::{Access, Visibility};
use super::app::{App, Facts};
use super::store::Apps;
use super::version::{AppVersion, AppVersionSpec};
use crate::reply::{Answer, Failure, Put, Slice, page};
use crate::request::{Fields, Id, Ids, Of, Parameters};
use crate::users::{Caller, User};

/// How a generation spells an app.
pub(super) trait AppSpelling: 'static {
    fn app(apps: &Apps, app: &App) -> Value;
}

/// A generation in which apps have versions of their own.
pub(super) trait Generation: AppSpelling {
    /// Whether a new version starts by itself.
    const STARTS_VERSIONS: bool;

    fn version(apps: &Apps, app: &App, version: &AppVersion) -> Value;

    /// Reads a version as this generation is asked for one.
    fn read_version(fields: &mut Fields) -> AppVersionSpec;
}

pub(super) async fn one<G: AppSpelling>(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
) -> Answer {
    Ok(Json(G::app(&apps, &*apps.seen_by(&user, &id)?)))
}

pub(super) async fn at_vanity_url<G: AppSpelling>(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(url): Id,
) -> Answer {
    Ok(Json(G::app(&apps, &*apps.at_vanity_url(&user, &url)?)))
}

/// Archives an app, in every generation at once. The reply is empty.
pub(super) async fn archive(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
) -> Result<(), Failure> {
    apps.seen_by(&user, &id)?.archive();
    Ok(())
}

/// The versions of an app, newest first.
pub(super) async fn versions<G: Generation>(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(app_id): Id,
) -> Answer {
    let app = apps.seen_by(&user, &app_id)?;
    let newest_first = app.versions().into_iter().rev();
    let items = newest_first.map(|version| G::version(&apps, &app, &version));
    Ok(whole_list(items.collect()))
}

pub(super) async fn create_version<G: Generation>(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(app_id): Id,
    mut fields: Fields,
) -> Answer {
    let spec = G::read_version(&mut fields);
    fields.finish()?;
    let app = apps.seen_by(&user, &app_id)?;
    let version = match G::STARTS_VERSIONS {
        true => apps.publish(&app, &user, spec)?,
        false => apps.add_version(&app, &user, spec)?,
    };
    Ok(Json(G::version(&apps, &app, &version)))
}

pub(super) async fn one_version<G: Generation>(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path((app_id, version_id)): Ids,
) -> Answer {
    let app = apps.seen_by(&user, &app_id)?;
    Ok(Json(G::version(&apps, &app, &*app.version(&version_id)?)))
}

/// A list that is never cut into pages.
pub(super) fn whole_list(items: Vec<Value>) -> Json<Value> {
    let total = items.len();
    let slice = Slice {
        offset: 0,
        limit: total,
        total,
    };
    page("items", items, slice)
}

/// What both newer generations report of an app, except who may open it.
pub(super) fn facts_of(apps: &Apps, app: &App) -> Value {
    let facts = app.facts();
    let mut json = json!({
        "id": app.id,
        "name": facts.name,
        "project": project_of(app),
        "entryPoint": app.entry_point(),
        "renderIFrame": facts.render_iframe,
        "url": format!("{}{}", apps.host.url, app.path()),
        "mountDatasets": facts.mount_datasets,
        "views": app.views().len(),
        "configurationType": facts.configuration_type.as_deref().unwrap_or("STANDARD"),
        "updatedAt": app.updated().milliseconds(),
    });
    json.put("description", facts.description);
    json.put("vanityUrl", facts.vanity_url);
    json
}

/// The project of an app, as the newer generations nest it.
pub(super) fn project_of(app: &App) -> Value {
    json!({
        "id": app.project.id,
        "projectType": "Analytic",
        "name": app.project.name(),
        "ownerId": app.project.owner_id,
        "ownerUsername": app.project.owner,
    })
}

/// A user, as the newer generations nest one.
pub(super) fn user_of(user: &User) -> Value {
    json!({ "id": user.id, "name": user.name })
}

/// The filters and the order that both newer generations have for their lists, and the page of it.
/// Without a limit, the page holds everything.
pub(super) fn listed(
    apps: &Apps,
    user: &User,
    parameters: &Parameters,
) -> Result<(Vec<Arc<App>>, Slice), Failure> {
    let mut found = apps.visible(user);
    found.retain(|app| {
        let facts = app.facts();
        let is = |name: &str, value: &str| parameters.text(name).is_none_or(|text| text == value);
        let status = || app.latest_instance().map(|latest| latest.status().word());
        is("projectId", &app.project.id)
            && is("ownerId", &app.project.owner_id)
            && is("publisherId", &app.publisher.id)
            && parameters
                .text("name")
                .is_none_or(|part| facts.name.to_lowercase().contains(&part.to_lowercase()))
            && parameters
                .text("status")
                .is_none_or(|wanted| status() == Some(wanted))
    });
    match parameters.text("sortField").unwrap_or("lastViewed") {
        "name" => found.sort_by_key(|app| app.facts().name),
        "lastUpdated" => found.sort_by_key(|app| app.updated()),
        "status" => found.sort_by_key(|app| {
            let latest = app.latest_instance();
            latest.map(|latest| latest.status().word())
        }),
        "views" => found.sort_by_key(|app| app.views().len()),
        "lastViewed" => found.sort_by_key(|app| app.views().last().map(|view| view.at)),
        other => {
            return Err(Failure::bad_request(format!("Unknown sort field: {other}")));
        }
    }
    if parameters.text("sortOrder") == Some("desc") {
        found.reverse();
    }
    let offset = parameters.size("offset", 0)?;
    let total = found.len();
    let slice = match parameters.text("limit") {
        Some(_) => Slice::of(offset, parameters.size("limit", total)?, total),
        None => Slice {
            offset,
            limit: total,
            total,
        },
    };
    Ok((found, slice))
}

/// Reads what both newer generations create an app with, except its first version.
pub(super) fn read_facts(fields: &mut Fields) -> Facts {
    let configuration_type = fields.optional_text("configurationType");
    if configuration_type
        .as_deref()
        .is_some_and(|kind| !["STANDARD", "AISYSTEM"].contains(&kind))
    {
        fields.complain("configurationType", "error.invalid");
    }
    Facts {
        name: fields.text("name"),
        description: fields.optional_text("description"),
        entry_point: fields.optional_text("entryPoint"),
        vanity_url: None,
        access: Access {
            visibility: Visibility::field(fields, "visibility"),
            is_discoverable: fields.optional_flag("discoverable").unwrap_or(true),
            statuses: Access::statuses_field(fields).unwrap_or_default(),
        },
        configuration_type,
        render_iframe: fields.is_set("renderIFrame"),
        mount_datasets: fields.is_set("mountDatasets"),
        mount_net_app_volumes: fields.is_set("mountNetAppVolumes"),
        ..Facts::default()
    }
}

/// Reads the changes that both newer generations know.
pub(super) fn read_changes(fields: &mut Fields, facts: &mut Facts) {
    if let Some(name) = fields.optional_text("name") {
        facts.name = name;
    }
    if let Some(description) = fields.optional_text("description") {
        facts.description = Some(description);
    }
    if let Some(visibility) = Visibility::optional_field(fields, "visibility") {
        facts.access.visibility = visibility;
    }
    if let Some(is_discoverable) = fields.optional_flag("discoverable") {
        facts.access.is_discoverable = is_discoverable;
    }
    if let Some(statuses) = Access::statuses_field(fields) {
        facts.access.statuses = statuses;
    }
    if let Some(mounts) = fields.optional_flag("mountDatasets") {
        facts.mount_datasets = mounts;
    }
}
