//! Rules on the names that the file chooses itself, and on the places where it refers to them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::rule::{Book, Report};
use crate::StageFile;
use crate::stage_file::same_name;
use crate::unknown_name::{listed, nearest};

/// The tables whose tables have names.
const KINDS: [&str; 4] = ["stage", "job", "app", "model"];

pub(super) fn legal(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (kind, name) in names(book) {
        if !StageFile::is_name(name) {
            let longest = StageFile::LONGEST_NAME;
            report.at(
                &[kind, name],
                format!("must have a name of at most {longest} letters, digits, `-` and `_` that begins with a letter"),
            );
        }
    }
}

/// Words that some YAML reader takes for a boolean, a number or null.
const YAML_WORDS: [&str; 11] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
];

pub(super) fn reserved(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for (kind, name) in names(book) {
        if YAML_WORDS.iter().any(|word| same_name(word, name)) {
            report.at(
                &[kind, name],
                "has a name that YAML may take for something else than a name",
            );
        }
    }
}

/// How many stages are named that are called like a GitHub environment.
const MOST_ALIKE: usize = 3;

pub(super) fn duplicate(book: &Book<'_>, report: &mut Report<'_, '_>) {
    for kind in KINDS {
        let mut first: HashMap<String, &str> = HashMap::new();
        for name in book.tree.names(kind) {
            match first.entry(name.to_lowercase()) {
                Entry::Occupied(same) => report.at(
                    &[kind, name],
                    format!("differs from `[{kind}.{}]` only by case", same.get()),
                ),
                Entry::Vacant(new) => _ = new.insert(name),
            }
        }
    }
    // Stages with one name are reported as such, and their environments add nothing.
    let mut names: HashMap<String, Vec<&str>> = HashMap::new();
    for stage in &book.file.stages {
        let alike = names.entry(stage.name.to_lowercase()).or_default();
        alike.push(&stage.name);
    }
    let mut environments: HashMap<String, &str> = HashMap::new();
    for stage in &book.file.stages {
        let path = ["stage", stage.name.as_str(), "github-environment"];
        let environment = stage.github_environment.to_lowercase();
        let another = |name: &&str| !same_name(name, &stage.name);
        let same = environments.get(&environment).copied().filter(another);
        if let Some(other) = same {
            report.at(&path, format!("is also that of stage `{other}`"));
        }
        let named = names.get(&environment).into_iter().flatten().copied();
        for other in named
            .filter(another)
            .filter(|name| Some(*name) != same)
            .take(MOST_ALIKE)
        {
            report.at(&path, format!("is the name of another stage, `{other}`"));
        }
        environments.entry(environment).or_insert(&stage.name);
    }
}

/// The most unknown stage names that get a hint: each is compared with every stage.
const MOST_HINTS: usize = 50;

pub(super) fn unknown_stage(book: &Book<'_>, report: &mut Report<'_, '_>) {
    let known: Vec<&str> = book
        .file
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    let is_known: HashSet<&str> = known.iter().copied().collect();
    let mut hints = 0;
    let mut hint = |asked: &str| {
        hints += 1;
        if hints > MOST_HINTS {
            return String::new();
        }
        let environment = book.file.stage(asked).ok().map(|stage| stage.name.as_str());
        match environment.or_else(|| nearest(asked, known.iter().copied())) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => format!("; the stages are {}", listed(&known)),
        }
    };
    for kind in ["job", "app", "model"] {
        for name in book.tree.names(kind) {
            for stage in book.tree.keys(&[kind, name, "stage"]) {
                if !is_known.contains(stage) {
                    let says = format!("is for a stage that the file does not have{}", hint(stage));
                    report.at(&[kind, name, "stage", stage], says);
                }
            }
        }
    }
    for leaf in book.texts(|keys| {
        matches!(
            keys,
            ["job", _, "stages"] | ["job", _, "schedule", "paused"]
        )
    }) {
        if !is_known.contains(leaf.text) {
            let stage = crate::text::displayed(leaf.text);
            report.leaf(
                leaf,
                format!("names {stage}, which is no stage{}", hint(leaf.text)),
            );
        }
    }
}

fn names<'b>(book: &'b Book<'_>) -> impl Iterator<Item = (&'static str, &'b str)> {
    KINDS.into_iter().flat_map(|kind| {
        book.tree
            .names(kind)
            .into_iter()
            .map(move |name| (kind, name))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{with, with_prod, with_schedule};

    #[test]
    fn a_name_that_would_break_yaml_or_a_shell_is_refused() {
        for name in ["1st", "a b", "a.b", "$(id)", "-a", "é", "", "a'b"] {
            let said = with(&format!("[job.\"{name}\"]\ncommand = \"a.py\""));
            assert_eq!(said.len(), 1, "{name:?}: {said:?}");
            assert!(said[0].ends_with(
                "must have a name of at most 50 letters, digits, `-` and `_` that begins with a letter"
            ));
        }
        assert_eq!(
            with(&format!("[job.a{}]\ncommand = \"a.py\"", "1".repeat(49))),
            [""; 0]
        );
        assert_eq!(
            with(&format!("[job.a{}]\ncommand = \"a.py\"", "1".repeat(50))).len(),
            1
        );
    }

    #[test]
    fn a_name_that_yaml_reads_as_something_else_is_refused() {
        for name in ["on", "No", "null", "y", "nan"] {
            assert_eq!(
                with(&format!("[job.{name}]\ncommand = \"a.py\"")),
                [format!(
                    "`[job.{name}]` has a name that YAML may take for something else than a name"
                )]
            );
        }
    }

    #[test]
    fn names_that_differ_only_by_case_are_one_name() {
        assert_eq!(
            with("[job.train]\ncommand = \"a.py\"\n[job.Train]\ncommand = \"a.py\""),
            ["`[job.Train]` differs from `[job.train]` only by case"]
        );
        assert_eq!(
            with("[stage.Prod]\nhardware-tier = \"big\""),
            ["`[stage.Prod]` differs from `[stage.prod]` only by case"]
        );
    }

    #[test]
    fn two_stages_do_not_share_a_github_environment() {
        assert_eq!(
            with_prod("github-environment = \"DEV\""),
            ["`github-environment` in `[stage.prod]` is also that of stage `dev`",]
        );
        assert_eq!(
            with(
                "[stage.test]\nhardware-tier = \"t\"\ngithub-environment = \"Shared\"\n[stage.last]\nhardware-tier = \"l\"\ngithub-environment = \"shared\""
            ),
            ["`github-environment` in `[stage.last]` is also that of stage `test`"]
        );
    }

    #[test]
    fn what_is_said_for_a_stage_is_said_for_one_that_exists() {
        assert_eq!(
            with("[job.a]\ncommand = \"a.py\"\n[job.a.stage.prdo]\nhardware-tier = \"big\""),
            [
                "`[job.a.stage.prdo]` is for a stage that the file does not have; did you mean `prod`?"
            ]
        );
        assert_eq!(
            with_schedule("cron = \"0 0 6 * * ?\", paused = [\"dev\", \"quality\"]"),
            [
                "`schedule.paused` in `[job.score]` names `quality`, which is no stage; the stages are `dev`, `prod`"
            ]
        );
    }
}
