//! Which version is published: by rule, as handed on, as the stage before serves it; and what is refused.

use domino_sandbox::ModelFault;
use insta::assert_snapshot;
use serde_json::json;

use crate::{
    GENERATIONS, STAGES, mlflow, publish, register, scene, scene_of, serves, versions, writes,
};

#[test]
fn an_unknown_model_or_version_is_refused_and_what_there_is_is_named() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        publish(&scene, "dev")
            .exits(3)
            .tells("there is no registered model `wine`");
        register(&scene, "wine", "return x + 2");
        scene
            .run(&["publish", "wine", "--stage", "dev", "--version", "9"])
            .exits(3)
            .tells("registered model `wine` has no version 9")
            .tells("its newest version is 1");
        scene.commit_file(
            "stages.toml",
            &STAGES.replace("registered-model = \"wine\"", "registered-model = \"wein\""),
        );
        publish(&scene, "dev")
            .exits(3)
            .tells("there is no registered model `wein`");
        assert_eq!(writes(&scene), [""; 0], "{version}");
    }
}

#[test]
fn a_later_stage_takes_what_the_stage_before_serves() {
    for version in GENERATIONS {
        let scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        register(&scene, "wine", "return x + 2.1");
        let run = publish(&scene, "staging").exits(0);
        assert!(
            run.stdout
                .contains("version 1 of `wine` (served by stage `dev`)"),
            "{run}"
        );
        assert_eq!(serves(&scene, "wine-staging").1, 1, "{version}");
    }
}

#[test]
fn a_version_that_the_stage_before_does_not_serve_needs_a_reason() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        register(&scene, "wine", "return x + 2.1");
        publish(&scene, "staging")
            .exits(3)
            .tells("stage `dev` serves none of it: it has no endpoint `wine-dev`");
        publish(&scene, "dev").exits(0);
        // As the workflow hands it on.
        scene.variable("MODEL_VERSION", "1");
        let run = publish(&scene, "staging").exits(3);
        if *version == "6.3" {
            assert_snapshot!("drift", run);
        }
        let mut arguments = vec!["publish", "wine", "--stage", "staging", "--force-version"];
        scene.run(&[&arguments[..], &[" "]].concat()).exits(2);
        arguments.push("version 2 is wrong about Riesling");
        scene.on_github("77");
        scene.run(&arguments).exits(0);
        let summary = scene.summary();
        assert!(
            summary.contains("forced: version 2 is wrong about Riesling"),
            "{summary}"
        );
        assert_eq!(serves(&scene, "wine-staging").1, 1, "{version}");
    }
}

#[test]
fn what_a_demotion_says_to_do_next_is_done() {
    let demotion = include_str!("../promote_stage/snapshots/promote_stage__back__demote.snap");
    let command = demotion
        .lines()
        .find_map(|line| line.strip_prefix("next: deploy-model "));
    let (words, reason) = command.unwrap().split_once(" '").unwrap();
    let mut arguments: Vec<&str> = words.split(' ').collect();
    arguments.push(reason.strip_suffix('\'').unwrap());
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    register(&scene, "wine", "return x + 2.1");
    publish(&scene, "dev").exits(0);
    scene
        .run(&arguments)
        .exits(0)
        .tells("forced: put back: it drifts");
    assert_eq!(serves(&scene, "wine-staging").1, 1);
}

#[test]
fn the_version_is_handed_on_and_nothing_handed_on_is_nothing() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    register(&scene, "wine", "return x + 2.1");
    scene.variable("MODEL_VERSION", "1");
    publish(&scene, "dev").exits(0);
    assert_eq!(serves(&scene, "wine-dev").1, 1);
    publish(&scene, "staging").exits(0);
    assert_eq!(serves(&scene, "wine-staging").1, 1);
    scene.variable("MODEL_VERSION", "");
    publish(&scene, "dev").exits(0);
    assert_eq!(serves(&scene, "wine-dev").1, 2);
    scene.variable("MODEL_VERSION", "latest");
    publish(&scene, "dev").exits(2);
}

#[test]
fn a_version_is_found_by_its_stage_and_by_its_alias() {
    let mut scene = scene();
    for _ in 0..3 {
        register(&scene, "wine", "return x + 2");
    }
    let rule = |rule: &str| STAGES.replace("\"latest\"", &format!("\"{rule}\""));
    scene.commit_file("stages.toml", &rule("stage:Production"));
    publish(&scene, "dev")
        .exits(3)
        .tells("no version of registered model `wine` is in stage `Production`");
    let move_to = |version: &str| {
        mlflow(
            &scene,
            "model-versions/transition-stage",
            json!({"name": "wine", "version": version, "stage": "Production"}),
        );
    };
    move_to("2");
    publish(&scene, "dev").exits(0);
    assert_eq!(serves(&scene, "wine-dev").1, 2);
    move_to("3");
    publish(&scene, "dev")
        .exits(3)
        .tells("2 versions of registered model `wine` are in stage `Production`");
    mlflow(
        &scene,
        "registered-models/alias",
        json!({"name": "wine", "alias": "champion", "version": "1"}),
    );
    scene.commit_file("stages.toml", &rule("alias:champion"));
    publish(&scene, "dev")
        .exits(0)
        .tells("version 1 of `wine` is older than version 2, which endpoint `wine-dev` serves")
        .tells("it is what `alias:champion` in stages.toml means now");
    assert_eq!(serves(&scene, "wine-dev").1, 1);
    scene.commit_file("stages.toml", &rule("alias:challenger"));
    publish(&scene, "dev")
        .exits(3)
        .tells("registered model `wine` has no alias `challenger`");
}

#[test]
fn a_stage_on_another_domino_cannot_be_asked_and_that_is_said() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("[stage.dev]", "[stage.dev]\nhost = \"other.example.com\""),
    );
    publish(&scene, "staging")
        .exits(3)
        .tells("stage `dev` is on another Domino")
        .tells("`MODEL_VERSION`");
    scene.variable("MODEL_VERSION", "1").on_github("77");
    publish(&scene, "staging").exits(0);
    let summary = scene.summary();
    assert!(summary.contains("could not be checked"), "{summary}");
}

#[test]
fn a_version_on_its_way_is_not_followed_past_a_stage_that_moved_on() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    scene.sandbox.faults().add_model_fault(ModelFault {
        endpoint: "wine-staging".into(),
        stuck_at: Some("Building".into()),
        ..ModelFault::default()
    });
    let arguments = ["publish", "wine", "--stage", "staging", "--timeout", "1s"];
    scene.variable("MODEL_VERSION", "1");
    scene.run(&arguments).exits(6);
    let run = scene.run(&arguments).exits(6);
    assert!(run.stdout.contains("follow version 1"), "{run}");
    register(&scene, "wine", "return x + 2.1");
    scene.variable("MODEL_VERSION", "2");
    publish(&scene, "dev").exits(0);
    scene.variable("MODEL_VERSION", "1");
    scene
        .run(&arguments)
        .exits(3)
        .tells("stage `dev` does not serve version 1 of model `wine`: it serves version 2");
    assert_eq!(versions(&scene, "wine-staging").len(), 1);
}
