//! Which version is published: by rule, as handed on, or as the stage before serves it; and what is refused.

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
    let before = writes(&scene);
    scene.variable("MODEL_VERSION", "1").on_github("77");
    publish(&scene, "staging")
        .exits(3)
        .tells("version 1 of model `wine` is not proven to be the version that was handed on: nothing tells which run made it");
    let reason = ["--force-version", "the registries are one"];
    let forced = [
        &["publish", "wine", "--stage", "staging", "--dry-run"],
        &reason[..],
    ]
    .concat();
    scene
        .run(&forced)
        .exits(0)
        .tells("forced: the registries are one");
    let identity = scene.output("version-identity").unwrap();
    let other = identity.replace("\"run-id\":\"", "\"run-id\":\"0");
    scene.variable("MODEL_VERSION_IDENTITY", &other);
    publish(&scene, "staging")
        .exits(3)
        .tells("was handed on, and here is version 1 of `wine`");
    scene.variable("MODEL_VERSION_IDENTITY", &identity);
    assert_eq!(writes(&scene), before);
    publish(&scene, "staging").exits(0);
    let summary = scene.summary();
    assert!(summary.contains("could not be checked"), "{summary}");
}

#[test]
fn a_version_that_was_lost_on_its_way_is_no_version() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    scene.variable("MODEL_VERSION", "").on_github("77");
    let before = writes(&scene);
    publish(&scene, "staging")
        .exits(2)
        .tells("`MODEL_VERSION` is empty: the job before handed no version on")
        .tells("a secret as short as `1` or `true`");
    assert_eq!(writes(&scene), before);
}

#[test]
fn a_version_that_the_gates_did_not_let_in_is_published_only_without_them() {
    let mut scene = scene();
    let gates = "model-stage = \"Staging\"\n\n[stage.staging.gates]\nsoak = \"24h\"";
    let stages = STAGES.replace("model-stage = \"Staging\"", gates);
    scene.commit_file("stages.toml", &stages);
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let tag = |key: &str, value: &str| {
        let body = json!({"name": "wine", "version": "1", "key": key, "value": value});
        mlflow(&scene, "model-versions/set-tag", body);
    };
    let record = |status: &str| {
        let record = json!({"status": status, "at": "", "from": "dev"});
        tag("promote.in.staging", &record.to_string());
    };
    let put = |stage: &str| {
        let body = json!({"name": "wine", "version": "1", "stage": stage});
        mlflow(&scene, "model-versions/transition-stage", body);
    };
    let before = writes(&scene);
    let refused = |why: &str| {
        publish(&scene, "staging")
            .exits(7)
            .tells("version 1 of model `wine` is not let into stage `staging` by its gates")
            .tells(why)
            .tells("`--without-gates`, which does not ask a soak of 24h")
    };
    refused("it is in `None`, and no record says so")
        .tells("promote-stage apply wine --to staging --version 1");
    record("pending");
    put("Staging");
    refused("it is in `Staging`, and no record says so");
    record("done");
    put("Archived");
    refused("it was let in once, and is in `Archived` now")
        .tells("promote-stage demote wine --stage staging --version 1");
    assert_eq!(writes(&scene), before);
    let without = ["publish", "wine", "--stage", "staging", "--without-gates"];
    scene
        .run(&[&without[..], &["--dry-run"]].concat())
        .exits(0)
        .tells("is in `Archived` now; not asked: a soak of 24h");
    put("Staging");
    let run = publish(&scene, "staging").exits(0);
    assert!(!run.stderr.contains("gates"), "{run}");
    assert_eq!(serves(&scene, "wine-staging").1, 1);
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

#[test]
fn a_namesake_of_what_serves_is_told_from_it() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let (first, _) = serves(&scene, "wine-dev");
    let url = format!(
        "{}/api/2.0/mlflow/registered-models/delete",
        scene.sandbox.url()
    );
    let key = [("X-Domino-Api-Key", crate::harness::KEY)];
    let gone = crate::harness::http::send("DELETE", &url, &key, Some(&json!({"name": "wine"})));
    assert_eq!(gone.0, 200);
    register(&scene, "wine", "return x + 2.1");
    let before = writes(&scene);
    let status = ["status", "wine", "--stage", "dev"];
    for run in [publish(&scene, "dev"), scene.run(&status)] {
        run.exits(3)
            .tells("stage `dev` serves another version 1 of `wine`: its endpoint has had it since")
            .tells("what the experiment manager has now is version 1 of `wine`, registered");
    }
    assert_eq!(writes(&scene,), before);
    let forced = ["--force-version", "it was made again"];
    scene
        .run(&[&["publish", "wine", "--stage", "dev"], &forced[..]].concat())
        .exits(0)
        .tells("forced: it was made again");
    assert_ne!(serves(&scene, "wine-dev").0, first);
    publish(&scene, "dev").exits(0);
    scene.run(&status).exits(0);
}
