//! Whether GitHub keeps what one job hands on to the next for as long as an approval may take.

use domino_core::github::Environments;
use stage_file::{Install, StageFile};

use crate::doctor::finding::Finding;
use crate::pipelines::RETENTION_DAYS;

/// No finding if no job hands anything on, or it is kept long enough.
pub(super) async fn look(
    file: &StageFile,
    repository: &str,
    environments: &Environments,
) -> Option<Finding> {
    if file.pipeline.install == Install::Pip {
        return None;
    }
    match environments.artifact_days().await {
        Ok(days) if days >= RETENTION_DAYS => Some(Finding::well(format!(
            "artifacts of `{repository}` are kept for {days} days"
        ))),
        Ok(days) => Some(Finding::wrong(
            format!(
                "artifacts of `{repository}` are kept for {days} days, and the programs are to be kept for {RETENTION_DAYS}"
            ),
            "raise it under Settings → Actions → General → Artifact and log retention, or there in the organization: an \
             approval that comes later finds no programs; `install = \"pip\"` needs no artifact",
        )),
        Err(failure) => Some(Finding::NotAsked(
            "for how many days artifacts are kept".into(),
            failure.to_string(),
        )),
    }
}
