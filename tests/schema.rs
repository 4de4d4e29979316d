//! The JSON Schema of the stage file: it accepts every file that the programs accept, and marks what is wrong with
//! its keys. It does not check rules about several values.

mod json_pointers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domino_core::receipt::{Receipt, SealedReceipt};
use json_pointers::pointers;
use jsonschema::Validator;
use serde_json::{Value, json};
use stage_file::{Severity, StageFile, StageFileError};

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
fn the_schema_of_receipts_takes_a_receipt_with_every_key_and_refuses_any_other() {
    let text = fs::read_to_string(top().join("docs/receipt.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let every: Receipt = serde_json::from_value(every_key()).unwrap();
    let sealed = SealedReceipt::seal(every).unwrap();
    let mut value: Value = serde_json::from_str(&sealed.line).unwrap();
    let problems: Vec<_> = validator
        .iter_errors(&value)
        .map(|e| e.to_string())
        .collect();
    assert_eq!(problems, [] as [String; 0]);
    // What the example has, the type has: nothing was dropped on the way. What the schema has, the example has.
    let hash = json!(sealed.hash);
    value.as_object_mut().unwrap().remove("hash");
    assert_eq!(value, every_key());
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let missing = keys
        .iter()
        .filter(|key| **key != "hash" && value.get(key).is_none());
    assert_eq!(missing.count(), 0);
    value["hash"] = hash;
    for (path, other) in [("", "later"), ("/what", "later"), ("/who", "later")] {
        let mut wrong = value.clone();
        wrong.pointer_mut(path).unwrap()[other] = json!(1);
        assert!(!validator.is_valid(&wrong), "{path}");
    }
}

/// A receipt that has every key but its hash.
fn every_key() -> Value {
    let hash = "0".repeat(64);
    json!({
        "format": 1, "stage": "prod", "kind": "model", "entity": "wine-quality", "commit": "a".repeat(40),
        "outcome": "done", "result": "it serves", "began": "2026-11-12T08:00:00Z", "at": "2026-11-12T08:09:00Z",
        "what": {"id": "m1", "version-id": "v9", "environment": "Standard", "environment-revision": "r4",
                 "hardware-tier": "large", "data-plane": "prod-plane",
                 "model-version": {"name": "wine-quality", "version": 7, "run-id": "r1", "created": 1,
                                   "source": "runs:/r1/model"}},
        "who": {"author": "Ann Example", "started-by": "ann", "run-again-by": "ben",
                "approvals": [{"by": "carol", "where": "GitHub environment PROD", "at": "2026-11-12T07:59:00Z"}]},
        "where": {"host": "https://domino.example.com", "project": "a/b", "github-environment": "PROD",
                  "repository": "example/wine", "workflow-run": "https://github.com/example/wine/actions/runs/7",
                  "attempt": 2},
        "plan": {"headline": "publish it", "facts": ["commit: a"], "changes": ["~ the version"]},
        "program": "deploy-model 0.1.0", "smoke-test": "2 requests answered as expected", "without-receipt": "urgent", "back": hash, "previous": hash,
    })
}

#[test]
fn the_schema_itself_is_one_of_draft_2020_12() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
}

/// Editors compile it with ajv. It comes from npm where `ACTIONS_LIBRARY` says that npm is there.
#[test]
fn ajv_compiles_the_schema_in_its_strict_mode() {
    if std::env::var_os("ACTIONS_LIBRARY").is_none_or(|value| value.is_empty()) {
        eprintln!("NOT RUN: the test with ajv; set ACTIONS_LIBRARY to yes for that");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ajv");
    fs::create_dir_all(&folder).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(&folder)
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    if !folder.join("node_modules/ajv").exists() {
        fs::write(folder.join("package.json"), r#"{"private": true}"#).unwrap();
        run("npm", &["install", "--no-audit", "--no-fund", "ajv@8.20.0"]);
    }
    fs::write(folder.join("schema.json"), schema().to_string()).unwrap();
    let script = "const Ajv = require('ajv/dist/2020').default;
        new Ajv({ strict: true }).compile(require('./schema.json'));
        console.log('compiled');";
    assert_eq!(run("node", &["-e", script]), "compiled\n");
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

/// A date as TOML writes it; editors hand it to the schema as this text.
const DATE: &str = "2026-11-30";
/// What the schema knows of what can be wrong. The rest is about what values mean.
const SHAPES: [&str; 5] = [
    "unknown-key",
    "wrong-type",
    "missing-key",
    "unknown-word",
    "out-of-range",
];

#[test]
fn schema_and_program_agree_on_every_file_with_one_change() {
    let validator = validator();
    let (mut changes, mut refused) = (0, 0);
    // The file of thirty entities has nothing that the others have not, ten times over.
    let files = good_files().into_iter();
    for path in files.filter(|path| !path.ends_with("workflows-thirty-entities.toml")) {
        let text = fs::read_to_string(&path).unwrap();
        let file: Value = toml::from_str(&text).unwrap();
        for changed in changed(&file) {
            let text = toml_text(&changed);
            let problems = match StageFile::read(&text, Path::new("stages.toml")) {
                Ok(_) => Vec::new(),
                Err(StageFileError::Problems(problems)) => problems.list,
                Err(other) => panic!("{other}\n{text}"),
            };
            let by_schema = !validator.is_valid(&changed);
            let by_program = problems
                .iter()
                .any(|problem| problem.severity == Severity::Error);
            let by_shape = problems.iter().any(|problem| {
                SHAPES.contains(&problem.name)
                    || problem.message.starts_with("`install` in `[pipeline]` is")
                    || problem.message.contains("unless `install` is")
                    || problem.message.contains("must say what is served")
                    || problem.message.contains("both say what is served")
            });
            assert!(
                by_program || !by_schema,
                "{}: the schema alone refuses\n{text}",
                path.display()
            );
            assert!(
                by_schema || !by_shape,
                "{}: the program alone refuses: {problems:?}\n{text}",
                path.display()
            );
            changes += 1;
            refused += usize::from(by_schema);
        }
    }
    eprintln!("{changes} files, of which both refuse {refused} by their shape");
    assert!(changes > 4_000, "{changes}");
    assert!(
        (changes / 4..changes).contains(&refused),
        "{refused} of {changes}"
    );
}

/// The file with one thing removed, added or replaced, for each thing in it.
fn changed(file: &Value) -> Vec<Value> {
    let mut files = Vec::new();
    for pointer in pointers(file) {
        for value in [
            json!("text"),
            json!(""),
            json!(DATE),
            json!(1),
            json!(1.0),
            json!(1.5),
            json!(-1),
            json!(99_999_999),
            json!(true),
            json!([]),
            json!([1]),
            json!(["text"]),
            json!({}),
            json!({ "text": "text" }),
        ] {
            let mut changed = file.clone();
            *changed.pointer_mut(&pointer).unwrap() = value;
            files.push(changed);
        }
        let (above, key) = pointer.rsplit_once('/').unwrap();
        if let Some(Value::Object(table)) = file.pointer(above) {
            let key = key.replace("~1", "/").replace("~0", "~");
            let mut less = table.clone();
            less.remove(&key);
            let mut more = table.clone();
            more.insert(format!("{key}-x"), table[&key].clone());
            for table in [less, more] {
                let mut changed = file.clone();
                *changed.pointer_mut(above).unwrap() = Value::Object(table);
                files.push(changed);
            }
        }
    }
    files
}

/// The file as TOML, each top table in one line.
fn toml_text(file: &Value) -> String {
    let tables = file.as_object().unwrap().iter();
    tables
        .map(|(key, value)| format!("{} = {}\n", json!(key), in_line(value)))
        .collect()
}

fn in_line(value: &Value) -> String {
    match value {
        Value::String(text) if text == DATE => DATE.to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(in_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", json!(key), in_line(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
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
