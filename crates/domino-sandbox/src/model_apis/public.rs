//! Model APIs as the public API has them, under `/api/modelServing/v1`: single objects as they are,
//! lists under `items`, versions in a bare list, 201 for what is new.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use regex::RegexBuilder;
use serde_json::{Value, json};

use super::model_api::{ModelApi, ModelApiSpec};
use super::settings::DEFAULT_REPLICAS;
use super::store::ModelApis;
use super::version::source;
use super::version::{ModelApiVersion, Source, VersionSpec};
use crate::reply::{Answer, Failure, Put, Slice, page};
use crate::request::{Fields, Id, Ids, Of, Parameters};
use crate::users::Caller;

pub(super) const APIS: &str = "/api/modelServing/v1/modelApis";

pub(super) fn routes() -> Router<Arc<ModelApis>> {
    let version = format!("{APIS}/{{id}}/versions/{{version_id}}");
    Router::new()
        .route(APIS, get(list).post(create))
        .route(
            &format!("{APIS}/{{id}}"),
            get(one).put(change).delete(archive),
        )
        .route(
            &format!("{APIS}/{{id}}/versions"),
            get(versions).post(create_version),
        )
        .route(&version, get(one_version))
        .route(
            &format!("{version}/productionLabel"),
            put(label_for_production),
        )
}

/// A model API in the words of the public API.
fn public(api: &ModelApi) -> Value {
    let details = api.details.lock();
    let settings = &details.settings;
    let collaborators = details.collaborators.iter();
    let collaborators =
        collaborators.map(|(id, role)| json!({ "collaborator": id, "role": role.word() }));
    let mut json = json!({
        "id": api.id,
        "name": settings.name,
        "description": settings.description,
        "environmentId": settings.environment.id,
        "replicas": settings.replicas,
        "isAsync": api.is_async,
        "isArchived": details.is_archived,
        "routingMode": details.routing_mode,
        "strictNodeAntiAffinity": api.strict_node_anti_affinity,
        "volumes": [],
        "healthCheck": {
            "initialDelaySeconds": 60,
            "periodSeconds": 10,
            "timeoutSeconds": 1,
            "failureThreshold": 3,
        },
        "metadata": {
            "created": api.created.milliseconds(),
            "createdBy": api.created_by.id,
            "lastModified": details.modified.milliseconds(),
        },
        "collaborators": collaborators.collect::<Vec<_>>(),
        "access": {
            "isPublic": false,
            "accessTokens": [{
                "id": api.token_id,
                "name": "default",
                "created": api.created.milliseconds(),
                "createdBy": api.created_by.id,
                "lastGenerated": api.created.milliseconds(),
                "lastGeneratedBy": api.created_by.id,
            }],
        },
    });
    json.put("hardwareTierId", settings.hardware_tier_id());
    json.put("bundleId", details.bundle_id.as_deref());
    json.put("resourceQuotaId", settings.resource_quota_id.as_deref());
    if let Some(active) = &details.active {
        json["activeVersion"] = json!({
            "id": active.id,
            "number": active.number,
            "dataPlaneId": active.data_plane.id,
        });
        json["activeVersion"].put("deployment", active.deployment());
    }
    json
}

/// A version in the words of the public API.
fn public_version(api: &ModelApi, version: &ModelApiVersion) -> Value {
    let spec = &version.spec;
    let mut json = json!({
        "id": version.id,
        "modelApiId": version.api_id,
        "number": version.number,
        "projectId": version.project.id,
        "commitId": version.commit_id(),
        "environmentRevisionId": version.revision.id,
        "dataPlaneId": version.data_plane.id,
        "source": source(&spec.source),
        "labels": api.labels(version),
        "metadata": {
            "created": version.created.milliseconds(),
            "createdBy": version.created_by.id,
        },
        "monitoringEnabled": spec.monitoring,
        "recordInvocation": spec.record_invocation,
        "logHttpRequestResponse": spec.log_requests,
    });
    json.put("description", spec.description.as_deref());
    let dataset = spec.prediction_dataset.as_deref();
    json.put("predictionDatasetResourceId", dataset);
    json["metadata"].put("summary", spec.description.as_deref());
    json.put("deployment", version.deployment());
    json
}

/// Reads what a version is to be. Who does not ask for its deployment gets only a build.
fn version_spec(fields: &mut Fields) -> Option<VersionSpec> {
    Some(VersionSpec {
        project_id: fields.text("projectId"),
        source: fields.object("source", source_field)?,
        description: fields.optional_text("description"),
        environment_id: fields.optional_text("environmentId"),
        commit_id: fields.optional_text("commitId"),
        should_deploy: fields.is_set("shouldDeploy"),
        log_requests: fields.flag("logHttpRequestResponse"),
        monitoring: fields.flag("monitoringEnabled"),
        record_invocation: fields.is_set("recordInvocation"),
        prediction_dataset: fields.optional_text("predictionDatasetResourceId"),
    })
}

fn source_field(fields: &mut Fields) -> Option<Source> {
    match fields.text("type").as_str() {
        "File" => Some(Source::File {
            file: fields.text("file"),
            function: fields.text("function"),
            excluded: fields.texts_if_any("excludeFiles"),
        }),
        "Registry" => Some(Source::Registered {
            model: fields.text("registeredModelName"),
            version: fields.number("registeredModelVersion"),
        }),
        "" => None,
        _ => {
            fields.complain("type", "error.expected.validenumvalue");
            None
        }
    }
}

/// Reads `[{key, value}]`.
pub(super) fn variables(fields: &mut Fields, name: &str) -> Option<Vec<(String, String)>> {
    let value = fields.optional_value(name)?;
    let pair = |value: &Value| {
        // The oldest API names it `name`.
        let key = value["key"].as_str().or_else(|| value["name"].as_str())?;
        Some((key.to_owned(), value["value"].as_str()?.to_owned()))
    };
    let read: Option<Vec<(String, String)>> = value
        .as_array()
        .and_then(|values| values.iter().map(pair).collect());
    if read.is_none() {
        fields.complain(name, "error.expected.jsarray");
    }
    read
}

async fn list(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let Some(project_id) = parameters.text("projectId") else {
        if !user.is_admin() {
            let text = "The current user is not allowed to list the model APIs of this access \
                        configuration";
            return Ok((StatusCode::FORBIDDEN, text).into_response());
        }
        return listed(apis.unarchived(), &parameters).map(IntoResponse::into_response);
    };
    let project = apis.catalog.projects.seen_by(&user, project_id)?;
    let mut of_project = apis.unarchived();
    of_project.retain(|api| api.project.id == project.id && api.is_seen_by(&user));
    listed(of_project, &parameters).map(IntoResponse::into_response)
}

/// One page of `apis`. Without an offset it starts at the 26th, as the specification has it.
fn listed(mut apis: Vec<Arc<ModelApi>>, parameters: &Parameters) -> Answer {
    let name = parameters.text("name").map(|pattern| {
        RegexBuilder::new(pattern)
            .size_limit(1 << 20)
            .build()
            .map_err(|_| Failure::bad_request(format!("`{pattern}` is not a regular expression")))
    });
    let name = name.transpose()?;
    let environment = parameters.text("environmentId");
    let model = parameters.text("registeredModelName");
    let number = parameters.number("registeredModelVersion", 0)?;
    apis.retain(|api| {
        let settings = api.settings();
        let serves = |version: &ModelApiVersion| match &version.spec.source {
            Source::Registered { model: of, version } => {
                model.is_none_or(|wanted| wanted == of) && (number == 0 || number == *version)
            }
            Source::File { .. } => false,
        };
        name.as_ref()
            .is_none_or(|name| name.is_match(&settings.name))
            && environment.is_none_or(|id| settings.environment.id == id)
            && ((model.is_none() && number == 0)
                || api.versions().iter().any(|version| serves(version)))
    });
    order(&mut apis, parameters.text("orderBy").unwrap_or_default());
    let slice = Slice::of(
        parameters.size("offset", 25)?,
        parameters.size("limit", 25)?,
        apis.len(),
    );
    let items = slice.cut(&apis).map(|api| public(api)).collect();
    Ok(page("items", items, slice))
}

/// Orders by `field [ASC|DESC]`; by their age when there is nothing to order by.
fn order(apis: &mut [Arc<ModelApi>], by: &str) {
    let mut words = by.split_whitespace();
    match words.next() {
        Some("name") => apis.sort_by_key(|api| api.settings().name),
        Some("lastModified") => apis.sort_by_key(|api| api.modified().nanoseconds()),
        _ => {}
    }
    if words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("desc"))
    {
        apis.reverse();
    }
}

async fn create(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Result<Response, Failure> {
    if fields.optional_value("environmentVariables").is_none() {
        fields.complain("environmentVariables", "error.path.missing");
    }
    let name = fields.text("name");
    let description = fields.text("description");
    let environment_id = fields.text("environmentId");
    let environment_variables = variables(&mut fields, "environmentVariables");
    let hardware_tier_id = fields.optional_text("hardwareTierId");
    let replicas = fields
        .optional_number("replicas")
        .unwrap_or(DEFAULT_REPLICAS);
    let is_async = fields.flag("isAsync");
    let strict_node_anti_affinity = fields.flag("strictNodeAntiAffinity");
    let bundle_id = fields.optional_text("bundleId");
    let version = fields.object("version", version_spec);
    fields.finish()?;
    let spec = ModelApiSpec {
        routing_mode: apis.routing_of(&name),
        name,
        description,
        environment_id: Some(environment_id),
        environment_variables: environment_variables.unwrap_or_default(),
        hardware_tier_id,
        replicas,
        is_async,
        strict_node_anti_affinity,
        bundle_id,
        version: version.ok_or_else(|| Failure::bad_request("The version is missing"))?,
    };
    let api = apis.create(&user, spec).await?;
    Ok((StatusCode::CREATED, Json(public(&api))).into_response())
}

async fn one(State(apis): Of<ModelApis>, Caller(user): Caller, Path(id): Id) -> Answer {
    Ok(Json(public(&*apis.seen_by(&user, &id)?)))
}

/// Replaces what can be changed; the environment variables cannot.
async fn change(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let api = apis.edited_by(&user, &id)?;
    let name = fields.text("name");
    let description = fields.text("description");
    let environment_id = fields.text("environmentId");
    let hardware_tier_id = fields.optional_text("hardwareTierId");
    let replicas = fields.number("replicas");
    let resource_quota_id = fields.optional_text("resourceQuotaId");
    fields.finish()?;
    let mut settings = apis.settings(
        &name,
        &description,
        Some(&environment_id),
        hardware_tier_id.as_deref(),
        replicas,
    )?;
    settings.resource_quota_id = resource_quota_id;
    api.change(settings, apis.host.now());
    Ok(Json(public(&api)))
}

async fn archive(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path(id): Id,
) -> Result<StatusCode, Failure> {
    apis.edited_by(&user, &id)?.archive();
    Ok(StatusCode::NO_CONTENT)
}

async fn versions(State(apis): Of<ModelApis>, Caller(user): Caller, Path(id): Id) -> Answer {
    let api = apis.seen_by(&user, &id)?;
    let newest_first = api.versions().into_iter().rev();
    Ok(Json(
        newest_first
            .map(|version| public_version(&api, &version))
            .collect(),
    ))
}

async fn create_version(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Result<Response, Failure> {
    let api = apis.edited_by(&user, &id)?;
    let spec = version_spec(&mut fields);
    fields.finish()?;
    let spec = spec.ok_or_else(|| Failure::bad_request("The source is missing"))?;
    let version = apis.create_version(&user, &api, spec).await?;
    Ok((StatusCode::CREATED, Json(public_version(&api, &version))).into_response())
}

/// The label `prod`. Of this the specification has the body alone: the path is inferred.
async fn label_for_production(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
    mut fields: Fields,
) -> Answer {
    let is_prod = fields.flag("isProd");
    fields.finish()?;
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    let api = apis.edited_by(&user, &id)?;
    if api.details.lock().routing_mode != "advanced" {
        let why = "Only a model API of advanced routing has a production version";
        return Err(Failure::bad_request(why));
    }
    api.promote(&version, is_prod, apis.host.now());
    Ok(Json(public_version(&api, &version)))
}

async fn one_version(
    State(apis): Of<ModelApis>,
    Caller(user): Caller,
    Path((id, version_id)): Ids,
) -> Answer {
    let version = apis.version_seen_by(&user, &id, &version_id)?;
    let api = apis.seen_by(&user, &id)?;
    Ok(Json(public_version(&api, &version)))
}
