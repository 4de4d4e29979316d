//! An app, and who may open it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::placement::Placement;

/// `[app.<name>]`: a web app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// The name, from the table's header; in Domino it is [`StageFile::app_name`](crate::StageFile::app_name).
    pub name: String,
    /// The script that starts it, from the top of the repository.
    pub entry_point: String,
    /// What people read in Domino.
    pub description: String,
    /// Who may open it.
    pub visibility: Visibility,
    /// The path below the app's URL that must answer; `None` accepts Domino's word.
    pub health_path: Option<String>,
    /// The HTTP status expected there.
    pub health_status: u16,
    /// The apps that come before it in every stage, by name.
    pub after: Vec<String>,
    /// Files, and folders with a `/` at their end, whose change deploys it beside those that are named elsewhere;
    /// nothing where the file does not say.
    pub paths: Option<Vec<String>>,
    /// What differs in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}

/// Who may open an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Everybody who is signed in.
    Authenticated,
    /// Those who were granted access, and others may ask.
    GrantBased,
    /// Those who were granted access only.
    GrantBasedStrict,
}
