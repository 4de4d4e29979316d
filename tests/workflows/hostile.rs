//! What a hostile stage file can do to a workflow: nothing. Whatever it contains, either it is refused, or the files
//! parse back to exactly what was meant, and contain no expression that we did not write.

use std::fs;

use domino_pipeline::{diagram, pipelines};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use serde_json::Value;
use stage_file::StageFile;

use super::read::{Read, quoted};
use super::rules::broken;

/// Things that mean something to YAML, to a shell, to GitHub's expressions, to Mermaid or to a terminal.
const FRAGMENTS: [&str; 42] = [
    "${{ secrets.STOLEN }}",
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

/// A stage file in which every text and number can be chosen, two of the texts hostile. `reviewers` excludes `policy`,
/// which stands here.
fn stage_file() -> impl Strategy<Value = String> {
    let places = [
        "main",
        "ubuntu-24.04",
        "v1.2.0",
        "example-org/programs",
        "domino.example.com",
        "team/project",
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
        "Promotion",
        "train",
        "src/project/jobs/train.py",
        "Train",
        "score",
        "0 0 6 ? * MON-FRI",
        "UTC",
        "ann@example.com",
        "dashboard",
        "src/project/apps/app.sh",
        "The numbers",
        "quality",
        "registered",
        "latest",
        "Predicts",
        "smoke.jsonl",
        "quality-prod",
        "LOG_LEVEL",
        "warn",
        "rules",
        "src/rules.py",
        "answer",
    ];
    let changes = prop::collection::vec((any::<Index>(), hostile()), 0..3);
    let numbers = (any::<bool>(), 0..50_000_u32, 0..2000_u32);
    (changes, numbers).prop_map(move |(changes, (released, wait, replicas))| {
        let mut texts = places.map(str::to_owned);
        for (place, text) in changes {
            texts[place.index(places.len())] = text;
        }
        // Each place is used once and in its order, so that a list of them is the whole file.
        let mut texts = texts.iter().map(|text| toml_text(text));
        let mut t = || texts.next().unwrap();
        let (branch, runner, release, repository) = (t(), t(), t(), t());
        let install = match released {
            true => format!("install = \"release\"\nrelease = {release}\nrelease-repository = {repository}\n"),
            false => String::new(),
        };
        // Most numbers are within what is allowed.
        let (wait, replicas) = (wait % 44_000, replicas % 33);
        let mut file = format!("[pipeline]\nbranch = {branch}\nrunner = {runner}\n{install}");
        file += &format!("[defaults]\nhost = {}\nproject = {}\nenvironment = {}\n", t(), t(), t());
        file += &format!("[stage.{}]\nhardware-tier = {}\ngithub-environment = {}\ndata-plane = {}\n", t(), t(), t(), t());
        let prod = t();
        file += &format!(
            "[stage.{prod}]\nhardware-tier = {}\ngithub-environment = {}\napprovers = [{}]\nmodel-stage = {}\n\
             wait-timer = {wait}\n\
             gates = {{ github-approval = true, domino-approval = \"governance\", policy = {} }}\n",
            t(), t(), t(), t(), t()
        );
        file += &format!("[job.{}]\ncommand = {}\ntitle = {}\n", t(), t(), t());
        file += &format!(
            "[job.{}]\ncommand = \"score.py\"\n\
             schedule = {{ cron = {}, timezone = {}, notify = [{}] }}\n",
            t(), t(), t(), t()
        );
        file += &format!("[app.{}]\nentry-point = {}\ndescription = {}\n", t(), t(), t());
        let model = t();
        file += &format!(
            "[model.{model}]\nregistered-model = {}\nversion = {}\ndescription = {}\nsmoke-test = {}\n\
             replicas = {replicas}\n",
            t(), t(), t(), t()
        );
        file += &format!(
            "[model.{model}.stage.{prod}]\nendpoint = {}\nenvironment-variables = {{ {} = {} }}\n",
            t(), t(), t()
        );
        file += &format!("[model.{}]\nfile = {}\nfunction = {}\ndescription = \"x\"\n", t(), t(), t());
        file
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
                let commented = [
                    "uses",
                    "group",
                    "if",
                    "continue-on-error",
                    "contents",
                    "actions",
                ]
                .contains(&key.as_str());
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
        "inputs.back",
        "inputs.put-back",
        "inputs.without-receipt",
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
        || expression.strip_suffix(" || ''").is_some_and(is_reason)
        || match words.as_slice() {
            [
                "steps",
                id,
                "outputs",
                "url" | "version" | "version-identity",
            ]
            | ["needs", id, "outputs", _]
                if !plain(id) =>
            {
                false
            }
            ["steps", _, "outputs", _] => true,
            ["steps", id, "outcome"] => plain(id),
            ["needs", id, "result"] => plain(id),
            ["needs", _, "outputs", output] => {
                let handed_on = ["-version", "-version-identity", "-revision", "-passed"];
                plain(output) && handed_on.iter().any(|what| output.ends_with(what))
            }
            _ => false,
        }
}

/// Whether this says why something was not deployed: for each condition of ours a text without a quote.
fn is_reason(expression: &str) -> bool {
    expression.split(" || ").all(|reason| {
        let (condition, text) = reason.split_once(" && ").unwrap_or_default();
        let text = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        is_outcome(condition) && text.is_some_and(|text| !text.contains(['\'', '$', '{']))
    })
}

/// Whether this compares what became of a step, or of an entity in the stage before, with a word.
fn is_outcome(condition: &str) -> bool {
    let mut words = condition.split(' ');
    let (what, compares, word) = (words.next(), words.next(), words.next());
    what.is_some_and(|what| {
        (what.ends_with(".outcome") || what.ends_with("-passed")) && known(what)
    }) && matches!(compares, Some("==" | "!="))
        && matches!(word, Some("'success'" | "'failure'"))
        && words.next().is_none()
}

/// Every `if:`, which is an expression without being marked as one.
fn conditions(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(map) => {
            let own = map.get("if").and_then(Value::as_str);
            own.into_iter()
                .chain(map.values().flat_map(conditions))
                .collect()
        }
        Value::Array(list) => list.iter().flat_map(conditions).collect(),
        _ => Vec::new(),
    }
}

/// Whether this is a condition that we write, and the texts in it are the file's own.
fn known_condition(condition: &str, file: &StageFile) -> bool {
    let reference = format!("refs/heads/{}", file.pipeline.branch);
    let fixed = [
        "steps.built.outputs.cache-hit != 'true'",
        "github.event_name == 'pull_request'",
        // The picture of the run, which holds no secret, and the receipts of what was deployed.
        "always()",
        "!cancelled()",
    ];
    if fixed.contains(&condition) || condition == format!("github.ref == {}", quoted(&reference)) {
        return true;
    }
    let stage = |condition: &str| {
        let mut stages = file.stages.iter();
        stages.any(|stage| {
            let passed = format!(
                "contains(toJSON(needs.deploy-{}.outputs), '\"success\"')",
                stage.name
            );
            let goes_on = format!("inputs.stop-after != {}", quoted(&stage.name));
            condition == passed || condition == goes_on
        })
    };
    let mut parts = condition.split(" && ");
    parts.all(|part| part == "!cancelled()" || is_outcome(part) || stage(part))
}

fn check(stages: &str) -> Result<bool, TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stages.toml");
    fs::write(&path, stages).unwrap();
    let Ok(file) = StageFile::load(&path) else {
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
        let read = Read::of(&workflow.name, &text);
        for (path, text) in read.texts() {
            for rest in text.split("${{").skip(1) {
                let expression = rest.split("}}").next().unwrap_or_default().trim();
                prop_assert!(known(expression), "{}: {}", path, text);
            }
        }
        for condition in conditions(&read.yaml) {
            prop_assert!(known_condition(condition, &file), "{}", condition);
        }
        let broken = broken(&read);
        prop_assert!(broken.is_empty(), "{:#?}\n{}", broken, text);
    }
    let picture = diagram::mermaid(&file);
    let inside = picture
        .trim_start_matches("```mermaid\n")
        .trim_end_matches("```\n");
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

/// A valid stage file with this line on the pipeline.
fn one_stage_with(line: &str) -> String {
    let rest = fs::read_to_string(super::fixture("one-stage")).unwrap();
    format!("[pipeline]\n{line}\n\n{rest}")
}

#[test]
fn a_branch_may_have_a_quote_in_its_name() {
    for branch in ["'", "''", "it's-main", "'main'"] {
        let stages = one_stage_with(&format!("branch = {}", toml_text(branch)));
        assert!(check(&stages).unwrap(), "{branch} is a name that git takes");
    }
}

#[test]
fn an_expression_in_a_stage_file_is_refused() {
    for place in [
        "branch = \"x${{ secrets.A }}\"",
        "runner = \"${{ secrets.A }}\"",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stages.toml");
        fs::write(&path, one_stage_with(place)).unwrap();
        assert!(StageFile::load(&path).is_err(), "{place}");
    }
}
