//! Which version the callers of an endpoint get. If it routes by labels and the stage file does not say
//! `routing = "advanced"`, they get a new version only after a person has moved the label.

use domino_core::api::model_apis::{ModelApi, ModelApiVersion, PROD};
use domino_core::client::ApiError;
use domino_core::error::{CommandError, Exit};

use crate::endpoint::name_of;

/// The version that has the label `prod`.
pub(crate) fn promoted(versions: &[ModelApiVersion]) -> Option<&ModelApiVersion> {
    versions.iter().find(|version| version.is_promoted())
}

/// Which version callers get, for the plan; absent if everybody gets the active version.
pub(crate) fn routing(api: &ModelApi, versions: &[ModelApiVersion]) -> Option<String> {
    if !api.routes_by_label() {
        return None;
    }
    Some(match promoted(versions) {
        Some(version) => format!(
            "advanced: callers of `labels/{PROD}` get {}",
            name_of(version)
        ),
        None => format!("advanced: no version has the label `{PROD}`"),
    })
}

/// What callers of the label go on getting, as the end of a sentence about them.
pub(crate) fn still_get(holder: Option<&ModelApiVersion>) -> String {
    match holder {
        Some(holder) => format!("still get {}", name_of(holder)),
        None => "get none".to_owned(),
    }
}

/// What callers of the label get by these versions, as far as they can be read.
pub(crate) fn told(versions: Result<Vec<ModelApiVersion>, ApiError>) -> String {
    match versions {
        Ok(versions) => {
            let holder = promoted(&versions);
            format!("callers of `labels/{PROD}` {}", still_get(holder))
        }
        Err(error) => format!("it is not known what callers of `labels/{PROD}` get: {error}"),
    }
}

/// An error if callers who use the label do not get this version.
pub(crate) fn check(
    api: &ModelApi,
    version: &ModelApiVersion,
    versions: &[ModelApiVersion],
) -> Result<(), CommandError> {
    if !api.routes_by_label() || version.is_promoted() {
        return Ok(());
    }
    let get = still_get(promoted(versions));
    let (name, new) = (&api.name, name_of(version));
    Err(CommandError::new(
        Exit::Unsettled,
        format!(
            "{new} of endpoint `{name}` runs, but the endpoint routes by labels (`routingMode: advanced`): callers of \
             `labels/{PROD}` {get}"
        ),
    )
    .hint(format!(
        "promote {new} to `{PROD}` in Domino, and run this again: it changes nothing more and tests that version"
    )))
}
