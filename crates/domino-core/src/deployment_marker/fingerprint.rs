//! Fingerprints of what a publish of a model wants: the same settings give the same text, so that a later publish
//! recognises its work.

use std::collections::BTreeMap;

use serde_json::json;

use crate::api::model_apis::{DesiredModelApi, ModelApiSource};
use crate::commit::Commit;

/// The fingerprint of everything that is wanted of an endpoint and its version. A function is built from the
/// repository's head, so its commit is included.
pub fn state_of(desired: &DesiredModelApi, commit: &Commit) -> String {
    let source = match &desired.source {
        ModelApiSource::Registered { name, version } => json!([name, version]),
        ModelApiSource::Function { file, function } => json!([file, function, commit]),
    };
    fingerprint(&json!([
        desired.name,
        described(&desired.description, &desired.environment_variables),
        desired.environment_id,
        desired.hardware_tier_id,
        desired.replicas.unwrap_or(1),
        desired.environment_variables,
        desired.logs_requests,
        source,
    ]))
}

/// The description as earlier releases wrote it, with the environment variables that the endpoint was created with.
fn described(description: &str, variables: &BTreeMap<String, String>) -> String {
    match variables_marker(variables) {
        None => description.to_owned(),
        Some(marker) => format!("{description} {marker}").trim().to_owned(),
    }
}

/// The part of a description that people read, and the fingerprint of the environment variables that an earlier
/// release put after it.
pub fn text_and_variables(description: &str) -> (String, Option<String>) {
    let whole = || (description.trim().to_owned(), None);
    let Some((text, rest)) = description.split_once("[variables ") else {
        return whole();
    };
    let Some((variables, rest)) = rest.split_once(']') else {
        return whole();
    };
    let text = format!("{}{rest}", text.trim_end());
    (text.trim().to_owned(), Some(variables.to_owned()))
}

/// The fingerprint of environment variables, since Domino does not show them. `none` if there are none.
pub fn fingerprint_of_variables(variables: &BTreeMap<String, String>) -> String {
    match variables.is_empty() {
        true => "none".to_owned(),
        false => fingerprint(&json!(variables)),
    }
}

/// The fingerprint of a description, which may be too long for a marker.
pub fn fingerprint_of_text(text: &str) -> String {
    fingerprint(&json!(text))
}

fn variables_marker(variables: &BTreeMap<String, String>) -> Option<String> {
    (!variables.is_empty()).then(|| format!("[variables {}]", fingerprint_of_variables(variables)))
}

/// Twelve hexadecimal digits of a value (FNV-1a). It shows changes and protects nothing.
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
    use crate::api::environments::EnvironmentId;
    use crate::api::hardware_tiers::HardwareTierId;
    use crate::api::projects::ProjectId;
    use crate::api::registered_models::VersionNumber;

    #[test]
    fn a_description_of_an_earlier_release_tells_its_variables_and_not_their_values() {
        let variables = |level: &str| BTreeMap::from([("LOG_LEVEL".to_owned(), level.to_owned())]);
        let description = described("Predicts", &variables("info"));
        assert!(description.starts_with("Predicts [variables "));
        assert!(!description.contains("info"));
        let (text, told) = text_and_variables(&description);
        assert_eq!(text, "Predicts");
        assert_eq!(told.unwrap(), fingerprint_of_variables(&variables("info")));
        assert_ne!(
            fingerprint_of_variables(&variables("info")),
            fingerprint_of_variables(&variables("debug"))
        );
        assert_eq!(described("Predicts", &BTreeMap::new()), "Predicts");
        for by_hand in ["by hand", "by hand [variables "] {
            assert_eq!(
                text_and_variables(by_hand),
                (by_hand.trim().to_owned(), None)
            );
        }
    }

    /// They are stored in Domino, where a later release looks for them.
    #[test]
    fn fingerprints_are_those_that_earlier_releases_wrote() {
        assert_eq!(fingerprint_of_text(""), "07cc7607b494");
        assert_eq!(fingerprint_of_text("Predicts"), "d8d235b7b254");
        let variables = BTreeMap::from([("LOG_LEVEL".to_owned(), "info".to_owned())]);
        assert_eq!(fingerprint_of_variables(&variables), "daed74c56541");
        assert_eq!(fingerprint_of_variables(&BTreeMap::new()), "none");
        assert_eq!(state_of(&desired(), &commit("ab")), "c3d409745137");
    }

    fn commit(digits: &str) -> Commit {
        Commit::whole(&digits.repeat(20)).unwrap()
    }

    fn desired() -> DesiredModelApi {
        DesiredModelApi {
            name: "wine-prod".into(),
            description: "Predicts".into(),
            project_id: ProjectId::new("p1"),
            environment_id: EnvironmentId::new("e1"),
            hardware_tier_id: Some(HardwareTierId::new("small")),
            replicas: Some(1),
            environment_variables: BTreeMap::from([("LOG_LEVEL".into(), "info".into())]),
            source: ModelApiSource::Registered {
                name: "wine".into(),
                version: VersionNumber::new(7),
            },
            version_description: String::new(),
            logs_requests: false,
            carried: Default::default(),
            carried_version: Default::default(),
        }
    }

    /// The fingerprint of what is wanted, after a change to it.
    fn state(change: fn(&mut DesiredModelApi)) -> String {
        let mut desired = desired();
        change(&mut desired);
        state_of(&desired, &commit("ab"))
    }

    #[test]
    fn whatever_is_wanted_of_an_endpoint_changes_its_fingerprint() {
        let function = |desired: &mut DesiredModelApi| {
            desired.source = ModelApiSource::Function {
                file: "serve.py".into(),
                function: "predict".into(),
            };
        };
        let states = [
            state(|_| {}),
            state(|desired| desired.name = "wine-dev".into()),
            state(|desired| desired.description = "Predicts wine".into()),
            state(|desired| desired.environment_id = EnvironmentId::new("e2")),
            state(|desired| desired.hardware_tier_id = None),
            state(|desired| desired.replicas = Some(2)),
            state(|desired| desired.environment_variables.clear()),
            state(|desired| desired.logs_requests = true),
            state(|desired| {
                desired.source = ModelApiSource::Registered {
                    name: "wine".into(),
                    version: VersionNumber::new(8),
                };
            }),
            state(function),
        ];
        let different: std::collections::BTreeSet<&String> = states.iter().collect();
        assert_eq!(different.len(), states.len(), "{states:?}");
    }

    #[test]
    fn what_is_not_asked_for_does_not_change_the_fingerprint() {
        let same = state(|_| {});
        assert_eq!(state(|desired| desired.replicas = None), same);
        assert_eq!(
            state(|desired| desired.version_description = "[prod/wine v7 abababababab]".into()),
            same
        );
    }

    #[test]
    fn the_commit_counts_where_a_function_is_built_from_it() {
        let of = |source: ModelApiSource, digits| {
            let desired = DesiredModelApi {
                source,
                ..desired()
            };
            state_of(&desired, &commit(digits))
        };
        let function = ModelApiSource::Function {
            file: "serve.py".into(),
            function: "predict".into(),
        };
        assert_ne!(of(function.clone(), "ab"), of(function, "cd"));
        let registered = desired().source;
        assert_eq!(of(registered.clone(), "ab"), of(registered, "cd"));
    }
}
