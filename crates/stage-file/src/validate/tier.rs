//! Rules on hardware tiers, the only thing that keeps stages in one project apart.

use std::collections::BTreeMap;

use super::{Book, Report};
use crate::{Kind, Stage, StageFile};

/// Each kind of entity, with the word for several of it.
const KINDS: [(Kind, &str); 3] = [
    (Kind::Job, "jobs"),
    (Kind::App, "apps"),
    (Kind::Model, "models"),
];

pub(super) fn data_plane(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for stage in &book.file.stages {
        let kinds = without_tier(book.file, stage);
        if stage.data_plane.is_some() && !kinds.is_empty() {
            report.at(
                &["stage", &stage.name, "hardware-tier"],
                format!(
                    "is not given for {}, so nothing brings them to the stage's `data-plane`",
                    joined(&kinds)
                ),
            );
        }
    }
}

/// Where the stage names its data plane, the rule before this one speaks.
pub(super) fn no_tier(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for stage in book.file.stages.iter().filter(|s| s.data_plane.is_none()) {
        let kinds = without_tier(book.file, stage);
        if !kinds.is_empty() {
            report.at(
                &["stage", &stage.name, "hardware-tier"],
                format!(
                    "is not given for {}, so Domino's default decides where they run, and on which data plane",
                    joined(&kinds)
                ),
            );
        }
    }
}

/// The kinds of which an entity has no hardware tier in a stage.
fn without_tier(file: &StageFile, stage: &Stage) -> Vec<&'static str> {
    let lacks = |kind| {
        tiers(file, kind, stage)
            .iter()
            .any(|(_, tier)| tier.is_none())
    };
    KINDS
        .into_iter()
        .filter(|(kind, _)| lacks(*kind))
        .map(|(_, plural)| plural)
        .collect()
}

pub(super) fn shared_tier(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let stages = &book.file.stages;
    for (index, stage) in stages.iter().enumerate() {
        let alike = |other: &&Stage| other.host == stage.host && other.project == stage.project;
        let known = !stage.project.name.is_empty();
        for earlier in stages[..index].iter().filter(alike).filter(|_| known) {
            for (tier, (kinds, key)) in shared(book.file, earlier, stage) {
                report.sentence(
                    &key,
                    format!(
                        "stages `{}` and `{}` share project `{}` and hardware tier `{tier}` for {}, so nothing \
                         keeps them apart",
                        earlier.name,
                        stage.name,
                        stage.project,
                        joined(&kinds)
                    ),
                );
            }
        }
    }
}

/// The tiers that two stages share: the kinds of entity on each, and a key of the later stage that says so.
fn shared<'f>(
    file: &'f StageFile,
    earlier: &'f Stage,
    stage: &'f Stage,
) -> BTreeMap<&'f str, (Vec<&'static str>, Vec<String>)> {
    let mut shared = BTreeMap::new();
    for (kind, plural) in KINDS {
        let there = distinct(tiers(file, kind, earlier));
        for (tier, entity) in distinct(tiers(file, kind, stage)) {
            if there.contains_key(tier) {
                let key = || file.target(kind, entity, stage).hardware_tier_key;
                shared
                    .entry(tier)
                    .or_insert_with(|| (Vec::new(), key()))
                    .0
                    .push(plural);
            }
        }
    }
    shared
}

/// `jobs, apps and models`.
fn joined(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
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

#[cfg(test)]
mod tests {
    use super::super::tests::problems;

    fn messages(dev: &str, prod: &str, rest: &str) -> Vec<String> {
        let text = format!(
            "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n[stage.dev]\n{dev}\n[stage.prod]\n{prod}\n\
             [job.train]\ncommand = \"train.py\"\n{rest}"
        );
        problems(&text)
            .into_iter()
            .map(|problem| problem.message)
            .collect()
    }

    const SHARED: &str = "stages `dev` and `prod` share project `a/b` and hardware tier `small` for jobs, so nothing \
                          keeps them apart (accept with `accept = [\"shared-tier\"]` under `[pipeline]`)";

    #[test]
    fn stages_that_share_project_and_tier_are_a_warning_that_can_be_accepted() {
        let tier = "hardware-tier = \"small\"";
        assert_eq!(messages(tier, tier, ""), [SHARED]);
        assert_eq!(
            messages(tier, tier, "[pipeline]\naccept = [\"shared-tier\"]"),
            [""; 0]
        );
        assert_eq!(
            messages(tier, &format!("{tier}\nproject = \"a/c\""), ""),
            [""; 0]
        );
        assert_eq!(
            messages(tier, &format!("{tier}\nhost = \"other.example.com\""), ""),
            [""; 0]
        );
    }

    #[test]
    fn tiers_are_compared_kind_by_kind_and_only_where_something_is_deployed() {
        let dev = "hardware-tier = { jobs = \"small\", apps = \"shared\" }";
        let prod = "hardware-tier = { jobs = \"large\", apps = \"shared\" }";
        assert_eq!(messages(dev, prod, ""), [""; 0], "there is no app");
        let prod = "hardware-tier = { jobs = \"large\", models = \"small\" }";
        let dev = "hardware-tier = { jobs = \"small\", models = \"other\" }";
        assert_eq!(
            messages(dev, prod, "[model.m]\nregistered-model = \"m\""),
            [""; 0]
        );
    }

    #[test]
    fn a_tier_of_an_entitys_own_counts_too() {
        let (dev, prod) = ("hardware-tier = \"small\"", "hardware-tier = \"large\"");
        assert_eq!(
            messages(
                dev,
                prod,
                "[job.train.stage.prod]\nhardware-tier = \"small\""
            ),
            [SHARED]
        );
        assert_eq!(
            messages(
                dev,
                dev,
                "[job.train.stage.prod]\nhardware-tier = \"large\""
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_stage_without_a_tier_for_what_is_deployed_is_a_warning() {
        assert_eq!(
            messages(
                "hardware-tier = \"small\"",
                "hardware-tier = { apps = \"a\" }",
                ""
            ),
            [
                "`hardware-tier` in `[stage.prod]` is not given for jobs, so Domino's default decides where they run, and on \
                 which data plane (accept with `accept = [\"no-tier\"]` under `[pipeline]`)"
            ]
        );
        let own = "[job.train.stage.prod]\nhardware-tier = \"large\"";
        assert_eq!(messages("hardware-tier = \"small\"", "", own), [""; 0]);
    }

    #[test]
    fn a_data_plane_without_a_tier_for_what_is_deployed_is_an_error() {
        let plane = "data-plane = \"p\"\nhardware-tier = { apps = \"a\" }";
        let said = [
            "`hardware-tier` in `[stage.prod]` is not given for jobs, so nothing brings them to the stage's `data-plane`",
        ];
        assert_eq!(messages("hardware-tier = \"small\"", plane, ""), said);
        let accepted = "[pipeline]\naccept = [\"no-tier\"]";
        assert_eq!(messages("hardware-tier = \"small\"", plane, accepted), said);
        let own = "[job.train.stage.prod]\nhardware-tier = \"large\"";
        assert_eq!(messages("hardware-tier = \"small\"", plane, own), [""; 0]);
    }

    #[test]
    fn kinds_that_share_a_tier_or_have_none_are_told_together() {
        let app = "[app.a]\nentry-point = \"a.sh\"";
        let tier = "hardware-tier = \"small\"";
        assert_eq!(
            messages(tier, tier, app),
            [SHARED.replace("for jobs", "for jobs and apps")]
        );
        let said = messages(tier, "", app);
        assert!(
            said[0].contains("is not given for jobs and apps, so"),
            "{said:?}"
        );
    }

    #[test]
    fn a_tier_that_could_not_be_read_is_not_also_missing() {
        assert_eq!(
            messages("hardware-tier = \"small\"", "hardware-tier = 4", ""),
            [
                "`hardware-tier` in `[stage.prod]` must be a string or a table, and the number `4` stands there"
            ]
        );
    }
}
