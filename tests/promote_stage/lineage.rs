//! The sheet of a version: from the commit to the endpoints, as text, Markdown, HTML and data.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::Scene;
use crate::world::*;

/// Version 1 was replaced by version 2 in staging, which went on to prod by an approval.
fn scene_of_two() -> Scene {
    let mut scene = governed();
    for number in [1, 2] {
        register(&scene, "wine", 0.6);
        serve(&scene, "dev", number);
        apply(&scene, "staging", number).exits(0);
    }
    for (key, value) in [
        ("mlflow.domino.run_id", "run-42"),
        ("mlflow.domino.run_number", "42"),
        ("mlflow.domino.user", "author"),
    ] {
        let body = json!({"name": "wine", "version": "2", "key": key, "value": value});
        mlflow(&scene, "POST", "model-versions/set-tag", body);
    }
    serve(&scene, "staging", 2);
    scene.run(&["request", "wine", "--to", "prod"]).exits(0);
    scene.sandbox.approve_waiting("approver").unwrap();
    scene.on_github("77");
    apply(&scene, "prod", 2).exits(0);
    scene
}

/// Text with what differs from run to run masked as well.
fn stable(text: &str) -> String {
    let text = masked(text);
    let ids = regex::Regex::new(r"\b[0-9a-f]{32}\b|\[id\]").unwrap();
    ids.replace_all(&text, "[id]").into_owned()
}

#[test]
fn a_sheet_leads_from_the_commit_to_the_endpoints() {
    let scene = scene_of_two();
    let from = scene.sandbox.requests().len();
    let sheet = |arguments: &[&str]| {
        let all = [&["sheet", "wine", "--stage", "prod"], arguments].concat();
        scene.run(&all).exits(0)
    };
    assert_snapshot!("sheet", stable(&sheet(&[]).to_string()));
    let markdown = sheet(&["--format", "markdown"]);
    assert_snapshot!("sheet_markdown", stable(&markdown.stdout));
    let page = sheet(&["--format", "html"]).stdout;
    assert!(page.starts_with("<!doctype html>"), "{page}");
    for text in [
        "<title>Lineage of wine version 2</title>",
        "<th>commit</th><td>abc123</td>",
        "<td>approver (Domino)</td>",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    let document: Value = serde_json::from_str(&sheet(&["--format", "json"]).stdout).unwrap();
    let data = &document["sheet"];
    assert_eq!(data["commit"]["commit"], "abc123");
    assert_eq!(data["job_run"]["run"], "run-42");
    assert_eq!(data["version"]["version"], "2");
    let stages = data["stages"].as_array().unwrap();
    assert_eq!(stages[1]["replaced"], "version 1");
    assert_eq!(stages[2]["now"], "there");
    assert_eq!(stages[2]["approved_by"], "approver (Domino)");
    let endpoint = stages[1]["endpoint"].as_str().unwrap();
    assert!(
        endpoint.starts_with("wine-staging serves it since"),
        "{endpoint}"
    );
    assert_eq!(writes(&scene, from), [""; 0]);
    // Another version is shown on demand, with why it is where it is.
    let older = sheet(&["--version", "1", "--format", "json"]);
    let document: Value = serde_json::from_str(&older.stdout).unwrap();
    let staging = &document["sheet"]["stages"][1];
    assert_eq!(staging["endpoint"], "wine-staging serves version 2");
    assert_eq!(staging.get("now"), None);
}

#[test]
fn the_summaries_of_a_request_and_of_a_promotion_show_the_lineage() {
    let mut scene = scene();
    register(&scene, "wine", 0.6);
    serve(&scene, "dev", 1);
    scene.on_github("77");
    scene.run(&["request", "wine", "--to", "staging"]).exits(0);
    let summary = scene.summary();
    assert!(
        summary.contains("#### Lineage of wine version 1"),
        "{summary}"
    );
    assert!(summary.contains("| commit | abc123 |"), "{summary}");
    assert!(summary.contains("wine-dev serves it since"), "{summary}");
    let run = scene
        .run(&["apply", "wine", "--to", "staging", "--format", "json"])
        .exits(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let staging = &document["sheet"]["stages"][1];
    assert_eq!(staging["now"], "there");
    assert_eq!(
        staging["entered"],
        recorded(&scene, "wine", 1, "staging")["at"]
    );
}

#[test]
fn there_is_no_sheet_of_what_is_not_there() {
    let scene = scene();
    let sheet = |arguments: &[&str]| {
        scene.run(&[&["sheet", "wine", "--stage", "staging"], arguments].concat())
    };
    sheet(&[])
        .exits(3)
        .tells("there is no registered model `wine` yet");
    register(&scene, "wine", 0.6);
    sheet(&[])
        .exits(3)
        .tells("stage `staging` neither holds nor serves a version");
    sheet(&["--version", "9"])
        .exits(3)
        .tells("has no version 9");
    sheet(&["--format", "yaml"]).exits(2);
    scene
        .run(&["status", "wine", "--stage", "staging", "--format", "html"])
        .exits(2);
}
