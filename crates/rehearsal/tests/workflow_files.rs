//! Which workflow files are refused, compared with GitHub's own reader (npm `@actions/workflow-parser`).
//!
//! What GitHub refuses is refused here. More is refused here than there: what cannot be rehearsed. With
//! `ACTIONS_LIBRARY` set, npm installs the reader, and both are asked about thousands of changed files. Otherwise its
//! stored answers are used, one letter a file; `ACTIONS_LIBRARY=update` writes them.

#[path = "../../../tests/json_pointers.rs"]
mod json_pointers;
#[path = "../../github-workflow/tests/actions_library/library.rs"]
mod library;

use github_workflow::problem::Problem;
use github_workflow::read::Workflow;
use github_workflow::value::Value as ExpressionValue;
use json_pointers::pointers;
use rehearsal::checks::{Findings, Known, check};
use rehearsal::github::Event;
use rehearsal::settings::{
    Environment, ImposedVariable, OtherApprovals, RepositorySettings, Substitute,
};
use serde_json::{Value, json};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/workflow_files.txt");
/// How many letters of the table are in a line.
const WIDTH: usize = 100;

#[test]
fn what_githubs_reader_refused_is_refused() {
    let files = files();
    let table = std::fs::read_to_string(TABLE).unwrap();
    let (made_of, refused) = table.split_once('\n').unwrap();
    assert_eq!(
        made_of,
        fingerprint(&files),
        "the files changed; `ACTIONS_LIBRARY=update` asks GitHub's reader anew"
    );
    let refused: Vec<bool> = refused
        .chars()
        .filter(|c| *c != '\n')
        .map(|c| c == 'r')
        .collect();
    // One in five tells as much in a fifth of the time.
    let files: Vec<String> = files.into_iter().step_by(5).collect();
    let refused: Vec<bool> = refused.into_iter().step_by(5).collect();
    compare(&files, &refused);
}

#[test]
fn what_githubs_reader_refuses_is_refused() {
    let Some(library) = library::from_npm() else {
        eprintln!("NOT RUN: the test with GitHub's reader; set ACTIONS_LIBRARY to yes for that");
        return;
    };
    let files = files();
    let refusals = library.refusals(&files);
    let refused: Vec<bool> = refusals.iter().map(Option::is_some).collect();
    if library::is_update() {
        let letters: Vec<char> = refused
            .iter()
            .map(|refused| if *refused { 'r' } else { '.' })
            .collect();
        let lines: Vec<String> = letters
            .chunks(WIDTH)
            .map(|line| line.iter().collect())
            .collect();
        let text = format!("{}\n{}\n", fingerprint(&files), lines.join("\n"));
        std::fs::write(TABLE, text).unwrap();
    }
    compare(&files, &refused);
}

/// Compares our answers with theirs, and prints how many there were.
fn compare(files: &[String], refused: &[bool]) {
    assert_eq!(files.len(), refused.len());
    // GitHub accepts the first file, and it can be rehearsed.
    assert!(
        !refused[0] && problems(&files[0]).is_empty(),
        "{:?}",
        problems(&files[0])
    );
    let mut taken_here = Vec::new();
    let (mut both, mut here, mut taken) = (0, 0, 0);
    for (file, theirs) in files.iter().zip(refused) {
        match (problems(file).is_empty(), theirs) {
            (true, true) => taken_here.push(file),
            (false, true) => both += 1,
            (false, false) => here += 1,
            (true, false) => taken += 1,
        }
    }
    eprintln!(
        "{} files: {taken} taken and {both} refused by both, {here} refused here alone, {} by GitHub alone",
        files.len(),
        taken_here.len()
    );
    let shown = &taken_here[..taken_here.len().min(60)];
    assert!(
        taken_here.is_empty(),
        "GitHub alone refuses {}: {shown:#?}",
        taken_here.len()
    );
    assert!(
        both > files.len() / 2 && taken > files.len() / 10,
        "{both} {taken}"
    );
}

/// The valid file, the files that differ from it, and the small ones.
fn files() -> Vec<String> {
    let base = base();
    let changed = changed(&base);
    std::iter::once(&base)
        .chain(&changed)
        .map(Value::to_string)
        .chain(small_files().into_iter().map(str::to_owned))
        .collect()
}

/// Shows whether the table was made from other files (FNV-1a).
fn fingerprint(files: &[String]) -> String {
    let bytes = files.iter().flat_map(|file| file.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{} files, {hash:016x}", files.len())
}

/// The problems that prevent a file from being rehearsed.
fn problems(text: &str) -> Vec<Problem> {
    let mut findings = Findings::default();
    if let Some(workflow) = Workflow::read("a.yml", text, &mut findings.problems) {
        let known = Known {
            settings: &Nothing,
            branch: "main",
            event: &Event::Push,
            github: &ExpressionValue::Null,
        };
        check(&workflow, &known, &mut findings);
    }
    findings.problems
}

/// A repository that has every environment, each without content.
struct Nothing;

static ENVIRONMENT: Environment = Environment {
    name: String::new(),
    guards: String::new(),
    reviewers: Vec::new(),
    starters: Vec::new(),
    wait_timer: 0,
};

impl RepositorySettings for Nothing {
    fn environment(&self, _: &str) -> Result<&Environment, String> {
        Ok(&ENVIRONMENT)
    }

    fn variable_names(&self) -> &[&str] {
        &[]
    }

    fn secret_names(&self) -> &[&str] {
        &[]
    }

    fn imposed_variables(&self) -> &[ImposedVariable] {
        &[]
    }

    fn variables(&self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    fn secrets(&self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    fn process_variables(&self, _: Option<&str>) -> Vec<(String, String)> {
        Vec::new()
    }

    fn substitute(&self, _: &str) -> Option<Substitute> {
        None
    }

    fn other_approvals(&self) -> Option<OtherApprovals> {
        None
    }

    fn approve_others(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A file with about everything that our own workflows use.
fn base() -> Value {
    json!({
        "name": "Deploy",
        "run-name": "Deploy ${{ github.sha }}",
        "on": {
            "push": { "branches": ["main"], "paths": ["src/**"] },
            "workflow_dispatch": {
                "inputs": {
                    "stop-after": { "description": "Where to stop", "type": "choice", "options": ["dev", "prod"], "default": "prod", "required": false },
                    "back": { "type": "boolean", "default": false }
                }
            }
        },
        "permissions": { "contents": "read" },
        "env": { "LEVEL": "info" },
        "concurrency": { "group": "deploy-${{ github.ref }}", "cancel-in-progress": false },
        "defaults": { "run": { "shell": "bash" } },
        "jobs": {
            "build": {
                "name": "Build",
                "runs-on": "ubuntu-24.04",
                "timeout-minutes": 30,
                "permissions": { "contents": "read", "id-token": "write" },
                "steps": [
                    { "run": "echo", "id": "one", "name": "One", "shell": "bash", "working-directory": "src", "env": { "A": "${{ github.sha }}" }, "if": "success()", "continue-on-error": true, "timeout-minutes": 5 },
                    { "uses": "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0", "with": { "persist-credentials": false } }
                ]
            },
            "dev": {
                "needs": ["build"],
                "if": "${{ !cancelled() && needs.build.result == 'success' }}",
                "runs-on": ["ubuntu-24.04"],
                "environment": { "name": "DEV", "url": "${{ steps.two.outputs.url }}" },
                "concurrency": { "group": "stage-dev", "cancel-in-progress": false },
                "env": { "B": "${{ secrets.TOKEN }}" },
                "outputs": { "url": "${{ steps.two.outputs.url }}" },
                "defaults": { "run": { "working-directory": "." } },
                "steps": [
                    { "id": "two", "run": "echo", "env": { "C": "${{ needs.build.outputs.x }}" } },
                    { "parallel": [ { "id": "three", "run": "echo" }, { "run": "echo", "if": "always()" } ] }
                ]
            }
        }
    })
}

/// The file with one thing removed, renamed, doubled or replaced, for each thing in it.
fn changed(file: &Value) -> Vec<Value> {
    let mut files = Vec::new();
    for pointer in pointers(file) {
        for value in [
            json!("text"),
            json!(""),
            json!(" a b "),
            json!("-x"),
            json!("a.b"),
            json!(5),
            json!(-1),
            json!(1.5),
            json!(true),
            json!(null),
            json!([]),
            json!(["text"]),
            json!([5]),
            json!(["main", "main"]),
            json!({}),
            json!({ "text": "text" }),
            json!([{}]),
            json!("${{ github.sha }}"),
            json!("${{ env.LEVEL }}"),
            json!("${{ secrets.A }}"),
            json!("${{ steps.one.outputs.a }}"),
            json!("${{ needs.build.outputs.a }}"),
            json!("${{ always() }}"),
            json!("${{ hashFiles('a') }}"),
            json!("${{ nope }}"),
            json!("${{ nope() }}"),
            json!("${{ 'open }}"),
            json!("${{"),
            json!("a ${{ matrix.x }} b"),
            json!("${{ inputs.back }}"),
        ] {
            let mut changed = file.clone();
            *changed.pointer_mut(&pointer).unwrap() = value;
            files.push(changed);
        }
        let (above, key) = pointer.rsplit_once('/').unwrap();
        match file.pointer(above) {
            Some(Value::Object(table)) => {
                let mut less = table.clone();
                let value = less.remove(key).unwrap();
                for other in [
                    "text",
                    "Upper-Case",
                    "a b",
                    "1a",
                    "a.b",
                    "__a",
                    "${{ github.sha }}",
                ] {
                    let mut renamed = less.clone();
                    renamed.insert(other.to_owned(), value.clone());
                    files.push(replaced(file, above, Value::Object(renamed)));
                }
                let mut doubled = table.clone();
                doubled.insert(key.to_uppercase(), value);
                files.push(replaced(file, above, Value::Object(doubled)));
                files.push(replaced(file, above, Value::Object(less)));
            }
            Some(Value::Array(items)) => {
                let mut doubled = items.clone();
                doubled.extend_from_slice(items);
                files.push(replaced(file, above, Value::Array(doubled)));
            }
            _ => {}
        }
    }
    files
}

fn replaced(file: &Value, at: &str, value: Value) -> Value {
    let mut changed = file.clone();
    *changed.pointer_mut(at).unwrap() = value;
    changed
}

/// What no change of the file above can show: YAML itself, permissions, ids.
fn small_files() -> Vec<&'static str> {
    vec![
        "on: push\njobs: {}\n",
        "on: push\njobs:\n",
        "on: push\n",
        "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "",
        "# nothing\n",
        "on: push\non: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\nbase: &b\n  runs-on: ubuntu-24.04\njobs:\n  a:\n    <<: *b\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a: &a\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n  b: *a\n",
        "on: push\npermissions: write\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\npermissions: read-all\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\npermissions: { content: read }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\npermissions: { contents: admin }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\npermissions: { id-token: read }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\npermissions: { models: write }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: pushed\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: [push, pull]\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: { push: { branch: main } }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: { push: { branches: [main], branches-ignore: [x] } }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a-b_1:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  1a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n  A:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    needs: b\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    needs: a\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    needs: b\n    steps:\n      - run: a\n  b:\n    runs-on: ubuntu-24.04\n    needs: a\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: []\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n",
        "on: push\njobs:\n  a:\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: []\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: checkout\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n        with: { b: c }\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n        id: x\n      - run: b\n        id: X\n",
        "on: push\nenv: { A: 1, a: 2 }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    timeout-minutes: ten\n    steps:\n      - run: a\n",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n        continue-on-error: maybe\n",
        "on: push\nconcurrency: { group: a, queue: max }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\nconcurrency: { group: a, queue: many }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
        "on: push\nconcurrency: { cancel-in-progress: true }\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: a\n",
    ]
}
