//! Rules on hardware tiers, the only thing that keeps stages in one project apart.

use std::collections::BTreeMap;

use super::{Book, Report};
use crate::stages::{Kind, Stage, StageFile};

/// Each kind of entity, with the word for several of it.
const KINDS: [(Kind, &str); 3] = [
    (Kind::Job, "jobs"),
    (Kind::App, "apps"),
    (Kind::Model, "models"),
];

pub(super) fn no_tier(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (kind, plural) in KINDS {
        for stage in &book.file.stages {
            let tiers = tiers(book.file, kind, stage);
            if tiers.iter().any(|(_, tier)| tier.is_none()) {
                report.at(
                    &["stage", &stage.name, "hardware-tier", plural],
                    format!("is not given, so Domino's default decides where {plural} run, and on which data plane"),
                );
            }
        }
    }
}

pub(super) fn shared_tier(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let file = book.file;
    for (kind, plural) in KINDS {
        for (index, stage) in file.stages.iter().enumerate() {
            let here = distinct(tiers(file, kind, stage));
            for earlier in &file.stages[..index] {
                if earlier.host != stage.host
                    || earlier.project != stage.project
                    || stage.project.name.is_empty()
                {
                    continue;
                }
                let there = distinct(tiers(file, kind, earlier));
                for (tier, entity) in here.iter().filter(|(tier, _)| there.contains_key(*tier)) {
                    report.sentence(
                        &key(file, kind, entity, stage),
                        format!(
                            "stages `{}` and `{}` share project `{}` and hardware tier `{tier}` for {plural}, \
                             so nothing keeps them apart",
                            earlier.name, stage.name, stage.project
                        ),
                    );
                }
            }
        }
    }
}

/// The hardware tier of each entity of a kind in a stage, its own or the stage's.
fn tiers<'f>(file: &'f StageFile, kind: Kind, stage: &'f Stage) -> Vec<(&'f str, Option<&'f str>)> {
    let names: Vec<&str> = match kind {
        Kind::Job => file.jobs.iter().map(|job| job.name.as_str()).collect(),
        Kind::App => file.apps.iter().map(|app| app.name.as_str()).collect(),
        Kind::Model => file
            .models
            .iter()
            .map(|model| model.name.as_str())
            .collect(),
    };
    let own = |name| {
        file.placement(kind, name, stage)?
            .1
            .hardware_tier
            .as_deref()
    };
    names
        .into_iter()
        .map(|name| (name, own(name).or_else(|| stage.hardware_tier.of(kind))))
        .collect()
}

/// The tiers, each with the first entity on it.
fn distinct<'f>(tiers: Vec<(&'f str, Option<&'f str>)>) -> BTreeMap<&'f str, &'f str> {
    let mut distinct = BTreeMap::new();
    for (entity, tier) in tiers {
        if let Some(tier) = tier {
            distinct.entry(tier).or_insert(entity);
        }
    }
    distinct
}

fn key(file: &StageFile, kind: Kind, entity: &str, stage: &Stage) -> Vec<String> {
    file.target(kind, entity, stage).hardware_tier_key
}
