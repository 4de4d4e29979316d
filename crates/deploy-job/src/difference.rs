//! How a scheduled job that is there differs from the one that is wanted.

use domino_core::api::schedules::ScheduleDefinition;

/// Field by field, what is there and what is wanted.
pub(crate) fn differences(there: &ScheduleDefinition, wanted: &ScheduleDefinition) -> Vec<String> {
    let object = |definition: &ScheduleDefinition| match serde_json::to_value(definition) {
        Ok(serde_json::Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    let (there, wanted) = (object(there), object(wanted));
    let mut names: Vec<&String> = wanted
        .keys()
        .chain(there.keys().filter(|name| !wanted.contains_key(*name)))
        .collect();
    names.sort();
    let shown = |value: Option<&serde_json::Value>| {
        value.map_or_else(|| "nothing".into(), ToString::to_string)
    };
    names
        .into_iter()
        .filter(|name| there.get(*name) != wanted.get(*name))
        .map(|name| {
            format!(
                "{name}: {} → {}",
                shown(there.get(name)),
                shown(wanted.get(name))
            )
        })
        .collect()
}
