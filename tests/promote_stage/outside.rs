//! Writing from outside of Domino, where the experiment manager requires the run that a call belongs to.

use domino_sandbox::MlflowContext;
use serde_json::{Value, json};

use crate::harness::http::send;
use crate::harness::{KEY, Scene, Setup};
use crate::world::*;

/// A project that no stage is in.
const LAB: &str = "lab";

/// A scene whose experiment manager demands this, with version 1, which a run inside Domino registered.
fn scene_demanding(mlflow_context: MlflowContext) -> Scene {
    scene_of_project(mlflow_context, None)
}

/// The same, whose model says that it belongs to this project.
fn scene_of_project(mlflow_context: MlflowContext, project: Option<&str>) -> Scene {
    let stages = format!("{STAGES}\n{MODEL}");
    let scene = Setup {
        stages: &stages,
        mlflow_context,
        seed: |seed| seed.project("wine-team/lab"),
        ..Setup::of(PROGRAM)
    }
    .scene();
    let tags: Vec<Value> = project
        .map(|name| json!({"key": "mlflow.domino.project_id", "value": project_id(&scene, name)}))
        .into_iter()
        .collect();
    let token = format!("Bearer {}.of-run.0", scene.sandbox.user("author").token);
    for (route, body) in [
        (
            "registered-models/create",
            json!({"name": "wine", "tags": tags}),
        ),
        (
            "model-versions/create",
            json!({"name": "wine", "source": "s3://any/where"}),
        ),
    ] {
        let url = format!("{}/api/2.0/mlflow/{route}", scene.sandbox.url());
        let made = send("POST", &url, &[("Authorization", &token)], Some(&body));
        assert_eq!(made.0, 200, "{route}: {}", made.1);
    }
    scene
}

fn project_id(scene: &Scene, name: &str) -> Value {
    let path = format!(
        "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=wine-team&projectName={name}"
    );
    domino(scene, "GET", &path, None).1["id"].clone()
}

/// Starts a job as the account of the steps, or as somebody else, and says which it is.
fn start_job(scene: &Scene, user: Option<&str>) -> String {
    start_job_in(scene, "wine", user)
}

fn start_job_in(scene: &Scene, project: &str, user: Option<&str>) -> String {
    let project = project_id(scene, project);
    let job = json!({"projectId": project, "commandToRun": "true", "title": "any"});
    let (status, started) = match user {
        Some(user) => domino_as(scene, user, "POST", "/v4/jobs/start", Some(job)),
        None => domino(scene, "POST", "/v4/jobs/start", Some(job)),
    };
    assert_eq!(status, 200, "{started}");
    started["id"].as_str().unwrap().to_owned()
}

const APPLY: &[&str] = &[
    "apply",
    "wine",
    "--to",
    "staging",
    "--version",
    "1",
    "--skip-order",
    "a test",
];

fn stage(scene: &Scene) -> Value {
    scene.sandbox.state()["registeredModels"][0]["versions"][0]["stage"].clone()
}

#[test]
fn a_run_of_ours_is_named_where_a_write_is_refused_without() {
    let mut scene = scene_demanding(MlflowContext::Writes);
    start_job(&scene, Some("author"));
    scene
        .run(APPLY)
        .exits(3)
        .tells("X-Domino-Execution is missing")
        .tells("this account has none there: run a job once with deploy-job start");
    assert_eq!(stage(&scene), "None");
    start_job(&scene, None);
    scene.on_github("77");
    let from = scene.sandbox.requests().len();
    let run = scene.run(APPLY).exits(0);
    assert_eq!(stage(&scene), "Staging");
    let summary = scene.summary();
    assert!(
        summary.contains("| in the context of | run [id] |"),
        "{summary}"
    );
    // Only the first write was refused, and nothing was asked twice.
    let sent = writes(&scene, from);
    assert_eq!(sent.len(), 5, "{run}{sent:?}");
}

#[test]
fn the_run_is_one_of_the_models_project_and_not_of_the_stages() {
    let scene = scene_of_project(MlflowContext::Writes, Some(LAB));
    start_job(&scene, None);
    scene
        .run(APPLY)
        .exits(3)
        .tells("this account has none there");
    assert_eq!(stage(&scene), "None");
    start_job_in(&scene, LAB, None);
    start_job(&scene, None);
    scene.run(APPLY).exits(0);
    assert_eq!(stage(&scene), "Staging");
}

#[test]
fn a_run_of_somebody_elses_does_not_count_and_what_else_is_wrong_is_said() {
    let scene = scene_demanding(MlflowContext::None);
    start_job(&scene, None);
    let refused = domino_sandbox::Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    let route = "POST /api/2.0/mlflow/model-versions/set-tag";
    let fault = domino_sandbox::Fault::on(route, refused);
    scene.sandbox.faults().add(fault);
    scene
        .run(APPLY)
        .exits(3)
        .tells("the write was refused also with `X-Domino-Execution` for run");
}

#[test]
fn where_only_a_key_is_taken_a_token_is_told_how_to_get_one() {
    let mut scene = scene_demanding(MlflowContext::Required);
    start_job(&scene, None);
    scene
        .run(APPLY)
        .exits(3)
        .tells("set `DOMINO_USER_API_KEY` in place of a token")
        .tells("regenerateApiKey");
    scene
        .without("DOMINO_TOKEN")
        .variable("DOMINO_USER_API_KEY", KEY);
    scene.run(APPLY).exits(0);
    assert_eq!(stage(&scene), "Staging");
}
