//! `deploy-model` from outside: what a user sees, what Domino received, and what an endpoint really answers.

#[path = "deploy_model/approval.rs"]
mod approval;
#[path = "deploy_model/at_once.rs"]
mod at_once;
#[path = "deploy_model/endpoint_settings.rs"]
mod endpoint_settings;
#[path = "deploy_model/functions.rs"]
mod functions;
mod harness;
#[path = "deploy_model/own_endpoint.rs"]
mod own_endpoint;
#[path = "deploy_model/proof.rs"]
mod proof;
#[path = "deploy_model/revision.rs"]
mod revision;
#[path = "deploy_model/routing.rs"]
mod routing;
#[path = "deploy_model/second_version.rs"]
mod second_version;
#[path = "deploy_model/shared_endpoint.rs"]
mod shared_endpoint;
#[path = "deploy_model/trained.rs"]
mod trained;
#[path = "deploy_model/verbs.rs"]
mod verbs;
#[path = "deploy_model/version_choice.rs"]
mod version_choice;

use std::process::Command;

use domino_sandbox::{Fault, Misbehaviour, ModelFault};
use harness::{KEY, MODEL_TOKEN, Run, Scene, Setup, eventually};
use insta::assert_snapshot;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-model");

const STAGES: &str = r#"
[defaults]
host = "domino.example.com"
project = "wine-team/wine"
environment = "Standard"

[stage.dev]
hardware-tier = { models = "dev-endpoint" }
data-plane = "dev-plane"
github-environment = "DEV"

[stage.staging]
hardware-tier = { models = "staging-endpoint" }
data-plane = "staging-plane"
github-environment = "STAGE"
model-stage = "Staging"

[model.wine]
registered-model = "wine"
version = "latest"
description = "Predicts wine"
environment-variables = { LOG_LEVEL = "info" }
smoke-test = "smoke.jsonl"

[model.wine.stage.staging]
replicas = 2

[model.function]
file = "function.py"
function = "predict"
description = "A function of the repository"
"#;

/// The versions of Domino that have the two generations of routes.
const GENERATIONS: &[&str] = &["6.3", "5.9"];

const FUNCTION: &str = "def predict(x):\n    return x * 10\n";

const SMOKE: &str = r#"{"name": "one", "input": {"data": {"x": 1}}, "expect": {"result": 3}, "tolerance": 0.5}
"#;

fn scene() -> Scene {
    scene_of("6.3")
}

fn scene_of(version: &str) -> Scene {
    let mut scene = Setup {
        version,
        stages: STAGES,
        files: &[("smoke.jsonl", SMOKE), ("function.py", FUNCTION)],
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene.variable("DOMINO_MODEL_TOKEN", MODEL_TOKEN);
    scene
}

const REGISTER: &str = r#"
import json, os, sys, urllib.parse, urllib.request
base, key, model, source = sys.argv[1], os.environ["KEY"], sys.argv[2], sys.argv[3]
def call(method, path, body, kind="application/json"):
    request = urllib.request.Request(base + path, data=body, method=method, headers={"Content-Type": kind, "X-Domino-Api-Key": key})
    with urllib.request.urlopen(request) as reply:
        return json.loads(reply.read() or b"{}")
def post(route, body):
    return call("POST", "/api/2.0/mlflow/" + route, json.dumps(body).encode())
try:
    experiment = post("experiments/create", {"name": model})["experiment_id"]
except urllib.error.HTTPError:
    experiment = call("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=" + urllib.parse.quote(model), None)["experiment"]["experiment_id"]
run = post("runs/create", {"experiment_id": experiment, "start_time": 1})["run"]["info"]
folder = urllib.parse.urlsplit(run["artifact_uri"]).path.strip("/")
mlmodel = json.dumps({"flavors": {"python_function": {"loader_module": "predict", "code": ".", "data": "model.json"}}})
for name, content in (("MLmodel", mlmodel), ("model.json", "{}"), ("predict.py", source)):
    call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{folder}/model/{name}", content.encode(), "application/octet-stream")
try:
    post("registered-models/create", {"name": model})
except urllib.error.HTTPError:
    pass
version = post("model-versions/create", {"name": model, "source": f"runs:/{run['run_id']}/model", "run_id": run["run_id"]})
print(version["model_version"]["version"], end="")
"#;

/// Registers one more version of a model whose `predict(x)` is `body`, and says which one it is.
fn register(scene: &Scene, model: &str, body: &str) -> String {
    let source = format!(
        "def predict(x):\n    {body}\n\n\
         class Loaded:\n    def predict(self, table, params=None):\n        \
         rows = [table] if isinstance(table, dict) else table\n        \
         return [predict(**row) for row in rows]\n\n\
         def _load_pyfunc(path):\n    return Loaded()\n"
    );
    let output = Command::new("python3")
        .args(["-c", REGISTER, scene.sandbox.url(), model, &source])
        .env("KEY", KEY)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Sends one request to the experiment manager.
fn mlflow(scene: &Scene, route: &str, body: Value) {
    let script = "import os, sys, urllib.request\n\
        request = urllib.request.Request(sys.argv[1], data=sys.argv[2].encode(), method='POST', \
        headers={'Content-Type': 'application/json', 'X-Domino-Api-Key': os.environ['KEY']})\n\
        urllib.request.urlopen(request).read()\n";
    let url = format!("{}/api/2.0/mlflow/{route}", scene.sandbox.url());
    let status = Command::new("python3")
        .args(["-c", script, &url, &body.to_string()])
        .env("KEY", KEY)
        .status()
        .unwrap();
    assert!(status.success(), "{route}");
}

/// Step outputs without the one that tells when the version was registered.
fn without_identity(outputs: &str) -> String {
    let lines = outputs.lines();
    let lines = lines.filter(|line| !line.starts_with("version-identity="));
    lines.map(|line| format!("{line}\n")).collect()
}

fn publish(scene: &Scene, stage: &str) -> Run {
    scene.run(&["publish", "wine", "--stage", stage])
}

/// What the sandbox knows of an endpoint.
fn endpoint(scene: &Scene, name: &str) -> Value {
    let state = scene.sandbox.state();
    let all = state["modelApis"].as_array().cloned().unwrap_or_default();
    let mut named: Vec<Value> = all.into_iter().filter(|api| api["name"] == name).collect();
    assert!(named.len() <= 1, "{named:?}");
    named.pop().unwrap_or(Value::Null)
}

fn versions(scene: &Scene, name: &str) -> Vec<Value> {
    endpoint(scene, name)["versions"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// The number of the version that serves, and the version of the registered model in it.
fn serves(scene: &Scene, name: &str) -> (Value, Value) {
    let active = endpoint(scene, name)["activeVersion"].clone();
    let version = versions(scene, name)
        .into_iter()
        .find(|version| version["number"] == active);
    let source = version.map_or(Value::Null, |version| {
        version["source"]["registeredModelVersion"].clone()
    });
    (active, source)
}

/// The requests that change something in Domino. Calling a model changes nothing.
fn writes(scene: &Scene) -> Vec<String> {
    scene
        .sandbox
        .requests()
        .iter()
        .filter(|request| request.method != "GET")
        .filter(|request| {
            !request.path.starts_with("/models/") && !request.path.contains("/mlflow")
        })
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

/// The body of the last request to a path that ends like this.
fn body_of(scene: &Scene, method: &str, path: &str) -> Value {
    let requests = scene.sandbox.requests();
    let request = requests
        .iter()
        .rfind(|request| request.method == method && request.path.ends_with(path));
    request.and_then(|request| request.body.clone()).unwrap()
}

fn edit(route: &str, pointer: &str, value: Value) -> Fault {
    let misbehaviour = Misbehaviour::Edit {
        set: [(pointer.to_owned(), value)].into(),
        remove: Vec::new(),
    };
    Fault::on(route, misbehaviour)
}

#[test]
fn a_first_publish_creates_the_endpoint_and_proves_that_it_serves() {
    let mut scene = scene();
    scene.on_github("77");
    register(&scene, "wine", "return x + 2");
    let run = publish(&scene, "dev").exits(0);
    assert_snapshot!(
        "first",
        format!(
            "{run}--- outputs\n{}--- summary\n{}",
            without_identity(&scene.outputs()),
            scene.summary()
        )
    );
    assert_eq!(serves(&scene, "wine-dev"), (json!(1), json!(1)));
    assert_eq!(scene.output("version").as_deref(), Some("1"));
}

#[test]
fn a_cold_publish_needs_nine_requests_in_four_rounds() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    let before = scene.sandbox.requests().len();
    scene
        .run(&["publish", "wine", "--stage", "dev", "--no-wait"])
        .exits(0);
    let requests = &scene.sandbox.requests()[before..];
    let paths: Vec<&str> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(requests.len(), 9, "{paths:?}");
    // The project; tiers, environments, endpoints, those of the model and the version side by side; the creation; which version it is, and whether it is the only one.
    for middle in &requests[1..6] {
        assert!(
            requests[0].ended.unwrap() <= middle.started
                && middle.ended.unwrap() <= requests[6].started
        );
    }
    assert_eq!(requests[6].method, "POST");
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    let run = scene
        .run(&["publish", "wine", "--stage", "dev", "--dry-run"])
        .exits(0);
    assert_snapshot!("dry_run", run);
    assert_eq!(writes(&scene), [""; 0]);
}

#[test]
fn a_second_publish_changes_nothing_and_tests_again() {
    for version in GENERATIONS {
        let scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        let (made, served) = (
            writes(&scene),
            versions(&scene, "wine-dev")[0]["served"].clone(),
        );
        publish(&scene, "dev")
            .exits(0)
            .tells("is as wanted: version 1 of endpoint `wine-dev` serves");
        assert_eq!(writes(&scene), made, "{version}");
        let again = versions(&scene, "wine-dev")[0]["served"].clone();
        assert!(again.as_u64() > served.as_u64(), "{version}");
    }
}

#[test]
fn a_new_version_of_the_model_takes_the_place_of_the_old_one() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        scene.on_github("77");
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        register(&scene, "wine", "return x + 2.1");
        publish(&scene, "dev")
            .exits(0)
            .tells("version 2 of endpoint `wine-dev` serves version 2 of `wine`");
        assert_eq!(
            serves(&scene, "wine-dev"),
            (json!(2), json!(2)),
            "{version}"
        );
        assert_eq!(scene.output("version").as_deref(), Some("2"));
        assert_eq!(scene.output("endpoint-version").as_deref(), Some("2"));
        assert_eq!(scene.output("smoke").as_deref(), Some("passed"));
    }
}

#[test]
fn each_publish_sends_all_that_the_endpoint_shall_be() {
    let scene = scene_of("5.9");
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    publish(&scene, "staging").exits(0);
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let created = body_of(&scene, "POST", "/v1/models");
    let version = body_of(&scene, "POST", "/versions");
    for (body, replicas, tier) in [
        (&created, 2, "staging-endpoint-model-k8s"),
        (&version, 2, "dev-endpoint-model-k8s"),
    ] {
        assert_eq!(body["replicaCount"], replicas);
        assert_eq!(
            body["environmentVariables"],
            json!([{"key": "LOG_LEVEL", "value": "info"}])
        );
        assert_eq!(body["logHttpRequestResponse"], false);
        assert_eq!(body["hardwareTierId"], tier);
        assert!(body["environmentId"].is_string());
    }
}

#[test]
fn what_somebody_changed_by_hand_is_put_right() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let stages = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    let stages = stages.replace("smoke-test", "replicas = 3\nsmoke-test");
    std::fs::write(scene.path().join("stages.toml"), stages).unwrap();
    let run = publish(&scene, "dev").exits(0);
    assert!(run.stdout.contains("~ replicas: `2` → `3`"), "{run}");
    let endpoint = endpoint(&scene, "wine-dev");
    assert_eq!(endpoint["replicas"], 3);
    assert_eq!(endpoint["activeVersion"], 2);
    publish(&scene, "dev").exits(0).tells("is as wanted");
}

#[test]
fn environment_variables_that_cannot_be_changed_are_refused_with_the_way_out() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let stages = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    std::fs::write(
        scene.path().join("stages.toml"),
        stages.replace("\"info\"", "\"debug\""),
    )
    .unwrap();
    let before = writes(&scene);
    assert_snapshot!("variables", publish(&scene, "dev").exits(3));
    assert_eq!(writes(&scene), before);
    scene
        .run(&["publish", "wine", "--stage", "dev", "--variables-are-set"])
        .exits(0);
    publish(&scene, "dev").exits(0).tells("is as wanted");
}

#[test]
fn a_lost_reply_never_makes_a_second_one() {
    for (version, create, new_version) in [
        (
            "6.3",
            "POST /api/modelServing/v1/modelApis",
            "POST /api/modelServing/v1/modelApis/*/versions",
        ),
        ("5.9", "POST /v1/models", "POST /v1/models/*/versions"),
    ] {
        for lost in [
            Misbehaviour::Reset { processed: true },
            Misbehaviour::Truncate,
            Misbehaviour::Status {
                status: 502,
                retry_after: None,
                processed: true,
            },
        ] {
            let scene = scene_of(version);
            register(&scene, "wine", "return x + 2");
            let faults = scene.sandbox.faults();
            faults.add(Fault::on(create, lost.clone()).single());
            publish(&scene, "dev").exits(0).tells("was lost");
            assert_eq!(versions(&scene, "wine-dev").len(), 1, "{version} {lost:?}");
            register(&scene, "wine", "return x + 2.1");
            faults.add(Fault::on(new_version, lost.clone()).single());
            publish(&scene, "dev").exits(0).tells("was lost");
            assert_eq!(versions(&scene, "wine-dev").len(), 2, "{version} {lost:?}");
        }
    }
}

#[test]
fn an_unknown_tier_names_the_nearest_and_changes_nothing() {
    let mut scene = scene();
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("dev-endpoint", "dev-endpont"),
    );
    scene
        .run(&["publish", "function", "--stage", "dev"])
        .exits(3)
        .tells("`dev-endpont`")
        .tells("`dev-endpoint");
    assert_eq!(writes(&scene), [""; 0]);
}

#[test]
fn two_endpoints_of_one_name_are_not_guessed_between() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    publish(&scene, "staging").exits(0);
    scene.sandbox.faults().add(edit(
        "GET /api/modelServing/v1/modelApis",
        "/items/*/name",
        json!("wine-dev"),
    ));
    publish(&scene, "dev")
        .exits(3)
        .tells("2 endpoints of project `wine-team/wine` are called `wine-dev`");
}

#[test]
fn a_refused_list_is_a_refusal_and_no_older_domino() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    let refused = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    scene
        .sandbox
        .faults()
        .add(Fault::on("GET /api/modelServing/v1/modelApis", refused));
    publish(&scene, "dev").exits(3).tells("403 Forbidden");
    assert!(
        scene
            .sandbox
            .requests()
            .iter()
            .all(|request| !request.path.starts_with("/v1/"))
    );
}

#[test]
fn an_interruption_says_what_goes_on_and_the_next_run_follows_it() {
    for (signal, exit) in [("INT", 130), ("TERM", 143)] {
        let scene = scene();
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        register(&scene, "wine", "return x + 2.1");
        scene.sandbox.faults().add_model_fault(ModelFault {
            stuck_at: Some("Building".into()),
            ..ModelFault::default()
        });
        let running = scene.start(&["publish", "wine", "--stage", "dev"]);
        eventually("the second version is made", || {
            versions(&scene, "wine-dev").len() == 2
        });
        // The signal must come while the version is waited for, and not while it is being made.
        let polled = |scene: &Scene| {
            let second = versions(scene, "wine-dev")[1]["id"].clone();
            let path = format!("/versions/{}", second.as_str().unwrap());
            scene
                .sandbox
                .requests()
                .iter()
                .any(|request| request.path.ends_with(&path))
        };
        eventually("it is waited for", || polled(&scene));
        running.signal(signal);
        running.end().exits(exit).tells(
            "interrupted; version 2 of endpoint `wine-dev` goes on in Domino and will serve, untested, once it runs; \
             until then version 1 does",
        );
    }
}
