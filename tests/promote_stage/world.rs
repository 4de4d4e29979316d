//! A Domino with registered versions, endpoints that serve them, and people who approve.
#![allow(dead_code, reason = "each test binary uses the part it needs")]

use domino_sandbox::{Misbehaviour, Seed};
use serde_json::{Value, json};

use crate::harness::http::send;
use crate::harness::{KEY, Run, Scene, Setup, TOKEN, eventually};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_promote-stage");

/// Three stages: staging has no gates, prod is a test's to choose.
pub const STAGES: &str = r#"
[defaults]
host = "domino.example.com"
project = "wine-team/wine"
environment = "Standard"

[stage.dev]
hardware-tier = { models = "dev-endpoint" }
github-environment = "DEV"

[stage.staging]
hardware-tier = { models = "staging-endpoint" }
github-environment = "STAGE"
model-stage = "Staging"

[stage.prod]
hardware-tier = { models = "prod-endpoint" }
github-environment = "PROD"
model-stage = "Production"
"#;

/// The model of every scene; `metric-rules` of a test are added to it.
pub const MODEL: &str = r#"
[model.wine]
registered-model = "wine"
version = "latest"
"#;

/// A scene with these gates for prod, and a model with these further keys.
pub fn scene_with(gates: &str, model: &str) -> Scene {
    scene_of("6.3", gates, model, |seed| seed)
}

/// The same on another version of Domino, with more in it.
pub fn scene_of(version: &str, gates: &str, model: &str, seed: fn(Seed) -> Seed) -> Scene {
    let gates = match gates {
        "" => String::new(),
        gates => format!("[stage.prod.gates]\n{gates}\n"),
    };
    let stages = format!("{STAGES}\n{gates}\n{MODEL}{model}\n");
    Setup {
        version,
        stages: &stages,
        seed,
        ..Setup::of(PROGRAM)
    }
    .scene()
}

/// A scene whose experiment manager is a real MLflow server, for a registered model of this name.
pub fn scene_on(mlflow: &str, name: &str, gates: &str, model: &str) -> Scene {
    let model = format!("{MODEL}{model}\n").replace(
        "registered-model = \"wine\"",
        &format!("registered-model = \"{name}\""),
    );
    let gates = match gates {
        "" => String::new(),
        gates => format!("[stage.prod.gates]\n{gates}\n"),
    };
    Setup {
        stages: &format!("{STAGES}\n{gates}\n{model}"),
        mlflow: Some(mlflow),
        ..Setup::of(PROGRAM)
    }
    .scene()
}

/// A scene without gates.
pub fn scene() -> Scene {
    scene_with("", "")
}

/// A policy whose one approval belongs to the user `approver`.
pub const GOVERNED: &str = "domino-approval = \"governance\"\npolicy = \"Promotion\"";

/// A scene whose prod wants an approval in Domino.
pub fn governed() -> Scene {
    scene_with(GOVERNED, "")
}

/// A scene with a policy of a test's own, and these gates. The sandbox makes a policy for every one that it finds in
/// the stage file, so that the gates come into the file later.
pub fn governed_by(seed: fn(Seed) -> Seed, gates: &str) -> Scene {
    let scene = scene_of("6.3", "", "", seed);
    let path = scene.path().join("stages.toml");
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{file}\n[stage.prod.gates]\n{gates}\n")).unwrap();
    scene
}

/// A value in a query.
fn encoded(text: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| match legal(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// Sends one request to Domino as the service account; to the experiment manager as from one of its runs, from where it
/// takes everything.
pub fn domino(scene: &Scene, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}{path}", scene.sandbox.url());
    let of_a_run = format!("Bearer {TOKEN}.of-run.0");
    let sign = match path.starts_with("/api/2.0/mlflow") {
        true => ("Authorization", of_a_run.as_str()),
        false => ("X-Domino-Api-Key", KEY),
    };
    send(method, &url, &[sign], body.as_ref())
}

/// Sends one request as a user of the sandbox.
pub fn domino_as(
    scene: &Scene,
    user: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let url = format!("{}{path}", scene.sandbox.url());
    let key = scene.sandbox.user(user).api_key;
    send(method, &url, &[("X-Domino-Api-Key", &key)], body.as_ref())
}

/// Sends one request to the experiment manager.
#[track_caller]
pub fn mlflow(scene: &Scene, method: &str, route: &str, body: Value) -> Value {
    let (status, reply) = domino(
        scene,
        method,
        &format!("/api/2.0/mlflow/{route}"),
        (method != "GET").then_some(body),
    );
    assert_eq!(status, 200, "{method} {route}: {reply}");
    reply
}

/// Registers one more version of a model, from a run with this metric, and says which one it is.
pub fn register(scene: &Scene, name: &str, rmse: f64) -> u64 {
    register_by(scene, name, rmse, "author")
}

/// The same, trained by a user.
pub fn register_by(scene: &Scene, name: &str, rmse: f64, user: &str) -> u64 {
    let experiments = domino(
        scene,
        "POST",
        "/api/2.0/mlflow/experiments/create",
        Some(json!({"name": name})),
    );
    let experiment = match experiments {
        (200, reply) => reply["experiment_id"].clone(),
        _ => mlflow(
            scene,
            "GET",
            &format!("experiments/get-by-name?experiment_name={}", encoded(name)),
            Value::Null,
        )["experiment"]["experiment_id"]
            .clone(),
    };
    let tags = json!([
        {"key": "mlflow.user", "value": user},
        {"key": "mlflow.source.git.commit", "value": "abc123"},
        {"key": "mlflow.log-model.history", "value": logged().to_string()},
    ]);
    let run = mlflow(
        scene,
        "POST",
        "runs/create",
        json!({"experiment_id": experiment, "start_time": 1, "tags": tags}),
    );
    let run = run["run"]["info"]["run_id"].clone();
    mlflow(
        scene,
        "POST",
        "runs/log-batch",
        json!({
            "run_id": run,
            "metrics": [{"key": "rmse", "value": rmse, "timestamp": 1, "step": 0}],
            "params": [{"key": "strength", "value": format!("{rmse}")}],
        }),
    );
    mlflow(
        scene,
        "POST",
        "runs/update",
        json!({"run_id": run, "status": "FINISHED", "end_time": 2}),
    );
    domino(
        scene,
        "POST",
        "/api/2.0/mlflow/registered-models/create",
        Some(json!({"name": name})),
    );
    let version = mlflow(
        scene,
        "POST",
        "model-versions/create",
        json!({"name": name, "source": format!("runs:/{}/model", run.as_str().unwrap()), "run_id": run}),
    );
    let number = version["model_version"]["version"].as_str().unwrap();
    number.parse().unwrap()
}

/// Registers one more version, of the run and the files of another.
pub fn copy(scene: &Scene, name: &str, of: u64) {
    let of = version(scene, name, of);
    let body = json!({"name": name, "source": of["source"], "run_id": of["run_id"]});
    mlflow(scene, "POST", "model-versions/create", body);
}

/// What a run notes of the one model that it logged.
fn logged() -> Value {
    let column =
        |name: &str| json!([{"type": "double", "name": name, "required": true}]).to_string();
    json!([{
        "artifact_path": "model", "flavors": {}, "utc_time_created": "2026-01-02 03:04:05.000000",
        "signature": {"inputs": column("alcohol"), "outputs": column("quality"), "params": null},
    }])
}

/// Puts a version into a stage of the experiment manager, as a person might.
pub fn put(scene: &Scene, name: &str, version: u64, stage: &str) {
    mlflow(
        scene,
        "POST",
        "model-versions/transition-stage",
        json!({
            "name": name, "version": version.to_string(), "stage": stage,
            "archive_existing_versions": false,
        }),
    );
}

/// One version with its tags as a map and its aliases, by the experiment manager's own REST.
pub fn version(scene: &Scene, name: &str, version: u64) -> Value {
    let reply = mlflow(
        scene,
        "GET",
        &format!(
            "model-versions/get?name={}&version={version}",
            encoded(name)
        ),
        Value::Null,
    );
    let mut version = reply["model_version"].clone();
    let tags: serde_json::Map<String, Value> = version["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| {
            (
                tag["key"].as_str().unwrap().to_owned(),
                tag["value"].clone(),
            )
        })
        .collect();
    version["tags"] = Value::Object(tags);
    version
}

/// The record that a promotion into a stage left at a version.
pub fn recorded(scene: &Scene, name: &str, number: u64, stage: &str) -> Value {
    let tags = version(scene, name, number)["tags"].clone();
    let record = tags[format!("promote.in.{stage}")].as_str();
    serde_json::from_str(record.unwrap()).unwrap()
}

/// The stage of a version.
pub fn stage_of(scene: &Scene, name: &str, number: u64) -> String {
    version(scene, name, number)["current_stage"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The version that an alias points to.
pub fn alias(scene: &Scene, name: &str, alias: &str) -> Option<u64> {
    let model = mlflow(
        scene,
        "GET",
        &format!("registered-models/get?name={}", encoded(name)),
        Value::Null,
    );
    let aliases = model["registered_model"]["aliases"].as_array()?.clone();
    let found = aliases.iter().find(|known| known["alias"] == alias)?;
    found["version"].as_str()?.parse().ok()
}

/// The versions in a stage, by a search over all of them.
pub fn versions_in_stage(scene: &Scene, name: &str, stage: &str) -> Vec<u64> {
    let filter = encoded(&format!("name='{name}'"));
    let found = mlflow(
        scene,
        "GET",
        &format!("model-versions/search?filter={filter}&max_results=10000"),
        Value::Null,
    );
    let versions = found["model_versions"].as_array().cloned();
    let mut held: Vec<u64> = versions
        .unwrap_or_default()
        .iter()
        .filter(|version| version["current_stage"] == stage)
        .map(|version| version["version"].as_str().unwrap().parse().unwrap())
        .collect();
    held.sort_unstable();
    held
}

/// What an endpoint's process loads.
const SOURCE: &str = "def predict(x):\n    return x\n\nclass Loaded:\n    def predict(self, table, params=None):\n        \
                      return [1]\n\ndef _load_pyfunc(path):\n    return Loaded()\n";

/// Lets the endpoint of a stage serve a version, and waits until it does.
pub fn serve(scene: &Scene, stage: &str, number: u64) {
    serve_model(scene, "wine", stage, number);
}

/// The same for any registered model.
pub fn serve_model(scene: &Scene, name: &str, stage: &str, number: u64) {
    upload(scene, name, number);
    let project = domino(
        scene,
        "GET",
        "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=wine-team&projectName=wine",
        None,
    );
    let project = project.1["id"].as_str().unwrap().to_owned();
    let base = "/api/modelServing/v1/modelApis";
    let environments = domino(
        scene,
        "GET",
        &format!("/v4/projects/{project}/useableEnvironments"),
        None,
    );
    let environment = environments.1["environments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|environment| environment["name"] == "Standard")
        .unwrap()["id"]
        .clone();
    let version = json!({
        "projectId": project, "environmentId": environment, "description": "", "logHttpRequestResponse": false,
        "monitoringEnabled": false, "shouldDeploy": true,
        "source": {"type": "Registry", "registeredModelName": name, "registeredModelVersion": number},
    });
    let endpoint = format!("wine-{stage}");
    let list = domino(
        scene,
        "GET",
        &format!("{base}?projectId={project}&offset=0"),
        None,
    );
    if list.0 == 404 {
        return serve_by_older_routes(scene, (name, number), stage, (&project, &environment));
    }
    let known = list.1["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|api| api["name"] == endpoint.as_str())
        .cloned();
    let (id, new) = match known {
        Some(api) => {
            let id = api["id"].as_str().unwrap().to_owned();
            let (status, reply) = domino(
                scene,
                "POST",
                &format!("{base}/{id}/versions"),
                Some(version),
            );
            assert_eq!(status, 201, "{reply}");
            (id, reply["id"].clone())
        }
        None => {
            let new = json!({
                "name": endpoint, "description": "", "environmentId": environment, "replicas": 1,
                "isAsync": false, "strictNodeAntiAffinity": false, "environmentVariables": [], "version": version,
            });
            let (status, reply) = domino(scene, "POST", base, Some(new));
            assert_eq!(status, 201, "{reply}");
            (reply["id"].as_str().unwrap().to_owned(), Value::Null)
        }
    };
    eventually("the endpoint serves", || {
        let (_, versions) = domino(scene, "GET", &format!("{base}/{id}/versions"), None);
        let (_, api) = domino(scene, "GET", &format!("{base}/{id}"), None);
        let active = &api["activeVersion"];
        let mut versions = versions.as_array().unwrap().iter();
        versions.any(|version| {
            version["id"] == active["id"]
                && (new.is_null() || version["id"] == new)
                && active["deployment"]["status"] == "Running"
                && version["source"]["registeredModelVersion"] == number
        })
    });
}

/// The same on an older Domino, where an endpoint tells what it serves by the mark of its publish.
fn serve_by_older_routes(
    scene: &Scene,
    (name, number): (&str, u64),
    stage: &str,
    (project, environment): (&str, &Value),
) {
    let (status, reply) = domino(
        scene,
        "POST",
        "/v1/models",
        Some(json!({
            "name": format!("wine-{stage}"),
            "description": format!("[{stage}/wine v{number} 3f2a91c0b1d2 state 0123456789ab]"),
            "projectId": project, "environmentId": environment, "replicaCount": 1, "environmentVariables": [],
            "registeredModelName": name, "registeredModelVersion": number, "excludeFiles": [], "isAsync": false,
            "logHttpRequestResponse": false, "strictNodeAntiAffinity": false,
        })),
    );
    assert!((200..300).contains(&status), "{status} {reply}");
    eventually("the endpoint serves", || {
        let state = scene.sandbox.state();
        let apis = state["modelApis"].as_array().cloned().unwrap_or_default();
        let versions = apis
            .iter()
            .flat_map(|api| api["versions"].as_array().unwrap());
        versions
            .into_iter()
            .any(|version| version["status"] == "Running")
    });
}

/// Stores what it takes to serve a version.
fn upload(scene: &Scene, name: &str, number: u64) {
    let run = version(scene, name, number)["run_id"].clone();
    let run = mlflow(
        scene,
        "GET",
        &format!("runs/get?run_id={}", run.as_str().unwrap()),
        Value::Null,
    );
    let uri = run["run"]["info"]["artifact_uri"].as_str().unwrap();
    let folder = uri.split_once(":/").unwrap().1.trim_start_matches('/');
    let model = json!({"flavors": {"python_function": {"loader_module": "predict", "code": ".", "data": "model.json"}}});
    for (file, content) in [
        ("MLmodel", model.to_string()),
        ("model.json", "{}".to_owned()),
        ("predict.py", SOURCE.to_owned()),
    ] {
        let url = format!(
            "{}/api/2.0/mlflow-artifacts/artifacts/{folder}/model/{file}",
            scene.sandbox.url()
        );
        let status = crate::harness::http::send_bytes(
            "PUT",
            &url,
            &[("Authorization", &format!("Bearer {TOKEN}.of-run.0"))],
            content.as_bytes(),
        )
        .0;
        assert_eq!(status, 200, "{file}");
    }
}

/// Runs `promote-stage apply` for the wine model.
pub fn apply(scene: &Scene, stage: &str, number: u64) -> Run {
    let number = number.to_string();
    scene.run(&["apply", "wine", "--to", stage, "--version", &number])
}

/// Text with times and spans of time masked as well.
pub fn masked(text: impl ToString) -> String {
    let masks = [
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b", "[at]"),
        (r"\b1\d{12}\b", "[milliseconds]"),
        (r"for (\d+\.\d s|\d+ s) of", "for [time] of"),
    ];
    masks
        .iter()
        .fold(text.to_string(), |text, (pattern, mask)| {
            let pattern = regex::Regex::new(pattern).unwrap();
            pattern.replace_all(&text, *mask).into_owned()
        })
}

/// A reply with this status; `processed` says whether it takes effect all the same.
pub fn reply(status: u16, processed: bool) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed,
    }
}

/// The requests that change something.
pub fn writes(scene: &Scene, from: usize) -> Vec<String> {
    scene
        .requests_since(from)
        .into_iter()
        .filter(|request| !request.starts_with("GET "))
        .collect()
}
