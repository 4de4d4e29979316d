//! Apps in `/api/apps/beta`, from 6.2 on: creating an app or a version also starts it; a new version starts beside
//! the running one and replaces it once it runs. Times are epoch milliseconds as numbers. Apps of the other
//! generations appear here too, with the fields that fit.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::app::App;
use super::generation::{
    AppSpelling, Generation, archive, at_vanity_url, facts_of, listed, one, project_of,
    read_changes, read_facts, user_of,
};
use super::instance::Instance;
use super::store::Apps;
use super::thumbnail::Thumbnail;
use super::version::{AppVersion, AppVersionSpec};
use crate::git_ref::GitRef;
use crate::reply::{Answer, Put, page};
use crate::request::{Fields, Id, Of, Parameters};
use crate::users::Caller;

const APPS: &str = "/api/apps/beta/apps";

pub(super) fn routes() -> Router<Arc<Apps>> {
    let one_app = format!("{APPS}/{{app_id}}");
    let projects = format!("{APPS}/projectFilterOptions");
    let publishers = format!("{APPS}/publisherFilterOptions");
    Router::new()
        .route(APPS, get(list).post(create))
        .route(&projects, get(projects_with_apps))
        .route(&publishers, get(publishers_of_apps))
        .route(
            &format!("{APPS}/vanityUrls/{{url}}"),
            get(at_vanity_url::<Beta>),
        )
        .route(&one_app, get(one::<Beta>).patch(update).delete(archive))
}

/// The spelling of beta, which starts each new version beside the running one.
pub(super) struct Beta;

impl AppSpelling for Beta {
    fn app(apps: &Apps, app: &App) -> Value {
        let facts = app.facts();
        let mut json = facts_of(apps, app);
        json["visibility"] = facts.access.visibility.word().into();
        json["accessStatuses"] = facts.access.statuses_json().into();
        json["discoverable"] = facts.access.is_discoverable.into();
        json["mountNetAppVolumes"] = facts.mount_net_app_volumes.into();
        let thumbnail = facts.thumbnail.as_ref();
        json.put("thumbnailEtag", thumbnail.map(Thumbnail::etag));
        json["publisher"] = user_of(&app.publisher);
        let version = app.current_version();
        let version = version.map(|version| Self::version(apps, app, &version));
        json.put("currentVersion", version);
        json
    }
}

impl Generation for Beta {
    const STARTS_VERSIONS: bool = true;

    fn version(_: &Apps, _: &App, version: &AppVersion) -> Value {
        let details = version.details();
        let mut json = json!({
            "id": version.id,
            "environmentId": version.environment.id,
            "environmentRevisionId": version.revision.id,
            "hardwareTierId": details.hardware_tier_id,
            "gitRef": GitRef::or_head(&version.spec.git_ref).v4(),
            "externalVolumeMountIds": version.spec.external_volume_mount_ids,
            "netAppVolumeIds": version.spec.net_app_volume_ids,
            "createdAt": version.created.milliseconds(),
            "updatedAt": details.updated.milliseconds(),
            "publisher": user_of(&version.publisher),
            "tags": details.tags,
            "extendedIdentityPropagationToAppsEnabled": version.spec.propagates_identity,
        });
        json.put("dfsCommitId", version.spec.dfs_commit_id.as_deref());
        json.put("entryScript", version.spec.entry_script.as_deref());
        json.put("autoscalingSpecification", details.autoscaling);
        json.put("bundleId", details.bundle_id);
        json.put("vanityUrl", details.vanity_url);
        let instance = version.current_instance();
        json.put("currentInstance", instance.map(|one| instance_of(&one)));
        json
    }

    fn read_version(fields: &mut Fields) -> AppVersionSpec {
        let mut spec = AppVersionSpec::default();
        spec.read_content(fields);
        spec.read_deployment(fields);
        spec.read_words(fields);
        spec
    }
}

/// An instance in the words of beta.
pub(super) fn instance_of(instance: &Instance) -> Value {
    json!({
        "id": instance.id,
        "status": instance.reported_status(),
        "createdAt": instance.created.milliseconds(),
    })
}

async fn list(State(apps): Of<Apps>, Caller(user): Caller, parameters: Parameters) -> Answer {
    let (found, slice) = listed(&apps, &user, &parameters)?;
    let items = slice.cut(found).map(|app| {
        let mut item = Beta::app(&apps, &app);
        item["isPinned"] = false.into();
        item
    });
    Ok(page("items", items.collect(), slice))
}

async fn create(State(apps): Of<Apps>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let project_id = fields.text("projectId");
    let facts = read_facts(&mut fields);
    let spec = fields.object("version", Beta::read_version);
    fields.finish()?;
    let project = apps.catalog.projects.seen_by(&user, &project_id)?;
    apps.check(None, &spec)?;
    let app = apps.create(&user, &project, facts)?;
    apps.publish(&app, &user, spec)?;
    Ok(Json(Beta::app(&apps, &app)))
}

/// Fields that are left out stay unchanged. A version in the body is published.
async fn update(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let app = apps.seen_by(&user, &id)?;
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
    let spec = fields.optional_object("version", Beta::read_version);
    fields.finish()?;
    if let Some(spec) = &spec {
        apps.check(Some(&app), spec)?;
    }
    app.change(apps.host.now(), |known| *known = facts);
    if let Some(spec) = spec {
        apps.publish(&app, &user, spec)?;
    }
    Ok(Json(Beta::app(&apps, &app)))
}

/// Every project with an app that the caller may see, once.
async fn projects_with_apps(State(apps): Of<Apps>, Caller(user): Caller) -> Json<Value> {
    let mut projects: Vec<Value> = Vec::new();
    for app in apps.visible(&user) {
        let project = project_of(&app);
        if !projects.contains(&project) {
            projects.push(project);
        }
    }
    Json(projects.into())
}

/// Everybody who published an app that the caller may see, once.
async fn publishers_of_apps(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Json<Value> {
    let mut publishers: Vec<Value> = Vec::new();
    for app in apps.visible(&user) {
        let publisher = user_of(&app.publisher);
        let is_wanted = |id: &str| app.project.id == id;
        if parameters.text("projectId").is_none_or(is_wanted) && !publishers.contains(&publisher) {
            publishers.push(publisher);
        }
    }
    Json(publishers.into())
}
