//! `/api/apps/beta`: creating an app or a version starts it, and stopping is deleting the instance. Contract: the
//! public specification of 6.3.

use serde::Serialize;
use serde_json::{Map, Value};

use super::app::{App, AppContent, AppInstance, AppVersion, NewApp, Published, visibility_word};
use super::generation::Generation;
use super::routes::Routes;
use super::wire::{self, WireApp, WireVersion};
use crate::api::git_ref::GitRef;
use crate::api::ids::{
    AppId, AppInstanceId, AppVersionId, EnvironmentId, HardwareTierId, ProjectId,
};
use crate::api::logs::LogPage;
use crate::client::{ApiError, Reader, Writer, segment};

/// The path that its routes begin with.
const APPS: &str = Generation::Beta.capabilities().route;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Creation<'a> {
    name: &'a str,
    project_id: &'a ProjectId,
    visibility: &'static str,
    description: &'a str,
    entry_point: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    discoverable: Option<bool>,
    version: VersionCreation<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionCreation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    git_ref: Option<&'a GitRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_tier_id: Option<&'a HardwareTierId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_id: Option<&'a EnvironmentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_revision_id: Option<&'a str>,
    #[serde(flatten)]
    carried: Map<String, Value>,
}

impl<'a> From<&'a AppContent> for VersionCreation<'a> {
    fn from(content: &'a AppContent) -> Self {
        Self {
            git_ref: content.git_ref.as_ref(),
            hardware_tier_id: content.hardware_tier.as_ref(),
            environment_id: content.environment.as_ref(),
            environment_revision_id: content.revision.as_deref(),
            carried: content.carried.flat(),
        }
    }
}

/// The routes.
pub(super) struct Beta;

impl Routes for Beta {
    const APPS: &'static str = APPS;

    /// `GET …/apps/{id}/versions/{v}`, which includes the status of the version's newest instance.
    async fn version(
        reader: &Reader,
        app: &AppId,
        version: &AppVersionId,
    ) -> Result<Option<AppVersion>, ApiError> {
        let found: Option<WireVersion> = reader.read_if_there(&path(app, version), &[]).await?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        if found.current_instance.is_none() {
            let path = format!("{}/instances", path(app, version));
            let instances: Option<wire::Page<AppInstance>> =
                reader.read_if_there(&path, &[]).await?;
            found.current_instance = instances.and_then(|page| page.items.into_iter().next());
        }
        Ok(Some(found.into()))
    }

    /// `GET …/instances/{i}/logs`.
    async fn log(
        reader: &Reader,
        app: &AppId,
        version: &AppVersionId,
        instance: &AppInstanceId,
        position: &str,
        limit: usize,
    ) -> Result<LogPage, ApiError> {
        let path = format!("{}/logs", instance_path(app, version, instance));
        let limit = limit.to_string();
        let query = [
            ("logType", "complete"),
            ("limit", limit.as_str()),
            ("offset", "0"),
            ("latestTime", position),
        ];
        reader.read(&path, &query).await
    }

    /// `POST …/apps`: creates the app and its first version, and starts it; 200 with the app.
    async fn create(writer: &Writer, app: &NewApp) -> Result<App, ApiError> {
        let creation = Creation {
            name: &app.name,
            project_id: &app.project,
            visibility: visibility_word(app.visibility),
            description: &app.description,
            entry_point: &app.entry_point,
            discoverable: app.discoverable,
            version: VersionCreation::from(&app.content),
        };
        let created: WireApp = writer
            .write(reqwest::Method::POST, APPS, Some(&creation))
            .await?;
        Ok(created.into())
    }

    /// `POST …/apps/{id}/versions`: creates a version and starts it; 200 with the version.
    async fn publish(
        writer: &Writer,
        app: &AppId,
        content: &AppContent,
    ) -> Result<Published, ApiError> {
        let path = format!("{APPS}/{}/versions", segment(app.as_str()));
        let version: WireVersion = writer
            .write(
                reqwest::Method::POST,
                &path,
                Some(&VersionCreation::from(content)),
            )
            .await?;
        Ok(Published {
            version: Some(version.into()),
            warnings: Vec::new(),
        })
    }

    /// `DELETE …/instances/{i}`: this is how an app is stopped.
    async fn stop(writer: &Writer, app: &AppId, version: &AppVersion) -> Result<(), ApiError> {
        let Some(instance) = &version.instance else {
            return Ok(());
        };
        let path = instance_path(app, &version.id, &instance.id);
        writer
            .write_only::<()>(reqwest::Method::DELETE, &path, None)
            .await
    }
}

fn path(app: &AppId, version: &AppVersionId) -> String {
    format!(
        "{APPS}/{}/versions/{}",
        segment(app.as_str()),
        segment(version.as_str())
    )
}

fn instance_path(app: &AppId, version: &AppVersionId, instance: &AppInstanceId) -> String {
    format!(
        "{}/instances/{}",
        path(app, version),
        segment(instance.as_str())
    )
}
