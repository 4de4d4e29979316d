//! What `publish` reads beyond the app itself before it decides: whether an app of the name is hidden from this API,
//! and which revision of the compute environment is meant.

use std::time::Duration;

use domino_core::api::apps::{App, Apps, Capabilities, Generation};
use domino_core::api::environments::RevisionSpec;
use domino_core::api::projects::Project;
use domino_core::client::Reader;
use domino_core::error::{CommandError, Result};
use domino_core::place::ResolvedPlacement;
use domino_core::wait::Poll;
use stage_file::{StageFile, Target};

use crate::decision::STOPPED;

/// How long another step may take between a stop and a start.
const REPLACED_WITHIN: Duration = Duration::from_secs(3);

/// Apps that were created by the oldest API may not appear in a newer one. A second one of the same name would be
/// created, so the older API is searched first.
pub(crate) async fn refuse_hidden_namesake(
    reader: &Reader,
    project: &Project,
    can: &Capabilities,
    name: &str,
) -> Result<()> {
    let hidden = match reader.apps(Generation::V4).named(&project.id, name).await {
        Ok(apps) => apps,
        Err(error) if error.is_unknown_route() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let Some(app) = hidden.first() else {
        return Ok(());
    };
    Err(CommandError::refused(format!(
        "there is an app `{name}` ({}) that `{}` does not show",
        app.id, can.route
    ))
    .hint("publish it with `--api v4`, or delete it in Domino so that it is created anew"))
}

/// If a version must be stopped before another one starts, another step may be between the two. So a stopped app
/// counts as stopped by somebody only if nothing starts for a while.
pub(crate) async fn once_replaced(
    apps: &Apps<Reader>,
    existing: Option<App>,
    delay_scale: f64,
) -> Result<Option<App>> {
    let Some(mut app) = existing else {
        return Ok(None);
    };
    let mut poll = Poll::until(REPLACED_WITHIN, delay_scale);
    while app.status().is_down() && app.status().word() == STOPPED && poll.next().await {
        match apps.app(&app.id).await? {
            Some(now) => app = now,
            None => return Ok(None),
        }
    }
    Ok(Some(app))
}

/// The id of the environment's revision to request; `None` is the active one, which Domino uses by default.
pub(crate) async fn revision(
    reader: &Reader,
    file: &StageFile,
    can: &Capabilities,
    place: &ResolvedPlacement,
    target: &Target,
) -> Result<Option<String>> {
    let Some((environment, spec)) = &place.environment else {
        return Ok(None);
    };
    let id = match spec {
        RevisionSpec::One { revision_id } => revision_id.clone(),
        RevisionSpec::Latest => match reader.latest_revision(&environment.id).await? {
            Some(id) => id,
            None => {
                let text = format!("environment `{}` has no revision", environment.name);
                return Err(CommandError::refused(text).at(file, &target.environment_key));
            }
        },
        RevisionSpec::Active | RevisionSpec::Other(_) => return Ok(None),
    };
    let is_active = environment.active_revision_id.as_deref() == Some(id.as_str());
    match (is_active, can.chooses_revision) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(id)),
        (false, false) => Err(CommandError::refused(format!(
            "`{}` starts apps in the active revision of an environment only, and `{id}` is not the active one of `{}`",
            can.route,
            environment.name
        ))
        .hint(format!(
            "make it the active revision in Domino, or leave out `revision` in `{}`",
            target.environment_key.join(".")
        ))
        .at(file, &target.environment_key)),
    }
}
