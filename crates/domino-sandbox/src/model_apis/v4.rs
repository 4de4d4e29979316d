//! Model APIs in the API of Domino's own pages: the models of a project, the logs of builds, what a version was built
//! from, and the status of a deployment, in one place in lower case. Only this API can start a version again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::logs::lines;
use super::model_api::ModelApi;
use super::status::Status;
use super::store::ModelApis;
use super::version::Source;
use crate::log::LineFilter;
use crate::reply::{Answer, Put};
use crate::request::{Id, Ids, Of, Parameters};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    let manager = |path: &str| format!("/v4/modelManager/{path}");
    let deployment = |path: &str| format!("/v4/models/{{id}}/{{version_id}}/{path}");
    let log = |name: &str| manager(&format!("{name}/{{id}}/{{version_id}}"));
    let details = manager("{id}/getModelReproductionDetails");
    let status = deployment("getModelDeploymentStatus");
    let start = deployment("startModelDeployment");
    let stop = deployment("stopModelDeployment");
    Router::new()
        .route(&manager("getModels"), get(models))
        .route(&log("getBuildLogs"), get(build_logs))
        .route(&log("getBuildLogsV2"), get(build_logs_v2))
        .route(&log("getInstanceLogs"), get(instance_logs))
        .route(&status, get(deployment_status))
        .route(&start, post(start_deployment))
        .route(&stop, post(stop_deployment))
        .route(&details, get(reproduction_details))
        .route("/models/{id}/activeStatus", get(active_status))
}

fn v4(api: &ModelApi) -> Value {
    let settings = api.settings();
    let mut json = json!({
        "id": api.id,
        "name": settings.name,
        "description": settings.description,
        "lastModified": api.modified().milliseconds(),
        "projectId": api.project.id,
        "projectName": api.project.name(),
        "projectOwnerUsername": api.project.owner,
        "owners": [{
            "id": api.created_by.id,
            "username": api.created_by.name,
            "fullName": api.created_by.name,
        }],
        "isAsync": api.is_async,
    });
    json.put("bundleId", api.details.lock().bundle_id.as_deref());
    if let Some(active) = api.active() {
        json["activeVersion"] = match &active.spec.source {
            Source::File { file, function, .. } => json!({
                "id": active.id,
                "file": { "canonicalizedPathString": file, "separator": "/" },
                "function": function,
            }),
            Source::Registered { model, version } => json!({
                "id": active.id,
                "registeredModelName": model,
                "registeredModelVersion": version,
            }),
        };
        json["activeVersionNumber"] = active.number.into();
        json["activeModelVersionId"] = active.id.as_str().into();
        json["activeVersionDataPlaneId"] = active.data_plane.id.as_str().into();
        json["activeVersionStatus"] = active.reported_status().into();
    }
    json
}

async fn models(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let project = apis
        .catalog
        .projects
        .seen_by(&user, parameters.required("projectId")?)?;
    let all = apis.unarchived();
    let of_project = all
        .iter()
        .filter(|api| api.project.id == project.id && api.is_seen_by(&user));
    Ok(Json(of_project.map(|api| v4(api)).collect()))
}

/// The log as one text, in a list of one.
async fn build_logs(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
    parameters: Parameters,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    let after = parameters.number("sinceTimeNano", 0)?;
    let page = version
        .build_log
        .page(LineFilter::All, after, 0, usize::MAX, 0);
    let text: String = page
        .lines
        .iter()
        .map(|line| format!("{}\n", line.text))
        .collect();
    Ok(Json(json!([{
        "modelId": id,
        "modelVersionId": version_id,
        "status": version.build().word(),
        "logs": text,
    }])))
}

/// The log line by line, in a list of one.
async fn build_logs_v2(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
    parameters: Parameters,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    Ok(Json(json!([{
        "modelId": id,
        "modelVersionId": version_id,
        "status": version.build().word(),
        "logs": lines(&version.build_log, &parameters, usize::MAX)?,
    }])))
}

async fn instance_logs(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
    parameters: Parameters,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    let most = parameters.size("maxResults", 1000)?;
    Ok(Json(json!([{
        "modelId": id,
        "modelVersionId": version_id,
        "maxResults": most,
        "logs": lines(&version.instance_log, &parameters, most)?,
    }])))
}

async fn deployment_status(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    Ok(Json(
        json!({ "status": version.reported_status().to_lowercase() }),
    ))
}

/// Starts a version again that served before.
async fn start_deployment(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    apis.start(&apis.seen_by(&user, &id)?, &version)?;
    Ok(Json(json!([{
        "modelId": id,
        "modelVersionId": version_id,
        "status": version.status().word().to_lowercase(),
    }])))
}

/// Stops a version. It stays the active one, and no other takes its place.
async fn stop_deployment(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    version.stop();
    Ok(Json(json!([{
        "modelId": id,
        "modelVersionId": version_id,
        "status": version.status().word().to_lowercase(),
    }])))
}

/// From what each version can be reproduced. A registered model has no code from the repository.
async fn reproduction_details(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path(id): Id,
) -> Answer {
    let api = apis.seen_by(&user, &id)?;
    let versions = api.versions();
    let details = versions.iter().map(|version| {
        let repository = &version.project.repository;
        let commits: Vec<Value> = version
            .commit
            .iter()
            .map(|commit| {
                json!({
                    "repoId": repository.id,
                    "repoName": repository.name,
                    "commitId": commit,
                    "isMainRepo": true,
                })
            })
            .collect();
        json!({
            "modelId": api.id,
            "modelVersionId": version.id,
            "versionNumber": version.number,
            "projectId": version.project.id,
            "projectName": version.project.name(),
            "projectOwnerName": version.project.owner,
            "isGitBasedProject": true,
            "dfsCommitId": version.project.commit_id,
            "gitRepoCommits": commits,
            "canBeReproduced": true,
            "envId": version.environment.id,
            "envName": version.environment.name,
            "envRevisionNumber": version.revision.number,
            "requestedUserId": user.id,
            "status": match version.status() {
                Status::Running => "running",
                Status::Failed => "failed",
                Status::Stopped => "not_running",
                _ => "starting",
            },
        })
    });
    Ok(Json(details.collect()))
}

/// The status of the version that answers, or of the newest one while none does.
async fn active_status(State(apis): Of<ModelApis>, Caller(user): Caller, Path(id): Id) -> Answer {
    let api = apis.seen_by(&user, &id)?;
    let version = api.active().or_else(|| api.versions().last().cloned());
    let (status, failure) = match &version {
        Some(version) => (version.reported_status(), version.failure()),
        None => ("Stopped".to_owned(), None),
    };
    Ok(Json(json!({
        "status": status,
        "lastOperation": {
            "isFailure": failure.is_some(),
            "longStateDescription": failure.unwrap_or(status),
        },
    })))
}
