//! `deploy-model publish` with faults at every request, on both generations of routes: never green without success,
//! nothing done twice, and no credential shown, even if the server repeats it.

mod harness;

use harness::matrix::Matrix;
use harness::{Scene, Setup};

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-model");

const STAGES: &str = r#"
[stage.dev]
host = "domino.example.com"
project = "wine-team/wine"
environment = "Standard"
hardware-tier = { models = "dev-endpoint" }
github-environment = "DEV"

[model.tenfold]
file = "function.py"
function = "predict"
smoke-test = "smoke.jsonl"
"#;

const FILES: &[(&str, &str)] = &[
    ("function.py", "def predict(x):\n    return x * 10\n"),
    (
        "smoke.jsonl",
        "{\"name\": \"one\", \"input\": {\"data\": {\"x\": 1}}, \"expect\": {\"result\": 10}}\n",
    ),
];

const PUBLISH: &[&str] = &[
    "publish",
    "tenfold",
    "--stage",
    "dev",
    "--timeout",
    "40s",
    "--request-timeout",
    "2s",
];

fn scene(version: &str) -> Scene {
    let mut scene = Setup {
        version,
        stages: STAGES,
        files: FILES,
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene.on_github("77").variable("RUST_LOG", "trace");
    scene
}

fn all(scene: &Scene) -> Vec<serde_json::Value> {
    scene.sandbox.state()["modelApis"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// How many versions of endpoints there are: one endpoint has one, and two endpoints have two.
fn versions(scene: &Scene) -> usize {
    all(scene)
        .iter()
        .map(|api| api["versions"].as_array().map_or(0, Vec::len))
        .sum()
}

fn serves(scene: &Scene) -> bool {
    all(scene).iter().any(|api| {
        let versions = api["versions"].as_array().map_or(&[][..], Vec::as_slice);
        versions.iter().any(|version| {
            version["status"] == "Running"
                && version["isActive"] == true
                && version["isAlive"] == true
                && version["commit"] == scene.commit.as_str()
        })
    })
}

fn hold(name: &'static str, scene: fn() -> Scene) {
    Matrix {
        name,
        scene,
        arguments: PUBLISH,
        count: versions,
        serves,
        also: |route, _| {
            if route.starts_with("POST /models/") {
                &[5]
            } else {
                &[]
            }
        },
        costly: true,
    }
    .hold();
}

#[test]
fn no_fault_makes_publish_lie_or_publish_twice_on_model_serving() {
    hold("deploy-model publish on modelServing", || scene("6.3"));
}

#[test]
fn no_fault_makes_publish_lie_or_publish_twice_on_legacy_routes() {
    hold("deploy-model publish on /v1/models", || scene("5.9"));
}

#[test]
fn the_files_that_ship_lose_replies_and_connections_and_publish_once() {
    for file in ["lost-replies.toml", "flaky-network.toml"] {
        let mut scene = scene("6.3");
        scene.load_faults(file);
        let run = scene.run(&["publish", "tenfold", "--stage", "dev"]);
        assert_eq!(run.exit, 0, "{file}: {run}");
        assert!(serves(&scene), "{file}: {run}");
        assert_eq!(versions(&scene), 1, "{file}: {run}");
        let harmed = scene.sandbox.requests();
        let harmed = harmed.iter().filter(|request| request.fault.is_some());
        assert!(
            harmed
                .filter(|r| r.path.starts_with("/api/modelServing"))
                .count()
                > 0,
            "{file} harms nothing of models"
        );
    }
}

#[test]
fn the_file_of_failing_deployments_is_red_with_what_domino_says_of_the_build() {
    let stages = STAGES.replace("tenfold", "wine-quality");
    let mut scene = Setup {
        stages: &stages,
        files: FILES,
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene.load_faults("failing-deployments.toml");
    scene
        .run(&["publish", "wine-quality", "--stage", "dev"])
        .exits(5)
        .tells("wine-quality-dev");
    assert!(!serves(&scene));
}
