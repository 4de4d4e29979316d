//! The requests of clients older than `/v4`, python-domino among them: keys as Basic, runs and models of `/v1`, lists
//! of commits.

use serde_json::{Value, json};

use crate::world::{Sign, World, text};

const RUNS: &str = "/v1/projects/author/quick-start/runs";

/// Starts a run by the oldest route, and waits for its end.
fn run(world: &World, body: Value) -> Value {
    let started = world.post(RUNS, body).ok();
    assert!(text(&started["message"]).contains("started"), "{started}");
    world.ended(&text(&started["runId"]))
}

#[test]
fn a_key_without_a_user_name_is_taken_as_basic() {
    let world = World::new();
    let encoded = |pair: String| {
        use base64::Engine;
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        )
    };
    let status = |pair: String| {
        let header = encoded(pair);
        let sign = Sign::Header("authorization", &header);
        let reply = world.signed(sign, "GET", "/v4/users/self", None);
        reply.unwrap().status
    };
    let author = world.author();
    assert_eq!(status(format!(":{}", author.api_key)), 200);
    assert_eq!(status(format!("author:{}", author.api_key)), 401);
    assert_eq!(status(format!(":{}", author.token)), 401);
}

#[test]
fn commits_are_a_bare_list_that_a_job_may_be_started_with() {
    let world = World::new();
    let commits = world.get("/v1/projects/author/quick-start/commits").ok();
    let [commit] = &commits.as_array().unwrap()[..] else {
        panic!("{commits}");
    };
    assert!(text(commit).len() == 40, "{commits}");
    let job = world.run("true", json!({ "commitId": commit }));
    assert_eq!(job["status"], "Succeeded");
}

#[test]
fn a_run_of_the_oldest_route_is_a_file_with_its_words_or_a_line_for_the_shell() {
    let world = World::new();
    let said = |body: Value| {
        let job = run(&world, body);
        world.log(&text(&job["id"]), "stdoutstderr")
    };
    let words = json!({ "command": ["echo", "two words", "$HOME"], "isDirect": false });
    assert_eq!(said(words), ["two words $HOME"]);
    let line = json!({ "command": ["echo two; echo three"], "isDirect": true });
    assert_eq!(said(line), ["two", "three"]);
    assert_eq!(world.post(RUNS, json!({ "isDirect": true })).status, 400);
}

#[test]
fn the_tier_of_a_run_may_be_named() {
    let world = World::new();
    for tier in ["Small", "small-k8s"] {
        let body = json!({ "command": ["true"], "isDirect": true, "tier": tier, "title": null });
        let job = run(&world, body);
        assert_eq!(job["hardwareTierId"], "small-k8s", "{tier}");
    }
    let unknown = json!({ "command": ["true"], "tier": "Huge" });
    assert_eq!(world.post(RUNS, unknown).status, 400);
}

#[test]
fn a_run_that_failed_or_was_stopped_has_a_commit_of_its_output() {
    let world = World::new();
    let output = |id: &Value| {
        let run = world.get(&format!("{RUNS}/{}", text(id))).ok();
        run["outputCommitId"].as_str().map(str::len)
    };
    let failed = world.run("exit 3", json!({}));
    assert_eq!(failed["status"], "Failed");
    assert_eq!(output(&failed["id"]), Some(40));

    let going = world.start("exec sleep 60", json!({}));
    world.job_once(&text(&going["id"]), |job| job["status"] == "Running");
    assert_eq!(output(&going["id"]), None);
    let stop = json!({ "jobId": going["id"], "commitResults": true });
    world.post("/v4/jobs/stop", stop).ok();
    assert_eq!(world.ended(&text(&going["id"]))["status"], "Stopped");
    assert_eq!(output(&going["id"]), Some(40));
}

#[test]
fn a_model_of_the_oldest_route_takes_the_environment_of_its_project() {
    let world = World::new();
    let body = json!({
        "name": "plus", "description": "", "projectId": world.project_id(), "file": "model.py",
        "function": "predict", "excludeFiles": [], "environmentId": "",
    });
    let model = world.post("/v1/models", body.clone()).ok();
    let id = text(&model["data"]["_id"]);
    let version = world.post(&format!("/v1/models/{id}/versions"), body).ok();
    assert_eq!(version["number"], 2, "{version}");
}
