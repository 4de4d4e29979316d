//! An app, its versions and their starts, and what is asked for to make or change one: the same for every generation.

use serde::Deserialize;

use super::carried::Carried;
use super::status::AppStatus;
use crate::api::git_ref::GitRef;
use crate::api::ids::{
    AppId, AppInstanceId, AppVersionId, EnvironmentId, HardwareTierId, ProjectId,
};
use stage_file::Visibility;

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
    /// The id of the account that made it.
    pub publisher: Option<String>,
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
    /// Who made this version, by name.
    pub publisher: Option<String>,
    /// When it was made, in epoch milliseconds.
    pub created: Option<i64>,
    /// What else it has, to be sent back.
    pub carried: Carried,
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
    /// When it began, in epoch milliseconds.
    #[serde(default, rename = "createdAt", deserialize_with = "epoch")]
    pub created: Option<i64>,
}

/// Epoch milliseconds are a number of JSON, which may have a fraction.
fn epoch<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = Option::<f64>::deserialize(deserializer)?;
    Ok(number.map(|number| number as i64))
}

impl AppVersion {
    /// How its newest start stands.
    pub fn status(&self) -> AppStatus {
        self.instance
            .as_ref()
            .map_or(AppStatus::Never, |instance| instance.status.clone())
    }

    /// When its newest start began, or else when it was made, in epoch milliseconds.
    pub fn since(&self) -> Option<i64> {
        let instance = self.instance.as_ref();
        instance
            .and_then(|instance| instance.created)
            .or(self.created)
    }

    /// What it is made of, to make it once more.
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
    /// What else it has.
    pub carried: Carried,
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
    /// The script that starts it; see [`Capabilities::changes_entry_point`](super::Capabilities::changes_entry_point).
    pub entry_point: Option<String>,
    /// What people read; see [`Capabilities::changes_description`](super::Capabilities::changes_description).
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
