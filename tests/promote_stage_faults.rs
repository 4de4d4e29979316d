//! `promote-stage` with every fault at every request: never green without success, never two versions in the stage,
//! never two requests for one approval.

mod harness;
#[path = "promote_stage/world.rs"]
mod world;

use harness::Scene;
use harness::matrix::Matrix;
use serde_json::{Value, json};
use world::{GOVERNED, domino, domino_as, scene_with};

const APPLY: &[&str] = &[
    "apply",
    "wine",
    "--to",
    "staging",
    "--version",
    "2",
    "--skip-order",
    "faults",
    "--request-timeout",
    "2s",
];

const REQUEST: &[&str] = &[
    "request",
    "wine",
    "--to",
    "prod",
    "--version",
    "2",
    "--skip-order",
    "faults",
    "--request-timeout",
    "2s",
];

/// Prepares the experiment manager as somebody else, so that these requests are not among those that are harmed.
fn prepare(scene: &Scene, route: &str, body: Value) {
    let path = format!("/api/2.0/mlflow/{route}");
    let (status, reply) = domino_as(scene, "author", "POST", &path, Some(body));
    assert_eq!(status, 200, "{route}: {reply}");
}

/// Version 1 is in staging; version 2 is on its way there, or there as well and on its way on.
fn scene(gates: &str, stages: [&str; 2]) -> Scene {
    let mut scene = scene_with(gates, "");
    prepare(&scene, "registered-models/create", json!({"name": "wine"}));
    for (number, stage) in [("1", stages[0]), ("2", stages[1])] {
        let by = json!([{"key": "mlflow.user", "value": "author"}]);
        let new = json!({"name": "wine", "source": "s3://any/where", "tags": by});
        prepare(&scene, "model-versions/create", new);
        let to = json!({
            "name": "wine", "version": number, "stage": stage, "archive_existing_versions": false,
        });
        prepare(&scene, "model-versions/transition-stage", to);
    }
    scene.on_github("77").variable("RUST_LOG", "trace");
    scene
}

/// The versions in staging, by what the sandbox holds.
fn in_staging(scene: &Scene) -> Vec<Value> {
    let state = scene.sandbox.state();
    let versions = state["registeredModels"][0]["versions"].as_array().cloned();
    let versions = versions.unwrap_or_default().into_iter();
    versions
        .filter(|version| version["stage"] == "Staging")
        .map(|version| version["version"].clone())
        .collect()
}

#[test]
fn apply_under_every_fault_at_every_request() {
    Matrix {
        name: "promote-stage apply",
        scene: || scene("", ["Staging", "None"]),
        arguments: APPLY,
        count: |scene| in_staging(scene).len(),
        serves: |scene| in_staging(scene) == [json!(2)],
        also: |_, _| &[],
        costly: false,
    }
    .hold();
}

#[test]
fn request_under_every_fault_at_every_request() {
    Matrix {
        name: "promote-stage request",
        scene: || scene(GOVERNED, ["Archived", "Staging"]),
        arguments: REQUEST,
        count: |scene| {
            let state = scene.sandbox.state();
            state["bundles"].as_array().map_or(0, Vec::len)
        },
        serves: |scene| scene.sandbox.waiting_requests().len() == 1,
        also: |_, _| &[],
        costly: false,
    }
    .hold();
}

#[test]
fn the_files_that_ship_lose_replies_and_move_and_ask_once() {
    let mut lost = scene("", ["Staging", "None"]);
    lost.load_faults("lost-replies.toml").run(APPLY).exits(0);
    assert_eq!(in_staging(&lost), [json!(2)]);
    assert!(lost.sandbox.faults().fired() > 0);
    for file in ["lost-replies.toml", "flaky-network.toml"] {
        let mut asked = scene(GOVERNED, ["Archived", "Staging"]);
        let run = asked.load_faults(file).run(REQUEST);
        assert_eq!(run.exit, 0, "{file}: {run}");
        assert_eq!(asked.sandbox.waiting_requests().len(), 1, "{file}");
        assert!(asked.sandbox.faults().fired() > 0, "{file}");
    }
}

#[test]
fn the_file_of_what_comes_from_outside_refuses_each_and_each_is_told() {
    let mut scene = scene("", ["Staging", "None"]);
    let path =
        "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=wine-team&projectName=wine";
    let project = domino(&scene, "GET", path, None).1["id"].clone();
    let job = json!({"projectId": project, "commandToRun": "true", "title": "any"});
    assert_eq!(domino(&scene, "POST", "/v4/jobs/start", Some(job)).0, 200);
    scene.load_faults("outside-of-a-run.toml");
    scene.run(APPLY).exits(0);
    let summary = scene.summary();
    assert!(
        summary.contains("| in the context of | run [id] |"),
        "{summary}"
    );
    assert_eq!(in_staging(&scene), [json!(2)]);
    scene.run(APPLY).exits(0).tells("already, and no other");
    scene
        .run(APPLY)
        .exits(3)
        .tells("set `DOMINO_USER_API_KEY` in place of a token");
    assert_eq!(in_staging(&scene), [json!(2)]);
}
