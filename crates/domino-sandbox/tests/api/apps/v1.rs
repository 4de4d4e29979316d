//! Apps on `/api/apps/v1`, where a version is created first and started afterwards.

use domino_sandbox::{Sandbox, Version};
use serde_json::{Value, json};

use super::{answer, at, delete, head, instances, once_status, patch, slow, times, when, world};
use crate::world::{World, commit, text};

const APPS: &str = "/api/apps/v1/apps";

pub fn create(world: &World, name: &str, version: Value) -> Value {
    let body = json!({
        "name": name,
        "projectId": world.project_id(),
        "visibility": "AUTHENTICATED",
        "initialVersion": version,
    });
    world.post(APPS, body).ok()
}

fn path(app: &Value) -> String {
    format!("{APPS}/{}", text(&app["id"]))
}

fn version_path(app: &Value) -> String {
    format!(
        "{}/versions/{}",
        path(app),
        text(&app["currentVersion"]["id"])
    )
}

fn create_and_start(world: &World, app: &Value, body: Value) -> Value {
    let reply = world.post(&format!("{}/versions/createAndStart", path(app)), body);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

fn states(sandbox: &Sandbox) -> Value {
    sandbox.state()["apps"][0]["versions"].clone()
}

#[test]
fn a_new_app_has_a_version_and_does_not_run() {
    let world = world(Version::V6_4);
    let content = json!({ "gitRef": at(&head(&world)) });
    let deployment = json!({ "hardwareTierId": "dev-small-k8s" });
    let app = create(
        &world,
        "dash",
        json!({ "content": content, "deployment": deployment, "description": "First" }),
    );
    let version = &app["currentVersion"];
    assert_eq!(version["versionNumber"], 1);
    assert_eq!(version["content"]["gitRef"], at(&head(&world)));
    assert_eq!(version["deployment"]["hardwareTierId"], "dev-small-k8s");
    assert_eq!(version["description"], "First");
    assert_eq!(version.get("currentInstance"), None);
    assert_eq!(app["authorship"]["isDraft"], false);
    assert_eq!(app["accessControl"]["visibility"], "AUTHENTICATED");
    assert_eq!(app.get("visibility"), None);
    assert_eq!(states(&world.sandbox)[0]["instances"], json!([]));
    let planes = world.sandbox.state()["dataPlanes"].clone();
    let plane = planes
        .as_array()
        .unwrap()
        .iter()
        .find(|plane| plane["name"] == "dev-plane");
    assert_eq!(version["content"]["dataPlaneId"], plane.unwrap()["id"]);

    // Without a first version there is one all the same.
    let body = json!({ "name": "bare", "projectId": world.project_id(), "visibility": "PUBLIC" });
    let bare = world.post(APPS, body).ok();
    assert_eq!(bare["currentVersion"]["versionNumber"], 1);
}

#[test]
fn a_version_is_started_and_stopped() {
    let world = world(Version::V6_4);
    let app = create(&world, "dash", json!({}));
    let id = text(&app["id"]);
    let version = version_path(&app);
    let body = json!({ "deployment": { "hardwareTierId": "prod-small-k8s" } });
    let started = world.post(&format!("{version}/start"), body).ok();
    assert_eq!(started["deployment"]["hardwareTierId"], "prod-small-k8s");
    assert!(started["currentInstance"]["id"].is_string());
    let state = once_status(&world, &id, "Running");
    assert_eq!(instances(&state)[0]["hardwareTierName"], "prod-small");
    let shown = world.get(&version).ok();
    assert_eq!(
        shown["currentInstance"]["gitCommitId"],
        head(&world).as_str()
    );
    let stopped = world.request("POST", &format!("{version}/stop"), None);
    assert_eq!((stopped.status, stopped.text()), (200, String::new()));
    once_status(&world, &id, "Stopped");
    assert_eq!(
        world
            .request("POST", &format!("{version}/stop"), None)
            .status,
        200
    );
    // A start needs no body.
    let again = world.request("POST", &format!("{version}/start"), None);
    assert_eq!(again.status, 200);
    let state = once_status(&world, &id, "Running");
    assert_eq!(instances(&state).len(), 2);
    assert_eq!(instances(&state)[1]["hardwareTierId"], "prod-small-k8s");
}

#[test]
fn a_version_that_is_not_started_changes_nothing_of_what_runs() {
    let world = world(Version::V6_4);
    let app = create(&world, "dash", json!({}));
    world
        .post(&format!("{}/start", version_path(&app)), json!({}))
        .ok();
    once_status(&world, &text(&app["id"]), "Running");
    let second = commit(world.repository.path(), "which.txt", "second\n");
    let body = json!({ "content": { "gitRef": at(&second) } });
    let made = world.post(&format!("{}/versions", path(&app)), body).ok();
    assert_eq!(made["versionNumber"], 2);
    assert_eq!(made.get("currentInstance"), None);
    let shown = world.get(&path(&app)).ok();
    assert_eq!(shown["currentVersion"]["id"], app["currentVersion"]["id"]);
    let versions = world.get(&format!("{}/versions", path(&app))).ok();
    assert_eq!(versions["items"][0]["id"], made["id"]);
}

#[test]
fn create_and_start_stops_what_runs_first() {
    let world = slow(Version::V6_4, 10);
    let app = create(&world, "dash", json!({}));
    let id = text(&app["id"]);
    let first = create_and_start(&world, &app, json!({}));
    assert_eq!(first["warnings"], json!([]));
    assert_eq!(first["instance"]["status"], "Queued");
    assert_eq!(first["version"]["versionNumber"], 2);
    assert_eq!(answer(&world, &format!("/apps/{id}/"))["which"], "first");
    let second = commit(world.repository.path(), "which.txt", "second\n");
    let body = json!({ "content": { "gitRef": at(&second) } });
    create_and_start(&world, &app, body);
    let state = when(&world, &id, |app| {
        instances(app).len() == 2 && app["status"] == "Running"
    });
    assert_eq!(instances(&state)[0]["status"], "Stopped");
    let (_, old_ended) = times(&world, instances(&state)[0]);
    let (new_began, _) = times(&world, instances(&state)[1]);
    assert!(old_ended <= new_began);
    assert_eq!(answer(&world, &format!("/apps/{id}/"))["which"], "second");
}

#[test]
fn a_version_that_cannot_be_started_stays_and_the_reply_warns() {
    let world = world(Version::V6_4);
    let app = create(&world, "dash", json!({}));
    let body = json!({ "deployment": { "hardwareTierId": "Nowhere" } });
    let made = create_and_start(&world, &app, body);
    assert!(text(&made["warnings"][0]).contains("Nowhere"));
    assert_eq!(made.get("instance"), None);
    let versions = states(&world.sandbox);
    assert_eq!(versions[1]["id"], made["version"]["id"]);
    assert_eq!(versions[1]["instances"], json!([]));
    let start = format!(
        "{}/versions/{}/start",
        path(&app),
        text(&made["version"]["id"])
    );
    assert_eq!(world.post(&start, json!({})).status, 400);
    let body = json!({
        "deployment": { "hardwareTierId": "Nowhere" },
        "startOverrides": { "deployment": { "hardwareTierId": "small-k8s" } },
    });
    let made = create_and_start(&world, &app, body);
    assert_eq!(made["warnings"], json!([]));
    assert_eq!(made["version"]["deployment"]["hardwareTierId"], "small-k8s");
}

#[test]
fn only_the_words_about_a_version_can_be_changed() {
    let world = world(Version::V6_4);
    let app = create(&world, "dash", json!({}));
    let version = version_path(&app);
    let words = json!({
        "description": "Better",
        "tags": [{ "key": "a", "value": "b" }],
        "bundleId": "bundle",
    });
    let changed = patch(&world, &version, words).ok();
    assert_eq!(changed["description"], "Better");
    assert_eq!(changed["tags"][0]["key"], "a");
    assert_eq!(changed["bundle"]["id"], "bundle");
    for body in [
        json!({ "content": { "gitRef": { "type": "head" } } }),
        json!({ "deployment": { "hardwareTierId": "small-k8s" } }),
        json!({ "hardwareTierId": "small-k8s" }),
        json!({ "bundleId": "another" }),
    ] {
        let refused = patch(&world, &version, body);
        assert_eq!(refused.status, 422);
        assert!(refused.json()["errors"][0].is_string());
    }
}

#[test]
fn an_app_can_be_changed_but_for_its_entry_point() {
    let world = world(Version::V6_4);
    let app = create(&world, "dash", json!({}));
    let change = json!({ "name": "board", "visibility": "GRANT_BASED", "description": "Wine" });
    let changed = patch(&world, &path(&app), change).ok();
    assert_eq!(changed["name"], "board");
    assert_eq!(changed["accessControl"]["visibility"], "GRANT_BASED");
    let refused = patch(&world, &path(&app), json!({ "entryPoint": "other.sh" }));
    assert_eq!(refused.status, 422);
    assert_eq!(delete(&world, &path(&app)).status, 200);
    assert_eq!(world.get(&path(&app)).status, 404);
}

#[test]
fn lists_hold_published_apps_and_can_ask_for_an_entry_point() {
    let world = world(Version::V6_4);
    create(&world, "dash", json!({}));
    let count = |query: &str| {
        let list = world.get(&format!("{APPS}?{query}")).ok();
        let items = list["items"].as_array().unwrap().len();
        assert_eq!(list["metadata"]["totalCount"], items);
        items
    };
    assert_eq!(count(""), 1);
    assert_eq!(count("entryPoint=app.sh"), 1);
    assert_eq!(count("entryPoint=other.sh"), 0);
    assert_eq!(count("draftsOnly=true"), 0);
}

#[test]
fn instances_of_v1_are_read_and_stopped_on_beta() {
    let world = world(Version::V6_4);
    let app = create(&world, "dash", json!({}));
    let made = create_and_start(&world, &app, json!({}));
    let id = text(&app["id"]);
    once_status(&world, &id, "Running");
    let version = text(&made["version"]["id"]);
    let instance = text(&made["instance"]["id"]);
    let path = format!("/api/apps/beta/apps/{id}/versions/{version}/instances/{instance}");
    assert_eq!(world.get(&path).ok()["status"], "Running");
    assert!(world.get(&format!("{path}/logs")).ok()["logContent"][0]["log"].is_string());
    assert_eq!(delete(&world, &path).status, 200);
    once_status(&world, &id, "Stopped");
}
