//! Rules on hardware tiers, the only thing that keeps stages in one project apart.

use std::collections::BTreeMap;

use super::rule::{Book, Report, named};
use crate::{Kind, Placement, Stage, StageFile};

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

/// At most this many stages without a tier are reported each on its own line.
const TOLD_EACH: usize = 3;

/// If the stage names its data plane, the rule before this one reports it.
pub(super) fn no_tier(book: &Book<'_>, report: &mut Report<'_, '_>) {
    const DECIDES: &str = "so Domino's default decides where they run, and on which data plane";
    let lacking: Vec<(&str, Vec<&str>)> = book
        .file
        .stages
        .iter()
        .filter(|stage| stage.data_plane.is_none())
        .map(|stage| (stage.name.as_str(), without_tier(book.file, stage)))
        .filter(|(_, kinds)| !kinds.is_empty())
        .collect();
    let each = if lacking.len() > TOLD_EACH + 1 {
        TOLD_EACH
    } else {
        lacking.len()
    };
    let (each, rest) = lacking.split_at(each);
    for (stage, kinds) in each {
        report.at(
            &["stage", stage, "hardware-tier"],
            format!("is not given for {}, {DECIDES}", joined(kinds)),
        );
    }
    if let [(first, _), ..] = rest {
        let stages = named(rest.iter().map(|(stage, _)| *stage));
        report.sentence(
            &["stage", first, "hardware-tier"],
            format!("`hardware-tier` is not given in stages {stages} either, {DECIDES}"),
        );
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
    for ((_, project, tier), users) in users_of_tiers(book.file) {
        for (stages, kinds) in shared_by(users) {
            let [_, (second, kind, entity), ..] = stages[..] else {
                continue;
            };
            let names = stages.iter().map(|(stage, ..)| stage.name.as_str());
            report.sentence(
                &key(book, second, kind, entity),
                format!(
                    "stages {} share project `{project}` and hardware tier `{tier}` for {}, so nothing keeps them \
                     apart",
                    named(names),
                    joined(&kinds)
                ),
            );
        }
    }
}

/// A stage in which a kind of entity runs on a tier, with the first entity that does.
type User<'f> = (&'f Stage, Kind, &'f str);
/// A host, a project on it, and a tier there.
type Tier<'f> = (&'f str, String, &'f str);

/// Which stages use each tier, by the kinds of entity.
fn users_of_tiers(file: &StageFile) -> BTreeMap<Tier<'_>, [Vec<User<'_>>; KINDS.len()]> {
    let mut users: BTreeMap<Tier<'_>, [Vec<User<'_>>; KINDS.len()]> = BTreeMap::new();
    for stage in file
        .stages
        .iter()
        .filter(|stage| !stage.project.name.is_empty())
    {
        for (index, (kind, _)) in KINDS.into_iter().enumerate() {
            for (tier, entity) in distinct(tiers(file, kind, stage)) {
                let tier = (stage.host.as_str(), stage.project.to_string(), tier);
                users.entry(tier).or_default()[index].push((stage, kind, entity));
            }
        }
    }
    users
}

/// The groups of stages that share a tier for the same kinds of entity, and these kinds.
fn shared_by(users: [Vec<User<'_>>; KINDS.len()]) -> Vec<(Vec<User<'_>>, Vec<&'static str>)> {
    let mut groups: Vec<(Vec<User<'_>>, Vec<&'static str>)> = Vec::new();
    for (users, (_, plural)) in users.into_iter().zip(KINDS) {
        let names = |users: &[User<'_>]| -> Vec<String> {
            users.iter().map(|(stage, ..)| stage.name.clone()).collect()
        };
        match groups
            .iter_mut()
            .find(|(group, _)| names(group) == names(&users))
        {
            Some((_, kinds)) => kinds.push(plural),
            None if users.len() > 1 => groups.push((users, vec![plural])),
            None => {}
        }
    }
    groups
}

/// The key that decides the tier of an entity in a stage: its own there, otherwise the stage's.
fn key(book: &Book<'_>, stage: &Stage, kind: Kind, entity: &str) -> Vec<String> {
    let own = [kind.word(), entity, "stage", &stage.name, "hardware-tier"];
    if book.tree.own(&own).is_some() {
        return own.map(str::to_owned).to_vec();
    }
    let plural = format!("{}s", kind.word());
    book.tree
        .deciding_key(&["stage", &stage.name, "hardware-tier", &plural])
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
    let with_own: Vec<(&str, Option<&Placement>)> = match kind {
        Kind::Job => own(file.jobs_of(stage), stage, |job| (&job.name, &job.stages)),
        Kind::App => own(&file.apps, stage, |app| (&app.name, &app.stages)),
        Kind::Model => own(&file.models, stage, |model| (&model.name, &model.stages)),
    };
    with_own
        .into_iter()
        .map(|(name, own)| {
            let own = own.and_then(|placement| placement.hardware_tier.as_deref());
            (name, own.or_else(|| stage.hardware_tier.of(kind)))
        })
        .collect()
}

/// Each entity with its own settings in a stage.
fn own<'f, T: 'f>(
    entities: impl IntoIterator<Item = &'f T>,
    stage: &Stage,
    parts: fn(&T) -> (&String, &BTreeMap<String, Placement>),
) -> Vec<(&'f str, Option<&'f Placement>)> {
    entities
        .into_iter()
        .map(|entity| {
            let (name, stages) = parts(entity);
            (name.as_str(), stages.get(&stage.name))
        })
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
    fn a_stage_that_a_job_is_not_deployed_to_needs_no_tier_for_it() {
        let tier = "hardware-tier = \"small\"";
        let jobs = "stages = [\"dev\"]";
        assert_eq!(messages(tier, "", jobs), [""; 0]);
        assert_eq!(messages(tier, tier, jobs), [""; 0]);
        let trained = "[model.m]\nregistered-model = \"m\"\ntrained-by = \"train\"";
        let prod = "hardware-tier = { models = \"large\" }";
        assert_eq!(messages(tier, prod, trained), [""; 0]);
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
