//! What a publish wishes, in short: the same wishes give the same text, so that a later publish knows its work.

use std::collections::BTreeMap;

use domino_core::api::model_apis::{DesiredModelApi, ModelApiSource};
use domino_core::commit::Commit;
use serde_json::json;

/// All that is wished of an endpoint and its version, in short: the same wishes give the same text. A function
/// is built from the repository's head, so that for one the commit belongs to the wishes.
pub(crate) fn state_of(desired: &DesiredModelApi, commit: &Commit) -> String {
    let source = match &desired.source {
        ModelApiSource::Registered { name, version } => json!([name, version]),
        ModelApiSource::Function { file, function } => json!([file, function, commit]),
    };
    short(&json!([
        desired.name,
        desired.description,
        desired.environment_id,
        desired.hardware_tier_id,
        desired.replicas,
        desired.environment_variables,
        desired.logs_requests,
        source,
    ]))
}

/// The description of an endpoint: what people read, and which environment variables it was created with, since
/// Domino tells them to nobody.
pub(crate) fn described(description: &str, variables: &BTreeMap<String, String>) -> String {
    match variables_mark(variables) {
        None => description.to_owned(),
        Some(mark) => format!("{description} {mark}").trim().to_owned(),
    }
}

/// Whether an endpoint of this description was created with these environment variables.
pub(crate) fn has_variables(description: &str, variables: &BTreeMap<String, String>) -> bool {
    match variables_mark(variables) {
        None => !description.contains("[variables "),
        Some(mark) => description.contains(&mark),
    }
}

fn variables_mark(variables: &BTreeMap<String, String>) -> Option<String> {
    (!variables.is_empty()).then(|| format!("[variables {}]", short(&json!(variables))))
}

/// Twelve hexadecimal digits of a value (FNV-1a). It tells changes from one another and protects nothing.
fn short(value: &serde_json::Value) -> String {
    let hash = value
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{:012x}", hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_remembers_its_variables_and_not_their_values() {
        let variables = |level: &str| BTreeMap::from([("LOG_LEVEL".to_owned(), level.to_owned())]);
        let description = described("Predicts", &variables("info"));
        assert!(description.starts_with("Predicts [variables "));
        assert!(!description.contains("info"));
        assert!(has_variables(&description, &variables("info")));
        assert!(!has_variables(&description, &variables("debug")));
        assert!(!has_variables(&description, &BTreeMap::new()));
        assert_eq!(described("Predicts", &BTreeMap::new()), "Predicts");
        assert!(has_variables("by hand", &BTreeMap::new()));
    }
}
