//! The environment variables of an endpoint. Domino accepts them when an endpoint is created, shows them to nobody
//! and changes them on no route, so our markers must remember them.

use domino_core::deployment_marker::{UNKNOWN, fingerprint_of_variables, text_and_variables};
use domino_core::error::CommandError;
use domino_core::step::StepContext;
use stage_file::Model;

use crate::difference::{ExistingEndpoint, Wanted};

/// What is known about the variables that an endpoint was created with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variables {
    /// They are the same as in the stage file.
    Same,
    /// They differ from the stage file.
    Other,
    /// The endpoint is ours, but what remembered them was edited.
    Forgotten,
    /// The endpoint is not ours, and may have some.
    Unknown,
}

/// Compares the wanted variables with those that our markers remember: that of the newest version, otherwise the one
/// that an earlier release put into the description, otherwise the fingerprint of everything that was wanted.
pub(crate) fn compare(existing: &ExistingEndpoint, wanted: &Wanted) -> Variables {
    let fingerprint = fingerprint_of_variables(&wanted.desired.environment_variables);
    let of = &wanted.marker.of;
    let last = existing.last_written(of).map(|last| last.variables);
    let in_text = || text_and_variables(&existing.api.description).1;
    if let Some(known) = last.filter(|last| last != UNKNOWN).or_else(in_text) {
        return match known == fingerprint {
            true => Variables::Same,
            false => Variables::Other,
        };
    }
    let versions = existing.versions.iter();
    let states: Vec<String> = versions
        .filter_map(|version| Some(existing.mark_of(version, of)?.state))
        .collect();
    match &wanted.marker.state {
        Some(state) if states.contains(state) => Variables::Same,
        _ if !states.is_empty() => Variables::Forgotten,
        _ if wanted.desired.environment_variables.is_empty() => Variables::Same,
        _ => Variables::Unknown,
    }
}

/// The error: a change in the stage file would never arrive.
pub(crate) fn cannot_change(
    context: &StepContext,
    model: &Model,
    endpoint: &str,
    variables: Variables,
) -> CommandError {
    let stage = context.stage.name.as_str();
    let own = model
        .stages
        .get(stage)
        .is_some_and(|own| !own.environment_variables.is_empty());
    let key: &[&str] = match own {
        true => &[
            "model",
            &model.name,
            "stage",
            stage,
            "environment-variables",
        ],
        false => &["model", &model.name, "environment-variables"],
    };
    let text = match variables {
        Variables::Unknown => format!(
            "it is not known with which environment variables endpoint `{endpoint}` was created, and Domino's API cannot \
             change them"
        ),
        _ => format!(
            "endpoint `{endpoint}` was created with other environment variables, and Domino's API cannot change them"
        ),
    };
    CommandError::refused(text)
        .hint(
            "set them in Domino under the endpoint's settings and run this once with `--variables-are-set`, or give the \
             model another `endpoint` name in stages.toml",
        )
        .at(&context.file, key)
}
