//! How a scheduled job that exists differs from the one that is wanted.

use domino_core::api::schedules::ScheduleDefinition;
use serde_json::Value;

/// Field by field, what exists and what is wanted.
pub(crate) fn differences(
    existing: &ScheduleDefinition,
    wanted: &ScheduleDefinition,
) -> Vec<String> {
    let (existing, wanted) = (existing.compared(), wanted.compared());
    let mut names: Vec<&String> = wanted
        .keys()
        .chain(existing.keys().filter(|name| !wanted.contains_key(*name)))
        .collect();
    names.sort();
    let text = |value: Option<&Value>| value.map_or_else(|| "nothing".into(), ToString::to_string);
    names
        .into_iter()
        .filter(|name| !is_same(existing.get(*name), wanted.get(*name)))
        .map(|name| {
            format!(
                "{name}: {} → {}",
                text(existing.get(name)),
                text(wanted.get(name))
            )
        })
        .collect()
}

/// Whether Domino has what is wanted. Of an object, such as a cluster, it may tell more than it was sent.
fn is_same(existing: Option<&Value>, wanted: Option<&Value>) -> bool {
    match (existing, wanted) {
        (Some(Value::Object(existing)), Some(Value::Object(wanted))) => wanted
            .iter()
            .all(|(name, value)| existing.get(name) == Some(value)),
        (existing, wanted) => existing == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A scheduled job, with the changes in `change`.
    fn definition(change: &Value) -> ScheduleDefinition {
        let mut definition = json!({
            "title": "Score [prod/score]",
            "command": "score.py",
            "schedule": {"cronString": "0 0 6 ? * MON", "isCustom": true},
            "timezoneId": "UTC",
            "isPaused": false,
            "allowConcurrentExecution": false,
            "hardwareTierIdentifier": "small-k8s",
            "environmentRevisionSpec": "ActiveRevision",
            "scheduledByUserId": "u1",
            "notifyOnCompleteEmailAddresses": [],
        });
        for (key, value) in change.as_object().unwrap() {
            definition[key] = value.clone();
        }
        serde_json::from_value(definition).unwrap()
    }

    #[test]
    fn each_field_that_differs_is_told_with_both_values() {
        let told = |existing: Value, wanted: Value| {
            differences(&definition(&existing), &definition(&wanted))
        };
        let none: [&str; 0] = [];
        assert_eq!(told(json!({}), json!({})), none);
        assert_eq!(
            told(
                json!({"timezoneId": "Europe/Berlin", "isPaused": true}),
                json!({})
            ),
            [
                "isPaused: true → false",
                "timezoneId: \"Europe/Berlin\" → \"UTC\""
            ]
        );
        let environment = json!({"overrideEnvironmentId": "e1"});
        assert_eq!(
            told(environment.clone(), json!({})),
            ["overrideEnvironmentId: \"e1\" → nothing"]
        );
        let cluster =
            |more: Value| json!({"computeClusterProperties": {"workerCount": 2, "more": more}});
        let two = json!({"computeClusterProperties": {"workerCount": 2}});
        assert_eq!(told(cluster(json!(1)), two.clone()), none);
        assert_eq!(told(two, cluster(json!(1))).len(), 1);
        assert_eq!(
            told(json!({}), environment),
            ["overrideEnvironmentId: nothing → \"e1\""]
        );
    }
}
