//! The requests that every generation of Domino's API for apps has. What beta and v1 share is implemented here.

use super::app::{App, AppChanges, AppContent, AppVersion, NewApp, Published};
use super::wire;
use crate::api::ids::{AppId, AppInstanceId, AppVersionId, ProjectId};
use crate::api::logs::LogPage;
use crate::client::{ApiError, Reader, Writer, segment};

/// The routes of one generation.
pub(super) trait Routes {
    /// The path that they begin with.
    const APPS: &'static str;

    /// All apps of the project. What the apps of this name run is read as well.
    async fn apps(reader: &Reader, project: &ProjectId, _name: &str) -> Result<Vec<App>, ApiError> {
        wire::apps(reader, Self::APPS, project).await
    }

    async fn app(reader: &Reader, id: &AppId) -> Result<Option<App>, ApiError> {
        wire::app(reader, Self::APPS, id).await
    }

    /// Every version, with its newest start. The oldest API has no versions and runs one start at a time.
    async fn versions(reader: &Reader, id: &AppId) -> Result<Vec<AppVersion>, ApiError> {
        wire::versions(reader, Self::APPS, id).await
    }

    async fn version(
        reader: &Reader,
        app: &AppId,
        version: &AppVersionId,
    ) -> Result<Option<AppVersion>, ApiError>;

    async fn log(
        reader: &Reader,
        app: &AppId,
        version: &AppVersionId,
        instance: &AppInstanceId,
        position: &str,
        limit: usize,
    ) -> Result<LogPage, ApiError>;

    async fn create(writer: &Writer, app: &NewApp) -> Result<App, ApiError>;

    async fn publish(
        writer: &Writer,
        app: &AppId,
        content: &AppContent,
    ) -> Result<Published, ApiError>;

    async fn stop(writer: &Writer, app: &AppId, version: &AppVersion) -> Result<(), ApiError>;

    async fn archive(writer: &Writer, app: &AppId) -> Result<(), ApiError> {
        let path = format!("{}/{}", Self::APPS, segment(app.as_str()));
        writer
            .write_only::<()>(reqwest::Method::DELETE, &path, None)
            .await
    }

    async fn change(writer: &Writer, app: &AppId, changes: &AppChanges) -> Result<(), ApiError> {
        wire::change(writer, Self::APPS, app, changes).await
    }
}
