//! The versions of an app and their instances as `/api/apps/beta` has them. v1 keeps no instances
//! of its own, so that this is where they are read and stopped on 6.4 too.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Apps;
use super::beta::{publish, read_version, user_of};
use super::instance::Instance;
use super::log::Generation;
use super::version::AppVersion;
use crate::domino::Domino;
use crate::git_ref::GitRef;
use crate::jobs::Status;
use crate::reply::{Answer, Failure, Slice, page};
use crate::request::{Fields, Parameters};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Domino>> {
    let versions = "/api/apps/beta/apps/{app_id}/versions";
    let version = format!("{versions}/{{version_id}}");
    let instance = format!("{version}/instances/{{instance_id}}");
    Router::new()
        .route(versions, get(list).post(create))
        .route(&version, get(one).patch(update))
        .route(&format!("{version}/instances"), get(instances))
        .route(&instance, get(one_instance).delete(stop))
        .route(&format!("{instance}/logs"), get(logs))
        .route(&format!("{instance}/realTimeLogs"), get(logs))
}

/// A version in the words of beta.
pub(super) fn version_of(version: &AppVersion) -> Value {
    let details = version.details();
    let mut json = json!({
        "id": version.id,
        "environmentId": version.environment.id,
        "environmentRevisionId": version.revision.id,
        "hardwareTierId": details.hardware_tier_id,
        "gitRef": version.git_ref.clone().unwrap_or_else(GitRef::head).v4(),
        "externalVolumeMountIds": version.external_volume_mount_ids,
        "netAppVolumeIds": version.net_app_volume_ids,
        "createdAt": version.created.milliseconds(),
        "updatedAt": details.updated.milliseconds(),
        "publisher": user_of(&version.publisher),
        "tags": details.tags,
        "extendedIdentityPropagationToAppsEnabled": version.propagates_identity,
    });
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            json[key] = value;
        }
    };
    set(
        "dfsCommitId",
        version.dfs_commit_id.clone().map(Value::from),
    );
    set("entryScript", version.entry_script.clone().map(Value::from));
    set("autoscalingSpecification", details.autoscaling);
    set("bundleId", details.bundle_id.map(Value::from));
    set("vanityUrl", details.vanity_url.map(Value::from));
    let instance = version.current_instance();
    set(
        "currentInstance",
        instance.map(|instance| instance_of(&instance)),
    );
    json
}

/// An instance in the words of beta.
fn instance_of(instance: &Instance) -> Value {
    json!({
        "id": instance.id,
        "status": instance.shown_status(),
        "createdAt": instance.created.milliseconds(),
    })
}

/// A list that is never cut into pages.
pub(super) fn whole(items: Vec<Value>) -> Json<Value> {
    let total = items.len();
    let slice = Slice {
        offset: 0,
        limit: total,
        total,
    };
    page("items", items, slice)
}

/// Newest first.
async fn list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(app_id): Path<String>,
) -> Answer {
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let newest_first = app.versions().into_iter().rev();
    let items = newest_first.map(|version| version_of(&version));
    Ok(whole(items.collect()))
}

/// Makes a version and starts it.
async fn create(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(app_id): Path<String>,
    mut fields: Fields,
) -> Answer {
    let wish = read_version(&mut fields);
    fields.finish()?;
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let version = publish(&domino, &app, &user, wish)?;
    Ok(Json(version_of(&version)))
}

async fn one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((app_id, version_id)): Path<(String, String)>,
) -> Answer {
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    Ok(Json(version_of(&*app.version(&version_id)?)))
}

/// The vanity URL is all of a version that beta can change.
async fn update(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((app_id, version_id)): Path<(String, String)>,
    mut fields: Fields,
) -> Answer {
    let vanity_url = fields.optional_text("vanityUrl");
    fields.finish()?;
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let version = app.version(&version_id)?;
    if let Some(url) = vanity_url {
        domino.apps.free_vanity_url(&url, Some(&app))?;
        let now = domino.now();
        app.change(now, |facts| facts.vanity_url = Some(url.clone()));
        version.change(now, |details| details.vanity_url = Some(url));
    }
    Ok(Json(version_of(&version)))
}

/// Newest first.
async fn instances(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((app_id, version_id)): Path<(String, String)>,
) -> Answer {
    let app = Apps::seen_by(&domino, &user, &app_id)?;
    let newest_first = app.version(&version_id)?.instances().into_iter().rev();
    let items = newest_first.map(|instance| instance_of(&instance));
    Ok(whole(items.collect()))
}

type InstancePath = Path<(String, String, String)>;

fn seen_by(
    domino: &Domino,
    user: &User,
    Path((app_id, version_id, instance_id)): InstancePath,
) -> Result<Arc<Instance>, Failure> {
    let app = Apps::seen_by(domino, user, &app_id)?;
    app.version(&version_id)?.instance(&instance_id)
}

async fn one_instance(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    path: InstancePath,
) -> Answer {
    let instance = seen_by(&domino, &user, path)?;
    let mut json = instance_of(&instance);
    json["resourceUsage"] = json!([]);
    if instance.status() == Status::Running {
        json["autoscalingInfo"] = json!({ "readyReplicas": 1 });
    }
    Ok(Json(json))
}

/// Deleting an instance is how beta stops it. One that has ended stays as it is.
async fn stop(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    path: InstancePath,
) -> Result<(), Failure> {
    seen_by(&domino, &user, path)?.stop();
    Ok(())
}

async fn logs(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    path: InstancePath,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let instance = seen_by(&domino, &user, path)?;
    Generation::Beta.log(&instance, &parameters)
}
