//! Where a version is, and whether it was let in there, by what its promotion left at it as tags.
//!
//! It is a record and no proof: whoever may edit a version may edit its tags. What else a record holds is for the program
//! that writes it.

use serde::Deserialize;

use crate::api::mlflow::{ModelStage, ModelVersion};
use crate::version_identity::VersionIdentity;

/// The tag that stands for the stage of a version, where the experiment manager no longer has stages.
pub const STAGE_TAG: &str = "promote.stage";

/// What of a record says whether the version was let in.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    status: String,
    #[serde(default)]
    held_before: bool,
    #[serde(default)]
    of: Option<VersionIdentity>,
}

/// The tag that keeps the record of one stage.
pub fn record_key(stage: &str) -> String {
    format!("promote.in.{stage}")
}

/// The tag that says that a version was demoted from a stage, so that nothing brings it back by itself.
pub fn demoted_key(stage: &str) -> String {
    format!("promote.demoted.{stage}")
}

/// Whether the record of a version says that it was let into a stage, now or once. A record that tells of another version
/// is none, nor is one that was edited beyond understanding.
pub fn has_entered(version: &ModelVersion, stage: &str) -> bool {
    let text = version.tags.get(&record_key(stage));
    let entry: Option<Entry> = text.and_then(|text| serde_json::from_str(text).ok());
    entry.is_some_and(|entry| {
        let is_of_this = entry.of.is_none_or(|of| of == VersionIdentity::of(version));
        is_of_this && (entry.status == "done" || entry.held_before)
    })
}

/// Whether a version was let into a stage by its record, and was not demoted since.
pub fn was_let_in(version: &ModelVersion, stage: &str) -> bool {
    has_entered(version, stage) && !version.tags.contains_key(&demoted_key(stage))
}

/// The stage of a version; by its tag, where the experiment manager no longer has stages.
pub fn stage_of(version: &ModelVersion) -> ModelStage {
    match (&version.current_stage, version.tags.get(STAGE_TAG)) {
        (ModelStage::None, Some(word)) => ModelStage::from(word.as_str()),
        (stage, _) => stage.clone(),
    }
}
