//! What a hostile stage file can do to a workflow: nothing. Whatever it says, either it is refused, or the files
//! parse back to exactly what was meant, and no expression stands in them that we did not write.

use std::fs;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use serde_json::Value;
use xtask::{diagram, pipelines};

use super::read::Read;
use super::rules::broken;

/// Things that mean something to YAML, to a shell, to GitHub's expressions, to Mermaid or to a terminal.
const FRAGMENTS: [&str; 42] = [
    "${{ secrets.DOMINO_TOKEN }}",
    "${{",
    "}}",
    "$",
    "`id`",
    "$(id)",
    "'",
    "\"",
    "''",
    "\\",
    "#",
    " #",
    ": ",
    ":",
    "- ",
    "-",
    "--",
    "|",
    ">",
    "&a",
    "*a",
    "!x",
    "!!str",
    "%",
    "@",
    "{",
    "}",
    "[",
    "]",
    ",",
    "?",
    "\n",
    "\r\n",
    "\t",
    "\u{85}",
    "\u{2028}",
    "\u{0}",
    "\u{1b}[2J",
    "é",
    "🦀",
    "<br>",
    "…",
];

/// Words that YAML or a shell reads as something else than text.
const WORDS: [&str; 16] = [
    "on",
    "yes",
    "null",
    "~",
    "true",
    "0x10",
    "1e3",
    "012",
    "1_000",
    ".inf",
    "2026-11-23",
    "=",
    "<<",
    "build",
    "if",
    "a",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => select(FRAGMENTS.as_slice()).prop_map(str::to_owned),
        2 => select(WORDS.as_slice()).prop_map(str::to_owned),
        3 => "[a-zA-Z0-9_-]{1,8}",
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// A stage file in which every text can be chosen, two of them hostile.
fn stage_file() -> impl Strategy<Value = String> {
    let places = [
        "main",
        "ubuntu-24.04",
        "Standard",
        "dev",
        "dev-small",
        "DEV",
        "dev-plane",
        "prod",
        "prod-small",
        "PROD",
        "octocat",
        "Production",
        "train",
        "src/project/jobs/train.py",
        "Train",
        "score",
        "dashboard",
        "src/project/apps/app.sh",
        "The numbers",
        "quality",
        "registered",
        "latest",
        "Predicts",
        "smoke.jsonl",
        "rules",
        "src/rules.py",
        "answer",
    ];
    let changes = prop::collection::vec((any::<Index>(), hostile()), 0..3);
    changes.prop_map(move |changes| {
        let mut texts = places.map(str::to_owned);
        for (place, text) in changes {
            texts[place.index(places.len())] = text;
        }
        let t = texts.map(|text| toml_text(&text));
        format!(
            "[pipeline]\nbranch = {}\nrunner = {}\n\
             [defaults]\nhost = \"domino.example.com\"\nproject = \"team/project\"\nenvironment = {}\n\
             [stage.{}]\nhardware-tier = {}\ngithub-environment = {}\ndata-plane = {}\n\
             [stage.{}]\nhardware-tier = {}\ngithub-environment = {}\napprovers = [{}]\nmodel-stage = {}\n\
             gates = {{ github-approval = true }}\n\
             [job.{}]\ncommand = {}\ntitle = {}\n\
             [job.{}]\ncommand = \"score.py\"\nschedule = {{ cron = \"0 0 6 ? * MON-FRI\" }}\n\
             [app.{}]\nentry-point = {}\ndescription = {}\n\
             [model.{}]\nregistered-model = {}\nversion = {}\ndescription = {}\nsmoke-test = {}\n\
             [model.{}]\nfile = {}\nfunction = {}\ndescription = \"x\"\n",
            t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15],
            t[16], t[17], t[18], t[19], t[20], t[21], t[22], t[23], t[24], t[25], t[26],
        )
    })
}

/// A text as TOML writes it, in double quotes.
fn toml_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                quoted += &format!("\\U{:08X}", u32::from(character))
            }
            character => quoted.push(character),
        }
    }
    quoted + "\""
}

/// What a workflow is meant to say: its own structure without the comments, never having been YAML.
fn meant(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                let commented =
                    ["uses", "group", "if", "contents", "actions"].contains(&key.as_str());
                *inner = match inner.take() {
                    Value::Array(mut pair) if commented && pair.len() == 2 => {
                        pair.pop().unwrap_or_default()
                    }
                    inner => meant(inner),
                };
            }
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|inner| *inner = meant(inner.take())),
        _ => {}
    }
    value
}

/// Whether this is an expression that we write.
fn known(expression: &str) -> bool {
    let fixed = [
        "vars.DOMINO_ENV",
        "secrets.DOMINO_USER_API_KEY",
        "secrets.DOMINO_TOKEN",
        "secrets.DOMINO_MODEL_TOKEN",
        "github.token",
        "github.sha",
        "github.ref",
        "github.event.pull_request.base.sha",
        "runner.os",
        "runner.arch",
        "runner.temp",
        "hashFiles('Cargo.lock')",
        "hashFiles('Cargo.toml', 'Cargo.lock', 'crates/**')",
    ];
    let plain = |word: &str| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let words: Vec<&str> = expression.split('.').collect();
    fixed.contains(&expression)
        || match words.as_slice() {
            ["steps", id, "outputs", "url" | "version"] | ["needs", id, "outputs", _]
                if !plain(id) =>
            {
                false
            }
            ["steps", _, "outputs", _] => true,
            ["needs", _, "outputs", output] => plain(output) && output.ends_with("-version"),
            _ => false,
        }
}

fn check(stages: &str) -> Result<bool, TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stages.toml");
    fs::write(&path, stages).unwrap();
    let Ok(file) = domino_core::stages::StageFile::load(&path) else {
        return Ok(false);
    };
    for workflow in pipelines::workflows(&file) {
        let text = workflow.text().unwrap();
        let parsed: Value = yaml_serde::from_str(&text)
            .map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(
            &parsed,
            &meant(serde_json::to_value(&workflow.workflow).unwrap()),
            "{}",
            text
        );
        let read = Read::of(workflow.name, &text);
        for (path, text) in read.texts() {
            for rest in text.split("${{").skip(1) {
                let expression = rest.split("}}").next().unwrap_or_default().trim();
                prop_assert!(known(expression), "{}: {}", path, text);
            }
        }
        let broken = broken(&read);
        prop_assert!(broken.is_empty(), "{:#?}\n{}", broken, text);
    }
    let picture = diagram::mermaid(&file);
    let inside = picture
        .trim_start_matches("```mermaid\n")
        .trim_end_matches("```\n")
        .replace("<br>", "");
    prop_assert!(!inside.contains(['`', '<', '\'', '\u{1b}']), "{}", picture);
    let lines = inside.lines().count();
    prop_assert_eq!(
        lines,
        2 + file.stages.len() * (4 + file.jobs.len() + file.apps.len() + file.models.len()),
        "{}",
        picture
    );
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_valid_stage_file_says_the_workflow_is_the_one_that_was_meant(stages in stage_file()) {
        check(&stages)?;
    }
}

#[test]
fn the_stage_file_that_is_bent_is_valid_as_it_stands() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let valid = (0..200).filter(|_| {
        let stages = stage_file().new_tree(&mut runner).unwrap().current();
        check(&stages).unwrap()
    });
    assert!(
        valid.count() > 20,
        "a test of refused files would test nothing"
    );
}

#[test]
fn an_expression_in_a_stage_file_is_refused() {
    for place in [
        "branch = \"x${{ secrets.A }}\"",
        "runner = \"${{ secrets.A }}\"",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stages.toml");
        let rest = fs::read_to_string(super::fixture("one-stage")).unwrap();
        fs::write(&path, format!("[pipeline]\n{place}\n\n{rest}")).unwrap();
        assert!(
            domino_core::stages::StageFile::load(&path).is_err(),
            "{place}"
        );
    }
}
