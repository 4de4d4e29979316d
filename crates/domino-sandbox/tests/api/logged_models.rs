//! Logged models over HTTP, as the client of MLflow 3 creates, measures and registers them, and the files of a
//! version whose source names a model.

use serde_json::{Value, json};

use crate::mlflow::refused;
use crate::world::{Reply, World, text};

impl World {
    /// A logged model of a run, in the run's experiment.
    fn logged_model(&self, run: &Value, name: &str) -> Value {
        let body = json!({
            "experiment_id": run["experiment_id"],
            "name": name,
            "model_type": "Agent",
            "source_run_id": run["run_id"],
            "params": [{ "key": "depth", "value": "3" }],
            "tags": [{ "key": "mlflow.user", "value": "author" }],
        });
        let made = self.mlflow("POST", "logged-models", body).ok();
        made["model"]["info"].clone()
    }

    fn logged_model_now(&self, id: &str) -> Value {
        self.mlflow_get(&format!("logged-models/{id}")).ok()["model"].clone()
    }

    /// Makes a version of the registered model `wine`.
    fn version(&self, body: Value) -> Reply {
        let model = json!({ "name": "wine" });
        self.mlflow("POST", "registered-models/create", model);
        self.mlflow("POST", "model-versions/create", body)
    }

    fn download_uri(&self, version: &str) -> String {
        let route = format!("model-versions/get-download-uri?name=wine&version={version}");
        text(&self.mlflow_get(&route).ok()["artifact_uri"])
    }
}

#[test]
fn a_logged_model_is_pending_until_its_run_says_how_it_went() {
    let world = World::new();
    let run = world.mlflow_run();
    let made = world.logged_model(&run, "wine");
    let id = text(&made["model_id"]);
    assert!(id.starts_with("m-"), "{id}");
    assert_eq!(made["status"], "LOGGED_MODEL_PENDING");
    assert_eq!(made["source_run_id"], run["run_id"]);
    let folder = format!("{}/models/{id}/artifacts", text(&run["experiment_id"]));
    assert_eq!(made["artifact_uri"], format!("mlflow-artifacts:/{folder}"));

    let route = format!("logged-models/{id}");
    let ready = json!({ "model_id": id, "status": "LOGGED_MODEL_READY" });
    let ready = world.mlflow("PATCH", &route, ready).ok();
    assert_eq!(ready["model"]["info"]["status"], "LOGGED_MODEL_READY");
    let tags =
        json!({ "tags": [{ "key": "a/b", "value": "1" }, { "key": "mlflow.user", "value": "x" }] });
    world.mlflow("PATCH", &format!("{route}/tags"), tags).ok();
    let more = json!({ "params": [{ "key": "seed", "value": "7" }] });
    world.mlflow("POST", &format!("{route}/params"), more).ok();
    let now = world.logged_model_now(&id);
    let tags = json!([{ "key": "mlflow.user", "value": "x" }, { "key": "a/b", "value": "1" }]);
    assert_eq!(now["info"]["tags"], tags);
    let parameters = json!([{ "key": "depth", "value": "3" }, { "key": "seed", "value": "7" }]);
    assert_eq!(now["data"], json!({ "params": parameters }));

    let tag = format!("{route}/tags/a%2Fb");
    world.mlflow("DELETE", &tag, json!({})).ok();
    let again = world.mlflow("DELETE", &tag, json!({}));
    refused(&again, 404, "RESOURCE_DOES_NOT_EXIST");
    let tags = json!([{ "key": "mlflow.user", "value": "x" }]);
    assert_eq!(world.logged_model_now(&id)["info"]["tags"], tags);
    world.mlflow("DELETE", &route, json!({})).ok();
    refused(&world.mlflow_get(&route), 404, "RESOURCE_DOES_NOT_EXIST");
}

#[test]
fn a_logged_model_needs_an_experiment_and_a_plain_name() {
    let world = World::new();
    let run = world.mlflow_run();
    let create = |experiment: &Value, name: &str| {
        let body = json!({ "experiment_id": experiment, "name": name });
        world.mlflow("POST", "logged-models", body)
    };
    let unknown = create(&json!("999"), "wine");
    refused(&unknown, 404, "RESOURCE_DOES_NOT_EXIST");
    for name in ["a/b", "a:b", "a.b", "a%b", "a'b", "a\"b"] {
        let reply = create(&run["experiment_id"], name);
        refused(&reply, 400, "INVALID_PARAMETER_VALUE");
    }
    let unnamed = create(&run["experiment_id"], "").ok();
    assert_ne!(unnamed["model"]["info"]["name"], "");
}

#[test]
fn what_a_run_measures_of_a_model_is_the_models_own_and_the_runs() {
    let world = World::new();
    let run = world.mlflow_run();
    let [one, other] = ["one", "other"].map(|name| world.logged_model(&run, name));
    let metric = json!({
        "run_id": run["run_id"], "key": "rmse", "value": 0.5, "timestamp": 1, "step": 0,
        "model_id": one["model_id"], "dataset_name": "wine-test", "dataset_digest": "d1",
    });
    world.mlflow("POST", "runs/log-metric", metric).ok();
    let no_number = json!({
        "key": "rmse", "value": "NaN", "timestamp": 2, "step": 1, "model_id": other["model_id"],
    });
    let batch = json!({ "run_id": run["run_id"], "metrics": [no_number] });
    world.mlflow("POST", "runs/log-batch", batch).ok();

    let rows = |model: &Value| world.logged_model_now(&text(&model["model_id"]))["data"].clone();
    let row = json!({
        "key": "rmse", "value": 0.5, "timestamp": 1, "step": 0, "run_id": run["run_id"],
        "model_id": one["model_id"], "dataset_name": "wine-test", "dataset_digest": "d1",
    });
    assert_eq!(rows(&one)["metrics"], json!([row]));
    // The database of MLflow keeps 0 where there is no number.
    let row = json!({
        "key": "rmse", "value": 0.0, "timestamp": 2, "step": 1, "run_id": run["run_id"],
        "model_id": other["model_id"],
    });
    assert_eq!(rows(&other)["metrics"], json!([row]));
    let route = format!("runs/get?run_id={}", text(&run["run_id"]));
    let of_run = world.mlflow_get(&route).ok()["run"]["data"]["metrics"].clone();
    assert_eq!(of_run[0]["value"], "NaN");
}

#[test]
fn nothing_of_a_batch_is_kept_that_names_a_model_that_is_not_there() {
    let world = World::new();
    let run = world.mlflow_run();
    let model = world.logged_model(&run, "wine");
    let metric = |id: &Value| json!({ "key": "rmse", "value": 1, "timestamp": 1, "model_id": id });
    let batch = json!({
        "run_id": run["run_id"],
        "metrics": [metric(&model["model_id"]), metric(&json!("m-nothing"))],
        "params": [{ "key": "seed", "value": "7" }],
        "tags": [{ "key": "k", "value": "v" }],
    });
    let reply = world.mlflow("POST", "runs/log-batch", batch);
    refused(&reply, 404, "RESOURCE_DOES_NOT_EXIST");
    let route = format!("runs/get?run_id={}", text(&run["run_id"]));
    let data = world.mlflow_get(&route).ok()["run"]["data"].clone();
    for noun in ["metrics", "params"] {
        let kept = data[noun].as_array().map_or(0, Vec::len);
        assert_eq!(kept, 0, "{data}");
    }
    assert!(!data.to_string().contains(r#""k""#), "{data}");
    let now = world.logged_model_now(&text(&model["model_id"]));
    assert_eq!(now["data"].get("metrics"), None);
}

#[test]
fn a_search_finds_models_by_filter_order_and_page() {
    let world = World::new();
    let run = world.mlflow_run();
    for (name, rmse) in [("a", 0.3), ("b", 0.1), ("c", 0.2)] {
        let model = world.logged_model(&run, name);
        let metric = json!({
            "run_id": run["run_id"], "key": "rmse", "value": rmse, "timestamp": 1,
            "model_id": model["model_id"],
        });
        world.mlflow("POST", "runs/log-metric", metric).ok();
    }
    world.logged_model(&run, "unmeasured");
    let search = |more: Value| {
        let mut body = json!({ "experiment_ids": [run["experiment_id"]] });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        world.mlflow("POST", "logged-models/search", body)
    };
    let names = |reply: &Value| -> Vec<String> {
        let models = reply["models"].as_array().cloned().unwrap_or_default();
        let of = |model: &Value| text(&model["info"]["name"]);
        models.iter().map(of).collect()
    };
    let by_rmse = json!([{ "field_name": "metrics.rmse", "ascending": true }]);
    let sorted = search(json!({ "order_by": by_rmse })).ok();
    assert_eq!(names(&sorted), ["b", "c", "a", "unmeasured"]);
    let falling = json!([{ "field_name": "metrics.rmse", "ascending": false }]);
    let first = search(json!({ "order_by": falling, "max_results": 2 })).ok();
    assert_eq!(names(&first), ["a", "c"]);
    let next = json!({
        "order_by": falling, "max_results": 2, "page_token": first["next_page_token"],
    });
    assert_eq!(names(&search(next).ok()), ["b", "unmeasured"]);
    let good = search(json!({ "filter": "metrics.rmse < 0.25", "order_by": by_rmse })).ok();
    assert_eq!(names(&good), ["b", "c"]);
    let named = search(json!({ "filter": "name = 'a' AND params.depth = '3'" })).ok();
    assert_eq!(names(&named), ["a"]);
    for wrong in [
        json!({ "experiment_ids": [] }),
        json!({ "order_by": [{ "field_name": "nothing" }] }),
        json!({ "order_by": [{ "field_name": "params.depth" }] }),
    ] {
        refused(&search(wrong), 400, "INVALID_PARAMETER_VALUE");
    }
}

#[test]
fn the_files_of_a_logged_model_are_its_own() {
    let world = World::new();
    let run = world.mlflow_run();
    let model = world.logged_model(&run, "wine");
    world.upload(&model, "MLmodel", b"{}");
    world.upload(&model, "data/model.pkl", b"123");
    let route = format!(
        "logged-models/{}/artifacts/directories",
        text(&model["model_id"])
    );
    let listed = world.mlflow_get(&route).ok();
    assert_eq!(listed["root_uri"], model["artifact_uri"]);
    let files = json!([
        { "path": "MLmodel", "is_dir": false, "file_size": 2 },
        { "path": "data", "is_dir": true },
    ]);
    assert_eq!(listed["files"], files);
    let below = world.mlflow_get(&format!("{route}?artifact_directory_path=data"));
    let files = json!([{ "path": "data/model.pkl", "is_dir": false, "file_size": 3 }]);
    assert_eq!(below.ok()["files"], files);
    let of_nothing = world.mlflow_get("logged-models/m-nothing/artifacts/directories");
    refused(&of_nothing, 404, "RESOURCE_DOES_NOT_EXIST");
}

#[test]
fn a_version_of_a_logged_model_has_the_models_files() {
    let world = World::new();
    let run = world.mlflow_run();
    let model = world.logged_model(&run, "wine");
    let id = text(&model["model_id"]);
    let source = format!("models:/{id}");
    let body = json!({
        "name": "wine", "source": source, "run_id": run["run_id"], "model_id": id,
    });
    let made = world.version(body.clone()).ok();
    assert_eq!(made["model_version"]["source"], source);
    assert_eq!(world.download_uri("1"), text(&model["artifact_uri"]));
    // The call must say which model it means, beside the source.
    for (key, value) in [
        ("model_id", json!(null)),
        ("model_id", json!("m-other")),
        ("source", json!("models:/")),
    ] {
        let mut wrong = body.clone();
        wrong[key] = value;
        refused(&world.version(wrong), 400, "INVALID_PARAMETER_VALUE");
    }
    let nothing = json!({ "name": "wine", "source": "models:/m-nothing", "model_id": "m-nothing" });
    refused(&world.version(nothing), 404, "RESOURCE_DOES_NOT_EXIST");
}

#[test]
fn a_copy_has_files_and_run_of_what_it_copies_however_often_it_is_copied() {
    let world = World::new();
    let run = world.mlflow_run();
    let original = world.register("wine", &run);
    for copied in ["models:/wine/1", "models:/wine/2"] {
        let made = world.version(json!({ "name": "wine", "source": copied }));
        let made = made.ok()["model_version"].clone();
        assert_eq!(made["source"], copied);
        assert_eq!(made["run_id"], run["run_id"]);
    }
    for version in ["1", "2", "3"] {
        assert_eq!(world.download_uri(version), text(&original["source"]));
    }
    for absent in ["models:/wine/9", "models:/nothing/1"] {
        let reply = world.version(json!({ "name": "wine", "source": absent }));
        refused(&reply, 404, "RESOURCE_DOES_NOT_EXIST");
    }
}
