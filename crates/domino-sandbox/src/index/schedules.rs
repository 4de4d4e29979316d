//! What the index shows of scheduled jobs: a card for each, with when it fires and which commit its runs take.

use serde_json::Value;

use crate::catalog::Catalog;
use crate::html::card::{Card, Health};
use crate::html::{commit, escaped};
use crate::scheduled_jobs::ScheduledJobs;

/// A card for each scheduled job.
pub(super) fn cards(schedules: &ScheduledJobs, catalog: &Catalog) -> Vec<Card> {
    let state = schedules.state();
    let all = state.as_array().map_or(&[][..], Vec::as_slice);
    all.iter().map(|one| card(one, catalog)).collect()
}

fn card(one: &Value, catalog: &Catalog) -> Card {
    let told = |pointer: &str| {
        one.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let text = |pointer: &str| escaped(told(pointer));
    let tier = catalog
        .hardware_tiers
        .with_id(told("/hardwareTierIdentifier"));
    let tier = tier.unwrap_or(catalog.hardware_tiers.default_tier());
    let (health, word) = match one["isPaused"].as_bool() {
        Some(true) => (Health::Quiet, "paused"),
        _ => (Health::Well, "fires"),
    };
    Card {
        plane: tier.data_plane.name.clone(),
        title: text("/title"),
        kind: "schedule",
        health,
        word: word.to_owned(),
        rows: vec![
            (
                "when",
                format!("{} ({})", text("/schedule/cronString"), text("/timezoneId")),
            ),
            (
                "commit",
                commit(one.pointer("/mainRepoGitRef/value").and_then(Value::as_str)),
            ),
            ("tier", escaped(&tier.name)),
            ("runs as", text("/scheduledByUserName")),
        ],
    }
}
