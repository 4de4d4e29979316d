//! An app, and who may open it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app_settings::{AppApi, AppSettings};
use crate::placement::{self, Placement};
use crate::stage::Stage;

/// `[app.<name>]`: a web app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// The name, from the table's header; in Domino it is [`StageFile::app_name`](crate::StageFile::app_name).
    pub name: String,
    /// The script that starts it, from the top of the repository.
    pub entry_point: String,
    /// The description that people read in Domino.
    pub description: String,
    /// Who may open it.
    pub visibility: Visibility,
    /// The picture of it in Domino's list, from the top of the repository.
    pub thumbnail: Option<PathBuf>,
    /// What its versions have beside the stage's tier and environment.
    #[serde(flatten)]
    pub settings: AppSettings,
    /// The API of Domino's that is used; the newest that there is when not given.
    pub api: Option<AppApi>,
    /// The path below the app's URL that must answer; `None` accepts Domino's word.
    pub health_path: Option<String>,
    /// The HTTP status expected there.
    pub health_status: u16,
    /// How long a new version may take until it serves, such as `30m`; 15 minutes when not given.
    pub timeout: Option<String>,
    /// The apps that come before it in every stage, by name.
    pub after: Vec<String>,
    /// Files, and folders with a trailing `/`, whose change deploys it, in addition to those that are named
    /// elsewhere; `None` if the file does not say.
    pub paths: Option<Vec<String>>,
    /// Its own settings in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}

/// The MIME type of a picture by the end of its name; `None` if it is not that of a picture.
pub fn picture_type(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

impl App {
    /// How long a version may take if the file does not say.
    const TIMEOUT: Duration = Duration::from_secs(15 * 60);

    /// What its versions have in this stage: what the stage's table says, over what the app's own does.
    pub fn settings_in(&self, stage: &Stage) -> AppSettings {
        let there = self.stages.get(&stage.name);
        there.map_or_else(
            || self.settings.clone(),
            |placement| placement.app.over(&self.settings),
        )
    }

    /// How long to wait for a new version.
    pub fn timeout(&self, stage: &Stage) -> Duration {
        let timeout = placement::timeout(&self.stages, &stage.name, self.timeout.as_deref());
        timeout.unwrap_or(Self::TIMEOUT)
    }
}

/// Who may open an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Everybody who has signed in.
    Authenticated,
    /// Those who were granted access; others may ask for it.
    GrantBased,
    /// Only those who were granted access.
    GrantBasedStrict,
}
