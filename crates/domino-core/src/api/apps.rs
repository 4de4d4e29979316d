//! Apps: find one by name, publish a version of it, see how that stands, stop it, and read its log.
//!
//! Domino has had three APIs for them. This is the one face; what is sent and read is in a file for each. It does
//! not decide which version to publish, nor what to do when one fails.

mod beta;
mod model_products;
mod status;
mod v1;
mod wire;

use serde::Deserialize;

pub use self::status::AppStatus;
use super::environments::EnvironmentId;
use super::git_ref::GitRef;
use super::hardware_tiers::HardwareTierId;
pub use super::ids::{AppId, AppInstanceId, AppVersionId};
use super::logs::LogPage;
use super::projects::ProjectId;
use crate::client::{ApiError, Reader, Writer};
use stage_file::Visibility;

/// The generations of Domino's API for apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AppsApi {
    /// `/api/apps/v1`, from Domino 6.4 on
    V1,
    /// `/api/apps/beta`, Domino 6.1 to 6.3
    Beta,
    /// `/v4/modelProducts`, every Domino
    V4,
}

impl AppsApi {
    /// What `--api` calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Beta => "beta",
            Self::V4 => "v4",
        }
    }

    /// Where its routes begin.
    pub fn route(self) -> &'static str {
        match self {
            Self::V1 => v1::APPS,
            Self::Beta => beta::APPS,
            Self::V4 => model_products::APPS,
        }
    }

    /// Whether Domino itself replaces the version that runs; else it must be stopped before.
    pub fn replaces_what_runs(self) -> bool {
        self != Self::V4
    }

    /// Whether a new version starts while the one before still runs.
    pub fn runs_two_at_once(self) -> bool {
        self == Self::Beta
    }

    /// Whether creating an app starts it as well.
    pub fn starts_what_it_creates(self) -> bool {
        self == Self::Beta
    }

    /// Whether a version that ran before can be started again as it is.
    pub fn starts_versions_again(self) -> bool {
        self == Self::V1
    }

    /// Whether an app's entry point can be changed.
    pub fn changes_entry_point(self) -> bool {
        self == Self::Beta
    }

    /// Whether an app's description can be changed.
    pub fn changes_description(self) -> bool {
        self != Self::V4
    }

    /// Whether a revision of the compute environment can be chosen, other than the active one.
    pub fn chooses_revision(self) -> bool {
        self != Self::V4
    }
}

/// An app as far as a deployment needs it. What this Domino does not tell is `None`.
#[derive(Debug, Clone)]
pub struct App {
    /// The id.
    pub id: AppId,
    /// The name, which need not be unique.
    pub name: String,
    /// The script that starts it.
    pub entry_point: Option<String>,
    /// What people read.
    pub description: Option<String>,
    /// Who may open it, in Domino's word: `GRANT_BASED`.
    pub visibility: Option<String>,
    /// Where it is opened, as Domino gives it.
    pub url: Option<String>,
    /// The version that Domino takes for the current one; `None` when there never was one.
    pub version: Option<AppVersion>,
}

/// One version of an app: what it is made of, and how its newest start stands.
#[derive(Debug, Clone)]
pub struct AppVersion {
    /// The id.
    pub id: AppVersionId,
    /// What of the repository it runs.
    pub git_ref: Option<GitRef>,
    /// The hardware tier.
    pub hardware_tier: Option<HardwareTierId>,
    /// The hardware tier's name; only the oldest API tells it.
    pub hardware_tier_name: Option<String>,
    /// The compute environment.
    pub environment: Option<EnvironmentId>,
    /// The compute environment's name; only the oldest API tells it.
    pub environment_name: Option<String>,
    /// The id of the environment's revision.
    pub revision: Option<String>,
    /// Its newest start.
    pub instance: Option<AppInstance>,
}

/// One start of a version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppInstance {
    /// The id.
    pub id: AppInstanceId,
    /// How it stands.
    pub status: AppStatus,
}

impl AppVersion {
    /// How its newest start stands.
    pub fn status(&self) -> AppStatus {
        self.instance
            .as_ref()
            .map_or(AppStatus::Never, |instance| instance.status.clone())
    }

    /// What it is made of, to make it once more.
    pub fn content(&self) -> AppContent {
        AppContent {
            git_ref: self.git_ref.clone(),
            hardware_tier: self.hardware_tier.clone(),
            environment: self.environment.clone(),
            revision: self.revision.clone(),
        }
    }
}

impl App {
    /// How its current version stands.
    pub fn status(&self) -> AppStatus {
        self.version
            .as_ref()
            .map_or(AppStatus::Never, AppVersion::status)
    }

    /// The version, if it is another one than that of this id.
    pub fn version_other_than(&self, id: Option<&AppVersionId>) -> Option<&AppVersion> {
        self.version
            .as_ref()
            .filter(|version| Some(&version.id) != id)
    }
}

/// What a version is made of. Everything that is `None` is left out and takes the project's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppContent {
    /// What of the repository it runs.
    pub git_ref: Option<GitRef>,
    /// The hardware tier.
    pub hardware_tier: Option<HardwareTierId>,
    /// The compute environment.
    pub environment: Option<EnvironmentId>,
    /// The id of the environment's revision; the oldest API cannot choose one.
    pub revision: Option<String>,
}

/// An app that is not there yet.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// The project.
    pub project: ProjectId,
    /// The name.
    pub name: String,
    /// What people read.
    pub description: String,
    /// The script that starts it.
    pub entry_point: String,
    /// Who may open it.
    pub visibility: Visibility,
    /// Its first version; the oldest API is told when it is started.
    pub content: AppContent,
}

/// What is to change about an app itself, not about a version of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppChanges {
    /// The script that starts it; see [`AppsApi::changes_entry_point`].
    pub entry_point: Option<String>,
    /// What people read; see [`AppsApi::changes_description`].
    pub description: Option<String>,
    /// Who may open it.
    pub visibility: Option<Visibility>,
}

impl AppChanges {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What came of publishing a version.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The version, where the reply names it.
    pub version: Option<AppVersion>,
    /// What Domino wants to be known about it.
    pub warnings: Vec<String>,
}

/// Domino's word for who may open an app.
pub fn visibility_word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "PUBLIC",
        Visibility::Authenticated => "AUTHENTICATED",
        Visibility::GrantBased => "GRANT_BASED",
        Visibility::GrantBasedStrict => "GRANT_BASED_STRICT",
    }
}

impl Reader {
    /// The newest generation that this deployment has, and the project's apps of exactly this name in it. The
    /// list itself is the question: 404 and 501 mean that the generation is not here, nothing else does.
    pub async fn find_apps(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<(AppsApi, Vec<App>), ApiError> {
        for api in [AppsApi::V1, AppsApi::Beta] {
            match self.apps(api, project, name).await {
                Ok(apps) => return Ok((api, apps)),
                Err(error) if error.is_unknown_route() => {}
                Err(error) => return Err(error),
            }
        }
        let apps = self.apps(AppsApi::V4, project, name).await?;
        Ok((AppsApi::V4, apps))
    }

    /// The project's apps of exactly this name. Filters of the server are not trusted.
    pub async fn apps(
        &self,
        api: AppsApi,
        project: &ProjectId,
        name: &str,
    ) -> Result<Vec<App>, ApiError> {
        match api {
            AppsApi::V1 => wire::apps(self, v1::APPS, project, name).await,
            AppsApi::Beta => wire::apps(self, beta::APPS, project, name).await,
            AppsApi::V4 => model_products::apps(self, project, name).await,
        }
    }

    /// An app with its current version.
    pub async fn app(&self, api: AppsApi, id: &AppId) -> Result<Option<App>, ApiError> {
        match api {
            AppsApi::V1 => wire::app(self, v1::APPS, id).await,
            AppsApi::Beta => wire::app(self, beta::APPS, id).await,
            AppsApi::V4 => model_products::app(self, id).await,
        }
    }

    /// One version, whether it is the current one or not. `None` when this Domino does not show it (yet).
    pub async fn app_version(
        &self,
        api: AppsApi,
        app: &AppId,
        version: &AppVersionId,
    ) -> Result<Option<AppVersion>, ApiError> {
        match api {
            AppsApi::V1 => v1::version(self, app, version).await,
            AppsApi::Beta => beta::version(self, app, version).await,
            AppsApi::V4 => model_products::version(self, app, version).await,
        }
    }

    /// One page of the log of a start of a version, from `position` on, of at most `limit` lines. The newest API
    /// has no logs of its own: they are beta's.
    pub async fn app_log(
        &self,
        api: AppsApi,
        app: &AppId,
        version: &AppVersionId,
        instance: &AppInstanceId,
        position: &str,
        limit: usize,
    ) -> Result<LogPage, ApiError> {
        match api {
            AppsApi::V1 | AppsApi::Beta => {
                beta::log(self, app, version, instance, position, limit).await
            }
            AppsApi::V4 => model_products::log(self, instance, position, limit).await,
        }
    }
}

impl Writer {
    /// Creates an app. Only [some](AppsApi::starts_what_it_creates) start it as well.
    pub async fn create_app(&self, api: AppsApi, app: &NewApp) -> Result<App, ApiError> {
        match api {
            AppsApi::V1 => v1::create(self, app).await,
            AppsApi::Beta => beta::create(self, app).await,
            AppsApi::V4 => model_products::create(self, app).await,
        }
    }

    /// Makes a version and starts it. The oldest API refuses or breaks while another one runs.
    pub async fn publish_app(
        &self,
        api: AppsApi,
        app: &AppId,
        content: &AppContent,
    ) -> Result<Published, ApiError> {
        match api {
            AppsApi::V1 => v1::publish(self, app, content).await,
            AppsApi::Beta => beta::publish(self, app, content).await,
            AppsApi::V4 => model_products::start(self, app, content).await,
        }
    }

    /// `POST /api/apps/v1/apps/{id}/versions/{v}/start`: starts a version that is there, on a hardware tier; see
    /// [`AppsApi::starts_versions_again`]. Contract: Domino's documentation of apps v1.
    pub async fn start_app_version(
        &self,
        app: &AppId,
        version: &AppVersionId,
        tier: Option<&HardwareTierId>,
    ) -> Result<(), ApiError> {
        v1::start(self, app, version, tier).await
    }

    /// Asks a version to stop.
    pub async fn stop_app(
        &self,
        api: AppsApi,
        app: &AppId,
        version: &AppVersion,
    ) -> Result<(), ApiError> {
        match api {
            AppsApi::V1 => v1::stop(self, app, &version.id).await,
            AppsApi::Beta => match &version.instance {
                Some(instance) => beta::stop(self, app, &version.id, &instance.id).await,
                None => Ok(()),
            },
            AppsApi::V4 => model_products::stop(self, app).await,
        }
    }

    /// `POST /v4/modelProducts/{id}/stop?force=true`: for an app that does not stop when it is asked to; only the
    /// oldest API has it. Contract: v4.
    pub async fn force_stop_app(&self, app: &AppId) -> Result<(), ApiError> {
        model_products::force_stop(self, app).await
    }

    /// Changes an app itself.
    pub async fn change_app(
        &self,
        api: AppsApi,
        app: &AppId,
        changes: &AppChanges,
    ) -> Result<(), ApiError> {
        match api {
            AppsApi::V1 => wire::change(self, v1::APPS, app, changes).await,
            AppsApi::Beta => wire::change(self, beta::APPS, app, changes).await,
            AppsApi::V4 => model_products::change(self, app, changes).await,
        }
    }
}

#[cfg(test)]
mod tests;
