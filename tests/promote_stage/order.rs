//! What may not be promoted, whoever approves, and what the command line and the stage file must say.

use domino_sandbox::{Fault, Misbehaviour};
use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Scene, Setup};
use crate::world::*;

#[test]
fn a_stage_is_not_passed_over() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    serve(&scene, "staging", one);
    let from = scene.sandbox.requests().len();
    let run = apply(&scene, "prod", one).exits(3);
    assert_snapshot!("out_of_order", masked(run));
    assert_eq!(writes(&scene, from), [""; 0]);
    scene
        .run(&["request", "wine", "--to", "prod", "--version", "1"])
        .exits(3);
    scene
        .run(&["check", "wine", "--to", "prod", "--version", "1"])
        .exits(3);
}

#[test]
fn a_reason_lets_a_stage_be_passed_over_and_is_kept() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    let arguments = ["apply", "wine", "--to", "prod", "--version", "1"];
    scene
        .run(&[&arguments[..], &["--skip-order", " "]].concat())
        .exits(2);
    scene
        .run(&[&arguments[..], &["--skip-order", "the leak of today"]].concat())
        .exits(0)
        .tells("the order of the stages is passed over: the leak of today");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [one]);
    let record = version(&scene, "wine", one)["tags"]["promote.in.prod"].clone();
    assert!(record.as_str().unwrap().contains("the leak of today"));
}

#[test]
fn what_the_stage_before_does_not_serve_does_not_come() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    apply(&scene, "staging", one)
        .exits(3)
        .tells("stage `dev` does not serve version 1 of `wine`: it has no endpoint `wine-dev`");
    scene
        .run(&["apply", "wine", "--to", "staging"])
        .exits(3)
        .tells("no version of model `wine` is given, and stage `dev` serves none: it has no endpoint `wine-dev`");
    let two = register(&scene, "wine", 0.6);
    serve(&scene, "dev", two);
    apply(&scene, "staging", one)
        .exits(3)
        .tells("stage `dev` does not serve version 1 of `wine`: it serves version 2")
        .tells("deploy-model publish wine --stage dev --version 1");
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [0; 0]);
}

#[test]
fn a_version_that_came_by_this_stage_stays_in_the_later_one() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    for (stage, before) in [("staging", "dev"), ("prod", "staging")] {
        serve(&scene, before, one);
        apply(&scene, stage, one).exits(0);
    }
    let from = scene.sandbox.requests().len();
    let why = "version 1 of `wine` has passed stage `staging` already: it is in stage `prod`";
    for verb in ["request", "check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "staging"])
            .exits(0)
            .tells(why);
    }
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [one]);
}

#[test]
fn a_version_that_was_put_into_a_later_stage_by_hand_has_passed_no_gate() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    put(&scene, "wine", one, "Production");
    let from = scene.sandbox.requests().len();
    for verb in ["request", "check", "apply"] {
        scene.run(&[verb, "wine", "--to", "staging"]).exits(7).tells(
            "version 1 of `wine` is in `Production`, that of stage `prod`, but no record says that stage `staging` let \
             it in",
        );
    }
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [one]);
}

#[test]
fn only_a_whole_version_of_a_model_is_promoted() {
    let scene = scene();
    scene
        .run(&["apply", "wine", "--to", "staging", "--version", "1"])
        .exits(3)
        .tells("there is no registered model `wine` in the experiment manager");
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    apply(&scene, "staging", 7)
        .exits(3)
        .tells("registered model `wine` has no version 7")
        .tells("its newest version is 1");
    let route = "GET /api/2.0/mlflow/registered-models/get";
    let pointer = "/registered_model/latest_versions/0/status";
    for word in ["PENDING_REGISTRATION", "FAILED_REGISTRATION"] {
        let set = vec![(pointer.to_owned(), json!(word))];
        let remove = Vec::new();
        scene
            .sandbox
            .faults()
            .add(Fault::on(route, Misbehaviour::Edit { set, remove }));
        apply(&scene, "staging", one)
            .exits(3)
            .tells(&format!("version 1 of `wine` is not `READY` but `{word}`"));
        scene.sandbox.faults().clear();
    }
    mlflow(
        &scene,
        "POST",
        "registered-models/set-tag",
        json!({"name": "wine", "key": "mlflow.prompt.is_prompt", "value": "true"}),
    );
    apply(&scene, "staging", one)
        .exits(3)
        .tells("`wine` is a prompt");
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [0; 0]);
}

/// A scene of this stage file.
fn of(stages: &str) -> Scene {
    Setup {
        stages,
        ..Setup::of(PROGRAM)
    }
    .scene()
}

#[test]
fn a_stage_that_no_version_can_enter_is_told_with_its_line() {
    let canary = STAGES.replace("model-stage = \"Production\"", "model-stage = \"Canary\"");
    let scene = of(&format!("{canary}{MODEL}"));
    let run = scene
        .run(&["apply", "wine", "--to", "prod", "--version", "1"])
        .exits(2);
    assert_snapshot!("custom_stage", run);
    assert_eq!(scene.sandbox.requests().len(), 0);
    let without = STAGES.replace("model-stage = \"Production\"", "");
    let function = "[model.function]\nfile = \"f.py\"\nfunction = \"predict\"\n";
    let scene = of(&format!("{without}{MODEL}{function}"));
    for (model, stage, text) in [
        ("wine", "prod", "stage `prod` has no `model-stage`"),
        ("wine", "dev", "stage `dev` has no `model-stage`"),
        (
            "function",
            "staging",
            "only registered models have stages in the experiment manager",
        ),
        ("beer", "staging", "no model `beer` in the stage file"),
        ("wine", "stagin", "did you mean `staging`?"),
    ] {
        scene
            .run(&["apply", model, "--to", stage])
            .exits(2)
            .tells(text);
    }
    let first = STAGES.replace(
        "github-environment = \"DEV\"",
        "github-environment = \"DEV\"\nmodel-stage = \"Staging\"",
    );
    let first = first.replacen(
        "model-stage = \"Staging\"\n\n[stage.prod]",
        "\n[stage.prod]",
        1,
    );
    of(&format!("{first}{MODEL}"))
        .run(&["apply", "wine", "--to", "dev"])
        .exits(2)
        .tells("stage `dev` is the first");
}

#[test]
fn a_version_does_not_move_from_one_domino_to_another() {
    let other = STAGES.replace(
        "github-environment = \"PROD\"",
        "github-environment = \"PROD\"\nhost = \"other.example.com\"",
    );
    let scene = of(&format!("{other}{MODEL}"));
    let run = scene.run(&["apply", "wine", "--to", "prod"]).exits(2);
    assert!(
        run.stderr
            .contains("cannot be moved from one experiment manager to another"),
        "{run}"
    );
}

#[test]
fn the_stage_file_may_pin_the_version() {
    let scene = scene_with("", "");
    let pinned = std::fs::read_to_string(scene.path().join("stages.toml"))
        .unwrap()
        .replace("version = \"latest\"", "version = 1");
    std::fs::write(scene.path().join("stages.toml"), pinned).unwrap();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    apply(&scene, "staging", 2)
        .exits(2)
        .tells("version 2 is given, but stages.toml says version 1");
    scene.run(&["apply", "wine", "--to", "staging"]).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [one]);
}

#[test]
fn the_variable_of_the_github_environment_must_fit_the_stage() {
    let mut scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    scene.variable("DOMINO_ENV", "DEV");
    scene.run(&["request", "wine", "--to", "staging"]).exits(0);
    scene
        .run(&["apply", "wine", "--to", "staging"])
        .exits(2)
        .tells("`--to staging` is stage `staging`, but `DOMINO_ENV` is `DEV`");
    scene
        .run(&["request", "wine", "--to", "prod"])
        .exits(2)
        .tells("not `staging`, the one before");
    scene.variable("DOMINO_ENV", "STAGE");
    scene.run(&["request", "wine", "--to", "staging"]).exits(0);
    scene.run(&["apply", "wine"]).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [one]);
}
