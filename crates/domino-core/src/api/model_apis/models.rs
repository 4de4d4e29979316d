//! Model APIs by the older routes, `/v1/models`, and what v4 tells in addition.
//!
//! No specification covers `/v1`, so replies are read in every shape that was seen: lists bare or under `data`, ids
//! as `id` or `_id`. What a reply does not contain is `None`; a new version is found in the list.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::carried::{Carried, sent_again, with_settings};
use super::log::{self, BuildLog};
use super::model_api::{ActiveVersion, DesiredModelApi, ModelApi, ModelApiVersion};
use super::source::{Flat, excluded, with_excluded};
use super::status::{Deployment, DeploymentStatus};
use super::variables::{Variable, variables};
use crate::api::ids::{EnvironmentId, HardwareTierId, ModelApiId, ModelApiVersionId, ProjectId};
use crate::api::logs::LogPage;
use crate::api::projects::Project;
use crate::client::{ApiError, Reader, Writer, segment};

/// A list, bare or wrapped.
#[derive(Deserialize)]
#[serde(untagged)]
enum List<T> {
    Bare(Vec<T>),
    Wrapped { data: Vec<T> },
}

impl<T> List<T> {
    fn all(self) -> Vec<T> {
        match self {
            Self::Bare(all) | Self::Wrapped { data: all } => all,
        }
    }
}

/// One thing, or a list of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrList<T> {
    One(T),
    List(Vec<T>),
}

/// An id under any of the names that it was seen under, even under several at once.
#[derive(Deserialize)]
#[serde(try_from = "Ids")]
struct AnyId(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ids {
    id: Option<String>,
    #[serde(rename = "_id")]
    underscored: Option<String>,
    model_version_id: Option<String>,
}

impl TryFrom<Ids> for AnyId {
    type Error = &'static str;

    fn try_from(ids: Ids) -> Result<Self, &'static str> {
        ids.model_version_id
            .or(ids.id)
            .or(ids.underscored)
            .map(Self)
            .ok_or("there is neither `id` nor `_id`")
    }
}

#[derive(Deserialize)]
struct Listed {
    #[serde(flatten)]
    id: AnyId,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(flatten)]
    rest: Carried,
}

/// v4's view of a model API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    id: ModelApiId,
    #[serde(default)]
    description: Option<String>,
    active_model_version_id: Option<ModelApiVersionId>,
    active_version_number: Option<u64>,
    active_version_status: Option<DeploymentStatus>,
    is_async: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    #[serde(flatten)]
    id: AnyId,
    #[serde(alias = "versionNumber")]
    number: Option<u64>,
    #[serde(default)]
    description: Option<String>,
    #[serde(flatten)]
    source: Flat,
    commit_id: Option<String>,
    environment_revision_id: Option<String>,
    data_plane_id: Option<String>,
    log_http_request_response: Option<bool>,
    #[serde(default)]
    exclude_files: Vec<String>,
    created: Option<f64>,
}

#[derive(Deserialize)]
struct StatusOnly {
    status: DeploymentStatus,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Created {
    Wrapped { data: AnyId },
    Bare(AnyId),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reproduction {
    model_version_id: ModelApiVersionId,
    #[serde(default)]
    git_repo_commits: Vec<RepositoryCommit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryCommit {
    commit_id: String,
    #[serde(default)]
    is_main_repo: bool,
}

/// The request that creates a model API, and every new version as well: it always contains everything, whatever the
/// server keeps of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    description: String,
    project_id: &'a ProjectId,
    environment_id: &'a EnvironmentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_tier_id: Option<&'a HardwareTierId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replica_count: Option<u32>,
    environment_variables: Vec<Variable<'a>>,
    #[serde(flatten)]
    source: Flat,
    exclude_files: Vec<String>,
    log_http_request_response: bool,
    #[serde(flatten)]
    carried: Carried,
}

impl<'a> Body<'a> {
    fn new(desired: &'a DesiredModelApi, name: Option<&'a str>, description: String) -> Self {
        let mut carried = with_settings(&desired.carried);
        carried.remove("environmentId");
        if desired.hardware_tier_id.is_some() {
            carried.remove("hardwareTierId");
        }
        if desired.replicas.is_some() {
            carried.remove("replicaCount");
        }
        Self {
            name,
            description,
            project_id: &desired.project_id,
            environment_id: &desired.environment_id,
            hardware_tier_id: desired.hardware_tier_id.as_ref(),
            replica_count: desired.replicas,
            environment_variables: variables(desired),
            source: (&desired.source).into(),
            exclude_files: excluded(&mut desired.carried_version.clone()),
            log_http_request_response: desired.logs_requests,
            carried,
        }
    }
}

impl From<Version> for ModelApiVersion {
    fn from(version: Version) -> Self {
        Self {
            id: ModelApiVersionId::new(version.id.0),
            number: version.number,
            description: version.description.unwrap_or_default(),
            source: version.source.whole(),
            commit_id: version.commit_id,
            environment_revision_id: version.environment_revision_id,
            data_plane_id: version.data_plane_id,
            logs_requests: version.log_http_request_response,
            deployment: None,
            created: version.created.map(|created| created as i64),
            created_by: None,
            labels: Vec::new(),
            carried: with_excluded(Carried::new(), version.exclude_files),
        }
    }
}

/// `GET /v1/projects/{owner}/{name}/models`, and at the same time `GET /v4/modelManager/getModels?projectId=`, which
/// tells what is active. Contract: the published templates; v4.
pub(super) async fn list(reader: &Reader, project: &Project) -> Result<Vec<ModelApi>, ApiError> {
    let path = format!(
        "/v1/projects/{}/{}/models",
        segment(&project.name.owner),
        segment(&project.name.name)
    );
    let query = [("projectId", project.id.as_str())];
    let (listed, seen) = tokio::try_join!(
        reader.read::<List<Listed>>(&path, &[]),
        reader.read_if_there::<Vec<Seen>>("/v4/modelManager/getModels", &query),
    )?;
    let mut seen = seen.unwrap_or_default();
    Ok(listed
        .all()
        .into_iter()
        .map(|listed| {
            let id = ModelApiId::new(listed.id.0);
            let place = seen.iter().position(|seen| seen.id == id);
            let seen = place.map(|place| seen.swap_remove(place));
            let description = listed
                .description
                .or_else(|| seen.as_ref().and_then(|seen| seen.description.clone()));
            ModelApi {
                id,
                name: listed.name,
                description: description.unwrap_or_default(),
                environment_id: None,
                hardware_tier_id: None,
                replicas: None,
                is_public: None,
                is_async: told_async(&listed.rest, seen.as_ref()),
                routing_mode: None,
                bundle: None,
                created_by: None,
                carried: sent_again(listed.rest),
                active: seen.and_then(|seen| {
                    Some(ActiveVersion {
                        id: seen.active_model_version_id?,
                        number: seen.active_version_number,
                        deployment: seen.active_version_status.map(not_pending),
                    })
                }),
            }
        })
        .collect())
}

/// Both routes tell whether an endpoint is asynchronous, and neither need.
fn told_async(listed: &Carried, seen: Option<&Seen>) -> Option<bool> {
    let told = listed.get("isAsync").and_then(serde_json::Value::as_bool);
    told.or(seen.and_then(|seen| seen.is_async))
}

/// One out of the list: there is no route for a single one.
pub(super) async fn one(
    reader: &Reader,
    project: &Project,
    id: &ModelApiId,
) -> Result<Option<ModelApi>, ApiError> {
    let all = list(reader, project).await?;
    Ok(all.into_iter().find(|api| api.id == *id))
}

/// `GET /v1/models/{id}/versions`. Contract: the published templates.
pub(super) async fn versions(
    reader: &Reader,
    id: &ModelApiId,
) -> Result<Vec<ModelApiVersion>, ApiError> {
    let versions: List<Version> = reader.read(&versions_path(id), &[]).await?;
    Ok(versions.all().into_iter().map(Into::into).collect())
}

/// A version out of the list, and at the same time `GET /v4/models/{id}/{version}/getModelDeploymentStatus` for its
/// status. Contract: the published templates; v4 and what was seen.
pub(super) async fn version(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
) -> Result<Option<ModelApiVersion>, ApiError> {
    let path = format!(
        "/v4/models/{}/{}/getModelDeploymentStatus",
        segment(id.as_str()),
        segment(version.as_str())
    );
    let (versions, status) = tokio::try_join!(
        versions(reader, id),
        reader.read_if_there::<OneOrList<StatusOnly>>(&path, &[]),
    )?;
    let found = versions.into_iter().find(|known| known.id == *version);
    Ok(found.map(|mut found| {
        let status = status.and_then(|status| match status {
            OneOrList::One(one) => Some(one.status),
            OneOrList::List(list) => list.into_iter().next_back().map(|one| one.status),
        });
        found.deployment = status.map(not_pending);
        found
    }))
}

/// `GET /v4/modelManager/getBuildLogsV2/{id}/{version}`. Contract: v4.
pub(super) async fn build_log(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
    position: &str,
) -> Result<BuildLog, ApiError> {
    let path = manager_path("getBuildLogsV2", id, version);
    let log: log::Wire = reader.read(&path, &log::since(position)).await?;
    Ok(log.build())
}

/// `GET /v4/modelManager/getInstanceLogs/{id}/{version}`. Contract: v4.
pub(super) async fn instance_log(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
    position: &str,
    most: usize,
) -> Result<LogPage, ApiError> {
    let path = manager_path("getInstanceLogs", id, version);
    log::instance_log(reader, &path, position, most).await
}

/// `GET /v4/modelManager/{id}/getModelReproductionDetails`. Contract: v4.
pub(super) async fn git_commit(
    reader: &Reader,
    id: &ModelApiId,
    version: &ModelApiVersionId,
) -> Result<Option<String>, ApiError> {
    let path = format!(
        "/v4/modelManager/{}/getModelReproductionDetails",
        segment(id.as_str())
    );
    let details: Option<Vec<Reproduction>> = reader.read_if_there(&path, &[]).await?;
    let commits = details
        .into_iter()
        .flatten()
        .filter(|details| details.model_version_id == *version)
        .flat_map(|details| details.git_repo_commits);
    Ok(commits
        .into_iter()
        .find(|commit| commit.is_main_repo)
        .map(|commit| commit.commit_id))
}

/// `POST /v1/models`. Its one description is the version's as well. Contract: the official Python client and the
/// published templates.
pub(super) async fn create(
    writer: &Writer,
    desired: &DesiredModelApi,
) -> Result<ModelApiId, ApiError> {
    let description = format!("{} {}", desired.description, desired.version_description);
    let body = Body::new(desired, Some(&desired.name), description.trim().to_owned());
    let created: Created = writer
        .write(Method::POST, "/v1/models", Some(&body))
        .await?;
    Ok(match created {
        Created::Wrapped { data } | Created::Bare(data) => ModelApiId::new(data.0),
    })
}

/// `POST /v1/models/{id}/versions`. The content of the reply is not documented. Contract: the official Python client
/// and the published templates.
pub(super) async fn create_version(
    writer: &Writer,
    id: &ModelApiId,
    desired: &DesiredModelApi,
) -> Result<Option<ModelApiVersion>, ApiError> {
    let body = Body::new(desired, None, desired.version_description.clone());
    writer
        .write_only(Method::POST, &versions_path(id), Some(&body))
        .await?;
    Ok(None)
}

/// These routes tell only a word, so nothing counts as pending.
fn not_pending(status: DeploymentStatus) -> Deployment {
    Deployment {
        status,
        is_pending: false,
    }
}

fn versions_path(id: &ModelApiId) -> String {
    format!("/v1/models/{}/versions", segment(id.as_str()))
}

fn manager_path(what: &str, id: &ModelApiId, version: &ModelApiVersionId) -> String {
    format!(
        "/v4/modelManager/{what}/{}/{}",
        segment(id.as_str()),
        segment(version.as_str())
    )
}
