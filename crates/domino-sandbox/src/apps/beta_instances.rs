//! The versions of an app and their instances in `/api/apps/beta`. v1 has no instances of its own, so they are read
//! and stopped here on 6.4 too.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::beta::{Beta, instance_of};
use super::generation::{Generation, create_version, one_version, versions, whole_list};
use super::instance::Instance;
use super::log::LogDialect;
use super::store::Apps;
use crate::reply::{Answer, Failure};
use crate::request::{Fields, Ids, Of, Parameters};
use crate::run_status::RunStatus;
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Apps>> {
    let all = "/api/apps/beta/apps/{app_id}/versions";
    let version = format!("{all}/{{version_id}}");
    let instance = format!("{version}/instances/{{instance_id}}");
    Router::new()
        .route(all, get(versions::<Beta>).post(create_version::<Beta>))
        .route(&version, get(one_version::<Beta>).patch(update))
        .route(&format!("{version}/instances"), get(instances))
        .route(&instance, get(one_instance).delete(stop))
        .route(&format!("{instance}/logs"), get(logs))
        .route(&format!("{instance}/realTimeLogs"), get(logs))
}

/// beta can change nothing of a version except the vanity URL.
async fn update(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path((app_id, version_id)): Ids,
    mut fields: Fields,
) -> Answer {
    let vanity_url = fields.optional_text("vanityUrl");
    fields.finish()?;
    let app = apps.seen_by(&user, &app_id)?;
    let version = app.version(&version_id)?;
    if let Some(url) = vanity_url {
        apps.move_to(&app, &version, url)?;
    }
    Ok(Json(Beta::version(&apps, &app, &version)))
}

/// Newest first.
async fn instances(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    Path((app_id, version_id)): Ids,
) -> Answer {
    let app = apps.seen_by(&user, &app_id)?;
    let newest_first = app.version(&version_id)?.instances().into_iter().rev();
    let items = newest_first.map(|instance| instance_of(&instance));
    Ok(whole_list(items.collect()))
}

type InstancePath = Path<(String, String, String)>;

fn seen_by(
    apps: &Apps,
    user: &User,
    Path((app_id, version_id, instance_id)): InstancePath,
) -> Result<Arc<Instance>, Failure> {
    let app = apps.seen_by(user, &app_id)?;
    app.version(&version_id)?.instance(&instance_id)
}

async fn one_instance(State(apps): Of<Apps>, Caller(user): Caller, path: InstancePath) -> Answer {
    let instance = seen_by(&apps, &user, path)?;
    let mut json = instance_of(&instance);
    json["resourceUsage"] = json!([]);
    if instance.status() == RunStatus::Running {
        json["autoscalingInfo"] = json!({ "readyReplicas": 1 });
    }
    Ok(Json(json))
}

/// Deleting an instance is how beta stops it. One that has ended stays unchanged.
async fn stop(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    path: InstancePath,
) -> Result<(), Failure> {
    seen_by(&apps, &user, path)?.stop();
    Ok(())
}

async fn logs(
    State(apps): Of<Apps>,
    Caller(user): Caller,
    path: InstancePath,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let instance = seen_by(&apps, &user, path)?;
    LogDialect::Beta.log(&instance, &parameters)
}
