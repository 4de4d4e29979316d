//! What an endpoint and its versions have beyond what a deployment decides: monitoring, recording, a resource quota
//! and whatever else somebody set. Both are written whole. So these fields are sent back as they were read, including
//! ones that we do not know.

use serde_json::{Map, Value};

/// Fields as Domino names them.
pub type Carried = Map<String, Value>;

/// The words that people use for these fields.
const WORDS: &[(&str, &str)] = &[
    ("monitoringEnabled", "monitoring"),
    ("recordInvocation", "recording of invocations"),
    ("predictionDatasetResourceId", "prediction data set"),
    ("excludeFiles", "excluded files"),
    ("resourceQuotaId", "resource quota"),
    ("isAsync", "asynchronous calls"),
    ("strictNodeAntiAffinity", "node anti-affinity"),
    ("replicaCount", "replicas"),
    ("hardwareTierId", "hardware tier"),
    ("environmentId", "environment"),
];

/// What a reply tells of an endpoint and no request changes.
const OF_THE_ENDPOINT: &[&str] = &[
    "collaborators",
    "healthCheck",
    "isAsync",
    "overrideRequestTimeoutSecs",
    "strictNodeAntiAffinity",
    "volumes",
];

/// What belongs to one version only.
const OF_ONE_VERSION: &[&str] = &[
    "bundleId",
    "environmentId",
    "modelApiId",
    "projectId",
    "provenanceCheckpointId",
    "shouldDeploy",
];

/// What the older routes tell of an endpoint and take with every new version.
const SENT_AGAIN: &[&str] = &[
    "environmentId",
    "hardwareTierId",
    "replicaCount",
    "isAsync",
    "strictNodeAntiAffinity",
];

/// The part of a reply of the older routes that every new version sends again.
pub(super) fn sent_again(mut rest: Carried) -> Carried {
    rest.retain(|name, value| SENT_AGAIN.contains(&name.as_str()) && !value.is_null());
    rest
}

/// The same with the settings that those routes always require.
pub(super) fn with_settings(carried: &Carried) -> Carried {
    let mut carried = carried.clone();
    for name in ["isAsync", "strictNodeAntiAffinity"] {
        carried.entry(name).or_insert(Value::Bool(false));
    }
    carried
}

/// What remains of an endpoint's reply without the fields that are read by name.
pub(super) fn of_endpoint(rest: Carried) -> Carried {
    kept(rest, OF_THE_ENDPOINT)
}

/// The same for a version's reply.
pub(super) fn of_version(rest: Carried) -> Carried {
    kept(rest, OF_ONE_VERSION)
}

fn kept(mut rest: Carried, without: &[&str]) -> Carried {
    rest.retain(|name, value| !value.is_null() && !without.contains(&name.as_str()));
    rest
}

/// The settings that somebody made, in words.
pub fn words(carried: &Carried) -> Vec<String> {
    let is_set = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    carried
        .iter()
        .filter(|(_, value)| is_set(value))
        .map(|(name, _)| {
            let known = WORDS.iter().find(|(known, _)| known == name);
            known.map_or_else(|| format!("`{name}`"), |(_, words)| (*words).to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_set_is_carried_and_named_also_what_is_not_known() {
        let rest = json!({
            "monitoringEnabled": true, "recordInvocation": false, "predictionDatasetResourceId": "d1",
            "projectId": "p1", "provenanceCheckpointId": "c1", "somethingNew": {"a": 1}, "nothing": null,
        });
        let carried = of_version(rest.as_object().unwrap().clone());
        assert_eq!(
            Value::Object(carried.clone()),
            json!({
                "monitoringEnabled": true, "recordInvocation": false, "predictionDatasetResourceId": "d1",
                "somethingNew": {"a": 1},
            })
        );
        let mut said = words(&carried);
        said.sort();
        assert_eq!(
            said,
            ["`somethingNew`", "monitoring", "prediction data set"]
        );
    }
}
