//! Where a version is, and whether it was let in there, by the tags that its promotions left at it.
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
    at: String,
    #[serde(default)]
    held_before: bool,
    #[serde(default)]
    of: Option<VersionIdentity>,
}

impl Entry {
    fn in_tags(version: &ModelVersion, stage: &str) -> Option<Self> {
        serde_json::from_str(version.tags.get(&record_key(stage))?).ok()
    }

    fn is_of(&self, version: &ModelVersion) -> bool {
        tells_of(self.of.as_ref(), &self.at, version)
    }
}

/// Whether a record tells of this version: a copy of a version has the tags of the original. One of an earlier release
/// says only when it was written, `at`; it tells of no version that came later.
pub fn tells_of(of: Option<&VersionIdentity>, at: &str, version: &ModelVersion) -> bool {
    let identity = VersionIdentity::of(version);
    match of {
        Some(of) => *of == identity,
        None => {
            let at: Option<jiff::Timestamp> = at.parse().ok();
            at.is_none_or(|at| !identity.is_younger_than(at.as_millisecond()))
        }
    }
}

/// The tag that keeps the record of one stage.
pub fn record_key(stage: &str) -> String {
    format!("promote.in.{stage}")
}

/// The tag that says that a version was demoted from a stage, so that nothing brings it back by itself.
pub fn demoted_key(stage: &str) -> String {
    format!("promote.demoted.{stage}")
}

/// Why a version had to leave a stage, when it was demoted from there. A tag without a value stands for none, because
/// not everybody who may write a tag may delete it; and one that came with a copy says nothing of the copy.
pub fn demoted<'a>(version: &'a ModelVersion, stage: &str) -> Option<&'a str> {
    let why = version.tags.get(&demoted_key(stage))?;
    let is_of_this = Entry::in_tags(version, stage).is_none_or(|entry| entry.is_of(version));
    (is_of_this && !why.is_empty()).then_some(why)
}

/// Whether the record of a version says that it was let into a stage, now or once. A record that tells of another version
/// is none, nor is one that was edited beyond understanding.
pub fn has_entered(version: &ModelVersion, stage: &str) -> bool {
    let entry = Entry::in_tags(version, stage).filter(|entry| entry.is_of(version));
    entry.is_some_and(|entry| entry.status == "done" || entry.held_before)
}

/// Whether a version was let into a stage by its record, and was not demoted since.
pub fn was_let_in(version: &ModelVersion, stage: &str) -> bool {
    has_entered(version, stage) && demoted(version, stage).is_none()
}

/// The stage of a version; by its tag, where the experiment manager no longer has stages.
pub fn stage_of(version: &ModelVersion) -> ModelStage {
    match (&version.current_stage, version.tags.get(STAGE_TAG)) {
        (ModelStage::None, Some(word)) => ModelStage::from(word.as_str()),
        (stage, _) => stage.clone(),
    }
}
