//! The output of `status`, `list`, `logs` and `invoke`, and the one JSON document.

use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{KEY, MODEL_TOKEN, Setup};
use crate::{GENERATIONS, PROGRAM, publish, register, scene, scene_of};

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
            .tells("project `wine-team/wine` has no endpoint `wine-dev`");
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
        assert_snapshot!(format!("verbs_{}", version.replace('.', "_")), seen);
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
        .tells("has no endpoint `wine-dev`");
    publish(&scene, "dev").exits(0);
    let run = scene.run(&invoke).exits(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["result"], 42);
    request(r#"{"data": {"y": 40}}"#);
    scene
        .run(&invoke)
        .exits(3)
        .tells("endpoint `wine-dev` refused the request")
        .tells("missing a required argument: 'x'");
    request("{");
    scene.run(&invoke).exits(2).tells("is no JSON");
    request(r#"{"data": {"x": 40}}"#);
    scene.variable("DOMINO_MODEL_TOKEN", "canary-model-wrong");
    scene
        .run(&invoke)
        .exits(3)
        .tells("refused the token in `DOMINO_MODEL_TOKEN`");
    scene.without("DOMINO_MODEL_TOKEN");
    scene
        .run(&invoke)
        .exits(3)
        .tells("endpoint `wine-dev` asks for an access token");
}

macro_rules! sample {
    ($path:literal) => {
        (
            concat!("src/project/", $path),
            include_str!(concat!("../../src/project/", $path)),
        )
    };
}

/// The sample of the repository that a user starts from.
const SAMPLE: &[(&str, &str)] = &[
    sample!("data/wine.csv"),
    sample!("jobs/execution.py"),
    sample!("jobs/experiments.py"),
    sample!("jobs/ridge.py"),
    sample!("jobs/train.py"),
    sample!("models/predict.py"),
    sample!("models/smoke.jsonl"),
];

const SAMPLE_STAGES: &str = r#"
[stage.dev]
host = "domino.example.com"
project = "wine-team/wine"
environment = "Standard"
hardware-tier = { models = "dev-endpoint" }

[model.wine-quality]
registered-model = "wine-quality"
version = "latest"
smoke-test = "src/project/models/smoke.jsonl"
"#;

#[test]
fn invoke_gives_the_answer_of_the_model_that_the_sample_trained() {
    let mut scene = Setup {
        stages: SAMPLE_STAGES,
        files: SAMPLE,
        ..Setup::of(PROGRAM)
    }
    .scene();
    let trained = Command::new("python3")
        .arg("src/project/jobs/train.py")
        .current_dir(scene.path())
        .env("MLFLOW_TRACKING_URI", scene.sandbox.url())
        .env("DOMINO_API_HOST", scene.sandbox.url())
        .env("DOMINO_USER_API_KEY", KEY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&trained.stderr);
    assert!(trained.status.success(), "{said}");
    scene
        .variable("DOMINO_MODEL_TOKEN", MODEL_TOKEN)
        .on_github("77");
    let stage = ["wine-quality", "--stage", "dev"];
    scene.run(&[&["publish"], &stage[..]].concat()).exits(0);
    assert_eq!(scene.output("smoke").as_deref(), Some("passed"));
    let recorded = include_str!("../../src/project/models/smoke.jsonl");
    let case: Value = serde_json::from_str(recorded.lines().next().unwrap()).unwrap();
    let request = scene.path().join("request.json");
    std::fs::write(request, case["input"].to_string()).unwrap();
    let invoke = [&["invoke"], &stage[..], &["--input", "request.json"]].concat();
    let run = scene.run(&invoke).exits(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let off = answer["result"].as_f64().unwrap() - case["expect"]["result"].as_f64().unwrap();
    assert!(off.abs() <= case["tolerance"].as_f64().unwrap(), "{run}");
}
