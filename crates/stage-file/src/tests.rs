//! The stage file as a whole: what ships, what is legal, and what a file with everything wrong is told.
//!
//! The tests of one rule stand below the rule.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::reference::{FILE, Form, Need, Section, form_of};
use super::tree::Tree;
use super::*;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(repository().join("tests/fixtures/stages").join(name)).unwrap()
}

fn read(name: &str) -> StageFile {
    match StageFile::read(&fixture(name), Path::new(name)) {
        Ok(file) => file,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_shipped_file_is_right_and_what_it_names_is_there() {
    let file = StageFile::load(&repository().join("stages.toml")).unwrap();
    assert_eq!(file.warnings(), []);
    let stages: Vec<&str> = file
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    assert_eq!(stages, ["dev", "staging", "prod"]);
    let commands = file
        .jobs
        .iter()
        .filter_map(|job| job.command.split(' ').next());
    let entry_points = file.apps.iter().map(|app| app.entry_point.as_str());
    let smoke_tests = file
        .models
        .iter()
        .filter_map(|model| model.smoke_test.as_deref()?.to_str());
    for path in commands.chain(entry_points).chain(smoke_tests) {
        assert!(repository().join(path).is_file(), "{path} is not there");
    }
}

#[test]
fn the_smallest_file_is_right() {
    let file = read("smallest.toml");
    assert_eq!(
        (file.stages.len(), file.jobs.len(), file.warnings().len()),
        (1, 0, 0)
    );
}

#[test]
fn what_looks_wrong_and_is_right_is_taken_as_it_is_written() {
    let file = read("legal-oddities.toml");
    assert_eq!(file.warnings(), []);
    assert_eq!(file.stages[0].host.as_str(), "https://[2001:db8::1]:8443");
    assert_eq!(
        file.stages[1].hardware_tier.jobs.as_deref(),
        Some("tier: [small] 'z' | # !")
    );
    assert_eq!(
        file.stages[1].environment.as_ref().unwrap().id_or_name,
        "Standard: \"new\" #2 & 100 % {x} *y"
    );
    assert_eq!(
        file.jobs[0].command,
        "bash -c 'echo \"$HOME\" 100% > out.txt < in.txt'"
    );
}

#[test]
fn a_file_with_everything_wrong_is_told_everything_at_once_and_no_secret() {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let text = fixture("everything-wrong.toml");
    let told = StageFile::read_at(&text, Path::new("stages.toml"), now)
        .unwrap_err()
        .to_string();
    for secret in ["hunter2", "ghp_"] {
        assert!(!told.contains(secret), "a secret is repeated");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn everything_that_can_be_wrong_is_in_the_file_with_everything_wrong() {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let text = fixture("everything-wrong.toml");
    let Err(StageFileError::Problems(problems)) = StageFile::read_at(&text, Path::new("s"), now)
    else {
        panic!("the file is taken");
    };
    let told = |name| problems.list.iter().any(|problem| problem.name == name);
    let shapes = [
        "unknown-key",
        "wrong-type",
        "missing-key",
        "unknown-word",
        "out-of-range",
    ];
    for name in shapes.into_iter().chain(RULES.iter().map(|rule| rule.name)) {
        assert!(told(name), "{name}");
    }
}

#[test]
fn every_key_of_the_reference_can_be_written_and_is_read() {
    let text = fixture("every-key.toml");
    let tree = Tree::parse(&text).unwrap();
    every_key(&FILE, &tree, &[]);
    // Everything together contradicts itself here and there, but no key is unknown or of a wrong type.
    let Err(StageFileError::Problems(problems)) = StageFile::read(&text, Path::new("stages.toml"))
    else {
        return;
    };
    let names: Vec<&str> = problems.list.iter().map(|problem| problem.name).collect();
    assert!(
        names.iter().all(|name| [
            "gates",
            "release",
            "timeout",
            "trained-by",
            "volume-size",
            "wait"
        ]
        .contains(name)),
        "{problems}"
    );
}

fn every_key(section: &Section, tree: &Tree<'_>, path: &[&str]) {
    for key in section.keys {
        let path: Vec<&str> = path.iter().copied().chain([key.name]).collect();
        let alternative = ["file", "function"].contains(&key.name);
        let in_defaults = path[0] == "defaults" && tree.own(&path).is_none();
        assert!(
            tree.own(&path).is_some() || alternative || in_defaults,
            "{path:?} is not in the file"
        );
        assert!(form_of(&path).is_some(), "{path:?} has no form");
        match key.form {
            Form::Named(below) => {
                if let Some(name) = tree.keys(&path).first() {
                    let path: Vec<&str> = path.iter().copied().chain([*name]).collect();
                    every_key(below, tree, &path);
                }
            }
            Form::Table(below) | Form::TextOr(below) | Form::TextsOr(below)
                if !tree.keys(&path).is_empty() =>
            {
                every_key(below, tree, &path);
            }
            _ => {}
        }
    }
}

#[test]
fn the_words_and_defaults_of_the_reference_are_those_of_the_types() {
    let base = "[defaults]\nhost = \"a.example.com\"\nproject = \"a/b\"\n[stage.a]\n";
    let read = |text: String| StageFile::read(&text, Path::new("stages.toml")).unwrap();
    let words = |path: &[&str]| match form_of(path) {
        Some(Form::Word(words)) => words,
        other => panic!("{path:?} is {other:?}"),
    };
    let mut seen = Vec::new();
    for word in words(&["app", "x", "visibility"]) {
        let file = read(format!(
            "{base}hardware-tier = \"t\"\n[app.x]\nentry-point = \"x\"\nvisibility = \"{word}\""
        ));
        seen.push(serde_json::to_value(file.apps[0].visibility).unwrap());
    }
    assert_eq!(seen, words(&["app", "x", "visibility"]));
    let mut seen = Vec::new();
    for word in words(&["stage", "x", "gates", "domino-approval"]) {
        let file = read(format!(
            "[defaults.gates]\ndomino-approval = \"{word}\"\npolicy = \"p\"\nreviewers = [\"r\"]\n{base}"
        ));
        seen.push(serde_json::to_value(file.stages[0].gates.domino_approval).unwrap());
    }
    assert_eq!(seen, words(&["stage", "x", "gates", "domino-approval"]));
    let mut seen = Vec::new();
    for word in words(&["app", "x", "api"]) {
        let file = read(format!(
            "{base}[app.x]\nentry-point = \"x\"\napi = \"{word}\""
        ));
        seen.push(serde_json::to_value(file.apps[0].api).unwrap());
    }
    assert_eq!(seen, words(&["app", "x", "api"]));
    let mut seen = Vec::new();
    for word in words(&["job", "x", "capacity"]) {
        let file = read(format!(
            "{base}[job.x]\ncommand = \"x\"\ncapacity = \"{word}\""
        ));
        seen.push(serde_json::to_value(file.jobs[0].settings.capacity).unwrap());
    }
    assert_eq!(seen, words(&["job", "x", "capacity"]));
    let mut seen = Vec::new();
    for word in words(&["job", "x", "cluster", "type"]) {
        let file = read(format!(
            "{base}[job.x]\ncommand = \"x\"\n\
             cluster = {{ type = \"{word}\", workers = 1, worker-tier = \"w\", environment = \"e\" }}"
        ));
        let cluster = file.jobs[0].settings.cluster.as_ref();
        seen.push(serde_json::to_value(cluster.unwrap().r#type).unwrap());
    }
    assert_eq!(seen, words(&["job", "x", "cluster", "type"]));
    let mut seen = Vec::new();
    for word in words(&["pipeline", "install"]) {
        let keys = match *word {
            "release" => "release = \"v1.2.0\"\nrelease-repository = \"a/b\"".to_owned(),
            "pip" => format!(
                "release = \"v1.2.0\"\nwheel-sha256 = [\"{}\"]",
                "0".repeat(64)
            ),
            _ => String::new(),
        };
        let file = read(format!("[pipeline]\ninstall = \"{word}\"\n{keys}\n{base}"));
        seen.push(serde_json::to_value(file.pipeline.install).unwrap());
    }
    assert_eq!(seen, words(&["pipeline", "install"]));
    for (section, path) in [
        (&reference::PIPELINE, "branch"),
        (&reference::PIPELINE, "runner"),
    ] {
        let Need::Default(default) = section.key(path).unwrap().need else {
            panic!()
        };
        let pipeline = Pipeline::default();
        let defaults = [pipeline.branch, pipeline.runner.word()];
        assert!(defaults.contains(&default.trim_matches('"').to_owned()));
    }
}

#[test]
fn the_names_of_the_rules_are_distinct_and_their_sentences_are_whole() {
    for (index, rule) in RULES.iter().enumerate() {
        assert!(
            RULES[..index].iter().all(|other| other.name != rule.name),
            "{}",
            rule.name
        );
        assert!(
            !rule.about.ends_with('.') && rule.about.len() > 10,
            "{}",
            rule.name
        );
    }
}

#[test]
fn a_large_file_is_read_in_a_moment() {
    let mut text = fixture("smallest.toml");
    for number in 0..300 {
        text.push_str(&format!(
            "[job.j{number}]\ncommand = \"j.py\"\n[job.j{number}.stage.dev]\nhardware-tier = \"t{number}\"\n"
        ));
    }
    let start = Instant::now();
    let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
    assert_eq!(file.jobs.len(), 300);
    // A hundred times what it takes without optimisation: only a rule whose time explodes fails this.
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_reading_panic(text in any::<String>()) {
        told_or_read(&text);
    }

    #[test]
    fn no_change_of_a_right_file_makes_reading_panic(
        file in prop::sample::select(vec!["every-key.toml", "legal-oddities.toml", "everything-wrong.toml"]),
        at in any::<prop::sample::Index>(),
        cut in 0usize..40,
        with in "[\\PC\n\"\\[\\]{}=.,#<>$]{0,12}",
    ) {
        let mut text: Vec<char> = fixture(file).chars().collect();
        let at = at.index(text.len());
        let end = (at + cut).min(text.len());
        text.splice(at..end, with.chars());
        told_or_read(&text.into_iter().collect::<String>());
    }

    #[test]
    fn no_value_makes_reading_panic_or_reaches_a_message_unmasked(value in "\\PC{0,80}|[0-9*/?,LW# -]{5,40}|.{0,20}") {
        let quoted = quoted(&value);
        for key in [
            "[stage.a]\nhost = V", "[stage.a]\nproject = V", "[stage.V]", "[stage.a]\nenvironment = { name = V, revision = V }",
            "[job.a]\ncommand = \"a\"\nschedule = { cron = V, timezone = V, paused = [V], notify = [V] }",
            "[job.a]\ncommand = \"a\"\ntimeout = V\nstages = [V]\n[model.b]\nregistered-model = \"b\"\ntrained-by = V",
            "[app.a]\nentry-point = V\nhealth-path = V\nvisibility = V", "[model.a]\nregistered-model = V\nversion = V\nmetric-rules = [V]",
            "[model.a]\nfile = V\nfunction = V\nenvironment-variables = { V = V }", "[stage.a.gates]\nsoak = V", "[pipeline]\nbranch = V\naccept = [V]",
        ] {
            told_or_read(&key.replace('V', &quoted));
        }
    }
}

/// The text as TOML writes it.
fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// Reads a text; whatever is said of it must be safe to print.
fn told_or_read(text: &str) {
    if let Err(error) = StageFile::read(text, Path::new("stages.toml")) {
        for line in error.to_string().lines() {
            assert!(!line.chars().any(is_invisible), "{line:?}");
        }
    } else {
        let file = StageFile::read(text, Path::new("stages.toml")).unwrap();
        assert!(
            file.stages
                .iter()
                .all(|stage| !stage.host.as_str().is_empty())
        );
        assert!(
            file.stages
                .iter()
                .all(|stage| !stage.project.name.is_empty())
        );
        for schedule in file.jobs.iter().filter_map(|job| job.schedule.as_ref()) {
            schedule.next_fires(2, "2026-11-23T12:00:00Z".parse().unwrap());
        }
    }
}
