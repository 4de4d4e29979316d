//! The instances of an app in `/v4/modelProducts`, where they are called versions.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::app::App;
use super::instance::Instance;
use super::log::LogDialect;
use super::store::Apps;
use super::version::{AppVersion, AppVersionSpec};
use crate::reply::{Answer, Failure, Put};
use crate::request::{Id, Of, Parameters, object_id};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Apps>> {
    let instance = "/v4/modelProducts/apps/versions/{instance_id}";
    Router::new()
        .route("/v4/modelProducts/{id}/versions", get(list))
        .route(instance, get(one))
        .route(&format!("{instance}/logs"), get(logs))
        .route(&format!("{instance}/realTimeLogs"), get(logs))
}

/// Newest first.
async fn list(State(apps): Of<Apps>, Caller(user): Caller, Path(id): Id) -> Answer {
    let app = apps.seen_by(&user, &id)?;
    let newest_first = app.instances().into_iter().rev();
    let instances: Vec<Value> = newest_first
        .map(|(_, instance)| {
            let until = instance.completed().unwrap_or_else(|| apps.host.now());
            json!({
                "id": instance.id,
                "started": instance.created.milliseconds(),
                "duration": until.milliseconds_since(instance.created),
                "publishingUserId": instance.started_by.id,
                "publishingUsername": instance.started_by.name,
                "status": instance.reported_status(),
                "goalIds": [],
            })
        })
        .collect();
    Ok(Json(instances.into()))
}

/// An instance with what it belongs to.
struct InstanceOfApp {
    app: Arc<App>,
    version: Arc<AppVersion>,
    instance: Arc<Instance>,
}

/// The instance with this id, wherever it is, if `user` may see its app.
fn seen_by(apps: &Apps, user: &User, id: &str) -> Result<InstanceOfApp, Failure> {
    object_id("appInstanceId", id)?;
    for app in apps.visible(user) {
        for (version, instance) in app.instances() {
            if instance.id == id {
                return Ok(InstanceOfApp {
                    app,
                    version,
                    instance,
                });
            }
        }
    }
    Err(Failure::not_found(format!(
        "App instance {id} was not found"
    )))
}

async fn one(State(apps): Of<Apps>, Caller(user): Caller, Path(id): Id) -> Answer {
    let InstanceOfApp {
        app,
        version,
        instance,
    } = seen_by(&apps, &user, &id)?;
    let repository = &app.project.repository;
    let mut main_repository = json!({
        "id": repository.id,
        "linkText": repository.name,
        "fullUrl": repository.uri,
    });
    main_repository.put("commit", instance.commit());
    Ok(Json(json!({
        "id": instance.id,
        "started": instance.created.milliseconds(),
        "inputCommitId": version.spec.dfs_commit_id.as_ref().unwrap_or(&app.project.commit_id),
        "resourceUsage": { "data": [] },
        "hardwareTierName": instance.hardware_tier.name,
        "environmentDetails": {
            "environmentRevisionId": version.revision.id,
            "environmentName": version.environment.name,
            "revisionNumber": version.revision.number,
        },
        "externalVolumeMounts": external_volumes(&version.spec),
        "netAppVolumeMounts": net_app_volumes(&version.spec),
        "appCodeInfo": { "mainRepo": main_repository, "importedGitRepos": [] },
        "status": instance.reported_status(),
    })))
}

/// The volumes themselves do not exist here; a start lists the requested ones.
fn external_volumes(spec: &AppVersionSpec) -> Vec<Value> {
    let ids = spec.external_volume_mount_ids.iter();
    ids.map(|id| {
        let mount = json!({ "mountPath": format!("/mnt/{id}"), "readOnly": false });
        json!({ "id": id, "name": id, "mount": mount })
    })
    .collect()
}

fn net_app_volumes(spec: &AppVersionSpec) -> Vec<Value> {
    let ids = spec.net_app_volume_ids.iter();
    ids.map(|id| json!({ "pvcName": id, "volumeId": id, "volumeName": id }))
        .collect()
}

async fn logs(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let found = seen_by(&apps, &user, &id)?;
    LogDialect::V4.log(&found.instance, &parameters)
}
