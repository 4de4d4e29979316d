//! An endpoint that others change too, over more than one publish, and how it is reset. `shared_domino` has, row by
//! row, what a person does between two publishes.

use domino_sandbox::EndpointChange;
use serde_json::{Value, json};

use crate::harness::{Scene, TOKEN, eventually, http};
use crate::{STAGES, publish, register, scene, versions, writes};

pub const BASE: &str = "/api/modelServing/v1/modelApis";
pub const PUBLISH: &[&str] = &["publish", "wine", "--stage", "dev"];

/// One request as a person sends it.
pub fn by_hand(scene: &Scene, method: &str, path: &str, body: Option<&Value>) -> Value {
    let url = format!("{}{path}", scene.sandbox.url());
    let bearer = format!("Bearer {TOKEN}");
    let (status, reply) = http::send(method, &url, &[("authorization", &bearer)], body);
    assert!((200..300).contains(&status), "{method} {path}: {reply}");
    reply
}

/// The one endpoint that there is.
pub fn only(scene: &Scene) -> Value {
    let state = scene.sandbox.state();
    let all = state["modelApis"].as_array().unwrap();
    assert_eq!(all.len(), 1, "doubled: {state:#}");
    all[0].clone()
}

pub fn active(endpoint: &Value) -> Value {
    let versions = endpoint["versions"].as_array().unwrap().iter();
    let mut active = versions.filter(|version| version["number"] == endpoint["activeVersion"]);
    active.next().cloned().unwrap_or_default()
}

pub fn id_of(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

/// Changes the endpoint's settings; the others are sent as they are.
pub fn set(scene: &Scene, key: &str, value: Value) {
    let existing = only(scene);
    let mut body = json!({
        "name": existing["name"], "description": existing["description"],
        "environmentId": existing["environmentId"], "replicas": existing["replicas"],
        "hardwareTierId": existing["hardwareTierId"],
    });
    body[key] = value;
    by_hand(
        scene,
        "PUT",
        &format!("{BASE}/{}", id_of(&existing)),
        Some(&body),
    );
}

pub fn change(scene: &Scene, change: EndpointChange<'_>) {
    let id = only(scene)["id"].clone();
    scene
        .sandbox
        .change_endpoint(id.as_str().unwrap(), change)
        .unwrap();
}

pub fn stop(scene: &Scene) {
    let existing = only(scene);
    let active = active(&existing);
    let path = format!(
        "/v4/models/{}/{}/stopModelDeployment",
        id_of(&existing),
        id_of(&active)
    );
    by_hand(scene, "POST", &path, None);
    eventually("it stops", || {
        self::active(&only(scene))["status"] == "Stopped"
    });
}

#[test]
fn a_newer_commit_that_another_run_published_is_not_undone() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    scene.on_github("77");
    publish(&scene, "dev").exits(0);
    let old = scene.commit.clone();
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("\"Predicts wine\"", "\"Predicts good wine\""),
    );
    scene.on_github("78");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 2");
    scene.on_github("77").variable("GITHUB_SHA", &old);
    let before = only(&scene);
    publish(&scene, "dev")
        .exits(3)
        .tells("is older than commit")
        .tells("which endpoint `wine-dev` runs, published by workflow run 78")
        .tells("`--back`");
    assert_eq!(only(&scene), before);
}

#[test]
fn what_somebody_changed_is_put_back_on_request_and_only_then() {
    let mut scene = scene();
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("smoke-test", "replicas = 2\nsmoke-test"),
    );
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    set(&scene, "replicas", json!(6));
    set(&scene, "description", json!("Ask ann"));
    let from = writes(&scene).len();
    publish(&scene, "dev")
        .exits(0)
        .tells(
            "has `replicas` 6 in Domino, which is not what we last gave it, and stages.toml says 2",
        )
        .tells("is as wanted");
    assert_eq!(writes(&scene).len(), from, "nothing is written");
    // Also with the next versions, and more than once.
    for _ in 0..2 {
        register(&scene, "wine", "return x + 2.1");
        publish(&scene, "dev").exits(0).tells("it keeps 6");
        assert_eq!(only(&scene)["replicas"], 6);
    }
    let run = scene.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
    assert!(run.stdout.contains("~ replicas: `6` → `2`"), "{run}");
    assert!(
        run.stdout
            .contains("~ description: `Ask ann` → `Predicts wine`"),
        "{run}"
    );
    let after = only(&scene);
    assert_eq!(
        (&after["replicas"], &after["description"]),
        (&json!(2), &json!("Predicts wine"))
    );
    // What the file says anew is no decision of somebody's.
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("smoke-test", "replicas = 3\nsmoke-test"),
    );
    let run = publish(&scene, "dev").exits(0);
    assert!(run.stdout.contains("~ replicas: `2` → `3`"), "{run}");
    stop(&scene);
    publish(&scene, "dev").exits(3);
    scene.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
    assert_eq!(active(&only(&scene))["status"], "Running");
}

#[test]
fn the_marks_of_the_variables_survive_every_description() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    for description in ["Ask ann", "", "[variables by hand]"] {
        set(&scene, "description", json!(description));
        register(&scene, "wine", "return x + 2.1");
        publish(&scene, "dev").exits(0);
        assert_eq!(only(&scene)["description"], description);
    }
    scene.commit_file("stages.toml", &STAGES.replace("\"info\"", "\"debug\""));
    publish(&scene, "dev")
        .exits(3)
        .tells("was created with other environment variables");
}

#[test]
fn an_endpoint_of_labels_is_green_once_the_label_leads_to_the_version() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    change(&scene, EndpointChange::Routing("advanced"));
    publish(&scene, "dev")
        .exits(6)
        .tells("callers of `labels/prod` get none");
    scene
        .run(&["publish", "wine", "--stage", "staging"])
        .exits(3)
        .tells("routes by labels, and no version of it has the label `prod`");
    change(&scene, EndpointChange::Promoted(1));
    publish(&scene, "dev").exits(0).tells("/labels/prod/model");
    register(&scene, "wine", "return x + 2.1");
    publish(&scene, "dev").exits(6);
    // What callers get is what moves on.
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
        .change_endpoint("wine-dev", EndpointChange::Promoted(2))
        .unwrap();
    let made = versions(&scene, "wine-dev").len();
    publish(&scene, "dev").exits(0);
    assert_eq!(versions(&scene, "wine-dev").len(), made);
}
