//! A name and a number do not identify a version: numbers start again when a model is deleted and created again, and
//! a copy of a version has the tags of the original.

use serde_json::{Value, json};

use crate::harness::Scene;
use crate::world::*;

/// Deletes the model and registers another version 1 of the same name, which is in this stage.
pub fn made_anew(scene: &Scene, name: &str, stage: &str) {
    mlflow(
        scene,
        "DELETE",
        "registered-models/delete",
        json!({"name": name}),
    );
    assert_eq!(register(scene, name, 0.4), 1);
    put(scene, name, 1, stage);
}

fn run_of(scene: &Scene) -> String {
    let run = version(scene, "wine", 1)["run_id"].clone();
    run.as_str().unwrap().to_owned()
}

#[test]
fn an_approval_is_for_the_version_that_it_was_asked_for_and_no_namesake() {
    let scene = governed();
    register_by(&scene, "wine", 0.5, "author");
    put(&scene, "wine", 1, "Staging");
    serve(&scene, "staging", 1);
    let request = |verb| scene.run(&[verb, "wine", "--to", "prod"]);
    request("request").exits(0);
    let note = version(&scene, "wine", 1)["tags"]["promote.request.prod"].clone();
    let note: Value = serde_json::from_str(note.as_str().unwrap()).unwrap();
    assert_eq!(note["of"]["run-id"], run_of(&scene).as_str());
    scene.sandbox.approve_waiting("approver").unwrap();
    request("check").exits(0);
    made_anew(&scene, "wine", "Staging");
    // What the stage before serves is the version that is gone.
    for verb in ["request", "check", "apply"] {
        request(verb)
            .exits(3)
            .tells("stage `staging` serves another version 1 of `wine`")
            .tells("what the experiment manager has now is version 1 of `wine`, registered");
    }
    serve(&scene, "staging", 1);
    let from = scene.sandbox.requests().len();
    for verb in ["request", "check", "apply"] {
        request(verb)
            .exits(3)
            .tells("bundle `wine version 1 to prod` is for another version 1 of `wine`: it was made at")
            .tells("archive the bundle in Domino");
    }
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
}

#[test]
fn a_record_that_came_with_a_copy_is_none() {
    let scene = scene();
    register(&scene, "wine", 0.5);
    serve(&scene, "dev", 1);
    apply(&scene, "staging", 1).exits(0);
    // As `copy_model_version` does it.
    let original = mlflow(
        &scene,
        "GET",
        "model-versions/get?name=wine&version=1",
        Value::Null,
    );
    let original = &original["model_version"];
    let body = json!({
        "name": "wine", "source": "models:/wine/1", "run_id": original["run_id"], "tags": original["tags"],
    });
    mlflow(&scene, "POST", "model-versions/create", body);
    put(&scene, "wine", 2, "Production");
    apply(&scene, "staging", 2)
        .exits(7)
        .tells("no record says that stage `staging` let it in: the one it carries is that of version 1 of `wine`");
    scene
        .run(&["demote", "wine", "--stage", "staging", "--version", "2"])
        .exits(3)
        .tells("stage `staging` held version 1 of `wine`, registered")
        .tells("now is version 2 of `wine`");
    put(&scene, "wine", 1, "None");
    put(&scene, "wine", 2, "Staging");
    scene
        .run(&["status", "wine", "--stage", "staging"])
        .exits(3)
        .tells("the record of version 2 in stage `staging` is that of version 1 of `wine`");
}

#[test]
fn a_version_that_was_replaced_does_not_come_back_as_a_namesake() {
    let scene = scene();
    for number in [1, 2] {
        register(&scene, "wine", 0.6);
        serve(&scene, "dev", number);
        apply(&scene, "staging", number).exits(0);
    }
    let record = version(&scene, "wine", 2)["tags"]["promote.in.staging"].clone();
    let mut record: Value = serde_json::from_str(record.as_str().unwrap()).unwrap();
    let run = run_of(&scene);
    assert_eq!(record["replaced-of"]["run-id"], run.as_str());
    // Nothing makes version 1 anew and leaves version 2; so the record is made to tell of another.
    record["replaced-of"]["run-id"] = json!("0123");
    let tag = |key: &str, value: String| {
        let body = json!({"name": "wine", "version": "2", "key": key, "value": value});
        mlflow(&scene, "POST", "model-versions/set-tag", body);
    };
    tag("promote.in.staging", record.to_string());
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(3)
        .tells("stage `staging` held version 1 of `wine`")
        .tells("by run 0123")
        .tells("now is version 1 of `wine`, registered");
    // A record of an earlier release names no identity, and counts as it did.
    let fields = record.as_object_mut().unwrap();
    fields.retain(|key, _| key != "of" && key != "replaced-of");
    tag("promote.in.staging", record.to_string());
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
}

#[test]
fn a_number_that_was_handed_on_stands_for_the_version_that_it_came_with() {
    let mut scene = scene();
    register(&scene, "wine", 0.5);
    serve(&scene, "dev", 1);
    let handed_on = |source: &str, run: &str| {
        json!({"name": "wine", "version": 1, "run-id": run, "created": 1, "source": source})
            .to_string()
    };
    let run = run_of(&scene);
    let source = format!("runs:/{run}/model");
    scene.variable("MODEL_VERSION", "1");
    let from = scene.sandbox.requests().len();
    for other in [
        handed_on(&source, "0123"),
        handed_on("runs:/0123/model", &run),
    ] {
        scene.variable("MODEL_VERSION_IDENTITY", &other);
        for verb in ["request", "check", "apply"] {
            scene
                .run(&[verb, "wine", "--to", "staging"])
                .exits(3)
                .tells("version 1 of `wine` is not the version that was handed on")
                .tells("0123")
                .tells("was handed on, and here is version 1 of `wine`, registered");
        }
    }
    scene.variable("MODEL_VERSION_IDENTITY", "latest");
    scene
        .run(&["apply", "wine", "--to", "staging"])
        .exits(2)
        .tells("`MODEL_VERSION_IDENTITY` does not tell which version is meant");
    assert_eq!(writes(&scene, from), [""; 0]);
    scene.variable("MODEL_VERSION_IDENTITY", &handed_on(&source, &run));
    scene.run(&["apply", "wine", "--to", "staging"]).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
}

#[test]
fn a_number_that_was_lost_on_its_way_is_not_guessed() {
    let mut scene = scene();
    register(&scene, "wine", 0.5);
    serve(&scene, "dev", 1);
    scene.variable("MODEL_VERSION", "").on_github("77");
    let from = scene.sandbox.requests().len();
    for verb in ["request", "check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "staging"])
            .exits(2)
            .tells("`MODEL_VERSION` is empty")
            .tells("a secret as short as `1` or `true`");
    }
    assert_eq!(writes(&scene, from), [""; 0]);
}
