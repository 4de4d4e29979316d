//! Which versions a stage holds, found without reading all of them: a model may have thousands.
//!
//! The experiment manager searches by number, tag and last change, but not by stage. It tells the newest version of
//! each stage, which hides older ones there, and lists a version that enters a stage first in the order of the last
//! change. If none of this is enough, every version is read.

use domino_core::api::mlflow::{ModelStage, ModelVersion, RegisteredModel, TrackingReader, Which};
use domino_core::client::ApiError;
use domino_core::let_in::{STAGE_TAG, stage_of};

use crate::record::{Record, Status};

/// How many of the last changes are read, and how many more if those do not reach back far enough.
const CHANGES: [usize; 2] = [200, 2000];
/// How far the clocks of a deployment may differ, in milliseconds.
const CLOCKS: i64 = 10 * 60 * 1000;

/// The versions in these stages of the stage file, with the newest version of every other stage.
pub(crate) async fn find(
    reader: &TrackingReader,
    model: &RegisteredModel,
    stages: &[(&str, ModelStage)],
) -> Result<Vec<ModelVersion>, ApiError> {
    let latest = &model.latest_versions;
    let name = model.name.as_str();
    let is_held = |version: &ModelVersion| {
        let held = stage_of(version);
        stages.iter().any(|(_, stage)| *stage == held)
    };
    if latest.is_empty() {
        return reader.model_versions(name).await;
    }
    let mut found = latest.clone();
    // If nothing has a stage, the server may no longer have stages, and tags replace them.
    if (latest.iter()).all(|version| version.current_stage == ModelStage::None) {
        let tagged = Which::Tagged(name, STAGE_TAG);
        found.extend(reader.selected_versions(tagged, is_held).await?);
        return Ok(found);
    }
    for (stage_name, stage) in stages {
        let Some(newest) = (latest.iter()).find(|version| version.current_stage == *stage) else {
            continue;
        };
        if newest.version.get() > 1 {
            found.extend(older(reader, newest, stage_name).await?);
        }
    }
    Ok(found)
}

/// The versions that are in the same stage as its newest one. If the record of the newest says that it had the stage
/// to itself, only those count that changed since.
async fn older(
    reader: &TrackingReader,
    newest: &ModelVersion,
    stage_name: &str,
) -> Result<Vec<ModelVersion>, ApiError> {
    let below = Which::Below(&newest.name, newest.version);
    let is_held = |version: &ModelVersion| stage_of(version) == newest.current_stage;
    let record = Record::of(newest, stage_name);
    let alone = record.filter(|record| record.status == Status::Done);
    if let Some(at) = alone.and_then(|record| record.at_millisecond())
        && let Some(mut changed) = changed_since(reader, below, at - CLOCKS).await?
    {
        changed.retain(is_held);
        return Ok(changed);
    }
    reader.selected_versions(below, is_held).await
}

/// The versions that changed after `since`, with some that did not; `None` if there are too many.
pub(crate) async fn changed_since(
    reader: &TrackingReader,
    which: Which<'_>,
    since: i64,
) -> Result<Option<Vec<ModelVersion>>, ApiError> {
    for most in CHANGES {
        let changed = reader.last_changed_versions(which, most).await?;
        let reaches_back = |last: &ModelVersion| last.last_updated_timestamp <= since;
        if changed.len() < most || changed.last().is_some_and(reaches_back) {
            return Ok(Some(changed));
        }
    }
    Ok(None)
}
