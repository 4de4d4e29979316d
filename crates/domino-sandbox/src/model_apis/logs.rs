//! The logs of versions in the public API: of the build, of the process, and of exports, which
//! there are none of.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::public::APIS;
use super::store::ModelApis;
use crate::log::{Kind, Line, LineFilter, Log};
use crate::reply::{Answer, Failure, Put};
use crate::request::{Ids, Of, Parameters};
use crate::users::Caller;

/// The most lines of a log that one reply has.
const LIMIT: usize = 10_000;

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    let version = format!("{APIS}/{{id}}/versions/{{version_id}}");
    Router::new()
        .route(&format!("{version}/buildLogs"), get(build_logs))
        .route(&format!("{version}/instanceLogs"), get(instance_logs))
        .route(&format!("{version}/exportLogs"), get(export_logs))
}

/// The lines of `log` after the moment that `parameters` name.
pub(super) fn lines(log: &Log, parameters: &Parameters, most: usize) -> Result<Value, Failure> {
    let after = parameters.number("sinceTimeNano", 0)?;
    let page = log.page(LineFilter::All, after, 0, most, 0);
    Ok(page.lines.iter().map(line).collect())
}

fn line(line: &Line) -> Value {
    json!({
        "log": line.text,
        "streamType": match line.kind {
            Kind::Stderr => "stderr",
            Kind::Prepare | Kind::Stdout => "stdout",
        },
        "tags": [],
        "timeNano": line.at.nanoseconds(),
        "timestamp": line.at.milliseconds(),
    })
}

async fn build_logs(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
    parameters: Parameters,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    let mut json = json!({
        "modelId": id,
        "modelVersionId": version_id,
        "buildId": version.build_id,
        "status": version.build().word(),
        "logs": lines(&version.build_log, &parameters, LIMIT)?,
    });
    json.put("sinceTimeNano", parameters.text("sinceTimeNano"));
    Ok(Json(json))
}

async fn instance_logs(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
    parameters: Parameters,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    let most = parameters.size("maxResults", 1000)?.min(LIMIT);
    let mut json = json!({
        "modelId": id,
        "modelVersionId": version_id,
        "podName": format!("model-{version_id}"),
        "containerName": format!("model-{version_id}"),
        "maxResults": most,
        "logs": lines(&version.instance_log, &parameters, most)?,
    });
    json.put("sinceTimeNano", parameters.text("sinceTimeNano"));
    Ok(Json(json))
}

/// Nothing is ever exported here.
async fn export_logs(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
) -> Answer {
    apis.version_seen_by(&user, &id, &version_id)?;
    Ok(Json(json!({
        "modelId": id,
        "modelVersionId": version_id,
        "status": "not_triggered",
        "logs": [],
    })))
}
