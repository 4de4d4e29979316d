//! A registered model, the endpoints that serve it, and what people do to both: the world of the columns about
//! models.

use std::path::Path;

use domino_sandbox::{EndpointChange, Role};
use serde_json::{Map, Value, json};

use crate::harness::{Run, TOKEN, eventually, http};
use crate::world::{Kind, World, program};

/// One stage for what publishes, so that the newest version is the one to publish.
pub const PUBLISHED: &str = r#"
[defaults]
host = "domino.example.com"
environment = "Standard"

[stage.prod]
project = "wine-team/wine"
hardware-tier = "prod-small"
github-environment = "PROD"

[model.wine]
registered-model = "wine"
version = "latest"
description = "Predicts wine"
environment-variables = { LOG_LEVEL = "info" }
"#;

/// Two for what promotes, each with a project of its own.
pub const PROMOTED: &str = r#"
[defaults]
host = "domino.example.com"
environment = "Standard"

[stage.dev]
project = "wine-team/wine-dev"
hardware-tier = "dev-small"
github-environment = "DEV"

[stage.prod]
project = "wine-team/wine"
hardware-tier = "prod-small"
github-environment = "PROD"
model-stage = "Production"

[model.wine]
registered-model = "wine"
version = "latest"
description = "Predicts wine"
"#;

const SOURCE: &str = "def predict(x):\n    return x\n\nclass Loaded:\n    def predict(self, table, params=None):\n        \
                      return [1]\n\ndef _load_pyfunc(path):\n    return Loaded()\n";
const APIS: &str = "/api/modelServing/v1/modelApis";

/// One request to the experiment manager.
fn mlflow(world: &World, route: &str, body: &Value) -> Value {
    world.by_hand("POST", &format!("/api/2.0/mlflow/{route}"), Some(body))
}

/// Registers one more version of a model, with the files that an endpoint loads.
pub fn register(world: &World, model: &str) {
    let experiment = json!({ "name": format!("{model} {}", world.scene.sandbox.requests().len()) });
    let experiment = mlflow(world, "experiments/create", &experiment)["experiment_id"].clone();
    let run = json!({ "experiment_id": experiment, "start_time": 1 });
    let run = mlflow(world, "runs/create", &run)["run"]["info"].clone();
    let folder = run["artifact_uri"].as_str().unwrap().split_once(":/");
    let folder = folder.unwrap().1.trim_start_matches('/').to_owned();
    let flavor = json!({ "loader_module": "predict", "code": ".", "data": "model.json" });
    let files = [
        (
            "MLmodel",
            json!({ "flavors": { "python_function": flavor } }).to_string(),
        ),
        ("model.json", "{}".to_owned()),
        ("predict.py", SOURCE.to_owned()),
    ];
    let bearer = format!("Bearer {TOKEN}");
    for (name, content) in files {
        let url = format!(
            "{}/api/2.0/mlflow-artifacts/artifacts/{folder}/model/{name}",
            world.scene.sandbox.url()
        );
        let headers = [("authorization", bearer.as_str())];
        let (status, reply) = http::send_bytes("PUT", &url, &headers, content.as_bytes());
        assert_eq!(status, 200, "{name}: {reply}");
    }
    if registered(world, model).is_empty() {
        mlflow(world, "registered-models/create", &json!({ "name": model }));
    }
    let run = run["run_id"].as_str().unwrap();
    let version = json!({ "name": model, "source": format!("runs:/{run}/model"), "run_id": run });
    mlflow(world, "model-versions/create", &version);
}

/// The versions of a registered model.
fn registered(world: &World, model: &str) -> Vec<Value> {
    let state = world.scene.sandbox.state();
    let models = state["registeredModels"].as_array().unwrap().iter();
    let mut named = models.filter(|one| one["name"] == model);
    let versions = named.next().map(|one| one["versions"].as_array().unwrap());
    versions.cloned().unwrap_or_default()
}

/// Makes the newest version serve where the column's verb begins, and lets it in where the verb lets it in.
pub fn deploy(world: &World) -> Run {
    if world.column.kind == Kind::Endpoint {
        return world.run_verb();
    }
    serve_in_dev(world);
    world.run_verb()
}

/// The stage before serves the newest version.
pub fn serve_in_dev(world: &World) {
    let publish = ["publish", "wine", "--stage", "dev"];
    let run = world
        .scene
        .run_program(Path::new(program("deploy-model")), &publish);
    run.exits(0);
}

/// A model of somebody else's that is in production, and an endpoint of theirs.
pub fn make_bystander(world: &World) {
    register(world, "ann");
    put(world, "ann", "1", "Production");
    alias(world, "ann", "production", "1");
    let path = format!("/v4/projects/{}/useableEnvironments", world.project());
    let environments = world.by_hand("GET", &path, None);
    let environment = &environments["environments"][0]["id"];
    let body = json!({
        "name": "Ann's", "description": "", "environmentId": environment, "isAsync": false,
        "strictNodeAntiAffinity": false, "environmentVariables": [],
        "version": {
            "projectId": world.project(), "environmentId": environment, "logHttpRequestResponse": false,
            "monitoringEnabled": false, "shouldDeploy": false,
            "source": { "type": "Registry", "registeredModelName": "ann", "registeredModelVersion": 1 },
        },
    });
    world.by_hand("POST", APIS, Some(&body));
}

/// Each endpoint and each version of a registered model, with what people can set.
pub fn things(state: &Value) -> Vec<Value> {
    let mut things: Vec<Value> = Vec::new();
    for endpoint in state["modelApis"].as_array().unwrap() {
        things.push(endpoint_facts(endpoint));
    }
    for model in state["registeredModels"].as_array().unwrap() {
        for version in model["versions"].as_array().unwrap() {
            things.push(version_facts(&model["name"], version));
        }
    }
    things
}

fn active(endpoint: &Value) -> Value {
    let mut versions = endpoint["versions"].as_array().unwrap().iter();
    let active = versions.find(|version| version["number"] == endpoint["activeVersion"]);
    active.cloned().unwrap_or_default()
}

fn endpoint_facts(endpoint: &Value) -> Value {
    let versions = endpoint["versions"].as_array().unwrap();
    let active = active(endpoint);
    let alive = versions.iter().filter(|version| version["isAlive"] == true);
    let promoted = versions
        .iter()
        .find(|version| version["isPromoted"] == true);
    let mut facts = json!({
        "id": endpoint["id"], "is endpoint": true, "versions": versions.len(), "alive": alive.count(),
        "label": promoted.map(|version| version["number"].clone()),
        "serves": active["source"]["registeredModelVersion"],
    });
    for key in [
        "name",
        "description",
        "project",
        "environmentId",
        "hardwareTierId",
        "replicas",
        "environmentVariables",
        "bundleId",
        "resourceQuotaId",
        "routingMode",
        "isArchived",
        "collaborators",
    ] {
        facts[key] = endpoint[key].clone();
    }
    for key in [
        "status",
        "environmentRevisionId",
        "logHttpRequestResponse",
        "monitoringEnabled",
        "recordInvocation",
        "predictionDatasetResourceId",
    ] {
        facts[key] = active[key].clone();
    }
    facts
}

fn version_facts(model: &Value, version: &Value) -> Value {
    let (name, number) = (model.as_str().unwrap(), &version["version"]);
    let owner = if name == "ann" { "Ann's" } else { name };
    let tags = version["tags"].as_object().cloned().unwrap_or_default();
    // What `promote-stage` notes is its own.
    let tags: Map<String, Value> = tags
        .into_iter()
        .filter(|(name, _)| !name.starts_with("promote."))
        .collect();
    let mut facts = json!({ "id": format!("{name}/{number}"), "name": owner, "tags": tags });
    for key in ["stage", "aliases", "description", "source", "runId"] {
        facts[key] = version[key].clone();
    }
    facts
}

/// The newest version is what serves, or what is in the stage.
pub fn assert_moved_on(world: &World, after: &Map<String, Value>, run: &Run) {
    let newest = registered(world, "wine").len();
    let is_there = match world.column.kind {
        Kind::Endpoint => {
            let mut ours = after.values().filter(|thing| thing["is endpoint"] == true);
            ours.any(|endpoint| endpoint["serves"] == newest && endpoint["status"] == "Running")
        }
        Kind::Version => after[&format!("wine/{newest}")]["stage"] == "Production",
        _ => true,
    };
    assert!(
        is_there,
        "version {newest} is not there:\n{run}\n{after:#?}"
    );
}

/// Our endpoint, as the sandbox has it.
fn endpoint(world: &World) -> Value {
    let state = world.scene.sandbox.state();
    let all = state["modelApis"].as_array().unwrap().iter();
    let mut ours = all.filter(|endpoint| endpoint["name"] != "Ann's");
    ours.next().unwrap().clone()
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// Changes one setting; the others are sent as they are.
fn set(world: &World, key: &str, value: Value) {
    let existing = endpoint(world);
    let mut body = json!({
        "name": existing["name"], "description": existing["description"],
        "environmentId": existing["environmentId"], "replicas": existing["replicas"],
        "hardwareTierId": existing["hardwareTierId"],
    });
    if !existing["resourceQuotaId"].is_null() {
        body["resourceQuotaId"] = existing["resourceQuotaId"].clone();
    }
    body[key] = value;
    world.by_hand("PUT", &format!("{APIS}/{}", id(&existing)), Some(&body));
}

fn change(world: &World, change: EndpointChange<'_>) {
    let id = id(&endpoint(world));
    world.scene.sandbox.change_endpoint(&id, change).unwrap();
}

pub fn rename(world: &mut World) {
    set(world, "name", json!("Wine predictor"));
}

pub fn scale(world: &mut World) {
    set(world, "replicas", json!(6));
}

pub fn describe(world: &mut World) {
    set(world, "description", json!("Ask ann before you call it"));
}

fn turn(world: &World, verb: &str, status: &str) {
    let existing = endpoint(world);
    let path = format!(
        "/v4/models/{}/{}/{verb}",
        id(&existing),
        id(&active(&existing))
    );
    world.by_hand("POST", &path, None);
    eventually("it is so", || active(&endpoint(world))["status"] == status);
}

pub fn stop(world: &mut World) {
    turn(world, "stopModelDeployment", "Stopped");
}

/// Stopped, and started again.
pub fn start(world: &mut World) {
    stop(world);
    turn(world, "startModelDeployment", "Running");
}

/// A version as a person makes it on Domino's pages, of the same model, with monitoring.
pub fn monitor(world: &mut World) {
    let existing = endpoint(world);
    let projects = world.scene.sandbox.state()["projects"].clone();
    let of_it = |project: &&Value| {
        existing["project"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/{}", project["name"].as_str().unwrap()))
    };
    let project = projects.as_array().unwrap().iter().find(of_it).unwrap();
    let body = json!({
        "projectId": project["id"], "source": active(&existing)["source"], "logHttpRequestResponse": false,
        "monitoringEnabled": true, "recordInvocation": true, "shouldDeploy": true,
        "predictionDatasetResourceId": "d".repeat(24), "environmentId": existing["environmentId"],
    });
    world.by_hand(
        "POST",
        &format!("{APIS}/{}/versions", id(&existing)),
        Some(&body),
    );
    eventually("the version by hand serves", || {
        let now = active(&endpoint(world));
        now["monitoringEnabled"] == true && now["status"] == "Running" && alive(world) == 1
    });
}

/// How many versions of our endpoint have a process.
fn alive(world: &World) -> u64 {
    endpoint_facts(&endpoint(world))["alive"].as_u64().unwrap()
}

/// The tier that the file's name means for endpoints.
pub fn archive_tier(world: &mut World) {
    let body = json!({ "value": "prod-small-model-k8s" });
    world.by_hand("POST", "/v4/hardwareTier/archive", Some(&body));
}

pub fn route_by_labels(world: &mut World) {
    change(world, EndpointChange::Promoted(1));
    change(world, EndpointChange::Routing("advanced"));
}

/// A bundle governs it, and it runs in a quota.
pub fn govern(world: &mut World) {
    change(world, EndpointChange::Bundle("e1e1e1e1e1e1e1e1e1e1e1e1"));
    change(world, EndpointChange::ResourceQuota("quota-1"));
}

/// Only collaborators see it from now on; the account that publishes is one.
pub fn restrict(world: &mut World) {
    change(world, EndpointChange::Role("ci-bot", Some(Role::Editor)));
}

pub fn make_viewer(world: &mut World) {
    change(world, EndpointChange::Role("ci-bot", Some(Role::Viewer)));
}

pub fn take_role_away(world: &mut World) {
    change(world, EndpointChange::Role("ci-bot", None));
}

fn put(world: &World, model: &str, version: &str, stage: &str) {
    let body = json!({ "name": model, "version": version, "stage": stage, "archive_existing_versions": false });
    mlflow(world, "model-versions/transition-stage", &body);
}

fn alias(world: &World, model: &str, alias: &str, version: &str) {
    let body = json!({ "name": model, "alias": alias, "version": version });
    mlflow(world, "registered-models/alias", &body);
}

pub fn tag(world: &mut World) {
    let body = json!({ "name": "wine", "version": "1", "key": "team", "value": "wine" });
    mlflow(world, "model-versions/set-tag", &body);
}

pub fn archive(world: &mut World) {
    put(world, "wine", "1", "Archived");
}

/// Out of the stage where it is, or into one where nobody put it.
pub fn move_between_stages(world: &mut World) {
    put(world, "wine", "1", "Staging");
}

/// To a version that somebody has just registered, and that nothing of ours knows.
pub fn move_alias(world: &mut World) {
    register(world, "wine");
    alias(world, "wine", "production", "2");
}

/// Another workflow run has brought the next version; this one was given the one before.
pub fn deploy_newer(world: &mut World) {
    register(world, "wine");
    world.scene.on_github("78");
    deploy(world).exits(0);
    world.scene.on_github("77");
    world.more = ["--version", "1"].map(str::to_owned).to_vec();
}
