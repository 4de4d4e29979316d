//! Model APIs by the routes of the public API, `/api/modelServing/v1`.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::carried::{Carried, of_endpoint, of_version};
use super::log::{self, BuildLog};
use super::model_api::{ActiveVersion, DesiredModelApi, ModelApi, ModelApiVersion};
use super::source::Typed;
use super::status::Deployment;
use super::variables::{Variable, variables};
use crate::api::ids::{EnvironmentId, HardwareTierId, ModelApiId, ModelApiVersionId, ProjectId};
use crate::api::logs::LogPage;
use crate::api::projects::Project;
use crate::client::{ApiError, Reader, Writer, segment};

/// The path that every route begins with.
const BASE: &str = "/api/modelServing/v1/modelApis";
/// The page size that is asked for; a deployment may return less.
const PAGE: &str = "100";
/// A list with more pages is considered endless.
const MOST_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Page {
    items: Vec<Api>,
    #[serde(default)]
    metadata: PageMetadata,
}

/// The total is in the metadata or one level deeper, and may be missing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    total_count: Option<usize>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    total_count: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Api {
    id: ModelApiId,
    name: String,
    description: String,
    #[serde(default)]
    is_archived: bool,
    environment_id: EnvironmentId,
    hardware_tier_id: Option<HardwareTierId>,
    replicas: u32,
    is_async: Option<bool>,
    routing_mode: Option<String>,
    bundle_id: Option<String>,
    access: Option<Access>,
    active_version: Option<Summary>,
    metadata: Option<Metadata>,
    #[serde(flatten)]
    rest: Carried,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    is_public: bool,
}

#[derive(Deserialize)]
struct Summary {
    id: ModelApiVersionId,
    number: Option<u64>,
    deployment: Option<Deployment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    id: ModelApiVersionId,
    number: Option<u64>,
    #[serde(default)]
    description: Option<String>,
    source: Typed,
    commit_id: Option<String>,
    environment_revision_id: Option<String>,
    data_plane_id: Option<String>,
    log_http_request_response: bool,
    deployment: Option<Deployment>,
    metadata: Option<Metadata>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(flatten)]
    rest: Carried,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    created: Option<f64>,
    created_by: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewApi<'a> {
    name: &'a str,
    description: &'a str,
    environment_id: &'a EnvironmentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_tier_id: Option<&'a HardwareTierId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_id: Option<&'a str>,
    is_async: bool,
    strict_node_anti_affinity: bool,
    environment_variables: Vec<Variable<'a>>,
    version: NewVersion<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewVersion<'a> {
    project_id: &'a ProjectId,
    environment_id: &'a EnvironmentId,
    description: &'a str,
    source: Typed,
    log_http_request_response: bool,
    should_deploy: bool,
    #[serde(flatten)]
    carried: Carried,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings<'a> {
    name: &'a str,
    description: &'a str,
    environment_id: &'a EnvironmentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_tier_id: Option<&'a HardwareTierId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u32>,
    #[serde(flatten)]
    carried: &'a Carried,
}

impl From<Api> for ModelApi {
    fn from(api: Api) -> Self {
        Self {
            id: api.id,
            name: api.name,
            description: api.description,
            environment_id: Some(api.environment_id),
            hardware_tier_id: api.hardware_tier_id,
            replicas: Some(api.replicas),
            is_public: api.access.map(|access| access.is_public),
            is_async: api.is_async,
            routing_mode: api.routing_mode,
            bundle: api.bundle_id,
            created_by: api.metadata.and_then(|metadata| metadata.created_by),
            carried: of_endpoint(api.rest),
            active: api.active_version.map(|version| ActiveVersion {
                id: version.id,
                number: version.number,
                deployment: version.deployment,
            }),
        }
    }
}

impl From<Version> for ModelApiVersion {
    fn from(version: Version) -> Self {
        let metadata = version.metadata.unwrap_or_default();
        let carried = version.source.keep_excluded(of_version(version.rest));
        Self {
            id: version.id,
            number: version.number,
            description: version.description.unwrap_or_default(),
            source: Some(version.source.into()),
            commit_id: version.commit_id,
            environment_revision_id: version.environment_revision_id,
            data_plane_id: version.data_plane_id,
            logs_requests: Some(version.log_http_request_response),
            deployment: version.deployment,
            created: metadata.created.map(|created| created as i64),
            created_by: metadata.created_by,
            labels: version.labels,
            carried,
        }
    }
}

impl<'a> From<&'a DesiredModelApi> for NewVersion<'a> {
    fn from(desired: &'a DesiredModelApi) -> Self {
        let mut carried = desired.carried_version.clone();
        carried
            .entry("monitoringEnabled")
            .or_insert(Value::Bool(false));
        Self {
            project_id: &desired.project_id,
            environment_id: &desired.environment_id,
            description: &desired.version_description,
            source: Typed::without_files_of(&desired.source, &mut carried),
            log_http_request_response: desired.logs_requests,
            should_deploy: true,
            carried,
        }
    }
}

/// `GET /api/modelServing/v1/modelApis?projectId=`: without the project only administrators may read it. The offset
/// is always sent, because its documented default is not the beginning. Contract: public API.
pub(super) async fn list(reader: &Reader, project: &Project) -> Result<Vec<ModelApi>, ApiError> {
    let mut found: Vec<ModelApi> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..MOST_PAGES {
        let offset = seen.len().to_string();
        let query = [
            ("projectId", project.id.as_str()),
            ("offset", offset.as_str()),
            ("limit", PAGE),
        ];
        let page: Page = reader.read(BASE, &query).await?;
        let before = seen.len();
        for api in page.items {
            if seen.insert(api.id.clone()) && !api.is_archived {
                found.push(api.into());
            }
        }
        let total = page
            .metadata
            .total_count
            .or(page.metadata.pagination.and_then(|inner| inner.total_count));
        if seen.len() == before || total.is_some_and(|total| seen.len() >= total) {
            return Ok(found);
        }
    }
    Err(ApiError::endless(BASE, MOST_PAGES))
}

/// `GET /api/modelServing/v1/modelApis/{id}`. Contract: public API.
pub(super) async fn one(
    reader: &Reader,
    _: &Project,
    id: &ModelApiId,
) -> Result<Option<ModelApi>, ApiError> {
    let api: Option<Api> = reader.read_if_there(&path(id), &[]).await?;
    Ok(api.map(Into::into))
}

/// `GET /api/modelServing/v1/modelApis/{id}/versions`: a bare list. Contract: public API.
pub(super) async fn versions(
    reader: &Reader,
    id: &ModelApiId,
) -> Result<Vec<ModelApiVersion>, ApiError> {
    let versions: Vec<Version> = reader.read(&format!("{}/versions", path(id)), &[]).await?;
    Ok(versions.into_iter().map(Into::into).collect())
}

/// `GET /api/modelServing/v1/modelApis/{id}/versions/{version}`. Contract: public API.
pub(super) async fn version(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
) -> Result<Option<ModelApiVersion>, ApiError> {
    let found: Option<Version> = reader
        .read_if_there(&version_path(id, version), &[])
        .await?;
    Ok(found.map(Into::into))
}

/// `GET …/versions/{version}/buildLogs`. Contract: public API.
pub(super) async fn build_log(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
    position: &str,
) -> Result<BuildLog, ApiError> {
    let path = format!("{}/buildLogs", version_path(id, version));
    let log: log::Wire = reader.read(&path, &log::since(position)).await?;
    Ok(log.build())
}

/// `GET …/versions/{version}/instanceLogs`. Contract: public API.
pub(super) async fn instance_log(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
    position: &str,
    most: usize,
) -> Result<LogPage, ApiError> {
    let path = format!("{}/instanceLogs", version_path(id, version));
    log::instance_log(reader, &path, position, most).await
}

/// `POST /api/modelServing/v1/modelApis`: 201 with the model API. Contract: public API.
pub(super) async fn create(
    writer: &Writer,
    desired: &DesiredModelApi,
) -> Result<ModelApiId, ApiError> {
    let new = NewApi {
        name: &desired.name,
        description: &desired.description,
        environment_id: &desired.environment_id,
        hardware_tier_id: desired.hardware_tier_id.as_ref(),
        replicas: desired.replicas,
        bundle_id: desired.carried.get("bundleId").and_then(Value::as_str),
        is_async: desired.carried.get("isAsync") == Some(&Value::Bool(true)),
        strict_node_anti_affinity: false,
        environment_variables: variables(desired),
        version: desired.into(),
    };
    let created: Api = writer.write(Method::POST, BASE, Some(&new)).await?;
    Ok(created.id)
}

/// `PUT /api/modelServing/v1/modelApis/{id}`: 200 with the model API. Contract: public API.
pub(super) async fn update(
    writer: &Writer,
    id: &ModelApiId,
    desired: &DesiredModelApi,
) -> Result<(), ApiError> {
    let settings = Settings {
        name: &desired.name,
        description: &desired.description,
        environment_id: &desired.environment_id,
        hardware_tier_id: desired.hardware_tier_id.as_ref(),
        replicas: desired.replicas,
        carried: &desired.carried,
    };
    writer
        .write_only(Method::PUT, &path(id), Some(&settings))
        .await
}

/// `PUT …/versions/{version}/productionLabel`. Contract: see
/// [`ModelApis::label_for_production`](super::ModelApis::label_for_production).
pub(super) async fn label_for_production(
    writer: &Writer,
    id: &ModelApiId,
    version: &ModelApiVersionId,
    is_prod: bool,
) -> Result<(), ApiError> {
    let path = format!("{}/productionLabel", version_path(id, version));
    let label = serde_json::json!({ "isProd": is_prod });
    writer.write_only(Method::PUT, &path, Some(&label)).await
}

/// `DELETE /api/modelServing/v1/modelApis/{id}`: 204. Contract: public API.
pub(super) async fn archive(writer: &Writer, id: &ModelApiId) -> Result<(), ApiError> {
    writer
        .write_only::<()>(Method::DELETE, &path(id), None)
        .await
}

/// `POST /api/modelServing/v1/modelApis/{id}/versions`: 201 with the version. Contract: public API.
pub(super) async fn create_version(
    writer: &Writer,
    id: &ModelApiId,
    desired: &DesiredModelApi,
) -> Result<Option<ModelApiVersion>, ApiError> {
    let new = NewVersion::from(desired);
    let created: Version = writer
        .write(Method::POST, &format!("{}/versions", path(id)), Some(&new))
        .await?;
    Ok(Some(created.into()))
}

fn path(id: &ModelApiId) -> String {
    format!("{BASE}/{}", segment(id.as_str()))
}

fn version_path(id: &ModelApiId, version: &ModelApiVersionId) -> String {
    format!("{}/versions/{}", path(id), segment(version.as_str()))
}
