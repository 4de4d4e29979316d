//! Metric rules use what was measured of the version itself, and only by runs that finished.
#![allow(dead_code, reason = "each test binary uses the part it needs")]

use serde_json::{Value, json};

use crate::harness::{Run, Scene};
use crate::world::*;

const AT_MOST: &str = "metric-rules = [\"rmse must be at most 0.6\"]";

fn check(scene: &Scene, number: u64) -> Run {
    let number = number.to_string();
    scene.run(&[
        "check",
        "wine",
        "--to",
        "staging",
        "--version",
        &number,
        "--skip-order",
        "a test",
    ])
}

/// A run, and what was measured in it of a logged model.
fn run(scene: &Scene) -> String {
    let run = mlflow(
        scene,
        "POST",
        "runs/create",
        json!({"experiment_id": "0", "start_time": 1, "tags": [
            {"key": "mlflow.user", "value": "author"},
        ]}),
    );
    run["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

fn end(scene: &Scene, run: &str, status: &str) {
    let body = json!({"run_id": run, "status": status, "end_time": 2});
    mlflow(scene, "POST", "runs/update", body);
}

fn measure(
    scene: &Scene,
    run: &str,
    model: &str,
    value: Value,
    timestamp: u64,
    data_set: Option<&str>,
) {
    let mut body = json!({
        "run_id": run, "key": "rmse", "value": value, "timestamp": timestamp, "step": 0, "model_id": model,
    });
    if let Some(name) = data_set {
        let data_set =
            json!({"name": name, "digest": "d1", "source_type": "local", "source": "{}"});
        let inputs = json!({"run_id": run, "datasets": [{"dataset": data_set, "tags": []}]});
        domino(
            scene,
            "POST",
            "/api/2.0/mlflow/runs/log-inputs",
            Some(inputs),
        );
        body["dataset_name"] = json!(name);
        body["dataset_digest"] = json!("d1");
    }
    mlflow(scene, "POST", "runs/log-metric", body);
}

fn logged_model(scene: &Scene, run: &str, name: &str) -> String {
    let body = json!({"experiment_id": "0", "name": name, "source_run_id": run});
    let model = mlflow(scene, "POST", "logged-models", body);
    let id = model["model"]["info"]["model_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ready = json!({"model_id": id, "status": "LOGGED_MODEL_READY"});
    mlflow(scene, "PATCH", &format!("logged-models/{id}"), ready);
    id
}

fn version_of(scene: &Scene, name: &str, source: &str, run: &str) -> u64 {
    domino(
        scene,
        "POST",
        "/api/2.0/mlflow/registered-models/create",
        Some(json!({"name": name})),
    );
    let mut body = json!({"name": name, "source": source, "run_id": run});
    // A real server wants the logged model named beside its address, as the client does.
    if let Some(id) = source
        .strip_prefix("models:/")
        .filter(|id| id.starts_with("m-"))
    {
        body["model_id"] = json!(id);
    }
    let made = mlflow(scene, "POST", "model-versions/create", body);
    made["model_version"]["version"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// On any server that has logged models; `scene_of` makes a scene for a registered model with these rules.
pub fn of_the_model(scene_of: impl Fn(&str, &str) -> Scene) {
    let name = format!("wine-logged-{}", std::process::id());
    let scene = scene_of(&name, AT_MOST);
    let training = run(&scene);
    let (wine, baseline) = (
        logged_model(&scene, &training, "wine"),
        logged_model(&scene, &training, "baseline"),
    );
    measure(&scene, &training, &wine, json!(0.9), 1, None);
    measure(&scene, &training, &baseline, json!(0.5), 2, None);
    end(&scene, &training, "FINISHED");
    let one = version_of(&scene, &name, &format!("models:/{wine}"), &training);
    // Its run says 0.5, which is the sibling's.
    check(&scene, one)
        .exits(7)
        .tells("rmse is 0.9 in run [id]; rmse must be at most 0.6");
    let copy = version_of(&scene, &name, &format!("models:/{name}/{one}"), &training);
    check(&scene, copy).exits(7).tells("rmse is 0.9");
    let evaluation = run(&scene);
    measure(
        &scene,
        &evaluation,
        &wine,
        json!(0.4),
        20,
        Some("wine-test"),
    );
    check(&scene, one)
        .exits(7)
        .tells("proves nothing: run [id] is `RUNNING`");
    end(&scene, &evaluation, "FINISHED");
    let run = check(&scene, one).exits(0);
    let picked = "rmse is 0.4 on `wine-test` in run [id], the newest of 2";
    assert!(run.to_string().contains(picked), "{run}");
    let failed = self::run(&scene);
    measure(&scene, &failed, &wine, json!("NaN"), 30, Some("beer"));
    end(&scene, &failed, "FINISHED");
    check(&scene, one).exits(7).tells("rmse is NaN on `beer`");
    let file = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    let named = |data_set: &str| {
        let file = file.replace("rmse must", &format!("rmse on {data_set} must"));
        std::fs::write(scene.path().join("stages.toml"), file).unwrap();
        check(&scene, one)
    };
    named("wine-test").exits(0);
    named("milk")
        .exits(7)
        .tells("no metric `rmse` on data set `milk`; it has on `beer`, `wine-test`");
}

#[test]
fn a_rule_is_held_against_the_model_and_not_its_run() {
    of_the_model(|name, rules| {
        let scene = scene_with("", rules);
        let path = scene.path().join("stages.toml");
        let file = std::fs::read_to_string(&path).unwrap();
        let own = format!("registered-model = \"{name}\"");
        std::fs::write(path, file.replace("registered-model = \"wine\"", &own)).unwrap();
        scene
    });
}

#[test]
fn a_run_that_did_not_finish_proves_nothing() {
    let scene = scene_with("", AT_MOST);
    let one = register(&scene, "wine", 0.5);
    let run = version(&scene, "wine", one)["run_id"].clone();
    let run = run.as_str().unwrap();
    check(&scene, one).exits(0);
    for status in ["RUNNING", "FAILED", "KILLED"] {
        end(&scene, run, status);
        check(&scene, one).exits(7).tells(&format!(
            "rmse is 0.5, which proves nothing: run [id] is `{status}`"
        ));
    }
    end(&scene, run, "FINISHED");
    mlflow(&scene, "POST", "runs/delete", json!({"run_id": run}));
    check(&scene, one).exits(7).tells("run [id] was deleted");
}

#[test]
fn a_version_without_a_value_is_no_baseline_unless_the_file_says_so() {
    let rule = "metric-rules = [\"rmse must not rise by more than 2 %\"]";
    for (baseline, exit) in [("", 7), ("\nbaseline = \"optional\"", 0)] {
        let scene = scene_with("", &format!("{rule}{baseline}"));
        let training = run(&scene);
        end(&scene, &training, "FINISHED");
        let source = format!("runs:/{training}/model");
        let old = version_of(&scene, "wine", &source, &training);
        put(&scene, "wine", old, "Staging");
        let new = register(&scene, "wine", 0.5);
        let run = check(&scene, new).exits(exit);
        let says = "rmse is 0.5, with none of version 1 to compare with";
        assert!(run.to_string().contains(says), "{run}");
    }
}

#[test]
fn a_run_of_several_models_is_warned_of() {
    let scene = scene_with("", AT_MOST);
    let one = register(&scene, "wine", 0.5);
    let run = version(&scene, "wine", one)["run_id"].clone();
    let two = json!([{"artifact_path": "model"}, {"artifact_path": "scaler"}]).to_string();
    let body = json!({"run_id": run, "key": "mlflow.log-model.history", "value": two});
    mlflow(&scene, "POST", "runs/set-tag", body);
    check(&scene, one)
        .exits(0)
        .tells("logged 2 models and keeps one value a metric: it may be that of another model");
}
