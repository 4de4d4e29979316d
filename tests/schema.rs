//! The JSON Schema of the stage file: it takes every file that the programs take, and marks what is wrong with
//! its keys. What values mean together is not asked of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use serde_json::Value;
use stage_file::StageFile;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema() -> Value {
    serde_json::from_str(&domino_pipeline::schema::text().unwrap()).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// Where the schema finds something wrong with a stage file, each as the path of the value.
fn wrong(text: &str) -> Vec<String> {
    let file: Value = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    validator()
        .iter_errors(&file)
        .map(|error| error.instance_path().to_string())
        .collect()
}

/// Every stage file of the repository that the programs take.
fn good_files() -> Vec<PathBuf> {
    let top = top();
    let fixtures = ["tests/fixtures", "tests/fixtures/stages"];
    let files = fixtures.iter().flat_map(|folder| {
        let entries = fs::read_dir(top.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path())
    });
    files
        .chain([top.join("stages.toml")])
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .filter(|path| StageFile::load(path).is_ok())
        .collect()
}

#[test]
fn the_schema_itself_is_one_of_draft_2020_12() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
}

#[test]
fn the_committed_schema_is_what_the_keys_ask_for() {
    let there = fs::read_to_string(top().join(domino_pipeline::schema::FILE_NAME)).unwrap();
    assert_eq!(
        there,
        domino_pipeline::schema::text().unwrap(),
        "run `domino-pipeline schema`"
    );
}

#[test]
fn the_shipped_stage_file_tells_editors_where_its_schema_is() {
    let text = fs::read_to_string(top().join("stages.toml")).unwrap();
    assert_eq!(text.lines().next(), Some("#:schema ./stages.schema.json"));
}

#[test]
fn every_stage_file_that_the_programs_take_is_right_by_the_schema() {
    let files = good_files();
    assert!(files.len() > 8, "{files:?}");
    for path in files {
        let wrong = wrong(&fs::read_to_string(&path).unwrap());
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
    }
}

#[test]
fn a_file_full_of_mistakes_is_wrong_by_the_schema_too() {
    let path = top().join("tests/fixtures/stages/everything-wrong.toml");
    assert!(StageFile::load(&path).is_err());
    assert!(!wrong(&fs::read_to_string(path).unwrap()).is_empty());
}

#[test]
fn each_mistake_with_a_key_is_marked_where_it_stands() {
    let stage = "[stage.dev]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n";
    for (more, at) in [
        ("hardware-teir = \"small\"", "/stage/dev"),
        ("wait-timer = \"5\"", "/stage/dev/wait-timer"),
        ("wait-timer = 43201", "/stage/dev/wait-timer"),
        ("approvers = \"ann\"", "/stage/dev/approvers"),
        (
            "hardware-tier = { job = \"small\" }",
            "/stage/dev/hardware-tier",
        ),
        (
            "environment = { revision = \"latest\" }",
            "/stage/dev/environment",
        ),
        (
            "gates = { domino-approval = \"maybe\" }",
            "/stage/dev/gates/domino-approval",
        ),
        (
            "[stage.\"4 eyes\"]\nhost = \"a\"\nproject = \"a/b\"",
            "/stage",
        ),
        ("[job.train]\ntitle = \"Train\"", "/job/train"),
        ("[job.a]\ncommand = \"a\"\nschedule = {}", "/job/a/schedule"),
        (
            "[app.a]\nentry-point = \"a\"\nvisibility = \"all\"",
            "/app/a/visibility",
        ),
        ("[app.a.stage.dev]\nreplicas = 2", "/app/a/stage/dev"),
        ("[model.m]\nversion = 1.5", "/model/m/version"),
        (
            "[model.m]\nenvironment-variables = { A = 1 }",
            "/model/m/environment-variables/A",
        ),
        ("[jobs.train]\ncommand = \"a\"", ""),
    ] {
        let wrong = wrong(&format!("{stage}{more}\n"));
        assert!(wrong.iter().any(|found| found == at), "{more}: {wrong:?}");
    }
    assert_eq!(wrong(stage), [""; 0]);
}

#[test]
fn host_and_project_may_stand_in_each_stage_or_in_the_defaults_but_must_stand_somewhere() {
    let shared = "[defaults]\nhost = \"domino.example.com\"\n";
    assert_eq!(
        wrong(&format!("{shared}[stage.dev]\nproject = \"a/b\"\n")),
        [""; 0]
    );
    assert_eq!(wrong(&format!("{shared}[stage.dev]\n")), ["/stage/dev"]);
    assert_eq!(wrong("[stage.dev]\nproject = \"a/b\"\n"), ["/stage/dev"]);
    assert_eq!(wrong("[stage]\n"), ["/stage"]);
    assert_eq!(wrong(""), [""]);
}

#[test]
fn a_check_of_what_is_there_finds_nothing_and_writes_nothing() {
    let check = Command::new(env!("CARGO_BIN_EXE_domino-pipeline"))
        .args(["schema", "--check"])
        .env("DOMINO_PIPELINE_ROOT", top())
        .output()
        .unwrap();
    assert!(check.status.success(), "{check:?}");
    assert!(
        check.stdout.is_empty() && check.stderr.is_empty(),
        "{check:?}"
    );
}
