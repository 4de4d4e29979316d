//! `domino-pipeline status` from outside: real deployments of all kinds in four stages, what people changed about
//! them since, and how many requests it takes to tell.

#[path = "../crates/domino-sandbox/tests/api/browser.rs"]
#[allow(dead_code, reason = "the sandbox's own pages need more of it")]
mod browser;
mod built;
#[path = "status/drift.rs"]
mod drift;
#[path = "status/going_back.rs"]
mod going_back;
mod harness;
#[path = "status/page.rs"]
mod page;
#[path = "status/several_stages.rs"]
mod several_stages;
#[path = "small_github/mod.rs"]
mod small_github;
mod terminal;

use std::path::Path;

use harness::{Run, Scene, Setup, TOKEN};
use serde_json::Value;

/// Four stages in projects of their own; every kind of entity, and two jobs.
const STAGES: &str = r#"
[defaults]
host = "domino.example.com"
environment = "Standard"

[stage.dev]
project = "wine-team/dev"
hardware-tier = { jobs = "dev-small", apps = "dev-small", models = "dev-endpoint" }
data-plane = "dev-plane"
github-environment = "DEV"

[stage.qa]
project = "wine-team/qa"
hardware-tier = { jobs = "qa-small", apps = "qa-small", models = "qa-endpoint" }
data-plane = "qa-plane"
github-environment = "QA"

[stage.staging]
project = "wine-team/staging"
hardware-tier = { jobs = "staging-small", apps = "staging-small", models = "staging-endpoint" }
data-plane = "staging-plane"
github-environment = "STAGE"
approvers = ["reviewer"]

[stage.prod]
project = "wine-team/prod"
hardware-tier = { jobs = "prod-small", apps = "prod-small", models = "prod-endpoint" }
data-plane = "prod-plane"
github-environment = "PROD"
approvers = ["reviewer"]
"#;

const ENTITIES: &str = r#"
[job.train]
command = "train.py"

[job.report]
command = "train.py --report"

[job.score]
command = "train.py --score"
schedule = { cron = "0 0 6 ? * MON-FRI", timezone = "Europe/Berlin", paused = ["dev"] }

[app.dashboard]
entry-point = "app.sh"
description = "The numbers"
visibility = "authenticated"

[model.wine]
file = "predict.py"
function = "predict"
replicas = 2
"#;

const APP: &str = r#"exec python3 - <<'PY'
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"fine")
    def log_message(self, *_): pass
http.server.HTTPServer((os.environ["APP_HOST"], int(os.environ["APP_PORT"])), Page).serve_forever()
PY
"#;

const FILES: &[(&str, &str)] = &[
    ("train.py", "print('trained')\n"),
    ("predict.py", "def predict(x):\n    return x * 10\n"),
    ("app.sh", APP),
];

/// A scene in which every stage has a token.
fn scene_of(version: &str, stages: &str) -> Scene {
    let mut scene = Setup {
        stages,
        files: FILES,
        version,
        ..Setup::of(env!("CARGO_BIN_EXE_domino-pipeline"))
    }
    .scene();
    for stage in ["DEV", "QA", "STAGING", "PROD"] {
        scene.variable(&format!("DOMINO_TOKEN_{stage}"), TOKEN);
    }
    scene
}

fn whole() -> String {
    format!("{STAGES}{ENTITIES}")
}

/// Runs one of the deploying programs, which must end well.
#[track_caller]
fn deploy(scene: &Scene, words: &str) -> Run {
    let words: Vec<&str> = words.split(' ').collect();
    let program = built::folder().join(words[0]);
    scene.run_program(&program, &words[1..]).exits(0)
}

/// Every entity in a stage.
fn deploy_all(scene: &Scene, stage: &str) {
    for words in [
        "deploy-job start train",
        "deploy-job start report",
        "deploy-job schedule score",
        "deploy-app publish dashboard",
        "deploy-model publish wine",
    ] {
        deploy(scene, &format!("{words} --stage {stage}"));
    }
}

fn status(scene: &Scene, words: &[&str]) -> Run {
    scene.run(&[&["status"], words].concat())
}

/// The JSON document, which nothing else stands beside.
#[track_caller]
fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|problem| panic!("{problem}:\n{run}"))
}

/// One entity of the document.
fn entity<'a>(document: &'a Value, stage: &str, name: &str) -> &'a Value {
    let stages = document["stages"].as_array().unwrap();
    let stage = stages.iter().find(|one| one["stage"] == stage).unwrap();
    let entities = stage["entities"].as_array().unwrap();
    entities.iter().find(|one| one["entity"] == name).unwrap()
}

/// Sends what a person would do in Domino's own pages.
fn by_hand(scene: &Scene, method: &str, path: &str, body: &Value) {
    let script = "import os, sys, urllib.request\n\
        request = urllib.request.Request(sys.argv[2], data=sys.argv[3].encode(), method=sys.argv[1], \
        headers={'Content-Type': 'application/json', 'Authorization': 'Bearer ' + os.environ['KEY']})\n\
        urllib.request.urlopen(request).read()\n";
    let url = format!("{}{path}", scene.sandbox.url());
    let output = std::process::Command::new("python3")
        .args(["-c", script, method, &url, &body.to_string()])
        .env("KEY", TOKEN)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

/// The text that a person sees on a terminal of this width.
fn on_a_terminal(scene: &Scene, columns: usize, words: &[&str]) -> (i32, String) {
    let command = scene.command(&[&["status"], words].concat());
    terminal::run(&command, columns, &[])
}

/// Whether no line is wider than the terminal.
#[track_caller]
fn fits(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(line.chars().count() <= columns, "too wide: {line}");
    }
}

/// The path of the stage file, as it is written there.
fn write_stages(scene: &Scene, text: &str) {
    std::fs::write(Path::new(scene.path()).join("stages.toml"), text).unwrap();
}

/// Spans, days and commits differ from run to run.
fn times_masked(scene: &Scene, run: &Run) -> String {
    let pattern = regex::Regex::new(r"\b(now|\d+ min)\b").unwrap();
    let text = run.to_string().replace(&scene.commit[..7], "abababa");
    let next = regex::Regex::new(r"next \w{3} [\d:]{5}").unwrap();
    let text = next.replace_all(&text, "next Ddd HH:MM");
    pattern.replace_all(&text, "now").into_owned()
}
