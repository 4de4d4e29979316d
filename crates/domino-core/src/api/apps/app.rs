//! An app, its versions and their starts, and what is sent to create or change one: the same for every generation.

use serde::Deserialize;

use super::carried::Carried;
use super::status::AppStatus;
use super::thumbnail::Thumbnail;
use crate::api::git_ref::GitRef;
use crate::api::ids::{
    AppId, AppInstanceId, AppVersionId, EnvironmentId, HardwareTierId, ProjectId,
};
use stage_file::Visibility;

/// An app as far as a deployment needs it. What this Domino does not tell is `None`.
#[derive(Debug, Clone)]
pub struct App {
    /// The id that every route of the app names.
    pub id: AppId,
    /// The name, which need not be unique.
    pub name: String,
    /// The script that starts it.
    pub entry_point: Option<String>,
    /// The description that people read.
    pub description: Option<String>,
    /// Who may open it, in Domino's own word, such as `GRANT_BASED`.
    pub visibility: Option<String>,
    /// Whether people who may not open it find it in Domino.
    pub discoverable: Option<bool>,
    /// Its address, as Domino gives it.
    pub url: Option<String>,
    /// The id of the account that created it.
    pub publisher: Option<String>,
    /// The version that Domino considers current; `None` when there never was one.
    pub version: Option<AppVersion>,
}

/// One version of an app: its content, and the status of its newest start.
#[derive(Debug, Clone)]
pub struct AppVersion {
    /// The id that the version's routes name. For the oldest API it is the instance's.
    pub id: AppVersionId,
    /// The branch, tag or commit that it runs.
    pub git_ref: Option<GitRef>,
    /// The id of the hardware tier it runs on.
    pub hardware_tier: Option<HardwareTierId>,
    /// The hardware tier's name; only the oldest API tells it.
    pub hardware_tier_name: Option<String>,
    /// The id of the compute environment it runs in.
    pub environment: Option<EnvironmentId>,
    /// The compute environment's name; only the oldest API tells it.
    pub environment_name: Option<String>,
    /// The id of the environment's revision.
    pub revision: Option<String>,
    /// The name of the account that created this version.
    pub publisher: Option<String>,
    /// When it was created, in epoch milliseconds.
    pub created: Option<i64>,
    /// Its other settings, to be sent back unchanged.
    pub carried: Carried,
    /// Its newest start.
    pub instance: Option<AppInstance>,
}

/// One start of a version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppInstance {
    /// The id that logs and beta's stop name.
    pub id: AppInstanceId,
    /// Domino's word for how far it is.
    pub status: AppStatus,
    /// When it began, in epoch milliseconds.
    #[serde(default, rename = "createdAt", deserialize_with = "epoch")]
    pub created: Option<i64>,
}

/// JSON has numbers only, so that epoch milliseconds may have a fraction.
fn epoch<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = Option::<f64>::deserialize(deserializer)?;
    Ok(number.map(|number| number as i64))
}

impl AppVersion {
    /// The status of its newest start.
    pub fn status(&self) -> AppStatus {
        self.instance
            .as_ref()
            .map_or(AppStatus::Never, |instance| instance.status.clone())
    }

    /// When its newest start began, or if there is none, when it was created, in epoch milliseconds.
    pub fn since(&self) -> Option<i64> {
        let instance = self.instance.as_ref();
        instance
            .and_then(|instance| instance.created)
            .or(self.created)
    }

    /// Its content, for creating it once more.
    pub fn content(&self) -> AppContent {
        AppContent {
            git_ref: self.git_ref.clone(),
            hardware_tier: self.hardware_tier.clone(),
            environment: self.environment.clone(),
            revision: self.revision.clone(),
            carried: self.carried.clone(),
        }
    }
}

impl App {
    /// The status of its current version.
    pub fn status(&self) -> AppStatus {
        self.version
            .as_ref()
            .map_or(AppStatus::Never, AppVersion::status)
    }

    /// The current version, unless it has this id.
    pub fn version_other_than(&self, id: Option<&AppVersionId>) -> Option<&AppVersion> {
        self.version
            .as_ref()
            .filter(|version| Some(&version.id) != id)
    }
}

/// The content of a version. A field that is `None` is not sent and takes the project's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppContent {
    /// The branch, tag or commit to run.
    pub git_ref: Option<GitRef>,
    /// The id of the hardware tier to run on.
    pub hardware_tier: Option<HardwareTierId>,
    /// The id of the compute environment to run in.
    pub environment: Option<EnvironmentId>,
    /// The id of the environment's revision; the oldest API cannot choose one.
    pub revision: Option<String>,
    /// Its other settings, taken over from an earlier version.
    pub carried: Carried,
}

/// An app that is to be created.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// The project that it will belong to.
    pub project: ProjectId,
    /// Its name. Domino allows a second app of the same name.
    pub name: String,
    /// The description that people read.
    pub description: String,
    /// The script that starts it.
    pub entry_point: String,
    /// Who may open it.
    pub visibility: Visibility,
    /// Whether people who may not open it find it in Domino; `None` is Domino's choice.
    pub discoverable: Option<bool>,
    /// Its first version; the oldest API receives it when the app is started.
    pub content: AppContent,
}

/// Changes to an app itself, not to a version of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppChanges {
    /// The script that starts it; see [`Capabilities::changes_entry_point`](super::Capabilities::changes_entry_point).
    pub entry_point: Option<String>,
    /// The description that people read; see
    /// [`Capabilities::changes_description`](super::Capabilities::changes_description).
    pub description: Option<String>,
    /// Who may open it.
    pub visibility: Option<Visibility>,
    /// Whether people who may not open it find it; see
    /// [`Capabilities::changes_discoverable`](super::Capabilities::changes_discoverable).
    pub discoverable: Option<bool>,
    /// Its picture, which has a route of its own; see
    /// [`Capabilities::has_thumbnails`](super::Capabilities::has_thumbnails).
    pub thumbnail: Option<Thumbnail>,
}

impl AppChanges {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The result of publishing a version.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The version, if the reply names it.
    pub version: Option<AppVersion>,
    /// Domino's warnings about it.
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
