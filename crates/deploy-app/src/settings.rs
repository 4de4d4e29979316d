//! What the stage file sets of an app's versions beside hardware tier and environment, and whether the API that is
//! spoken has it.

use domino_core::api::apps::{Capabilities, Carried, VersionFields};
use domino_core::error::{CommandError, Result};
use domino_core::place::ResolvedPlacement;
use domino_core::step::Plan;
use stage_file::{App, Kind, Stage, StageFile};

/// What the file sets in this stage, with the volumes that were found.
pub(crate) fn version_fields(
    entity: &App,
    stage: &Stage,
    place: &ResolvedPlacement,
) -> VersionFields {
    let settings = entity.settings_in(stage);
    let volumes = place.settings.volumes.as_ref();
    VersionFields {
        volumes: volumes.map(|volumes| volumes.iter().map(|volume| volume.id.clone()).collect()),
        netapp_volumes: place.settings.netapp_volumes.clone(),
        autoscaling: settings.autoscaling,
        viewer_identity: settings.viewer_identity,
        vanity_url: settings.vanity_url,
        bundle: settings.bundle,
    }
}

/// Refuses what this API cannot carry, before anything is written: it would be left out in silence.
pub(crate) fn refuse_unknown(
    file: &StageFile,
    can: &Capabilities,
    entity: &App,
    stage: &Stage,
    fields: &VersionFields,
) -> Result<()> {
    let mut unknown = match can.sets_versions_up {
        true => Vec::new(),
        false => fields.need_newer_api(),
    };
    if entity.thumbnail.is_some() && !can.has_thumbnails {
        unknown.push("thumbnail");
    }
    let Some(first) = unknown.first() else {
        return Ok(());
    };
    let key = file.entity_key(Kind::App, &entity.name, stage, &[first]);
    Err(CommandError::refused(format!(
        "`{}` starts app `{}` without `{}`: it does not know that",
        can.route,
        entity.name,
        unknown.join("`, `")
    ))
    .hint(format!(
        "a Domino from 6.1 on knows it; for this one take away {}",
        file.place_of(&key)
    ))
    .at(file, &key))
}

/// Adds them to a plan; the volumes are told with where the app runs.
pub(crate) fn describe(fields: &VersionFields, plan: &mut Plan) {
    let beside = VersionFields {
        volumes: None,
        netapp_volumes: None,
        ..fields.clone()
    };
    for (what, _, wanted) in Carried::default().differences(&beside) {
        plan.fact(what, wanted);
    }
}
