//! `/api/apps/v1`: versions are created and started in two steps or in one, and stopped by version. Contract:
//! Domino's documentation. We have no specification of it, so replies are read leniently.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::app::{App, AppContent, AppInstance, AppVersion, NewApp, Published, visibility_word};
use super::beta::Beta;
use super::generation::Generation;
use super::routes::Routes;
use super::wire::{WireApp, WireVersion};
use crate::api::git_ref::GitRef;
use crate::api::ids::{
    AppId, AppInstanceId, AppVersionId, EnvironmentId, HardwareTierId, ProjectId,
};
use crate::api::logs::LogPage;
use crate::client::{ApiError, Reader, Writer, segment};

/// The path that its routes begin with.
const APPS: &str = Generation::V1.capabilities().route;

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
    initial_version: VersionCreation<'a>,
}

#[derive(Serialize)]
struct VersionCreation<'a> {
    content: Content<'a>,
    deployment: Deployment<'a>,
    #[serde(flatten)]
    carried: &'a Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    git_ref: Option<&'a GitRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_id: Option<&'a EnvironmentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_revision_id: Option<&'a str>,
    #[serde(flatten)]
    carried: &'a Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deployment<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_tier_id: Option<&'a HardwareTierId>,
    #[serde(flatten)]
    carried: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Start<'a> {
    deployment: Deployment<'a>,
}

#[derive(Deserialize)]
struct CreatedAndStarted {
    version: WireVersion,
    instance: Option<AppInstance>,
    #[serde(default)]
    warnings: Vec<Value>,
}

impl<'a> From<&'a AppContent> for VersionCreation<'a> {
    fn from(content: &'a AppContent) -> Self {
        Self {
            content: Content {
                git_ref: content.git_ref.as_ref(),
                environment_id: content.environment.as_ref(),
                environment_revision_id: content.revision.as_deref(),
                carried: &content.carried.content,
            },
            deployment: Deployment::from(content),
            carried: &content.carried.top,
        }
    }
}

impl<'a> From<&'a AppContent> for Deployment<'a> {
    fn from(content: &'a AppContent) -> Self {
        Self {
            hardware_tier_id: content.hardware_tier.as_ref(),
            carried: &content.carried.deployment,
        }
    }
}

/// The routes.
pub(super) struct V1;

impl Routes for V1 {
    const APPS: &'static str = APPS;

    /// The app's current version if it is the one; otherwise beta's view of it, because v1 keeps instances there.
    async fn version(
        reader: &Reader,
        app: &AppId,
        version: &AppVersionId,
    ) -> Result<Option<AppVersion>, ApiError> {
        let current = Self::app(reader, app).await?.and_then(|app| app.version);
        match current.filter(|current| current.id == *version) {
            Some(current) => Ok(Some(current)),
            None => Beta::version(reader, app, version).await,
        }
    }

    /// Beta's log: v1 has none of its own.
    async fn log(
        reader: &Reader,
        app: &AppId,
        version: &AppVersionId,
        instance: &AppInstanceId,
        position: &str,
        limit: usize,
    ) -> Result<LogPage, ApiError> {
        Beta::log(reader, app, version, instance, position, limit).await
    }

    /// `POST …/apps`: creates the app and its first version, and starts nothing.
    async fn create(writer: &Writer, app: &NewApp) -> Result<App, ApiError> {
        let creation = Creation {
            name: &app.name,
            project_id: &app.project,
            visibility: visibility_word(app.visibility),
            description: &app.description,
            entry_point: &app.entry_point,
            discoverable: app.discoverable,
            initial_version: VersionCreation::from(&app.content),
        };
        let created: WireApp = writer
            .write(reqwest::Method::POST, APPS, Some(&creation))
            .await?;
        Ok(created.into())
    }

    /// `POST …/apps/{id}/versions/createAndStart`: stops what runs, creates the version and starts it; 201. If the
    /// start fails, the version remains.
    async fn publish(
        writer: &Writer,
        app: &AppId,
        content: &AppContent,
    ) -> Result<Published, ApiError> {
        let path = format!("{APPS}/{}/versions/createAndStart", segment(app.as_str()));
        let done: CreatedAndStarted = writer
            .write(
                reqwest::Method::POST,
                &path,
                Some(&VersionCreation::from(content)),
            )
            .await?;
        let mut version = AppVersion::from(done.version);
        version.instance = version.instance.or(done.instance);
        let in_words = |warning: Value| match warning {
            Value::String(text) => text,
            other => match other.get("message").and_then(Value::as_str) {
                Some(text) => text.to_owned(),
                None => other.to_string(),
            },
        };
        Ok(Published {
            version: Some(version),
            warnings: done.warnings.into_iter().map(in_words).collect(),
        })
    }

    /// `POST …/versions/{v}/stop`: 200 with an empty body.
    async fn stop(writer: &Writer, app: &AppId, version: &AppVersion) -> Result<(), ApiError> {
        let path = format!("{}/stop", path(app, &version.id));
        writer
            .write_only::<()>(reqwest::Method::POST, &path, None)
            .await
    }
}

/// `POST …/versions/{v}/start`. Contract: Domino's documentation of apps v1.
pub(super) async fn start(
    writer: &Writer,
    app: &AppId,
    version: &AppVersionId,
    content: &AppContent,
) -> Result<(), ApiError> {
    let start = Start {
        deployment: Deployment::from(content),
    };
    let path = format!("{}/start", path(app, version));
    writer
        .write_only(reqwest::Method::POST, &path, Some(&start))
        .await
}

fn path(app: &AppId, version: &AppVersionId) -> String {
    format!(
        "{APPS}/{}/versions/{}",
        segment(app.as_str()),
        segment(version.as_str())
    )
}
