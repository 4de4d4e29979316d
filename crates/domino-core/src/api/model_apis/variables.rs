//! The environment variables of a model API, as both generations take them.

use serde::Serialize;

use super::model_api::DesiredModelApi;

#[derive(Serialize)]
pub(super) struct Variable<'a> {
    key: &'a str,
    value: &'a str,
}

/// The variables as both generations take them.
pub(super) fn variables(desired: &DesiredModelApi) -> Vec<Variable<'_>> {
    desired
        .environment_variables
        .iter()
        .map(|(key, value)| Variable { key, value })
        .collect()
}
