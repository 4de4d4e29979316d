//! Apps as `/api/apps/beta` has them, from 6.2 on: creating an app or a version also starts it, a
//! new version starts beside the running one and takes its place once it runs. Times are epoch
//! milliseconds as numbers. Apps of the other generations are seen here too, with what fits.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::version::VersionWish;
use super::{Access, App, Apps, Facts, Replacing, Visibility, beta_instances};
use crate::domino::Domino;
use crate::reply::{Answer, Failure, Slice, page};
use crate::request::{Fields, Parameters};
use crate::users::{Caller, User};

const APPS: &str = "/api/apps/beta/apps";

pub(super) fn routes() -> Router<Arc<Domino>> {
    let one_app = format!("{APPS}/{{app_id}}");
    let projects = format!("{APPS}/projectFilterOptions");
    let publishers = format!("{APPS}/publisherFilterOptions");
    Router::new()
        .route(APPS, get(list).post(create))
        .route(&projects, get(projects_with_apps))
        .route(&publishers, get(publishers_of_apps))
        .route(&format!("{APPS}/vanityUrls/{{url}}"), get(at_vanity_url))
        .route(&one_app, get(one).patch(update).delete(archive))
}

/// What both newer generations say of an app, but for who may open it.
pub(super) fn facts_of(domino: &Domino, app: &App) -> Value {
    let facts = app.facts();
    let mut json = json!({
        "id": app.id,
        "name": facts.name,
        "project": project_of(app),
        "entryPoint": app.entry_point(),
        "renderIFrame": facts.render_iframe,
        "url": format!("{}{}", domino.url, app.path()),
        "mountDatasets": facts.mount_datasets,
        "views": app.views().len(),
        "configurationType": facts.configuration_type.as_deref().unwrap_or("STANDARD"),
        "updatedAt": app.updated().milliseconds(),
    });
    if let Some(description) = facts.description {
        json["description"] = description.into();
    }
    if let Some(vanity_url) = facts.vanity_url {
        json["vanityUrl"] = vanity_url.into();
    }
    json
}

/// The project of an app, as the newer generations nest it.
fn project_of(app: &App) -> Value {
    json!({
        "id": app.project.id,
        "projectType": "Analytic",
        "name": app.project.name,
        "ownerId": app.project.owner_id,
        "ownerUsername": app.project.owner,
    })
}

/// A user, as the newer generations nest one.
pub(super) fn user_of(user: &User) -> Value {
    json!({ "id": user.id, "name": user.name })
}

/// An app in the words of beta.
fn beta(domino: &Domino, app: &App) -> Value {
    let facts = app.facts();
    let mut json = facts_of(domino, app);
    json["visibility"] = facts.access.visibility.word().into();
    json["accessStatuses"] = facts.access.statuses_json().into();
    json["discoverable"] = facts.access.is_discoverable.into();
    json["mountNetAppVolumes"] = facts.mount_net_app_volumes.into();
    json["publisher"] = user_of(&app.publisher);
    if let Some(version) = app.current_version() {
        json["currentVersion"] = beta_instances::version_of(&version);
    }
    json
}

/// The filters and the order that both newer generations have for their lists, and the page of it.
/// A page that nobody asked a size for holds everything.
pub(super) fn listed(
    domino: &Domino,
    user: &User,
    parameters: &Parameters,
) -> Result<(Vec<Arc<App>>, Slice), Failure> {
    let mut apps = Apps::visible(domino, user);
    apps.retain(|app| {
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
        "name" => apps.sort_by_key(|app| app.facts().name),
        "lastUpdated" => apps.sort_by_key(|app| app.updated()),
        "status" => apps.sort_by_key(|app| {
            let latest = app.latest_instance();
            latest.map(|latest| latest.status().word())
        }),
        "views" => apps.sort_by_key(|app| app.views().len()),
        "lastViewed" => apps.sort_by_key(|app| app.views().last().map(|view| view.at)),
        other => {
            return Err(Failure::bad_request(format!("Unknown sort field: {other}")));
        }
    }
    if parameters.text("sortOrder") == Some("desc") {
        apps.reverse();
    }
    let offset = parameters.size("offset", 0)?;
    let total = apps.len();
    let slice = match parameters.text("limit") {
        Some(_) => Slice::of(offset, parameters.size("limit", total)?, total),
        None => Slice {
            offset,
            limit: total,
            total,
        },
    };
    Ok((apps, slice))
}

async fn list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let (apps, slice) = listed(&domino, &user, &parameters)?;
    let items = slice.cut(apps).map(|app| {
        let mut item = beta(&domino, &app);
        item["isPinned"] = false.into();
        item
    });
    Ok(page("items", items.collect(), slice))
}

/// Reads what both newer generations create an app with, but for its first version.
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
        render_iframe: fields.optional_flag("renderIFrame").unwrap_or(false),
        mount_datasets: fields.optional_flag("mountDatasets").unwrap_or(false),
        mount_net_app_volumes: fields.optional_flag("mountNetAppVolumes").unwrap_or(false),
        ..Facts::default()
    }
}

/// Reads a version as beta is asked for one.
pub(super) fn read_version(fields: &mut Fields) -> VersionWish {
    let mut wish = VersionWish::default();
    wish.read_content(fields);
    wish.read_deployment(fields);
    wish.read_words(fields);
    wish
}

/// Fails as the creation of a version of `wish` for `app` would, before anything is changed.
fn check(domino: &Domino, app: Option<&App>, wish: &VersionWish) -> Result<(), Failure> {
    domino
        .hardware_tiers
        .for_run(wish.hardware_tier_id.as_deref())?;
    domino
        .environments
        .for_run(wish.environment_id.as_deref())?;
    match &wish.vanity_url {
        Some(url) => domino.apps.free_vanity_url(url, app),
        None => Ok(()),
    }
}

async fn create(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let project_id = fields.text("projectId");
    let facts = read_facts(&mut fields);
    let wish = fields.object("version", read_version);
    fields.finish()?;
    let project = domino.projects.seen_by(&user, &project_id)?;
    check(&domino, None, &wish)?;
    let app = Apps::create(&domino, &user, project, facts)?;
    publish(&domino, &app, &user, wish)?;
    Ok(Json(beta(&domino, &app)))
}

/// Makes a version and starts it beside what runs.
pub(super) fn publish(
    domino: &Arc<Domino>,
    app: &Arc<App>,
    user: &Arc<User>,
    wish: VersionWish,
) -> Result<Arc<super::version::AppVersion>, Failure> {
    check(domino, Some(app), &wish)?;
    let version = app.add_version(domino, user, wish)?;
    Apps::launch(domino, app, &version, user, Replacing::Beside)?;
    Ok(version)
}

async fn one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(beta(&domino, &*Apps::seen_by(&domino, &user, &id)?)))
}

async fn at_vanity_url(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(url): Path<String>,
) -> Answer {
    let app = Apps::at_vanity_url(&domino, &user, &url)?;
    Ok(Json(beta(&domino, &app)))
}

/// What is not said stays as it is. A version that is said is published.
async fn update(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
    mut fields: Fields,
) -> Answer {
    let app = Apps::seen_by(&domino, &user, &id)?;
    let mut facts = app.facts();
    read_changes(&mut fields, &mut facts);
    if let Some(entry_point) = fields.optional_text("entryPoint") {
        facts.entry_point = Some(entry_point);
    }
    if let Some(mounts) = fields.optional_flag("mountNetAppVolumes") {
        facts.mount_net_app_volumes = mounts;
    }
    if let Some(renders) = fields.optional_flag("renderIFrame") {
        facts.render_iframe = renders;
    }
    let wish = fields.optional_object("version", read_version);
    fields.finish()?;
    if let Some(wish) = &wish {
        check(&domino, Some(&app), wish)?;
    }
    app.change(domino.now(), |held| *held = facts);
    if let Some(wish) = wish {
        publish(&domino, &app, &user, wish)?;
    }
    Ok(Json(beta(&domino, &app)))
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

/// Takes an app away, in every generation at once. The reply is empty.
pub(super) async fn archive(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Result<(), Failure> {
    Apps::seen_by(&domino, &user, &id)?.archive();
    Ok(())
}

/// Every project with an app that the caller may see, once.
async fn projects_with_apps(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
) -> Json<Value> {
    let mut projects: Vec<Value> = Vec::new();
    for app in Apps::visible(&domino, &user) {
        let project = project_of(&app);
        if !projects.contains(&project) {
            projects.push(project);
        }
    }
    Json(projects.into())
}

/// Everybody who published an app that the caller may see, once.
async fn publishers_of_apps(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Json<Value> {
    let mut publishers: Vec<Value> = Vec::new();
    for app in Apps::visible(&domino, &user) {
        let publisher = user_of(&app.publisher);
        let is_wanted = |id: &str| app.project.id == id;
        if parameters.text("projectId").is_none_or(is_wanted) && !publishers.contains(&publisher) {
            publishers.push(publisher);
        }
    }
    Json(publishers.into())
}
