//! Jobs as the routes show and accept them: fields, lists, stop and restart, on every API.

use domino_sandbox::{HardwareTierSeed, Options, Pace, Seed};
use serde_json::{Value, json};
use std::time::Duration;

use crate::world::{World, commit, text};

#[test]
fn a_job_is_started_and_read_on_v4() {
    let world = World::new();
    let started = world.start(
        "echo done",
        json!({ "title": "T", "overrideHardwareTierId": "prod-small-k8s" }),
    );
    assert_eq!(started["statuses"]["executionStatus"], "Queued");
    assert_eq!(started["statuses"]["isCompleted"], false);
    assert_eq!(started["number"], 1);
    assert_eq!(started["dataPlane"]["name"], "prod-plane");
    let id = text(&started["id"]);
    world.ended(&id);
    let job = world.get(&format!("/v4/jobs/{id}")).ok();
    assert_eq!(job["statuses"]["executionStatus"], "Succeeded");
    assert_eq!(job["statuses"]["isCompleted"], true);
    assert_eq!(job["title"], "T");
    assert_eq!(job["startedBy"]["username"], "author");
    assert!(job["stageTime"]["completedTime"].is_i64());
    assert!(job.get("abnormalStatus").is_none());
    let details = world
        .get(&format!("/v4/jobs/{id}/runtimeExecutionDetails"))
        .ok();
    assert_eq!(details["hardwareTier"]["id"], "prod-small-k8s");
    assert_eq!(
        details["environment"]["environmentRevisionSpec"],
        "ActiveRevision"
    );
}

#[test]
fn a_job_is_started_and_read_on_the_public_api() {
    let world = World::new();
    let body = json!({
        "projectId": world.project_id(),
        "runCommand": "echo done",
        "hardwareTier": "dev-small-k8s",
        "mainRepoGitRef": { "refType": "branches", "value": "main" },
        "environmentRevisionSpec": "LatestRevision",
    });
    let started = world.post("/api/jobs/v1/jobs", body).ok();
    let id = text(&started["job"]["id"]);
    world.ended(&id);
    let job = &world.get(&format!("/api/jobs/beta/jobs/{id}")).ok()["job"];
    assert_eq!(job["status"]["executionStatus"], "Succeeded");
    assert_eq!(job["mainRepoGitRef"]["refType"], "branches");
    let completed = text(&job["stageTimes"]["completedTime"]);
    assert!(
        completed.ends_with('Z') && completed.len() == 24,
        "{completed}"
    );
    let details = world
        .get(&format!("/v4/jobs/{id}/runtimeExecutionDetails"))
        .ok();
    assert_eq!(details["hardwareTier"]["id"], "dev-small-k8s");
    assert_eq!(details["environment"]["revisionNumber"], 3);
}

#[test]
fn every_missing_and_mistyped_field_is_named_in_one_400() {
    let world = World::new();
    let v4 = world.post("/v4/jobs/start", json!({ "title": 1 }));
    assert_eq!(v4.status, 400);
    let message = text(&v4.json()["message"]);
    for part in [
        "obj.projectId",
        "obj.commandToRun",
        "error.path.missing",
        "obj.title",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let public = world.post("/api/jobs/v1/jobs", json!({}));
    assert_eq!(public.status, 400);
    assert!(text(&public.json()["error"]).contains("obj.runCommand"));
    let no_json = world.request("POST", "/v4/jobs/start", None);
    assert_eq!(no_json.status, 415);
}

#[test]
fn unknown_fields_are_ignored_so_a_misspelt_tier_is_the_default_one() {
    let world = World::new();
    let job = world.start(
        "true",
        json!({ "hardwareTier": "prod-small-k8s", "wobble": {} }),
    );
    let id = text(&job["id"]);
    let details = world
        .get(&format!("/v4/jobs/{id}/runtimeExecutionDetails"))
        .ok();
    assert_eq!(details["hardwareTier"]["id"], "small-k8s");
}

#[test]
fn a_job_cannot_have_what_is_not_there() {
    let seed = Seed::default()
        .hardware_tier(HardwareTierSeed::new("old-k8s", "old").archived())
        .archived_environment("Old");
    let world = World::seeded(seed);
    let environments = world.sandbox.state()["environments"].clone();
    let start = |more: Value| {
        let mut body = json!({ "projectId": world.project_id(), "commandToRun": "true" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        world.post("/v4/jobs/start", body).status
    };
    // A name is not an id, and a tier for endpoints is not one for jobs.
    assert_eq!(start(json!({ "overrideHardwareTierId": "dev-small" })), 400);
    assert_eq!(
        start(json!({ "overrideHardwareTierId": "dev-endpoint-k8s" })),
        400
    );
    assert_eq!(start(json!({ "overrideHardwareTierId": "old-k8s" })), 400);
    assert_eq!(start(json!({ "environmentId": "0".repeat(24) })), 400);
    assert_eq!(
        start(json!({ "environmentId": environments[1]["id"] })),
        400
    );
    assert_eq!(
        start(json!({ "environmentRevisionSpec": "RestrictedRevision" })),
        400
    );
    assert_eq!(
        start(json!({ "externalVolumeMounts": ["0123456789abcdef01234567"] })),
        400
    );
    assert_eq!(
        start(json!({ "environmentRevisionSpec": { "revisionId": "0".repeat(24) } })),
        400
    );
    assert_eq!(start(json!({ "environmentRevisionSpec": "Newest" })), 400);
    let cluster = |kind: &str, tier: &str| {
        json!({ "computeClusterProperties": {
            "clusterType": kind, "computeEnvironmentId": environments[0]["id"], "workerCount": 2,
            "workerHardwareTierId": { "value": tier },
        } })
    };
    assert_eq!(start(cluster("Ray", "no-such-tier")), 400);
    assert_eq!(start(cluster("Flink", "small-k8s")), 400);
    assert_eq!(
        start(json!({ "computeClusterProperties": { "clusterType": "Ray" } })),
        400
    );
    assert_eq!(start(json!({ "capacityType": "cheap" })), 400);
    assert_eq!(start(json!({ "projectId": "0".repeat(24) })), 404);
    assert_eq!(world.sandbox.state()["jobs"], json!([]));
    let revision = &environments[0]["latestRevision"]["id"];
    assert_eq!(
        start(json!({ "environmentRevisionSpec": { "revisionId": revision } })),
        200
    );
}

/// A world with jobs numbered 1 to `count`, all ended.
fn with_jobs(count: usize) -> World {
    let world = World::new();
    let ids: Vec<String> = (1..=count)
        .map(|number| text(&world.start("true", json!({ "title": format!("job {number}") }))["id"]))
        .collect();
    for id in &ids {
        world.ended(id);
    }
    world
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|job| job["number"].as_u64().unwrap())
        .collect()
}

#[test]
fn lists_have_odd_defaults_and_two_ways_to_page() {
    let world = with_jobs(13);
    let project = world.project_id();
    let v4 = |query: &str| {
        world
            .get(&format!("/v4/jobs?projectId={project}{query}"))
            .ok()
    };
    let first = v4("");
    assert_eq!(numbers(&first["jobs"]), [13, 12, 11]);
    assert_eq!(first["totalCount"], 13);
    assert_eq!(first["pagination"]["limit"], 3);
    assert_eq!(numbers(&v4("&page_no=5")["jobs"]), [1]);
    assert_eq!(
        numbers(&v4("&page_size=2&sort_by=asc&order_by=number")["jobs"]),
        [1, 2]
    );
    assert_eq!(v4("&page_size=1000")["pagination"]["limit"], 100);
    assert_eq!(numbers(&v4("&query=job+7")["jobs"]), [7]);
    assert_eq!(numbers(&v4("&status=active")["jobs"]), [0_u64; 0]);
    assert_eq!(v4("&status=completed")["totalCount"], 13);

    let public = |query: &str| {
        world
            .get(&format!("/api/jobs/beta/jobs?projectId={project}{query}"))
            .ok()
    };
    let first = public("");
    assert_eq!(first["jobs"].as_array().unwrap().len(), 10);
    assert_eq!(first["metadata"]["totalCount"], 13);
    assert_eq!(numbers(&public("&offset=10")["jobs"]), [3, 2, 1]);
    assert_eq!(numbers(&public("&limit=2&ascending=true")["jobs"]), [1, 2]);
    assert_eq!(public("&limit=1000")["metadata"]["limit"], 100);
    assert_eq!(public("&statusFilter=running")["metadata"]["totalCount"], 0);
    assert_eq!(world.get("/v4/jobs").status, 400);

    let runs = world.get("/v1/projects/author/quick-start/runs").ok();
    assert_eq!(runs["data"].as_array().unwrap().len(), 13);
    let id = text(&runs["data"][0]["id"]);
    let run = world
        .get(&format!("/v1/projects/author/quick-start/runs/{id}"))
        .ok();
    assert_eq!(run["status"], "Succeeded");
    assert_eq!(run["isCompleted"], true);
}

#[test]
fn the_deployment_tells_its_own_status_groups() {
    let groups = World::new().get("/v4/jobs/getStatus/values").ok();
    let has = |group: &str, word: &str| groups[group].as_array().unwrap().contains(&word.into());
    assert!(has("queued", "Queued") && has("running", "Finishing") && has("completed", "Error"));
    assert!(has("active", "Queued") && has("active", "Running") && !has("active", "Stopped"));
}

#[test]
fn defaults_are_resolved_without_starting_anything() {
    let world = World::new();
    let path = format!("/v4/jobs/{}/resolveJobDefaults", world.project_id());
    let resolved = world.post(&path, json!({})).ok();
    assert_eq!(resolved["hardwareTierId"]["value"], "small-k8s");
    let with_tier = world
        .post(
            &path,
            json!({ "hardwareTierId": { "value": "dev-small-k8s" } }),
        )
        .ok();
    assert_eq!(with_tier["hardwareTierId"]["value"], "dev-small-k8s");
    assert_eq!(world.sandbox.state()["jobs"], json!([]));
}

#[test]
fn a_stopped_job_ends_as_stopped_and_its_whole_group_is_gone() {
    let world = World::new();
    let marker = world.repository.path().join("child");
    let command = format!("sleep 600 & echo $! > {}; wait", marker.display());
    let id = text(&world.start(&command, json!({}))["id"]);
    // The shell makes the file before it writes in it.
    let is_written = || std::fs::read_to_string(&marker).is_ok_and(|child| child.ends_with('\n'));
    world.job_once(&id, |job| job["status"] == "Running" && is_written());
    let stopped = world
        .post(
            "/v4/jobs/stop",
            json!({ "jobId": id, "commitResults": true }),
        )
        .ok();
    assert_eq!(stopped["statuses"]["executionStatus"], "StopRequested");
    let job = world.ended(&id);
    let statuses = job["statuses"].as_array().unwrap();
    assert_eq!(
        statuses[statuses.len() - 3..],
        ["StopRequested", "Stopping", "Stopped"]
    );
    let child = std::fs::read_to_string(&marker).unwrap();
    assert!(!is_alive(child.trim()), "{child}");
    let again = world.post(
        "/v4/jobs/stop",
        json!({ "jobId": id, "commitResults": true }),
    );
    assert_eq!(again.status, 400);
}

#[test]
fn results_can_be_discarded_and_a_job_stopped_before_it_runs() {
    let world = World::with(Options {
        delays: Pace::every(Duration::from_millis(200)),
        ..Options::default()
    });
    let id = text(&world.start("echo never > should-not-run", json!({}))["id"]);
    let stop = json!({ "jobId": id, "commitResults": false, "projectId": world.project_id() });
    let stopped = world.post("/v4/jobs/stop", stop).ok();
    assert_eq!(
        stopped["statuses"]["executionStatus"],
        "StopAndDiscardRequested"
    );
    let job = world.ended(&id);
    assert_eq!(job["status"], "Stopped");
    assert!(
        !job["statuses"]
            .as_array()
            .unwrap()
            .contains(&"Running".into())
    );
    let missing = world.post("/v4/jobs/stop", json!({ "jobId": id }));
    assert_eq!(missing.status, 400);
}

#[test]
fn a_restart_takes_the_same_commit_or_the_newest() {
    let world = World::new();
    let first = world.run("cat which.txt", json!({}));
    commit(world.repository.path(), "which.txt", "second\n");
    let restart = |same: bool| {
        let body = json!({ "jobId": first["id"], "shouldUseOriginalInputCommit": same });
        let job = world.post("/v4/jobs/restart", body).ok();
        let id = text(&job["id"]);
        world.ended(&id);
        world.log(&id, "stdout")
    };
    assert_eq!(restart(true), ["first"]);
    assert_eq!(restart(false), ["second"]);
}

#[test]
fn a_job_that_is_not_there_is_not_found() {
    let world = World::new();
    let nobody = "0".repeat(24);
    assert_eq!(world.get(&format!("/v4/jobs/{nobody}")).status, 404);
    assert_eq!(
        world.get(&format!("/api/jobs/beta/jobs/{nobody}")).status,
        404
    );
    assert_eq!(
        world
            .get(&format!("/v4/jobs/{nobody}/logsWithProblemSuggestions"))
            .status,
        404
    );
    assert_eq!(world.get("/v4/jobs/odd").status, 400);
}

/// Whether a process exists and is no zombie.
pub fn is_alive(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}
