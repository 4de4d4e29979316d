//! Nothing goes backwards by accident: an older version of the registered model than the one that serves, or an older
//! commit, is refused with both named, unless somebody asked for it.

use domino_core::api::GitRef;
use domino_core::api::model_apis::{ModelApiSource, ModelApiVersion};
use domino_core::api::registered_models::VersionNumber;
use domino_core::client::Connection;
use domino_core::error::{CommandError, Result};
use domino_core::older_commit::{OrderNotes, Running};
use stage_file::VersionRule;

use crate::difference::{ExistingEndpoint, Wanted};

/// Compares what is to be published with what serves. An older version is somebody's decision if a `rule` of the
/// stage file names it: by its number, an alias, or a stage of the experiment manager.
pub(crate) async fn check(
    existing: &ExistingEndpoint,
    wanted: &Wanted,
    rule: Option<&VersionRule>,
    back: bool,
    connection: &Connection,
) -> Result<OrderNotes> {
    let Some(active) = existing.active() else {
        return Ok(OrderNotes::default());
    };
    let endpoint = format!("endpoint `{}`", existing.api.name);
    let mark = existing.mark_of(active, &wanted.marker.of);
    let run = mark.as_ref().and_then(|mark| mark.workflow_run.as_deref());
    let deployed = deployed(active, run);
    if let ModelApiSource::Registered { name, version } = &wanted.desired.source
        && let Some(serves) = served(active, name, mark.as_ref().and_then(|mark| mark.version))
        && serves > *version
    {
        if let Some(rule) = rule.filter(|_| !back) {
            return Ok(OrderNotes {
                fact: None,
                warning: Some(format!(
                    "version {version} of `{name}` is older than version {serves}, which {endpoint} serves{deployed}: it is \
                     what `{rule}` in stages.toml means now"
                )),
            });
        }
        if !back {
            return Err(CommandError::refused(format!(
                "version {version} of `{name}` is older than version {serves}, which {endpoint} serves{deployed}"
            ))
            .hint(
                "another run has published a newer version meanwhile: leave it; to go back on purpose, give `--back`",
            ));
        }
        return Ok(OrderNotes {
            fact: Some(format!("goes back from version {serves}, as `--back` says")),
            warning: None,
        });
    }
    let commit = mark.map(|mark| GitRef::Commit(mark.commit));
    let running = Running {
        what: &endpoint,
        git_ref: commit.as_ref(),
        deployed: &deployed,
    };
    running
        .check_order(&wanted.marker.commit, connection, back)
        .await
}

/// The version of the registered model that serves: according to Domino, otherwise according to the marker.
fn served(
    active: &ModelApiVersion,
    wanted: &str,
    marked: Option<VersionNumber>,
) -> Option<VersionNumber> {
    match &active.source {
        Some(ModelApiSource::Registered { name, version }) if name == wanted => Some(*version),
        Some(_) => None,
        None => marked,
    }
}

/// Who created a version and when, as far as Domino or the marker tells.
fn deployed(version: &ModelApiVersion, workflow_run: Option<&str>) -> String {
    let by = match (workflow_run, &version.created_by) {
        (Some(run), _) => format!(", published by workflow run {run}"),
        (None, Some(user)) => format!(", published by user `{user}`"),
        (None, None) => String::new(),
    };
    let at = version
        .created_at()
        .map_or_else(String::new, |at| format!(" at {at}"));
    match by.is_empty() && !at.is_empty() {
        true => format!(", published{at}"),
        false => format!("{by}{at}"),
    }
}
