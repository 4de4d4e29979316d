//! How a scheduled job that exists differs from the one that is wanted.

use domino_core::api::schedules::ScheduleDefinition;

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
    let text = |value: Option<&serde_json::Value>| {
        value.map_or_else(|| "nothing".into(), ToString::to_string)
    };
    names
        .into_iter()
        .filter(|name| existing.get(*name) != wanted.get(*name))
        .map(|name| {
            format!(
                "{name}: {} → {}",
                text(existing.get(name)),
                text(wanted.get(name))
            )
        })
        .collect()
}
