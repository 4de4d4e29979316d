//! Apps in `/v4/modelProducts`, on every version: no versions, only one start after the other. A new app is sent in
//! full with placeholders; a start and a stop answer a bare JSON string, the id of the app.
//!
//! Starting what runs is refused. Starting what is about to stop waits for that, so that the official client can stop
//! and start without waiting itself.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::access::{Access, Visibility};
use super::app::{App, Facts};
use super::generation::{AppSpelling, at_vanity_url, one};
use super::run::Replacing;
use super::store::Apps;
use super::version::AppVersionSpec;
use crate::git_ref::GitRef;
use crate::reply::{Answer, Failure, Put};
use crate::request::{Fields, Id, Of, Parameters};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<Apps>> {
    let vanity_path = "/v4/modelProducts/vanityUrl/{vanity_url}";
    Router::new()
        .route("/v4/modelProducts", get(list).post(create))
        .route("/v4/modelProducts/isRunnable", get(is_runnable))
        .route(vanity_path, get(at_vanity_url::<V4>))
        .route("/v4/modelProducts/{id}", get(one::<V4>))
        .route("/v4/modelProducts/{id}/start", post(start))
        .route("/v4/modelProducts/{id}/stop", post(stop))
        .route("/v4/modelProducts/{id}/visibility", post(set_visibility))
}

/// The spelling of `/v4`.
struct V4;

impl AppSpelling for V4 {
    fn app(apps: &Apps, app: &App) -> Value {
        let facts = app.facts();
        let latest = app.latest_instance();
        let version = app.current_version();
        let environment_id = version
            .as_ref()
            .map(|version| version.environment.id.clone());
        let environment_id = environment_id.or(facts.environment_id);
        let hardware_tier_id = version.as_ref().map(|version| version.hardware_tier_id());
        let hardware_tier_id = hardware_tier_id.or(facts.hardware_tier_id);
        let mut json = json!({
            "modelProductType": "APP",
            "projectId": app.project.id,
            "name": facts.name,
            "description": facts.description,
            "entryPoint": app.entry_point(),
            "renderIFrame": facts.render_iframe,
            "publisher": app.publisher.person(),
            "created": app.created.rfc3339(),
            "lastUpdated": app.updated().rfc3339(),
            "status": latest.as_ref().map_or(String::new(), |latest| latest.reported_status()),
            "media": [],
            "openUrl": format!("{}{}", apps.host.url, app.page()),
            "projectUrl": format!("/u/{}/{}/overview", app.project.owner, app.project.name()),
            "tags": [],
            "stats": { "usageCount": app.views().len() },
            "appExtension": { "appType": "" },
            "id": app.id,
            "mountDatasets": facts.mount_datasets,
            "mountNetAppVolumes": facts.mount_net_app_volumes,
            "permissionsData": {
                "visibility": facts.access.visibility.word(),
                "accessRequestStatuses": facts.access.statuses.iter().cloned().collect::<Value>(),
                "pendingInvitations": [],
                "discoverable": facts.access.is_discoverable,
                "appAccessStatus": "ALLOWED",
            },
            "goalIds": [],
        });
        json.put("vanityUrl", facts.vanity_url);
        json.put("environmentId", environment_id);
        json.put("hardwareTierId", hardware_tier_id);
        json.put(
            "latestAppInstanceId",
            latest.map(|latest| latest.id.clone()),
        );
        if app.serving().is_some() {
            json["runningAppUrl"] = format!("{}{}/", apps.host.url, app.path()).into();
            // A commit of Domino's own file system, in which a git-based project has no code.
            json["runningCommitId"] = app.project.commit_id.as_str().into();
        }
        json
    }
}

async fn list(State(apps): Of<Apps>, Caller(user): Caller, parameters: Parameters) -> Answer {
    if let Some(project_id) = parameters.text("projectId") {
        apps.catalog.projects.seen_by(&user, project_id)?;
    }
    // Reports, batches and scorers are older than jobs; the sandbox does not have them.
    let are_apps = parameters.text("type").is_none_or(|kind| kind == "APP");
    let listed = apps.visible(&user).into_iter().filter(|app| {
        let project_id = parameters.text("projectId");
        are_apps && project_id.is_none_or(|id| app.project.id == id)
    });
    Ok(Json(listed.map(|app| V4::app(&apps, &app)).collect()))
}

/// Accepts a whole app, of which most is placeholders: the id is replaced, and the times may be numbers.
async fn create(State(apps): Of<Apps>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let kind = fields.text("modelProductType");
    let project_id = fields.text("projectId");
    for name in ["created", "lastUpdated"] {
        match fields.optional_value(name) {
            Some(Value::String(_) | Value::Number(_)) => {}
            Some(_) => fields.complain(name, "error.expected.date.isoformat"),
            None => fields.complain(name, "error.path.missing"),
        }
    }
    for name in ["status", "id"] {
        fields.text(name);
    }
    for name in ["media", "tags"] {
        fields.texts(name);
    }
    for name in ["stats", "permissionsData"] {
        fields.object(name, |_| ());
    }
    let access = fields.optional_object("permissionsData", |inner| Access {
        visibility: Visibility::field(inner, "visibility"),
        is_discoverable: inner.flag("discoverable"),
        statuses: Vec::new(),
    });
    let facts = Facts {
        name: fields.text("name"),
        description: fields.optional_text("description"),
        entry_point: fields.optional_text("entryPoint"),
        vanity_url: fields.optional_text("vanityUrl"),
        access: access.unwrap_or_default(),
        configuration_type: None,
        render_iframe: fields.is_set("renderIFrame"),
        mount_datasets: fields.is_set("mountDatasets"),
        mount_net_app_volumes: fields.is_set("mountNetAppVolumes"),
        thumbnail: None,
        environment_id: fields.optional_text("environmentId"),
        hardware_tier_id: fields.optional_text("hardwareTierId"),
    };
    fields.finish()?;
    if kind != "APP" {
        return Err(Failure::bad_request(format!(
            "Model products of the type {kind} are not available on this deployment"
        )));
    }
    let project = apps.catalog.projects.seen_by(&user, &project_id)?;
    apps.catalog
        .environments
        .for_run(facts.environment_id.as_deref())?;
    apps.catalog
        .hardware_tiers
        .for_run(facts.hardware_tier_id.as_deref())?;
    let app = apps.create(&user, &project, facts)?;
    Ok(Json(V4::app(&apps, &app)))
}

/// Each start is a version of its own. Fields that are left out stay as at the last start.
async fn start(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let mut spec = AppVersionSpec {
        environment_id: fields.optional_text("environmentId"),
        hardware_tier_id: fields.optional_text("hardwareTierId"),
        git_ref: GitRef::v4_field(&mut fields, "mainRepoGitRef"),
        dfs_commit_id: fields.optional_text("commitId"),
        bundle_id: fields.optional_text("bundleId"),
        external_volume_mount_ids: fields.texts_if_any("externalVolumeMountIds"),
        net_app_volume_ids: fields.texts_if_any("netAppVolumeIds"),
        ..AppVersionSpec::default()
    };
    fields.finish()?;
    let app = apps.seen_by(&user, &id)?;
    if app.active().iter().any(|instance| !instance.is_stopping()) {
        return Err(Failure::bad_request(format!("App {id} is already running")));
    }
    let facts = app.facts();
    let last = app.current_version();
    let last_environment = last.as_ref().map(|last| last.environment.id.clone());
    let last_tier = last.as_ref().map(|last| last.hardware_tier_id());
    spec.environment_id = spec
        .environment_id
        .or(last_environment)
        .or(facts.environment_id);
    spec.hardware_tier_id = spec
        .hardware_tier_id
        .or(last_tier)
        .or(facts.hardware_tier_id);
    apps.catalog
        .hardware_tiers
        .for_run(spec.hardware_tier_id.as_deref())?;
    apps.check_gate(spec.bundle_id.as_deref())?;
    let version = apps.add_version(&app, &user, spec)?;
    apps.launch(&app, &version, &user, Replacing::StopFirst)?;
    Ok(Json(app.id.as_str().into()))
}

/// Stops what runs; an app that does not run stays unchanged. With `force`, a stop that hangs ends.
async fn stop(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Answer {
    let app = apps.seen_by(&user, &id)?;
    let is_forced = parameters.flag("force")?;
    for instance in app.active() {
        instance.stop();
        if is_forced {
            instance.forced.notify_one();
        }
    }
    Ok(Json(app.id.as_str().into()))
}

async fn set_visibility(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let visibility = Visibility::field(&mut fields, "visibility");
    fields.finish()?;
    let app = apps.seen_by(&user, &id)?;
    app.change(apps.host.now(), |facts| {
        facts.access.visibility = visibility
    });
    Ok(Json(app.id.as_str().into()))
}

/// Whether a project can have apps, which every project here can.
async fn is_runnable(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    apps.catalog
        .projects
        .seen_by(&user, parameters.required("projectId")?)?;
    let is_runnable = parameters.required("type")? == "APP";
    Ok(Json(json!({ "isRunnable": is_runnable })))
}
