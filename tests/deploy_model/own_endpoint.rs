//! Which endpoint is ours: one under another name, one that may be ours, one that this account may not see; and the
//! order of what is published there.

use domino_sandbox::{EndpointChange, Role};
use serde_json::json;

use crate::harness::{Scene, eventually};
use crate::shared_endpoint::{BASE, PUBLISH, active, by_hand, change, id_of, only, stop};
use crate::{GENERATIONS, STAGES, endpoint, publish, register, scene, scene_of, writes};

/// An endpoint as a data scientist makes it.
fn create_by_hand(scene: &Scene, name: &str) {
    let state = scene.sandbox.state();
    let project = &state["projects"][0];
    let environment = by_hand(
        scene,
        "GET",
        &format!("/v4/projects/{}/useableEnvironments", id_of(project)),
        None,
    )["environments"][0]["id"]
        .clone();
    let body = json!({
        "name": name, "description": "by hand", "environmentId": environment, "isAsync": false,
        "strictNodeAntiAffinity": false, "environmentVariables": [{"key": "LOG_LEVEL", "value": "info"}],
        "version": {
            "projectId": project["id"], "environmentId": environment, "logHttpRequestResponse": false,
            "monitoringEnabled": false, "shouldDeploy": true,
            "source": {"type": "Registry", "registeredModelName": "wine", "registeredModelVersion": 1},
        },
    });
    by_hand(scene, "POST", BASE, Some(&body));
    eventually("it serves", || active(&only(scene))["status"] == "Running");
}

#[test]
fn an_endpoint_that_may_be_ours_under_another_name_is_refused_and_not_doubled() {
    // The two stages share a project, and neither has its endpoint yet.
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    create_by_hand(&scene, "Wine predictor");
    let made = writes(&scene);
    publish(&scene, "dev")
        .exits(3)
        .tells("there is no endpoint `wine-dev`, and this may be ours under another name: `Wine predictor` (")
        .tells("`--beside`");
    change(&scene, EndpointChange::Role("ci-bot", None));
    publish(&scene, "dev")
        .exits(3)
        .tells("this may be ours under another name, but user `ci-bot` may not see it: `Wine predictor` (")
        .tells("`--beside`");
    assert_eq!(writes(&scene), made);
    only(&scene);
    scene.run(&[PUBLISH, &["--beside"]].concat()).exits(0);
    assert_eq!(endpoint(&scene, "wine-dev")["activeVersion"], 1);
}

#[test]
fn an_endpoint_of_our_account_with_our_model_is_taken_where_it_is_certain() {
    let mut scene = scene();
    let one_stage = STAGES.replace(
        "[stage.staging]",
        "[stage.staging]\nproject = \"wine-team/wine-staging\"",
    );
    scene.commit_file("stages.toml", &one_stage);
    register(&scene, "wine", "return x + 2");
    create_by_hand(&scene, "Wine predictor");
    let run = scene
        .run(&[PUBLISH, &["--variables-are-set"]].concat())
        .exits(0);
    assert!(
        run.stdout
            .contains("ours by what it serves and its account"),
        "{run}"
    );
    assert_eq!(only(&scene)["name"], "Wine predictor");
    publish(&scene, "dev").exits(0).tells("is as wanted");
    for verb in ["status", "logs"] {
        scene.run(&[verb, "wine", "--stage", "dev"]).exits(0);
    }
}

#[test]
fn going_back_is_possible_where_it_is_wanted() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        register(&scene, "wine", "return x + 2.1");
        publish(&scene, "dev").exits(0);
        scene.variable("MODEL_VERSION", "1");
        let made = writes(&scene);
        publish(&scene, "dev")
            .exits(3)
            .tells("version 1 of `wine` is older than version 2, which endpoint `wine-dev` serves");
        assert_eq!(writes(&scene), made, "{version}");
        scene.run(&[PUBLISH, &["--back"]].concat()).exits(0);
        let served =
            active(&endpoint(&scene, "wine-dev"))["source"]["registeredModelVersion"].clone();
        assert_eq!(served, 1, "{version}");
    }
}

#[test]
fn a_viewer_of_the_endpoint_before_may_take_its_version_on() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    change(&scene, EndpointChange::Role("ci-bot", Some(Role::Viewer)));
    register(&scene, "wine", "return x + 2.1");
    let run = scene
        .run(&["publish", "wine", "--stage", "staging"])
        .exits(0);
    assert!(
        run.stdout
            .contains("version 1 of `wine` (served by stage `dev`)"),
        "{run}"
    );
    scene
        .sandbox
        .change_endpoint("wine-dev", EndpointChange::Role("ci-bot", None))
        .unwrap();
    scene
        .run(&["publish", "wine", "--stage", "staging"])
        .exits(3)
        .tells("is there, but this account may not see it");
}

#[test]
fn older_routes_keep_replicas_and_find_a_renamed_endpoint() {
    let mut scene = scene_of("5.9");
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    stop(&scene);
    publish(&scene, "dev")
        .exits(3)
        .tells("endpoint `wine-dev` is `Stopped` in Domino: somebody stopped it");
    scene.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
    register(&scene, "wine", "return x + 2.1");
    // Its name here is another one now, which is the same as a name that somebody gave it there.
    let renamed = format!("{STAGES}\n[model.wine.stage.dev]\nendpoint = \"predictor\"\n");
    scene.commit_file("stages.toml", &renamed);
    let run = publish(&scene, "dev").exits(0);
    assert!(
        run.stdout
            .contains("called `wine-dev` in Domino and `predictor` here: ours by its mark"),
        "{run}"
    );
    only(&scene);
}
