//! What people decided in the experiment manager after a version was admitted to a stage. The records distinguish
//! that from what a promotion of ours did. It changes nothing.

use domino_core::api::registered_models::VersionNumber;
use domino_core::error::CommandError;
use domino_core::step::StepContext;

use crate::arguments::VersionArgs;
use crate::candidate::Candidate;
use crate::record::{Record, Status, demoted};
use crate::registry::stage_of;

/// Refuses a version that somebody removed from the stage, unless a reason is given.
pub(crate) fn check_not_taken_out(
    context: &StepContext,
    candidate: &Candidate<'_>,
    args: &VersionArgs,
) -> Result<(), CommandError> {
    if args.skip_order.is_some() || candidate.already_promoted.is_some() {
        return Ok(());
    }
    let file = &context.file;
    let (version, stage) = (&candidate.version, candidate.target.stage);
    let Some(record) = was_let_in(candidate).filter(|_| !candidate.is_in_stage()) else {
        return Ok(());
    };
    let later = file.stages.iter().skip_while(|one| one.name != stage.name);
    let mut later = later.skip(1);
    let went_on = later.any(|later| {
        Record::of(version, &later.name).is_some() || demoted(version, &later.name).is_some()
    });
    // Any version that was admitted after it has archived it. Records have whole seconds, and name the version
    // before.
    let gave_way = candidate.others().into_iter().any(|number| {
        let other = candidate.registry.version(number);
        let other = other.and_then(|other| Record::of(other, &stage.name));
        other.is_some_and(|other| {
            let is_later =
                other.at > record.at || other.at == record.at && record.replaced != Some(number);
            (other.status == Status::Done || other.held_before) && is_later
        })
    });
    if went_on || gave_way {
        return Ok(());
    }
    Err(CommandError::refused(format!(
        "version {} of `{}` was let into stage `{}` at {}, and somebody has moved it to `{}` since",
        version.version,
        candidate.target.name,
        stage.name,
        record.at,
        stage_of(version)
    ))
    .hint("promote a newer version; or say why it comes back with `--skip-order REASON`")
    .at(file, &["stage", &stage.name]))
}

/// Where the alias of the stage points, if somebody moved it away from the version that was admitted.
pub(crate) fn alias_moved_to(candidate: &Candidate<'_>) -> Option<VersionNumber> {
    let stays = candidate.is_in_stage() && candidate.others().is_empty();
    was_let_in(candidate).filter(|_| stays)?;
    let to = candidate.registry.alias(&candidate.target.alias());
    to.filter(|to| *to != candidate.number())
}

/// The record of a version that was admitted and not demoted since.
fn was_let_in(candidate: &Candidate<'_>) -> Option<Record> {
    let is_demoted = demoted(&candidate.version, &candidate.target.stage.name).is_some();
    let record = candidate.record().filter(|_| !is_demoted)?;
    (record.status == Status::Done).then_some(record)
}
