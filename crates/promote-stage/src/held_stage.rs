//! In which stage a version is: as the experiment manager says, or by a tag where it has no stages any more.

use domino_core::api::mlflow::{ModelStage, ModelVersion};

/// The tag that stands for the stage where the experiment manager no longer has stages.
pub(crate) const STAGE_TAG: &str = "promote.stage";

/// The stage of a version; by its tag, where the experiment manager no longer has stages.
pub(crate) fn stage_of(version: &ModelVersion) -> ModelStage {
    match (&version.current_stage, version.tags.get(STAGE_TAG)) {
        (ModelStage::None, Some(word)) => ModelStage::from(word.as_str()),
        (stage, _) => stage.clone(),
    }
}
