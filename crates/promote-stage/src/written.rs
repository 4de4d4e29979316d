//! Whether a promotion that another process was to carry out has been written: read again, from this process.

use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;

use crate::order::no_such_version;
use crate::record::{Record, Status};
use crate::registry::{listed, stage_of};
use crate::target::PromotionTarget;

/// Refuses if the stage does not hold the version alone, or its record does not say that it was finished. Returns the
/// record, as the value of its tag.
pub(crate) async fn check_written(
    context: &StepContext,
    target: &PromotionTarget<'_>,
    number: VersionNumber,
) -> Result<String> {
    let reader = PromotionTarget::tracking(context)?.reader();
    let mut registry = target.registry(context, &reader).await?;
    registry.look_up(&reader, number).await?;
    let Some(version) = registry.version(number) else {
        return Err(no_such_version(&registry, number));
    };
    let mut lacks = Vec::new();
    let (existing, wanted) = (stage_of(version), &target.model_stage);
    if existing != *wanted {
        lacks.push(format!("it is in `{existing}`"));
    }
    let mut others = registry.versions_in_stage(wanted);
    others.retain(|other| *other != number);
    if !others.is_empty() {
        lacks.push(format!("`{wanted}` holds {}", listed(&others)));
    }
    let record = Record::of(version, &target.stage.name);
    let record = record.filter(|record| record.status == Status::Done);
    match record {
        Some(record) if lacks.is_empty() => record.value(),
        record => {
            if record.is_none() {
                lacks.push("it has no record of a promotion that was finished".into());
            }
            Err(CommandError::refused(format!(
                "the run succeeded, and `{wanted}` does not hold version {number} of `{}` alone: {}",
                target.name,
                lacks.join("; ")
            ))
            .hint("somebody may have changed it since: look, then run this again"))
        }
    }
}
