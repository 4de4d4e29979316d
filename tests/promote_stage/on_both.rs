//! What must hold with the sandbox and with real servers: a promotion that was killed is finished, an account without
//! permission to delete is enough, and a soak time does not start again.
#![allow(dead_code, reason = "each test binary uses the part it needs")]

use std::path::Path;

use domino_sandbox::{Fault, Misbehaviour, MlflowContext};
use serde_json::{Value, json};

use crate::harness::{Scene, Setup, eventually};
use crate::world::*;

/// The writes of a promotion: its record, the move, one archived, two aliases, its record again.
const WRITES: usize = 6;

/// Kills a promotion after each of its writes, and lets the next one finish it.
pub fn killed(scene: &Scene, name: &str) {
    let one = register(scene, name, 0.6);
    let any = |number: &str| {
        [
            "apply",
            "wine",
            "--to",
            "staging",
            "--version",
            number,
            "--skip-order",
            "a test",
        ]
        .map(str::to_owned)
    };
    let apply = |number: u64| {
        let arguments = any(&number.to_string());
        scene.run(&arguments.each_ref().map(String::as_str))
    };
    apply(one).exits(0);
    for written in 0..WRITES {
        let number = register(scene, name, 0.6);
        let before = number - 1;
        let hang = Misbehaviour::Hang { processed: true };
        for method in ["POST", "DELETE"] {
            let route = format!("{method} /api/2.0/mlflow/**");
            let fault = Fault::on(&route, hang.clone());
            scene.sandbox.faults().add(fault.after(written).single());
        }
        let from = scene.sandbox.requests().len();
        let arguments = any(&number.to_string());
        let running = scene.start(&arguments.each_ref().map(String::as_str));
        eventually("the write has come", || writes(scene, from).len() > written);
        eventually("it has been carried out", || {
            let version = version(scene, name, number);
            let record = version["tags"]["promote.in.staging"].as_str().unwrap_or("");
            match written {
                0 => record.contains("pending"),
                1 => version["current_stage"] == "Staging",
                2 => stage_of(scene, name, before) == "Archived",
                3 => alias(scene, name, "previous-staging") == Some(before),
                4 => alias(scene, name, "staging") == Some(number),
                _ => record.contains("done"),
            }
        });
        running.signal("KILL");
        assert_eq!(running.end().exit, -1);
        scene.sandbox.faults().clear();
        apply(number).exits(0);
        let record = recorded(scene, name, number, "staging");
        assert_eq!(record["status"], "done", "{written}: {record}");
        assert_eq!(record["replaced"], before, "{written}: {record}");
        assert_eq!(versions_in_stage(scene, name, "Staging"), [number]);
        assert_eq!(alias(scene, name, "staging"), Some(number), "{written}");
        assert_eq!(
            alias(scene, name, "previous-staging"),
            Some(before),
            "{written}"
        );
        let from = scene.sandbox.requests().len();
        apply(number).exits(0).tells("already, and no other");
        assert_eq!(writes(scene, from), [""; 0], "{written}");
    }
}

/// Promotes, demotes and promotes again with rights that set tags and aliases and delete none. Versions 1 and 2 are there.
pub fn without_deleting(scene: &Scene, name: &str) {
    let apply = |number: &str| {
        let any = ["--version", number, "--skip-order", "it was the data"];
        scene.run(&[&["apply", "wine", "--to", "staging"], &any[..]].concat())
    };
    for number in ["1", "2"] {
        apply(number).exits(0);
    }
    assert_eq!(alias(scene, name, "previous-staging"), Some(1));
    let demote = || scene.run(&["demote", "wine", "--stage", "staging"]);
    demote().exits(0).tells(
        "warning: alias `previous-staging` stays where it leads: the credential may set aliases, but not delete them",
    );
    assert_eq!(versions_in_stage(scene, name, "Staging"), [1]);
    assert_eq!(recorded(scene, name, 1, "staging")["status"], "done");
    assert_eq!(alias(scene, name, "staging"), Some(1));
    // What the alias leads to is in the stage, so that it says nothing of the version before.
    demote()
        .exits(3)
        .tells("there is no alias `previous-staging` to another version");
    apply("2").exits(0);
    assert_eq!(versions_in_stage(scene, name, "Staging"), [2]);
    assert_eq!(
        version(scene, name, 2)["tags"]["promote.demoted.staging"],
        ""
    );
    let from = scene.sandbox.requests().len();
    apply("2").exits(0).tells("already, and no other");
    assert_eq!(writes(scene, from), [""; 0]);
}

/// A version soaks on while people edit it, and not before its time. `later` lets a day and an hour pass.
pub fn soaked(scene: &Scene, name: &str) {
    let one = register(scene, name, 0.5);
    serve_model(scene, name, "dev", one);
    apply(scene, "staging", one).exits(0);
    serve_model(scene, name, "staging", one);
    apply(scene, "prod", one)
        .exits(7)
        .tells("soak time: in stage `staging` for");
    scene.sandbox.faults().skew_clock(25 * 3600);
    let entered = version(scene, name, one)["last_updated_timestamp"].clone();
    let words = json!({"name": name, "version": one.to_string(), "description": "better"});
    mlflow(scene, "PATCH", "model-versions/update", words);
    put(scene, name, one, "Staging");
    assert_ne!(version(scene, name, one)["last_updated_timestamp"], entered);
    let run = apply(scene, "prod", one).exits(0);
    assert!(
        run.stdout
            .contains("in stage `staging` for 25 h of at least 24 h"),
        "{run}"
    );
    let since = recorded(scene, name, one, "prod")["since"].clone();
    assert!(since.as_i64() <= entered.as_i64(), "{since} {entered}");
    assert_eq!(
        recorded(scene, name, one, "prod").get("reason"),
        None::<&Value>
    );
}

/// Promotes and goes back by runs, where the server behind the experiment manager is this one and no write is taken from
/// outside.
pub fn promoted_inside(mlflow: &str, name: &str) {
    let model = MODEL.replace(
        "registered-model = \"wine\"",
        &format!("registered-model = \"{name}\""),
    );
    let mut scene = Setup {
        stages: &format!("[pipeline]\npromote = \"inside\"\n{STAGES}\n{model}"),
        mlflow: Some(mlflow),
        mlflow_context: MlflowContext::Inside,
        programs: Path::new(PROGRAM).parent(),
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene
        .on_github("77")
        .variable("GITHUB_REPOSITORY", "acme/wine");
    for _ in 0..2 {
        let number = register(&scene, name, 0.6).to_string();
        let any = ["--version", &number, "--skip-order", "a test"];
        scene
            .run(&[&["apply", "wine", "--to", "staging"], &any[..]].concat())
            .exits(0);
    }
    assert_eq!(versions_in_stage(&scene, name, "Staging"), [2]);
    assert_eq!(alias(&scene, name, "staging"), Some(2));
    let record = recorded(&scene, name, 2, "staging");
    assert_eq!(record["told-by"], "the step of GitHub run 77");
    assert_eq!(
        (&record["status"], &record["replaced"]),
        (&json!("done"), &json!(1))
    );
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(0);
    assert_eq!(versions_in_stage(&scene, name, "Staging"), [1]);
    let state = scene.sandbox.state();
    let runs = state["jobs"].as_array().unwrap().iter();
    assert!(runs.clone().all(|run| run["status"] == "Succeeded"));
    assert_eq!(runs.count(), 3);
}
