//! What the stage file says of how an endpoint answers: calls whose answer is fetched later, monitoring, its host, its
//! replicas, and that it is stopped and started.

use domino_sandbox::PolicySeed;
use serde_json::{Value, json};

use crate::harness::{MODEL_TOKEN, Scene, Setup};
use crate::shared_endpoint::{active, by_hand, id_of, only};
use crate::{GENERATIONS, PROGRAM, writes};

const TENFOLD: &str = "def predict(x):\n    return {\"tenfold\": x * 10}\n";
const SMOKE: &str = "{\"name\": \"one\", \"input\": {\"data\": {\"x\": 1}}, \"expect\": {\"result\": {\"tenfold\": 10}}}\n";

/// A scene whose one model, a function, says this of its endpoint.
pub fn scene(version: &str, keys: &str) -> Scene {
    let mut scene = Setup {
        version,
        stages: &stages(keys),
        files: &[("smoke.jsonl", SMOKE), ("function.py", TENFOLD)],
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene.variable("DOMINO_MODEL_TOKEN", MODEL_TOKEN);
    scene
}

/// The stage file of such a scene.
pub fn stages(keys: &str) -> String {
    format!(
        "[stage.dev]\nhost = \"domino.example.com\"\nproject = \"wine-team/wine\"\nenvironment = \"Standard\"\n\
         hardware-tier = {{ models = \"dev-endpoint\" }}\n\n[model.tenfold]\nfile = \"function.py\"\n\
         function = \"predict\"\nsmoke-test = \"smoke.jsonl\"\n{keys}\n"
    )
}

pub const PUBLISH: &[&str] = &["publish", "tenfold", "--stage", "dev"];

/// Another commit, which makes another version of the function.
pub fn another(scene: &mut Scene, text: &str) {
    scene.commit_file("function.py", text);
}

#[test]
fn an_asynchronous_endpoint_is_tested_as_it_is_called_and_stays() {
    for version in GENERATIONS {
        let mut scene = scene(version, "asynchronous = true");
        scene
            .run(PUBLISH)
            .exits(0)
            .plans("calls          asynchronous: the answer is fetched later")
            .tells("1 request left for asynchronous answers answered as expected")
            .tells("/api/modelApis/async/v1/");
        let endpoint = only(&scene);
        assert_eq!(
            (&endpoint["isAsync"], &endpoint["asyncRequests"]),
            (&json!(true), &json!(1))
        );
        another(&mut scene, &format!("# The same.\n{TENFOLD}"));
        scene.run(PUBLISH).exits(0);
        assert_eq!(active(&only(&scene))["number"], 2);
        std::fs::write(scene.path().join("one.json"), r#"{"data": {"x": 4}}"#).unwrap();
        let invoke = ["invoke", "tenfold", "--stage", "dev", "--input", "one.json"];
        let answer: Value = serde_json::from_str(&scene.run(&invoke).exits(0).stdout).unwrap();
        assert_eq!(answer["result"]["tenfold"], 40);
        // What fails there fails the version, and the one before comes back.
        another(
            &mut scene,
            "def predict(x):\n    raise ValueError('no such column')\n",
        );
        scene
            .run(PUBLISH)
            .exits(5)
            .tells("request `one`: the function failed: ")
            .tells("no such column");
    }
}

#[test]
fn what_nothing_changes_of_an_endpoint_is_refused_before_anything_is_written() {
    let mut other = scene("6.3", "");
    other.run(PUBLISH).exits(0);
    let written = writes(&other).len();
    other.commit_file("stages.toml", &stages("asynchronous = true"));
    other
        .run(PUBLISH)
        .exits(3)
        .tells("endpoint `tenfold-dev` is not asynchronous, which is fixed since it was made")
        .tells("change `asynchronous` under `[model.tenfold]`");
    other.commit_file("stages.toml", &stages("routing = \"advanced\""));
    other.run(PUBLISH).exits(3).tells(
        "endpoint `tenfold-dev` has `routingMode` `basic` in Domino, and stages.toml says `advanced`",
    );
    other.commit_file("stages.toml", &stages("bundle = \"b\""));
    other
        .run(PUBLISH)
        .exits(3)
        .tells("endpoint `tenfold-dev` belongs to no bundle in Domino, and stages.toml says `b`");
    assert_eq!(writes(&other).len(), written);
    for (keys, says) in [
        ("monitoring = true", "cannot be monitored"),
        ("bundle = \"b\"", "cannot belong to a bundle"),
        (
            "routing = \"advanced\"",
            "cannot be held to routing by labels",
        ),
    ] {
        let older = scene("5.9", keys);
        older.run(PUBLISH).exits(3).tells(says);
        assert_eq!(older.sandbox.state()["modelApis"], json!([]));
    }
    let mut unnamed = scene("6.3", "asynchronous = true");
    let smoke = "{\"input\": {\"parameters\": [1]}, \"expect\": {\"result\": {\"tenfold\": 10}}}\n";
    unnamed.commit_file("smoke.jsonl", smoke);
    unnamed.run(PUBLISH).exits(2).tells(
        "request `line 1` has arguments without names, and endpoint `tenfold-dev` is asynchronous",
    );
    assert_eq!(unnamed.sandbox.state()["modelApis"], json!([]));
}

#[test]
fn a_new_endpoint_belongs_to_its_bundle_and_is_made_by_the_api_that_is_named() {
    let mut governed = Setup {
        stages: &stages(""),
        files: &[("smoke.jsonl", SMOKE), ("function.py", TENFOLD)],
        seed: |seed| seed.policy(PolicySeed::new("Endpoints")),
        ..Setup::of(PROGRAM)
    }
    .scene();
    governed.variable("DOMINO_MODEL_TOKEN", MODEL_TOKEN);
    let api = "/api/governance/v1";
    let policies = by_hand(&governed, "GET", &format!("{api}/policy-overviews"), None);
    let (policy, project) = (
        &policies["data"][0]["id"],
        governed.sandbox.state()["projects"][0]["id"].clone(),
    );
    let bundle =
        json!({ "name": "Tenfold", "policyId": policy, "projectId": project, "attachments": [] });
    let bundle = by_hand(&governed, "POST", &format!("{api}/bundles"), Some(&bundle));
    let id = bundle["id"].as_str().unwrap().to_owned();
    governed.commit_file("stages.toml", &stages(&format!("bundle = \"{id}\"")));
    let run = governed.run(PUBLISH).exits(7);
    run.tells("does not let endpoint `tenfold-dev` be started: gate `Serve the model` is closed");
    assert_eq!(governed.sandbox.state()["modelApis"], json!([]));
    let approvals = by_hand(
        &governed,
        "GET",
        &format!("{api}/bundles/{id}/approvals"),
        None,
    );
    let event = json!({
        "bundleId": id, "policyId": policy, "projectId": project, "eventType": "RequestSubmitted",
        "approvalId": approvals[0]["id"],
    });
    by_hand(
        &governed,
        "POST",
        &format!("{api}/rpc/publish-approval-event"),
        Some(&event),
    );
    assert_eq!(
        governed.sandbox.approve_waiting("approver").unwrap().len(),
        1
    );
    governed.run(PUBLISH).exits(0);
    assert_eq!(only(&governed)["bundleId"], id.as_str());
    governed.run(PUBLISH).exits(0).tells("is as wanted");
    let older = scene("6.3", "api = \"models\"");
    older.run(PUBLISH).exits(0);
    let asked = older.sandbox.requests();
    let by_newer = |path: &str| path.starts_with("/api/modelServing/");
    assert!(!asked.iter().any(|request| by_newer(&request.path)));
    assert_eq!(only(&older)["name"], "tenfold-dev");
}

#[test]
fn monitoring_is_switched_on_and_off_and_its_data_set_stays() {
    let mut scene = scene("6.3", "");
    scene
        .run(PUBLISH)
        .exits(0)
        .plans("replicas       Domino's default, which is 2 unless changed");
    assert_eq!(only(&scene)["replicas"], 2);
    let monitored = |scene: &Scene| {
        let version = active(&only(scene));
        let told = [
            "monitoringEnabled",
            "recordInvocation",
            "predictionDatasetResourceId",
        ];
        told.map(|key| version[key].clone())
    };
    assert_eq!(monitored(&scene)[..2], [json!(false), json!(false)]);
    // Somebody gives it a data set of predictions, in a version of their own.
    let endpoint = only(&scene);
    let project = scene.sandbox.state()["projects"][0]["id"].clone();
    let version = json!({
        "projectId": project, "shouldDeploy": true, "logHttpRequestResponse": false, "monitoringEnabled": false,
        "predictionDatasetResourceId": "data-set-1",
        "source": { "type": "File", "file": "function.py", "function": "predict" },
    });
    let path = format!(
        "/api/modelServing/v1/modelApis/{}/versions",
        id_of(&endpoint)
    );
    by_hand(&scene, "POST", &path, Some(&version));
    crate::harness::eventually("the version of somebody runs", || {
        active(&only(&scene))["number"] == 2
    });
    let dataset = json!("data-set-1");
    scene.commit_file("stages.toml", &stages("monitoring = true"));
    scene
        .run(PUBLISH)
        .exits(0)
        .plans("monitoring: false → true")
        .plans("carried over  ");
    assert_eq!(
        monitored(&scene),
        [json!(true), json!(true), dataset.clone()]
    );
    scene.run(PUBLISH).exits(0).tells("is as wanted");
    // A file that is silent leaves it on.
    scene.commit_file("stages.toml", &stages(""));
    scene.run(PUBLISH).exits(0);
    assert_eq!(
        monitored(&scene),
        [json!(true), json!(true), dataset.clone()]
    );
    scene.commit_file("stages.toml", &stages("monitoring = false"));
    scene.run(PUBLISH).exits(0);
    assert_eq!(monitored(&scene), [json!(false), json!(true), dataset]);
}

#[test]
fn an_endpoint_is_called_at_the_host_of_the_stage_file() {
    let keys = "endpoint-host = \"http://127.0.0.1:1\"";
    let mut scene = scene("6.3", keys);
    scene
        .run(PUBLISH)
        .exits(5)
        .tells("does not answer at http://127.0.0.1:[port]/models/")
        .tells("`endpoint-host`");
    // A stage's own is taken before the model's, and a variable before both.
    let url = scene.sandbox.url().to_owned();
    let own = format!("{keys}\n[model.tenfold.stage.dev]\nendpoint-host = \"{url}\"");
    scene.commit_file("stages.toml", &stages(&own));
    scene.run(PUBLISH).exits(0);
    scene.variable("DOMINO_MODEL_HOST", "http://127.0.0.1:1");
    scene.run(PUBLISH).exits(5);
}

#[test]
fn what_is_stopped_stays_so_until_it_is_started() {
    for version in GENERATIONS {
        let scene = scene(version, "");
        let turn = |verb: &str| scene.run(&[verb, "tenfold", "--stage", "dev"]);
        turn("stop").exits(3).tells("has no endpoint `tenfold-dev`");
        scene.run(PUBLISH).exits(0);
        let status = || active(&only(&scene))["status"].clone();
        let planned = ["stop", "tenfold", "--stage", "dev", "--dry-run"];
        scene
            .run(&planned)
            .exits(0)
            .plans("version 1 (`Running`) is stopped");
        assert_eq!(status(), "Running");
        turn("stop")
            .exits(0)
            .tells("stopped endpoint `tenfold-dev`");
        assert_eq!(status(), "Stopped");
        turn("stop").exits(0).tells("is stopped already");
        scene.run(PUBLISH).exits(3).tells("somebody stopped it");
        turn("start").exits(0);
        assert_eq!(status(), "Running");
        turn("start").exits(0).tells("is started already");
        scene.run(PUBLISH).exits(0).tells("is as wanted");
        assert_eq!(only(&scene)["versions"].as_array().unwrap().len(), 1);
    }
}
