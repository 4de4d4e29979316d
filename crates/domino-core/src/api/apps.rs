//! Apps: find one by name, publish a version of it, read its status, stop it, and read its log.
//!
//! Domino has had three APIs for them. A handle speaks one of them; each has a file with what it sends and reads.
//! Nothing here decides which version to publish, or what to do when one fails.

mod app;
mod beta;
mod carried;
mod fields;
mod generation;
mod model_products;
mod routes;
mod status;
mod thumbnail;
mod v1;
mod wire;

pub use self::app::{
    App, AppChanges, AppContent, AppInstance, AppVersion, NewApp, Published, visibility_word,
};
use self::beta::Beta;
pub use self::carried::Carried;
pub use self::fields::VersionFields;
pub use self::generation::{Capabilities, Generation};
use self::model_products::ModelProducts;
use self::routes::Routes as _;
pub use self::status::AppStatus;
pub use self::thumbnail::Thumbnail;
use self::v1::V1;
use super::ids::ProjectId;
pub use super::ids::{AppId, AppInstanceId, AppVersionId};
use super::logs::LogPage;
use crate::client::{ApiError, Reader, Writer};

/// The apps of a deployment, read and changed by the routes of one generation.
#[derive(Debug, Clone)]
pub struct Apps<C> {
    client: C,
    generation: Generation,
}

/// Calls the routes of the handle's generation.
macro_rules! by_generation {
    ($apps:ident.$request:ident($($argument:expr),*)) => {
        match $apps.generation {
            Generation::V1 => V1::$request(&$apps.client, $($argument),*).await,
            Generation::Beta => Beta::$request(&$apps.client, $($argument),*).await,
            Generation::V4 => ModelProducts::$request(&$apps.client, $($argument),*).await,
        }
    };
}

impl<C> Apps<C> {
    /// The generation whose routes it uses.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// What that generation can do.
    pub fn capabilities(&self) -> &'static Capabilities {
        self.generation.capabilities()
    }
}

impl Reader {
    /// Apps by the routes of this generation.
    pub fn apps(&self, generation: Generation) -> Apps<Self> {
        Apps {
            client: self.clone(),
            generation,
        }
    }

    /// The newest generation that this deployment has, and the project's apps in it. The list itself is the test: an
    /// unknown route means that the deployment does not have this generation. Apps v1 may be switched off
    /// (`EnableAppsSDLC`); some deployments then answer 403, which is taken to mean that if beta answers.
    pub async fn find_apps(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<(Apps<Self>, Vec<App>), ApiError> {
        let mut apps = self.apps(Generation::V1);
        loop {
            match (
                apps.of_project(project, name).await,
                apps.capabilities().older,
            ) {
                (Err(error), Some(older)) if error.is_unknown_route() => apps.generation = older,
                (Err(refusal), Some(older))
                    if apps.generation == Generation::V1
                        && refusal.status() == Some(reqwest::StatusCode::FORBIDDEN) =>
                {
                    apps.generation = older;
                    let found = apps.of_project(project, name).await;
                    return found.map(|found| (apps, found)).map_err(|_| refusal);
                }
                (found, _) => return found.map(|found| (apps, found)),
            }
        }
    }
}

impl Reader {
    /// All apps of the project, by the list that most deployments have, for reading only. If the list does not tell
    /// what an app runs, that is read as well for the apps that `names` contains.
    pub async fn read_apps(
        &self,
        project: &ProjectId,
        names: &[String],
    ) -> Result<(Apps<Self>, Vec<App>), ApiError> {
        let mut newest = None;
        for generation in [Generation::Beta, Generation::V1] {
            let apps = self.apps(generation);
            match apps.of_project(project, "").await {
                Err(error) if error.is_unknown_route() => {}
                found => {
                    newest = Some((apps, found?));
                    break;
                }
            }
        }
        if let Some(found) = newest {
            return Ok(found);
        }
        let apps = self.apps(Generation::V4);
        let mut all = apps.of_project(project, "").await?;
        for app in all.iter_mut().filter(|app| names.contains(&app.name)) {
            if let Some(whole) = apps.app(&app.id).await? {
                *app = whole;
            }
        }
        Ok((apps, all))
    }
}

impl Writer {
    /// Apps by the routes of this generation.
    pub fn apps(&self, generation: Generation) -> Apps<Self> {
        Apps {
            client: self.clone(),
            generation,
        }
    }
}

impl Apps<Reader> {
    /// All apps of the project. What the apps of exactly this name run is read as well; the oldest API's list does
    /// not tell it of the others.
    pub async fn of_project(&self, project: &ProjectId, name: &str) -> Result<Vec<App>, ApiError> {
        by_generation!(self.apps(project, name))
    }

    /// The project's apps of exactly this name. The server's own filters are not relied on.
    pub async fn named(&self, project: &ProjectId, name: &str) -> Result<Vec<App>, ApiError> {
        let mut apps = self.of_project(project, name).await?;
        apps.retain(|app| app.name == name);
        Ok(apps)
    }

    /// An app with its current version.
    pub async fn app(&self, id: &AppId) -> Result<Option<App>, ApiError> {
        by_generation!(self.app(id))
    }

    /// Every version of an app, with its newest start. Empty for the oldest API, which has no versions.
    pub async fn versions(&self, app: &AppId) -> Result<Vec<AppVersion>, ApiError> {
        by_generation!(self.versions(app))
    }

    /// One version, current or not. `None` when this Domino does not show it (yet).
    pub async fn version(
        &self,
        app: &AppId,
        version: &AppVersionId,
    ) -> Result<Option<AppVersion>, ApiError> {
        by_generation!(self.version(app, version))
    }

    /// `GET /api/apps/beta/apps/{id}/thumbnail`: the bytes of an app's picture, if it has one; see
    /// [`Capabilities::has_thumbnails`].
    pub async fn thumbnail(&self, app: &AppId) -> Result<Option<Vec<u8>>, ApiError> {
        thumbnail::read(&self.client, app).await
    }

    /// One page of the log of a start of a version, from `position` on, at most `limit` lines. The newest API has no
    /// logs of its own; beta's are read.
    pub async fn log(
        &self,
        app: &AppId,
        version: &AppVersionId,
        instance: &AppInstanceId,
        position: &str,
        limit: usize,
    ) -> Result<LogPage, ApiError> {
        by_generation!(self.log(app, version, instance, position, limit))
    }
}

impl Apps<Writer> {
    /// Creates an app. Only [some](Capabilities::starts_what_it_creates) start it as well.
    pub async fn create(&self, app: &NewApp) -> Result<App, ApiError> {
        by_generation!(self.create(app))
    }

    /// Creates a version and starts it. The oldest API refuses or breaks while another one runs.
    pub async fn publish(&self, app: &AppId, content: &AppContent) -> Result<Published, ApiError> {
        by_generation!(self.publish(app, content))
    }

    /// Starts an existing version, deployed as this content says; see [`Capabilities::starts_versions_again`].
    pub async fn start(
        &self,
        app: &AppId,
        version: &AppVersionId,
        content: &AppContent,
    ) -> Result<(), ApiError> {
        v1::start(&self.client, app, version, content).await
    }

    /// Asks a version to stop.
    pub async fn stop(&self, app: &AppId, version: &AppVersion) -> Result<(), ApiError> {
        by_generation!(self.stop(app, version))
    }

    /// Stops an app that does not stop when asked to; only the oldest API can do this.
    pub async fn force_stop(&self, app: &AppId) -> Result<(), ApiError> {
        model_products::force_stop(&self.client, app).await
    }

    /// `DELETE …/apps/{id}`: archives an app and stops what runs of it; see [`Capabilities::archives_apps`].
    pub async fn archive(&self, app: &AppId) -> Result<(), ApiError> {
        by_generation!(self.archive(app))
    }

    /// `POST /api/apps/beta/apps/{id}/thumbnail`: makes or replaces an app's picture; 201 or 200.
    pub async fn set_thumbnail(&self, app: &AppId, picture: &Thumbnail) -> Result<(), ApiError> {
        thumbnail::set(&self.client, app, picture).await
    }

    /// Changes the app itself, not a version of it.
    pub async fn change(&self, app: &AppId, changes: &AppChanges) -> Result<(), ApiError> {
        by_generation!(self.change(app, changes))
    }
}

#[cfg(test)]
mod tests;
