//! `/v4/modelProducts`, which every Domino has. It has no versions, only starts ("instances"), one of which runs at a
//! time. The instance tells what it runs, the app tells the rest. Contract: v4 and the official Python client.

mod wire;

use self::wire::{Creation, Details, NewVisibility, Overview, Product, StartParams};
use super::app::{
    App, AppChanges, AppContent, AppInstance, AppVersion, NewApp, Published, visibility_word,
};
use super::carried::Carried;
use super::generation::Generation;
use super::routes::Routes;
use super::status::AppStatus;
use crate::api::ids::{AppId, AppInstanceId, AppVersionId, ProjectId};
use crate::api::logs::LogPage;
use crate::client::{ApiError, Reader, Writer, segment};

/// The path that its routes begin with.
const APPS: &str = Generation::V4.capabilities().route;
/// The routes.
pub(super) struct ModelProducts;

impl Routes for ModelProducts {
    const APPS: &'static str = APPS;

    /// `GET /v4/modelProducts?projectId`, a bare array; then what the apps of this name run, and no others.
    async fn apps(reader: &Reader, project: &ProjectId, name: &str) -> Result<Vec<App>, ApiError> {
        let products: Vec<Product> = reader
            .read(APPS, &[("projectId", project.as_str())])
            .await?;
        let mut apps = Vec::new();
        for product in products {
            let is_app = product.model_product_type == "APP" && product.project_id == *project;
            if is_app && product.name == name {
                apps.push(with_version(reader, product).await?);
            } else if is_app {
                apps.push(product.without_version());
            }
        }
        Ok(apps)
    }

    /// `GET /v4/modelProducts/{id}`, and what it runs.
    async fn app(reader: &Reader, id: &AppId) -> Result<Option<App>, ApiError> {
        match reader.read_if_there(&path(id), &[]).await? {
            Some(product) => Ok(Some(with_version(reader, product).await?)),
            None => Ok(None),
        }
    }

    async fn versions(_: &Reader, _: &AppId) -> Result<Vec<AppVersion>, ApiError> {
        Ok(Vec::new())
    }

    /// `GET /v4/modelProducts/apps/versions/{instance}`; if that is not shown, the app tells the status of its newest
    /// start.
    async fn version(
        reader: &Reader,
        id: &AppId,
        version: &AppVersionId,
    ) -> Result<Option<AppVersion>, ApiError> {
        let instance = AppInstanceId::new(version.as_str());
        if let Some(details) = details(reader, &instance).await? {
            return Ok(Some(details.into()));
        }
        let newest = Self::app(reader, id).await?.and_then(|app| app.version);
        Ok(newest.filter(|newest| newest.id == *version))
    }

    /// `GET /v4/modelProducts/apps/versions/{instance}/logs`.
    async fn log(
        reader: &Reader,
        _: &AppId,
        _: &AppVersionId,
        instance: &AppInstanceId,
        position: &str,
        limit: usize,
    ) -> Result<LogPage, ApiError> {
        let path = format!("{}/logs", instance_path(instance));
        let limit = limit.to_string();
        let query = [
            ("logType", "console"),
            ("limit", limit.as_str()),
            ("offset", "0"),
            ("latestTimeNano", position),
        ];
        reader.read(&path, &query).await
    }

    /// `POST /v4/modelProducts`: takes a whole app, with placeholders for what the server assigns, and starts
    /// nothing.
    async fn create(writer: &Writer, app: &NewApp) -> Result<App, ApiError> {
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string();
        let creation = Creation::of(app, &now);
        let created: Product = writer
            .write(reqwest::Method::POST, APPS, Some(&creation))
            .await?;
        Ok(created.without_version())
    }

    /// `POST /v4/modelProducts/{id}/start`. Answers with an id as a bare JSON string. Nothing says whether it is the
    /// app's or the instance's, so the new instance is looked up.
    async fn publish(
        writer: &Writer,
        app: &AppId,
        content: &AppContent,
    ) -> Result<Published, ApiError> {
        let start = StartParams {
            main_repo_git_ref: content.git_ref.as_ref(),
            hardware_tier_id: content.hardware_tier.as_ref(),
            environment_id: content.environment.as_ref(),
            carried: content.carried.flat(),
        };
        let path = format!("{}/start", path(app));
        writer
            .write_only(reqwest::Method::POST, &path, Some(&start))
            .await?;
        Ok(Published::default())
    }

    /// `POST /v4/modelProducts/{id}/stop`, without a body.
    async fn stop(writer: &Writer, app: &AppId, _: &AppVersion) -> Result<(), ApiError> {
        let path = format!("{}/stop", path(app));
        writer
            .write_only::<()>(reqwest::Method::POST, &path, None)
            .await
    }

    /// `POST /v4/modelProducts/{id}/visibility`: the one thing about an app that can be changed.
    async fn change(writer: &Writer, app: &AppId, changes: &AppChanges) -> Result<(), ApiError> {
        let Some(visibility) = changes.visibility else {
            return Ok(());
        };
        let path = format!("{}/visibility", path(app));
        let new = NewVisibility {
            visibility: visibility_word(visibility),
        };
        writer
            .write_only(reqwest::Method::POST, &path, Some(&new))
            .await
    }
}

/// `POST /v4/modelProducts/{id}/stop?force=true`: stops an app whatever its status is.
pub(super) async fn force_stop(writer: &Writer, app: &AppId) -> Result<(), ApiError> {
    let path = format!("{}/stop", path(app));
    let query = [("force", "true")];
    writer
        .answer::<()>(reqwest::Method::POST, &path, &query, None)
        .await
        .map(drop)
}

/// The app with its newest start. If this Domino does not show one in full, what the app runs stays unknown.
async fn with_version(reader: &Reader, mut product: Product) -> Result<App, ApiError> {
    let instance = match &product.latest_app_instance_id {
        Some(instance) => Some(instance.clone()),
        None if product.status.is_empty() => None,
        None => newest_instance(reader, &product.id).await?,
    };
    let version = match instance {
        None => None,
        Some(instance) => Some(match details(reader, &instance).await? {
            Some(details) => details.into(),
            None => AppVersion {
                id: AppVersionId::new(instance.as_str()),
                git_ref: None,
                hardware_tier: None,
                hardware_tier_name: None,
                environment: None,
                environment_name: None,
                revision: None,
                publisher: None,
                created: None,
                carried: Carried::default(),
                instance: Some(AppInstance {
                    id: instance,
                    status: product.status.clone().into(),
                    created: None,
                }),
            },
        }),
    };
    let is_up = version.as_ref().is_some_and(|v| v.status().is_up());
    if is_up && !AppStatus::from(product.status.clone()).is_up() {
        // It has come up since the app was read, and only an app that is up tells its address.
        product = reader
            .read_if_there(&path(&product.id), &[])
            .await?
            .unwrap_or(product);
    }
    let version = version.map(|version: AppVersion| AppVersion {
        hardware_tier: product.hardware_tier_id.clone(),
        environment: product.environment_id.clone(),
        ..version
    });
    Ok(App {
        version,
        ..product.without_version()
    })
}

/// `GET /v4/modelProducts/{id}/versions`: every start there was.
async fn newest_instance(reader: &Reader, app: &AppId) -> Result<Option<AppInstanceId>, ApiError> {
    let path = format!("{}/versions", path(app));
    let starts: Option<Vec<Overview>> = reader.read_if_there(&path, &[]).await?;
    let newest = starts
        .into_iter()
        .flatten()
        .max_by_key(|start| start.started);
    Ok(newest.map(|start| start.id))
}

async fn details(reader: &Reader, instance: &AppInstanceId) -> Result<Option<Details>, ApiError> {
    reader.read_if_there(&instance_path(instance), &[]).await
}

fn path(app: &AppId) -> String {
    format!("{APPS}/{}", segment(app.as_str()))
}

fn instance_path(instance: &AppInstanceId) -> String {
    format!("{APPS}/apps/versions/{}", segment(instance.as_str()))
}
