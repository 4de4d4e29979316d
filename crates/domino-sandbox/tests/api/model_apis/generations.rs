//! The routes of endpoints: the public API, that of Domino's own pages, and the oldest one.

use domino_sandbox::{Options, Version};
use serde_json::{Value, json};

use super::APIS;
use crate::world::{World, text};

#[test]
fn the_list_wants_a_project_and_starts_at_the_26th() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    let unscoped = world.get(APIS);
    assert_eq!(unscoped.status, 403);
    assert!(unscoped.text().contains("access configuration"));
    let list = |query: &str| {
        let path = format!("{APIS}?projectId={}{query}", world.project_id());
        let page = world.get(&path).ok();
        assert_eq!(
            page["metadata"]["totalCount"].as_u64().unwrap() as usize >= 1,
            !query.contains("none")
        );
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|api| text(&api["id"])).collect::<Vec<_>>()
    };
    assert_eq!(list(""), Vec::<String>::new());
    assert_eq!(list("&offset=0"), [id.as_str()]);
    assert_eq!(list("&offset=0&name=%5Ewine"), [id.as_str()]);
    assert_eq!(list("&offset=0&name=none"), Vec::<String>::new());
    assert_eq!(
        list("&offset=0&registeredModelName=wine&registeredModelVersion=1"),
        [id.as_str()]
    );
}

#[test]
fn what_an_endpoint_was_asked_to_be_is_kept_and_can_be_replaced() {
    let world = World::new();
    world.registered(1, "");
    let tier = text(&world.sandbox.state()["hardwareTiers"][2]["id"]);
    assert_eq!(tier, "dev-endpoint-k8s");
    let mut body = world.endpoint_body(world.version_body(1));
    body["hardwareTierId"] = tier.as_str().into();
    body["replicas"] = 2.into();
    body["version"]["description"] = "from dev".into();
    let made = world.post(APIS, body).json();
    assert_eq!(made["replicas"], 2);
    assert_eq!(made["hardwareTierId"], tier.as_str());
    let id = text(&made["id"]);
    let state = world.endpoint_state(&id);
    assert_eq!(state["dataPlane"], "dev-plane");
    let versions = world.get(&format!("{APIS}/{id}/versions")).ok();
    assert_eq!(versions.as_array().unwrap().len(), 1);
    assert_eq!(versions[0]["description"], "from dev");
    assert_eq!(versions[0]["number"], 1);
    assert_eq!(versions[0]["source"]["registeredModelVersion"], 1);
    let new = json!({
        "name": "wine-new",
        "description": "new",
        "environmentId": world.environment_id(),
        "replicas": 3,
    });
    let path = format!("{APIS}/{id}");
    let changed = world.request("PUT", &path, Some(new)).ok();
    assert_eq!(
        (&changed["name"], &changed["replicas"]),
        (&json!("wine-new"), &json!(3))
    );
}

#[test]
fn what_cannot_be_is_refused_at_once() {
    let world = World::new();
    world.registered(1, "");
    let with = |pointer: &str, value: Value| {
        let mut body = world.endpoint_body(world.version_body(1));
        *body.pointer_mut(pointer).unwrap() = value;
        let reply = world.post(APIS, body);
        assert_eq!(reply.status, 400, "{}", reply.text());
        text(&reply.json()["error"])
    };
    let source = "/version/source/registeredModel";
    assert!(with(&format!("{source}Version"), json!(9)).contains("does not exist"));
    assert!(with(&format!("{source}Name"), json!("none")).contains("does not exist"));
    assert!(with(&format!("{source}Version"), json!("1")).contains("registeredModelVersion"));
    assert!(with("/version/source/type", json!("Git")).contains("source.type"));
    assert!(with("/environmentId", json!("0".repeat(24))).contains("Environment"));
    assert!(with("/name", Value::Null).contains("obj.name"));
    let mut body = world.endpoint_body(world.version_body(1));
    body["hardwareTierId"] = "dev-small-k8s".into();
    assert!(world.post(APIS, body).text().contains("not for model APIs"));
    let mut body = world.endpoint_body(world.version_body(1));
    body["version"]["projectId"] = "0".repeat(24).into();
    assert_eq!(world.post(APIS, body).status, 404);
    assert_eq!(world.sandbox.state()["modelApis"], json!([]));
}

#[test]
fn the_oldest_domino_makes_models_from_a_version_that_is_a_text() {
    let world = World::with(Options {
        version: Version::V5_9,
        ..Options::default()
    });
    world.registered(1, "");
    world.registered(2, "");
    let project = format!("{APIS}?offset=0&projectId={}", world.project_id());
    assert_eq!(world.get(&project).status, 404);
    let version = |number: Value| {
        json!({
            "projectId": world.project_id(),
            "name": "wine_DEV",
            "description": "",
            "environmentId": world.environment_id(),
            "registeredModelName": "wine",
            "registeredModelVersion": number,
            "environmentVariables": [],
            "replicaCount": 2,
            "logHttpRequestResponse": true,
            "isAsync": false,
            "strictNodeAntiAffinity": false,
        })
    };
    let made = world.post("/v1/models", version(json!("1"))).ok();
    let id = text(&made["data"]["_id"]);
    world.version_once(&id, 1, "Running");
    assert_eq!(world.endpoint_state(&id)["replicas"], 2);
    let models = world.get("/v1/projects/author/quick-start/models").ok();
    assert_eq!(models["data"][0]["id"], id.as_str());
    assert_eq!(models["data"][0]["name"], "wine_DEV");
    world
        .post(&format!("/v1/models/{id}/versions"), version(json!(2)))
        .ok();
    world.version_once(&id, 2, "Running");
    assert_eq!(world.predicted(&id, "latest", 20), 42);
    let versions = world.get(&format!("/v1/models/{id}/versions")).ok();
    assert_eq!(versions["data"].as_array().unwrap().len(), 2);
    assert_eq!(versions["data"][0]["number"], 2);
    let unknown = world.post("/v1/models", version(json!("9")));
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("does not exist"));
}

#[test]
fn the_pages_of_domino_know_how_a_model_stands() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    let version = text(&world.version_once(&id, 1, "Running")["id"]);
    let path = format!(
        "/v4/modelManager/getModels?projectId={}",
        world.project_id()
    );
    let models = world.get(&path).ok();
    assert_eq!(models[0]["activeVersionStatus"], "Running");
    assert_eq!(models[0]["activeVersion"]["registeredModelVersion"], 1);
    let status = world
        .get(&format!(
            "/v4/models/{id}/{version}/getModelDeploymentStatus"
        ))
        .ok();
    assert_eq!(status, json!({ "status": "running" }));
    let active = world.get(&format!("/models/{id}/activeStatus")).ok();
    assert_eq!(active["status"], "Running");
    assert_eq!(active["lastOperation"]["isFailure"], false);
    let logs = world
        .get(&format!("/v4/modelManager/getBuildLogsV2/{id}/{version}"))
        .ok();
    assert_eq!(logs[0]["status"], "complete");
    assert!(logs[0]["logs"].as_array().unwrap().len() > 2);
}

#[test]
fn a_registered_model_knows_its_endpoints() {
    let world = World::new();
    world.registered(1, "");
    world.registered(2, "");
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    let listed = |path: &str| {
        let page = world
            .get(&format!("/api/registeredmodels/v1/wine/{path}"))
            .ok();
        page["items"].as_array().unwrap().clone()
    };
    let found = &listed("modelapis")[0];
    assert_eq!(found["id"], id.as_str());
    assert_eq!(found["activeVersionNumber"], 1);
    assert_eq!(found["activeVersionStatus"], "Running");
    assert_eq!(listed("versions/1/modelapis").len(), 1);
    assert_eq!(listed("versions/2/modelapis").len(), 0);
}
