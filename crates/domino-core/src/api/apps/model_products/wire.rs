//! The JSON of `/v4/modelProducts`: what it tells of apps and starts, and what creates and starts one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::app::{App, AppInstance, AppVersion, NewApp, visibility_word};
use super::super::carried::Carried;
use super::super::status::AppStatus;
use crate::api::git_ref::GitRef;
use crate::api::ids::{
    AppId, AppInstanceId, AppVersionId, EnvironmentId, HardwareTierId, ProjectId,
};

/// A placeholder for an id that the server assigns.
const NO_ID: &str = "000000000000000000000000";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product {
    pub(super) id: AppId,
    pub(super) name: String,
    pub(super) project_id: ProjectId,
    pub(super) model_product_type: String,
    #[serde(default)]
    pub(super) status: String,
    description: Option<String>,
    entry_point: Option<String>,
    running_app_url: Option<String>,
    open_url: Option<String>,
    pub(super) environment_id: Option<EnvironmentId>,
    pub(super) hardware_tier_id: Option<HardwareTierId>,
    pub(super) latest_app_instance_id: Option<AppInstanceId>,
    permissions_data: Option<Permissions>,
    publisher: Option<Publisher>,
}

#[derive(Deserialize)]
struct Publisher {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Permissions {
    visibility: Option<String>,
    discoverable: Option<bool>,
}

/// One start, as the list of starts has it.
#[derive(Deserialize)]
pub(super) struct Overview {
    pub(super) id: AppInstanceId,
    #[serde(default)]
    pub(super) started: i64,
}

/// One start in full.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    id: AppInstanceId,
    status: AppStatus,
    started: Option<f64>,
    hardware_tier_name: Option<String>,
    environment_details: Option<Environment>,
    app_code_info: Option<CodeInfo>,
    #[serde(default)]
    external_volume_mounts: Vec<ExternalVolume>,
    #[serde(default)]
    net_app_volume_mounts: Vec<NetAppVolume>,
}

#[derive(Deserialize)]
struct ExternalVolume {
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NetAppVolume {
    volume_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Environment {
    environment_revision_id: Option<String>,
    environment_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CodeInfo {
    main_repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    commit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Creation<'a> {
    model_product_type: &'static str,
    project_id: &'a ProjectId,
    name: &'a str,
    description: &'a str,
    entry_point: &'a str,
    created: &'a str,
    last_updated: &'a str,
    status: &'static str,
    media: [(); 0],
    tags: [(); 0],
    stats: Stats,
    id: &'static str,
    permissions_data: NewPermissions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    usage_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewPermissions {
    visibility: &'static str,
    discoverable: bool,
    app_access_status: &'static str,
    pending_invitations: [(); 0],
    access_request_statuses: Nothing,
}

/// An empty JSON object.
#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) main_repo_git_ref: Option<&'a GitRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hardware_tier_id: Option<&'a HardwareTierId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment_id: Option<&'a EnvironmentId>,
    #[serde(flatten)]
    pub(super) carried: Map<String, Value>,
}

#[derive(Serialize)]
pub(super) struct NewVisibility {
    pub(super) visibility: &'static str,
}

impl Product {
    /// The app, but for what it runs.
    pub(super) fn without_version(self) -> App {
        let url = [self.running_app_url, self.open_url]
            .into_iter()
            .flatten()
            .find(|url| !url.is_empty());
        App {
            id: self.id,
            name: self.name,
            entry_point: self.entry_point.filter(|script| !script.is_empty()),
            description: self.description,
            discoverable: self.permissions_data.as_ref().and_then(|p| p.discoverable),
            visibility: self.permissions_data.and_then(|p| p.visibility),
            url,
            publisher: self.publisher.and_then(|publisher| publisher.id),
            version: None,
        }
    }
}

impl From<Details> for AppVersion {
    fn from(details: Details) -> Self {
        let commit = details
            .app_code_info
            .and_then(|code| code.main_repo)
            .and_then(|repository| repository.commit)
            .filter(|commit| !commit.is_empty());
        let (revision, environment_name) = match details.environment_details {
            Some(known) => (known.environment_revision_id, known.environment_name),
            None => (None, None),
        };
        let volumes: Vec<String> = details
            .external_volume_mounts
            .into_iter()
            .filter_map(|volume| volume.id)
            .collect();
        let net_app: Vec<String> = details
            .net_app_volume_mounts
            .into_iter()
            .filter_map(|volume| volume.volume_id)
            .collect();
        let mut carried = Map::new();
        for (name, ids) in [
            ("externalVolumeMountIds", volumes),
            ("netAppVolumeIds", net_app),
        ] {
            if !ids.is_empty() {
                carried.insert(name.into(), json!(ids));
            }
        }
        Self {
            id: AppVersionId::new(details.id.as_str()),
            git_ref: commit.map(GitRef::Commit),
            hardware_tier: None,
            hardware_tier_name: details.hardware_tier_name,
            environment: None,
            environment_name,
            revision,
            publisher: None,
            created: None,
            carried: Carried::of(carried, Map::new(), Map::new()),
            instance: Some(AppInstance {
                id: details.id,
                status: details.status,
                created: details.started.map(|started| started as i64),
            }),
        }
    }
}

impl<'a> Creation<'a> {
    /// Takes a whole app, with placeholders for what the server assigns.
    pub(super) fn of(app: &'a NewApp, now: &'a str) -> Self {
        Self {
            model_product_type: "APP",
            project_id: &app.project,
            name: &app.name,
            description: &app.description,
            entry_point: &app.entry_point,
            created: now,
            last_updated: now,
            status: "",
            media: [],
            tags: [],
            stats: Stats { usage_count: 0 },
            id: NO_ID,
            permissions_data: NewPermissions {
                visibility: visibility_word(app.visibility),
                discoverable: app.discoverable.unwrap_or(true),
                app_access_status: "ALLOWED",
                pending_invitations: [],
                access_request_statuses: Nothing {},
            },
        }
    }
}
