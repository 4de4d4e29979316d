//! Registered models on Domino's own routes, as the experiment manager has them.

use domino_sandbox::{Options, Version};
use serde_json::json;

use crate::world::{World, text};

#[test]
fn a_model_is_shown_with_its_project_and_its_newest_version() {
    let world = World::new();
    let run = world.mlflow_run();
    world.register("wine", &run);
    world.register("wine", &run);
    let model = world.get("/api/registeredmodels/v1/wine").ok();
    assert_eq!(model["latestVersion"], 2);
    assert_eq!(model["project"]["id"], world.project_id().as_str());
    assert_eq!(model["tags"], json!({}));
    for key in ["stage", "aliases"] {
        assert_eq!(model.get(key), None);
    }
    let version = world.get("/api/registeredmodels/v2/wine/versions/1").ok();
    assert_eq!(version["modelVersion"], 1);
    assert_eq!(version["experimentRunId"], run["run_id"]);
    let versions = world.get("/api/registeredmodels/v1/wine/versions").ok();
    let numbers: Vec<_> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["modelVersion"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(versions["metadata"]["totalCount"], 2);
    for path in ["nothing", "nothing/versions", "wine/versions/9"] {
        let reply = world.get(&format!("/api/registeredmodels/v1/{path}"));
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.json()["error"].is_string());
    }
    let reply = world.get("/api/registeredmodels/v1/wine/versions/first");
    assert_eq!(reply.status, 400);
}

#[test]
fn the_project_of_a_model_is_in_its_tags() {
    let seed = domino_sandbox::Seed::default().project("author/second");
    let world = World::seeded(seed);
    let second = text(&world.sandbox.state()["projects"][1]["id"]);
    let tags = json!([{ "key": "mlflow.domino.project_id", "value": second }]);
    let body = json!({ "name": "wine", "tags": tags });
    world
        .post("/api/2.0/mlflow/registered-models/create", body)
        .ok();
    let model = world.get("/api/registeredmodels/v1/wine").ok();
    assert_eq!(model["project"]["name"], "second");
    let listed = |id: &str| {
        let path = format!("/api/registeredmodels/v2?projectId={id}");
        world.get(&path).ok()["items"].as_array().unwrap().len()
    };
    assert_eq!(listed(&second), 1);
    assert_eq!(listed(&world.project_id()), 0);
}

#[test]
fn the_list_goes_by_page_tokens() {
    let world = World::new();
    for name in ["a", "b", "c", "d", "e"] {
        let body = json!({ "name": name });
        world
            .post("/api/2.0/mlflow/registered-models/create", body)
            .ok();
    }
    let mut names = Vec::new();
    let mut token = String::new();
    let mut pages = 0;
    loop {
        let path = format!("/api/registeredmodels/v1?maxResults=2&pageToken={token}");
        let page = world.get(&path).ok();
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|model| text(&model["name"])));
        pages += 1;
        assert_eq!(page["metadata"].get("offset"), None);
        match page["metadata"].get("nextPageToken") {
            Some(next) => token = text(next),
            None => break,
        }
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    assert_eq!(pages, 3);
    let wrong = world.get("/api/registeredmodels/v1?pageToken=zzz");
    assert_eq!(wrong.status, 400);
}

#[test]
fn only_the_description_and_who_finds_it_can_be_changed() {
    let world = World::new();
    world.register("wine", &world.mlflow_run());
    let change = json!({ "description": "of wines", "discoverable": true, "name": "x" });
    let path = "/api/registeredmodels/v1/wine";
    let changed = world.request("PATCH", path, Some(change)).ok();
    assert_eq!(changed["name"], "wine");
    assert_eq!(changed["description"], "of wines");
    assert_eq!(changed["discoverable"], true);
    let model = world
        .get("/api/2.0/mlflow/registered-models/get?name=wine")
        .ok();
    assert_eq!(model["registered_model"]["description"], "of wines");
}

#[test]
fn a_name_may_hold_what_a_path_has_to_encode() {
    let world = World::new();
    world.register("rot & weiß 100%", &world.mlflow_run());
    let model = world.get("/api/registeredmodels/v1/rot%20%26%20wei%C3%9F%20100%25");
    assert_eq!(model.ok()["name"], "rot & weiß 100%");
}

#[test]
fn the_second_generation_came_with_domino_6() {
    let world = World::with(Options {
        version: Version::V5_9,
        ..Options::default()
    });
    assert_eq!(world.get("/api/registeredmodels/v1").status, 200);
    let second = world.get("/api/registeredmodels/v2");
    assert_eq!(second.status, 404);
    assert!(second.text().contains("public api endpoint"));
}
