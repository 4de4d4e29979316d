//! A model that a job trains: the first stage publishes the version that the run registered, even if there is a newer
//! one; if the run registered none or several, the error names them.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{KEY, MODEL_TOKEN, Scene, Setup, eventually};
use crate::{PROGRAM, STAGES, mlflow, publish, register, serves, versions, writes};

/// Registers a version as often as it is told, as Domino has its MLflow do: with its run at both, or at the run only.
const TRAIN: &str = include_str!("../fixtures/register.py");

const SMOKE: &str = r#"{"input": {"data": {"x": 1}}, "expect": {"result": 3}, "tolerance": 0.5}
"#;

fn scene() -> Scene {
    let stages = STAGES.replace("version = \"latest\"", "trained-by = \"train\"");
    let stages = format!("{stages}\n[job.train]\ncommand = \"train.py 1\"\n");
    let stages = stages.replace(
        "hardware-tier = { models = \"dev-endpoint\" }",
        "hardware-tier = { models = \"dev-endpoint\", jobs = \"dev-small\" }",
    );
    let mut scene = Setup {
        stages: &stages,
        files: &[
            ("train.py", TRAIN),
            ("smoke.jsonl", SMOKE),
            ("function.py", "def predict(x):\n    return x * 10\n"),
        ],
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene.variable("DOMINO_MODEL_TOKEN", MODEL_TOKEN);
    scene
}

fn jobs(scene: &Scene) -> Vec<Value> {
    let state = scene.sandbox.state();
    state["jobs"].as_array().cloned().unwrap_or_default()
}

/// Runs the training in Domino to its end, with these arguments, and says which run it was.
fn train(scene: &Scene, arguments: &str) -> String {
    let body = json!({
        "projectId": scene.sandbox.state()["projects"][0]["id"],
        "commandToRun": format!("train.py {arguments}"),
        "mainRepoGitRef": {"type": "commitId", "value": scene.commit},
    });
    let script = "import os, sys, urllib.request\n\
        request = urllib.request.Request(sys.argv[1], data=sys.argv[2].encode(), method='POST', \
        headers={'Content-Type': 'application/json', 'X-Domino-Api-Key': os.environ['KEY']})\n\
        urllib.request.urlopen(request).read()\n";
    let url = format!("{}/v4/jobs/start", scene.sandbox.url());
    let status = std::process::Command::new("python3")
        .args(["-c", script, &url, &body.to_string()])
        .env("KEY", KEY)
        .status()
        .unwrap();
    assert!(status.success());
    let is_over = |job: &Value| {
        ["Succeeded", "Failed"]
            .iter()
            .any(|word| job["status"] == *word)
    };
    eventually("the training ends", || jobs(scene).iter().all(is_over));
    let jobs = jobs(scene);
    let newest = jobs
        .iter()
        .max_by_key(|job| job["number"].as_u64())
        .unwrap();
    newest["id"].as_str().unwrap().to_owned()
}

fn publish_of(scene: &mut Scene, run: &str) -> crate::harness::Run {
    scene.variable("TRAINED_BY_RUN", run);
    publish(scene, "dev")
}

#[test]
fn what_the_run_registered_is_published_whatever_is_newer() {
    for tagged in ["1", "1 untagged"] {
        let mut scene = scene();
        register(&scene, "wine", "return x - 7");
        let first = train(&scene, tagged);
        register(&scene, "wine", "return x - 7");
        let run = publish_of(&mut scene, &first)
            .exits(0)
            .tells("answered as expected");
        assert!(
            run.stdout
                .contains("version 2 of `wine` (registered by run 1 of job `train`)"),
            "{run}"
        );
        assert_eq!(serves(&scene, "wine-dev").1, 2);
        // The same run again is the same version.
        publish_of(&mut scene, &first).exits(0);
        assert_eq!(versions(&scene, "wine-dev").len(), 1);
        let second = train(&scene, tagged);
        publish_of(&mut scene, &second).exits(0);
        assert_eq!(serves(&scene, "wine-dev").1, 4);
        // The version moves on; nothing is trained for a later stage.
        scene.without("TRAINED_BY_RUN");
        publish(&scene, "staging").exits(0);
        assert_eq!(serves(&scene, "wine-staging").1, 4);
    }
}

#[test]
fn a_copy_that_somebody_made_since_is_not_what_the_run_registered() {
    let mut scene = scene();
    let run = train(&scene, "1");
    let copied = json!({
        "name": "wine", "source": "models:/wine/1",
        "tags": [{"key": "mlflow.domino.run_id", "value": run}],
    });
    mlflow(&scene, "model-versions/create", copied);
    publish_of(&mut scene, &run).exits(0);
    assert_eq!(serves(&scene, "wine-dev").1, 1);
}

#[test]
fn a_run_that_registered_nothing_or_two_is_red_and_says_so() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    let none = train(&scene, "0");
    assert_snapshot!("trained_nothing", publish_of(&mut scene, &none).exits(3));
    let two = train(&scene, "2");
    let told = publish_of(&mut scene, &two)
        .exits(3)
        .tells("run 2 of job `train` registered 2 versions of `wine`, and one is published")
        .tells("version 3 of `wine`, registered ")
        .tells("version 2 of `wine`, registered ");
    drop(told);
    assert_eq!(writes(&scene).len(), 2, "the two trainings");
}

#[test]
fn a_run_that_failed_or_ran_another_commit_trained_nothing_for_this_one() {
    let mut scene = scene();
    let failed = train(&scene, "1 failing");
    publish_of(&mut scene, &failed).exits(3).tells(
        "run 1 of job `train` is `Failed`, and only a run that succeeded has trained a model",
    );
    let run = train(&scene, "1");
    scene.commit_file("other.txt", "another commit");
    publish_of(&mut scene, &run)
        .exits(3)
        .tells("run 2 of job `train` ran ")
        .tells("give the run of this commit, or its commit with `--commit`");
    publish_of(&mut scene, "000000000000000000000000")
        .exits(3)
        .tells("there is no run `[id]` of job `train`");
    assert_eq!(serves(&scene, "wine-dev").1, Value::Null);
}

#[test]
fn the_first_stage_wants_the_run_and_no_other_does() {
    let mut scene = scene();
    let run = train(&scene, "1");
    publish(&scene, "dev")
        .exits(2)
        .tells("it is `trained-by` job `train`, and no run of that is given");
    scene.on_github("77");
    publish_of(&mut scene, "")
        .exits(2)
        .tells("`TRAINED_BY_RUN` is empty: the step that starts the job handed no run on");
    scene.variable("TRAINED_BY_RUN", &run);
    publish(&scene, "staging")
        .exits(2)
        .tells("stage `staging` gets the version that stage `dev` serves");
    scene
        .run(&["publish", "wine", "--stage", "dev", "--version", "1"])
        .exits(2)
        .tells("cannot be used with");
    scene
        .run(&["publish", "function", "--stage", "dev"])
        .exits(2)
        .tells("model `function` is not `trained-by` a job");
    scene.without("TRAINED_BY_RUN");
    scene
        .run(&["publish", "wine", "--stage", "dev", "--version", "1"])
        .exits(0);
}
