//! Model APIs in the oldest API, under `/v1/models`, the only one that older Dominos have. A new model is known by
//! `_id` under `data`, a new version is bare, and every version is deployed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::model_api::{ModelApi, ModelApiSpec};
use super::public::variables;
use super::settings::DEFAULT_REPLICAS;
use super::store::ModelApis;
use super::version::source;
use super::version::{ModelApiVersion, Source, VersionSpec};
use crate::reply::{Answer, Failure, Put, legacy_list};
use crate::request::{Fields, Id, Ids, Of};
use crate::users::Caller;

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    Router::new()
        .route("/v1/models", post(create))
        .route("/v1/projects/{owner}/{name}/models", get(list))
        .route(
            "/v1/models/{id}/versions",
            get(versions).post(create_version),
        )
}

fn model(api: &ModelApi, id: &str) -> Value {
    let settings = api.settings();
    let mut json = json!({
        id: api.id,
        "name": settings.name,
        "description": settings.description,
        "projectId": api.project.id,
        "environmentId": settings.environment.id,
        "replicaCount": settings.replicas,
        "isAsync": api.is_async,
        "created": api.created.milliseconds(),
        "lastModified": api.modified().milliseconds(),
    });
    json.put("hardwareTierId", settings.hardware_tier_id());
    if let Some(active) = api.active() {
        json["activeVersionId"] = active.id.as_str().into();
        json["activeVersionNumber"] = active.number.into();
    }
    json
}

fn version_json(version: &ModelApiVersion) -> Value {
    let mut json = json!({
        "_id": version.id,
        "id": version.id,
        "modelId": version.api_id,
        "number": version.number,
        "description": version.spec.description,
        "projectId": version.project.id,
        "commitId": version.commit_id(),
        "created": version.created.milliseconds(),
        "logHttpRequestResponse": version.spec.log_requests,
        "deploymentStatus": version.reported_status(),
    });
    if let (Value::Object(json), Value::Object(mut source)) =
        (&mut json, source(&version.spec.source))
    {
        source.remove("type");
        json.append(&mut source);
    }
    json
}

/// Reads what a version is to be, from a file or from the registry. The number of a registered
/// version may be a text here.
fn version_spec(fields: &mut Fields) -> Option<VersionSpec> {
    let project_id = fields.text("projectId");
    let source = match fields.optional_text("registeredModelName") {
        Some(model) => {
            let version = match fields.optional_value("registeredModelVersion") {
                Some(Value::String(text)) => text.parse().ok(),
                Some(value) => value.as_u64(),
                None => None,
            };
            if version.is_none() {
                fields.complain("registeredModelVersion", "error.expected.jsnumber");
            }
            Source::Registered {
                model,
                version: version?,
            }
        }
        None => Source::File {
            file: fields.text("file"),
            function: fields.text("function"),
            excluded: fields.texts_if_any("excludeFiles"),
        },
    };
    Some(VersionSpec {
        project_id,
        source,
        description: fields.optional_text("description"),
        // An empty one means the project's own.
        environment_id: fields
            .optional_text("environmentId")
            .filter(|id| !id.is_empty()),
        commit_id: None,
        should_deploy: true,
        log_requests: fields.is_set("logHttpRequestResponse"),
        monitoring: false,
        record_invocation: false,
        prediction_dataset: None,
    })
}

async fn create(State(apis): Of<ModelApis>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let name = fields.text("name");
    let description = fields.optional_text("description").unwrap_or_default();
    let environment_variables = variables(&mut fields, "environmentVariables");
    let hardware_tier_id = fields.optional_text("hardwareTierId");
    let replicas = fields
        .optional_number("replicaCount")
        .unwrap_or(DEFAULT_REPLICAS);
    let is_async = fields.is_set("isAsync");
    let strict = fields.optional_flag("strictNodeAntiAffinity");
    let version = version_spec(&mut fields);
    fields.finish()?;
    let version = version.ok_or_else(|| Failure::bad_request("The source is missing"))?;
    let spec = ModelApiSpec {
        routing_mode: apis.routing_of(&name),
        name,
        description,
        environment_id: version.environment_id.clone(),
        environment_variables: environment_variables.unwrap_or_default(),
        hardware_tier_id,
        replicas,
        is_async,
        strict_node_anti_affinity: strict.unwrap_or(false),
        bundle_id: None,
        version,
    };
    let api = apis.create(&user, spec).await?;
    Ok(Json(json!({
        "objectType": "model",
        "url": format!("/v1/models/{}", api.id),
        "data": model(&api, "_id"),
    })))
}

async fn list(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((owner, name)): Ids,
) -> Answer {
    let project = apis.catalog.projects.named_seen_by(&user, &owner, &name)?;
    let all = apis.unarchived();
    let of_project = all
        .iter()
        .filter(|api| api.project.id == project.id && api.is_seen_by(&user));
    let data: Vec<Value> = of_project.map(|api| model(api, "id")).collect();
    let url = format!("/v1/projects/{owner}/{name}/models");
    Ok(legacy_list(&url, data))
}

async fn versions(State(apis): Of<ModelApis>, Caller(user): Caller, Path(id): Id) -> Answer {
    let api = apis.seen_by(&user, &id)?;
    let newest_first = api.versions().into_iter().rev();
    let data: Vec<Value> = newest_first.map(|version| version_json(&version)).collect();
    let url = format!("/v1/models/{id}/versions");
    Ok(legacy_list(&url, data))
}

async fn create_version(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let api = apis.edited_by(&user, &id)?;
    let spec = version_spec(&mut fields);
    fields.finish()?;
    let spec = spec.ok_or_else(|| Failure::bad_request("The source is missing"))?;
    let version = apis.create_version(&user, &api, spec).await?;
    Ok(Json(version_json(&version)))
}
