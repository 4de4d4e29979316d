//! Fingerprints of what a publish of a model wants: the same settings give the same text, so that a later publish
//! knows its work.

use std::collections::BTreeMap;

use serde_json::json;

use crate::api::model_apis::{DesiredModelApi, ModelApiSource};
use crate::commit::Commit;

/// The fingerprint of all that is wanted of an endpoint and its version. A function is built from the repository's
/// head, so that its commit is part of it.
pub fn state_of(desired: &DesiredModelApi, commit: &Commit) -> String {
    let source = match &desired.source {
        ModelApiSource::Registered { name, version } => json!([name, version]),
        ModelApiSource::Function { file, function } => json!([file, function, commit]),
    };
    fingerprint(&json!([
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
pub fn described(description: &str, variables: &BTreeMap<String, String>) -> String {
    match variables_marker(variables) {
        None => description.to_owned(),
        Some(marker) => format!("{description} {marker}").trim().to_owned(),
    }
}

/// Whether an endpoint of this description was created with these environment variables.
pub fn has_variables(description: &str, variables: &BTreeMap<String, String>) -> bool {
    match variables_marker(variables) {
        None => !description.contains("[variables "),
        Some(marker) => description.contains(&marker),
    }
}

fn variables_marker(variables: &BTreeMap<String, String>) -> Option<String> {
    (!variables.is_empty()).then(|| format!("[variables {}]", fingerprint(&json!(variables))))
}

/// Twelve hexadecimal digits of a value (FNV-1a). It tells changes from one another and protects nothing.
fn fingerprint(value: &serde_json::Value) -> String {
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
