//! `deploy-model` from outside: what a user sees, what Domino received, and what an endpoint really answers.

mod harness;

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
        "model_first",
        format!(
            "{run}--- outputs\n{}--- summary\n{}",
            scene.outputs(),
            scene.summary()
        )
    );
    assert_eq!(serves(&scene, "wine-dev"), (json!(1), json!(1)));
    assert_eq!(scene.output("version").as_deref(), Some("1"));
}

#[test]
fn a_cold_publish_needs_seven_requests_in_four_rounds() {
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
    assert_eq!(requests.len(), 7, "{paths:?}");
    // The project; tiers, environments, endpoints and the version side by side; the creation; which version it is.
    for middle in &requests[1..5] {
        assert!(
            requests[0].ended.unwrap() <= middle.started
                && middle.ended.unwrap() <= requests[5].started
        );
    }
    assert_eq!(requests[5].method, "POST");
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    let run = scene
        .run(&["publish", "wine", "--stage", "dev", "--dry-run"])
        .exits(0);
    assert_snapshot!("model_dry_run", run);
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
            .says("is as wanted: version 1 of endpoint `wine-dev` serves");
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
            .says("version 2 of endpoint `wine-dev` serves version 2 of `wine`");
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
    for (body, replicas) in [(&created, 2), (&version, 1)] {
        assert_eq!(body["replicaCount"], replicas);
        assert_eq!(
            body["environmentVariables"],
            json!([{"key": "LOG_LEVEL", "value": "info"}])
        );
        assert_eq!(body["logHttpRequestResponse"], false);
        assert!(body["hardwareTierId"].is_string() && body["environmentId"].is_string());
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
    assert!(run.stdout.contains("~ replicas: `1` → `3`"), "{run}");
    let endpoint = endpoint(&scene, "wine-dev");
    assert_eq!(endpoint["replicas"], 3);
    assert_eq!(endpoint["activeVersion"], 2);
    publish(&scene, "dev").exits(0).says("is as wanted");
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
    assert_snapshot!("model_variables", publish(&scene, "dev").exits(3));
    assert_eq!(writes(&scene), before);
    scene
        .run(&["publish", "wine", "--stage", "dev", "--variables-are-set"])
        .exits(0);
    publish(&scene, "dev").exits(0).says("is as wanted");
}

#[test]
fn an_unknown_model_or_version_is_refused_and_what_there_is_is_named() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        publish(&scene, "dev")
            .exits(3)
            .says("there is no registered model `wine`");
        register(&scene, "wine", "return x + 2");
        scene
            .run(&["publish", "wine", "--stage", "dev", "--version", "9"])
            .exits(3)
            .says("registered model `wine` has no version 9")
            .says("its newest version is 1");
        scene.commit_file(
            "stages.toml",
            &STAGES.replace("registered-model = \"wine\"", "registered-model = \"wein\""),
        );
        publish(&scene, "dev")
            .exits(3)
            .says("there is no registered model `wein`");
        assert_eq!(writes(&scene), [""; 0], "{version}");
    }
}

#[test]
fn a_build_that_fails_shows_its_end_and_leaves_what_served() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        register(&scene, "wine", "return x\nimport no_such_library");
        scene.on_github("77");
        let run = publish(&scene, "dev")
            .exits(5)
            .says("version 2 of endpoint `wine-dev` ended as `Failed`; version 1 still serves")
            .says("No module named 'no_such_library'")
            .says("next: deploy-model logs wine --stage dev --id 2 --build");
        assert!(
            scene.summary().contains("No module named"),
            "{run}{}",
            scene.summary()
        );
        assert_eq!(
            serves(&scene, "wine-dev"),
            (json!(1), json!(1)),
            "{version}"
        );
    }
}

#[test]
fn a_version_that_never_runs_is_not_green_and_is_followed_by_the_next_run() {
    for version in GENERATIONS {
        for stuck in ["Building", "Stalled"] {
            let scene = scene_of(version);
            register(&scene, "wine", "return x + 2");
            publish(&scene, "dev").exits(0);
            register(&scene, "wine", "return x + 2.1");
            scene.sandbox.faults().add_model_fault(ModelFault {
                stuck_at: Some(stuck.into()),
                times: Some(1),
                ..ModelFault::default()
            });
            let arguments = ["publish", "wine", "--stage", "dev", "--timeout", "1s"];
            scene
                .run(&arguments)
                .exits(6)
                .says(&format!("version 2 of endpoint `wine-dev` is `{stuck}`"))
                .says("version 1 still serves");
            assert_eq!(serves(&scene, "wine-dev").0, 1);
            if stuck == "Building" {
                let run = scene.run(&arguments).exits(6);
                assert!(run.stdout.contains("follow version 2"), "{run}");
                assert_eq!(versions(&scene, "wine-dev").len(), 2, "{version}");
            }
        }
    }
}

#[test]
fn statuses_that_lie_or_are_unknown_are_waited_out() {
    for version in GENERATIONS {
        let scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        scene.sandbox.faults().add_model_fault(ModelFault {
            statuses: vec![
                "Dreaming".into(),
                "Unreachable".into(),
                "running soon".into(),
            ],
            ..ModelFault::default()
        });
        publish(&scene, "dev").exits(0);
        assert_eq!(serves(&scene, "wine-dev").0, 1);
    }
}

#[test]
fn a_version_that_fails_its_smoke_test_gives_way_to_the_one_before() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        register(&scene, "wine", "return x + 100");
        scene.on_github("77");
        let run = publish(&scene, "dev")
            .exits(5)
            .says("version 2 of endpoint `wine-dev` failed its smoke test; version 1 serves again")
            .says("request `one`: `result` is 101, expected 3 ± 0.5");
        if *version == "6.3" {
            assert_snapshot!("model_restored", run);
        }
        // What served before serves again, and answers.
        assert_eq!(serves(&scene, "wine-dev").1, json!(1), "{version}");
        assert_eq!(scene.output("smoke").as_deref(), Some("failed"));
        // The bad version is not taken for one that is on its way.
        publish(&scene, "dev").exits(5);
        assert_eq!(serves(&scene, "wine-dev").1, json!(1), "{version}");
    }
}

#[test]
fn the_settings_come_back_with_the_version_that_did() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 100");
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("smoke-test", "replicas = 3\nsmoke-test"),
    );
    publish(&scene, "dev")
        .exits(5)
        .says("version 1 serves again");
    assert_eq!(endpoint(&scene, "wine-dev")["replicas"], 1);
}

#[test]
fn a_first_version_that_fails_its_smoke_test_has_nothing_to_give_way_to() {
    let scene = scene();
    register(&scene, "wine", "return x + 100");
    publish(&scene, "dev")
        .exits(5)
        .says("version 1 of endpoint `wine-dev` failed its smoke test, and serves: there is no version before it");
    // It is there, as wanted, and no good: that is not green either.
    publish(&scene, "dev")
        .exits(5)
        .says("version 1 of endpoint `wine-dev`, which serves already, failed its smoke test");
    assert_eq!(versions(&scene, "wine-dev").len(), 1);
}

#[test]
fn a_restore_that_fails_is_said_first_and_loudest() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 100");
    let refused = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    let route = "POST /api/modelServing/v1/modelApis/*/versions";
    scene
        .sandbox
        .faults()
        .add(Fault::on(route, refused).after(1));
    let run = publish(&scene, "dev").exits(5);
    assert_snapshot!("model_not_restored", run);
}

#[test]
fn a_process_that_dies_at_once_does_not_pass_the_smoke_test() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 2.1");
    scene.sandbox.faults().add_model_fault(ModelFault {
        dies_after: Some(0),
        times: Some(1),
        ..ModelFault::default()
    });
    publish(&scene, "dev")
        .exits(5)
        .says("version 1 serves again");
    assert_eq!(serves(&scene, "wine-dev").1, json!(1));
}

#[test]
fn a_refused_token_is_a_refusal_and_nothing_is_put_back() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        scene.variable("DOMINO_MODEL_TOKEN", "canary-model-wrong");
        publish(&scene, "dev")
            .exits(3)
            .says("version 1 of endpoint `wine-dev` serves, but refused the token in `DOMINO_MODEL_TOKEN`");
        assert_eq!(serves(&scene, "wine-dev").0, 1, "{version}");
    }
}

#[test]
fn without_a_token_the_smoke_test_is_skipped_and_the_summary_says_so() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        scene.without("DOMINO_MODEL_TOKEN").on_github("77");
        publish(&scene, "dev").exits(0);
        let summary = scene.summary();
        assert!(summary.contains("the smoke test was skipped"), "{summary}");
        assert_eq!(
            scene.output("smoke").as_deref(),
            Some("skipped"),
            "{version}"
        );
    }
}

#[test]
fn one_secret_can_hold_the_tokens_of_several_models() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    let tokens = format!("other=canary-model-other\nwine={MODEL_TOKEN}\n");
    scene.variable("DOMINO_MODEL_TOKEN", &tokens);
    publish(&scene, "dev").exits(0);
    assert_eq!(versions(&scene, "wine-dev")[0]["served"], 1);
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
            .says("stage `dev` serves none of it: it has no endpoint `wine-dev`");
        publish(&scene, "dev").exits(0);
        // As the workflow hands it on.
        scene.variable("MODEL_VERSION", "1");
        let run = publish(&scene, "staging").exits(3);
        if *version == "6.3" {
            assert_snapshot!("model_drift", run);
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
        .says("no version of registered model `wine` is in stage `Production`");
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
        .says("2 versions of registered model `wine` are in stage `Production`");
    mlflow(
        &scene,
        "registered-models/alias",
        json!({"name": "wine", "alias": "champion", "version": "1"}),
    );
    scene.commit_file("stages.toml", &rule("alias:champion"));
    publish(&scene, "dev").exits(0);
    assert_eq!(serves(&scene, "wine-dev").1, 1);
    scene.commit_file("stages.toml", &rule("alias:challenger"));
    publish(&scene, "dev")
        .exits(3)
        .says("registered model `wine` has no alias `challenger`");
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
            faults.add(Fault::on(create, lost.clone()).once());
            publish(&scene, "dev").exits(0).says("was lost");
            assert_eq!(versions(&scene, "wine-dev").len(), 1, "{version} {lost:?}");
            register(&scene, "wine", "return x + 2.1");
            faults.add(Fault::on(new_version, lost.clone()).once());
            publish(&scene, "dev").exits(0).says("was lost");
            assert_eq!(versions(&scene, "wine-dev").len(), 2, "{version} {lost:?}");
        }
    }
}

#[test]
fn what_serves_must_be_what_was_asked_for() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    scene.sandbox.faults().add(edit(
        "GET /api/modelServing/v1/modelApis/*/versions/*",
        "/source/registeredModelVersion",
        json!(5),
    ));
    publish(&scene, "dev")
        .exits(5)
        .says("it serves version 5 of `wine` in place of version 1 of `wine`");
}

#[test]
fn a_version_that_runs_but_does_not_answer_yet_is_not_green() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 2.1");
    let first = versions(&scene, "wine-dev")[0]["id"].clone();
    scene.sandbox.faults().add(edit(
        "GET /api/modelServing/v1/modelApis/*",
        "/activeVersion/id",
        first,
    ));
    scene
        .run(&["publish", "wine", "--stage", "dev", "--timeout", "2s"])
        .exits(6);
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
        .says("2 endpoints of project `wine-team/wine` are called `wine-dev`");
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
    publish(&scene, "dev").exits(3).says("403 Forbidden");
    assert!(
        scene
            .sandbox
            .requests()
            .iter()
            .all(|request| !request.path.starts_with("/v1/"))
    );
}

#[test]
fn a_function_is_published_and_the_plan_says_what_cannot_be_pinned() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        let arguments = ["publish", "function", "--stage", "dev"];
        scene.on_github("77");
        scene
            .run(&arguments)
            .exits(0)
            .says("a function cannot be pinned to a commit");
        let summary = scene.summary();
        assert!(summary.contains("cannot be pinned"), "{summary}");
        scene.run(&arguments).exits(0).says("is as wanted");
        scene.commit_file("function.py", "def predict(x):\n    return x * 11\n");
        scene.on_github("78");
        let run = scene.run(&arguments).exits(0);
        assert!(run.stdout.contains("~ commit: "), "{run}");
        std::fs::write(scene.path().join("request.json"), r#"{"parameters": [3]}"#).unwrap();
        let run = scene.run(&[
            "invoke",
            "function",
            "--stage",
            "dev",
            "--input",
            "request.json",
        ]);
        assert!(run.exits(0).stdout.contains("33"), "{version}");
        scene
            .run(&["publish", "function", "--stage", "dev", "--version", "3"])
            .exits(2)
            .says("which has no versions");
    }
}

#[test]
fn a_function_for_another_commit_than_the_stage_befores_is_refused() {
    let mut scene = scene();
    let publish =
        |scene: &Scene, stage: &str| scene.run(&["publish", "function", "--stage", stage]);
    publish(&scene, "dev").exits(0);
    scene.commit_file("function.py", "def predict(x):\n    return x * 11\n");
    publish(&scene, "staging")
        .exits(3)
        .says("it serves a function built for commit");
    publish(&scene, "dev").exits(0);
    publish(&scene, "staging").exits(0);
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
        running.end().exits(exit).says(
            "interrupted; version 2 of endpoint `wine-dev` goes on in Domino and will serve, untested, once it runs; \
             until then version 1 does",
        );
    }
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    let json = |arguments: &[&str]| -> Value {
        let run = scene.run(&[arguments, &["--stage", "dev", "--format", "json"]].concat());
        serde_json::from_str(&run.stdout).unwrap_or_else(|problem| panic!("{problem}: {run}"))
    };
    let published = json(&["publish", "wine"]);
    assert_eq!(published["outcome"], "done");
    assert_eq!(published["outputs"]["version"], "1");
    assert_eq!(published["outputs"]["status"], "Running");
    let listed = json(&["list"]);
    assert_eq!(listed["table"][0]["endpoint"], "wine-dev");
    assert_eq!(listed["table"][0]["status"], "Running");
    std::fs::write(scene.path().join("request.json"), r#"{"data": {"x": 1}}"#).unwrap();
    let answered = json(&["invoke", "wine", "--input", "request.json"]);
    let answer: Value =
        serde_json::from_str(answered["facts"]["answer"].as_str().unwrap()).unwrap();
    assert_eq!(answer["result"], 3);
}

#[test]
fn the_other_verbs_tell_what_there_is() {
    for version in GENERATIONS {
        let scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        scene
            .run(&["status", "wine", "--stage", "dev"])
            .exits(3)
            .says("project `wine-team/wine` has no endpoint `wine-dev`");
        publish(&scene, "dev").exits(0);
        publish(&scene, "staging").exits(0);
        register(&scene, "wine", "return x\nimport no_such_library");
        publish(&scene, "dev").exits(5);
        let mut seen = String::new();
        for arguments in [
            &["status", "wine"][..],
            &["list"],
            &["logs", "wine"],
            &["logs", "wine", "--id", "1", "--build"],
        ] {
            let run = scene
                .run(&[arguments, &["--stage", "dev"]].concat())
                .exits(0);
            seen.push_str(&format!("{run}\n"));
        }
        assert_snapshot!(format!("model_verbs_{}", version.replace('.', "_")), seen);
    }
}

#[test]
fn invoke_gives_the_models_own_answer_and_its_own_words() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    let invoke = [
        "invoke",
        "wine",
        "--stage",
        "dev",
        "--input",
        "request.json",
    ];
    let request = |text: &str| std::fs::write(scene.path().join("request.json"), text).unwrap();
    request(r#"{"data": {"x": 40}}"#);
    scene
        .run(&invoke)
        .exits(3)
        .says("has no endpoint `wine-dev`");
    publish(&scene, "dev").exits(0);
    let run = scene.run(&invoke).exits(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["result"], 42);
    request(r#"{"data": {"y": 40}}"#);
    scene
        .run(&invoke)
        .exits(3)
        .says("endpoint `wine-dev` refused the request")
        .says("missing a required argument: 'x'");
    request("{");
    scene.run(&invoke).exits(2).says("is no JSON");
    request(r#"{"data": {"x": 40}}"#);
    scene.variable("DOMINO_MODEL_TOKEN", "canary-model-wrong");
    scene
        .run(&invoke)
        .exits(3)
        .says("refused the token in `DOMINO_MODEL_TOKEN`");
    scene.without("DOMINO_MODEL_TOKEN");
    scene
        .run(&invoke)
        .exits(3)
        .says("endpoint `wine-dev` asks for an access token");
}

#[test]
fn an_endpoint_that_is_not_at_dominos_own_host_is_said_to_be_elsewhere() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    scene.variable("DOMINO_MODEL_HOST", &host);
    publish(&scene, "dev")
        .exits(5)
        .says("is `Running` by Domino's word, but does not answer at")
        .says("an endpoint on a remote data plane has a host of its own");
    assert_eq!(serves(&scene, "wine-dev").0, 1);
}

#[test]
fn a_smoke_test_that_cannot_be_read_is_refused_before_anything_happens() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    scene.commit_file("smoke.jsonl", "{\"input\": 1}\nnonsense\n");
    publish(&scene, "dev")
        .exits(2)
        .says("smoke.jsonl:1: ")
        .says("smoke.jsonl:2: ");
    std::fs::write(scene.path().join("other.jsonl"), SMOKE).unwrap();
    scene
        .run(&[
            "publish",
            "wine",
            "--stage",
            "dev",
            "--smoke",
            "other.jsonl",
        ])
        .exits(0);
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
        .says("stage `dev` is on another Domino")
        .says("`MODEL_VERSION`");
    scene.variable("MODEL_VERSION", "1").on_github("77");
    publish(&scene, "staging").exits(0);
    let summary = scene.summary();
    assert!(summary.contains("could not be checked"), "{summary}");
}

#[test]
fn no_credential_of_dominos_ever_goes_to_an_endpoint() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let requests = scene.sandbox.requests();
    let calls: Vec<_> = requests
        .iter()
        .filter(|request| request.path.starts_with("/models/"))
        .collect();
    assert!(!calls.is_empty());
    for request in requests.iter().filter(|r| !r.path.contains("/mlflow")) {
        let basic = request.credential == domino_sandbox::Credential::Basic;
        assert_eq!(
            basic,
            request.path.starts_with("/models/"),
            "{}",
            request.path
        );
    }
}
