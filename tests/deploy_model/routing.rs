//! An endpoint that routes by labels: a new version is tested as `latest`, and callers get it only then.

use std::time::Duration;

use domino_sandbox::{EndpointChange, Fault, Misbehaviour};
use serde_json::{Value, json};

use crate::endpoint_settings::{PUBLISH, another, scene, stages};
use crate::harness::{MODEL_TOKEN, Scene, eventually};
use crate::shared_endpoint::{change, only};

const LABEL: &str = "PUT /api/modelServing/v1/modelApis/*/versions/*/productionLabel";

const CALLED: &str = "POST /models/*/labels/prod/model";
const START_AGAIN: &str = "POST /v4/models/*/*/startModelDeployment";

fn advanced() -> Scene {
    scene("6.3", "routing = \"advanced\"")
}

/// The number of the version that the label leads to, if it leads to one.
fn promoted(scene: &Scene) -> Option<u64> {
    let endpoint = only(scene);
    let mut versions = endpoint["versions"].as_array().unwrap().iter();
    let promoted = versions.find(|version| version["isPromoted"] == true)?;
    promoted["number"].as_u64()
}

/// What callers get.
fn called(scene: &Scene) -> Value {
    std::fs::write(scene.path().join("one.json"), r#"{"data": {"x": 1}}"#).unwrap();
    let invoke = ["invoke", "tenfold", "--stage", "dev", "--input", "one.json"];
    let run = scene.run(&invoke).exits(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    answer["result"]["tenfold"].clone()
}

fn function(more: &str) -> String {
    format!("def predict(x):\n    return {{\"tenfold\": x * 10{more}}}\n")
}

#[test]
fn callers_get_a_version_once_it_passed_its_tests_and_never_another() {
    let mut scene = advanced();
    scene.run(PUBLISH).exits(0);
    assert_eq!((promoted(&scene), called(&scene)), (Some(1), json!(10)));
    scene.run(PUBLISH).exits(0).tells("is as wanted");
    another(&mut scene, &function(" + 0.0"));
    scene
        .run(&[PUBLISH, &["--dry-run"]].concat())
        .exits(0)
        .plans("`labels/prod` moves to the new version once that passed its tests");
    assert_eq!(promoted(&scene), Some(1));
    scene
        .run(PUBLISH)
        .exits(0)
        .tells("`labels/prod` leads to version 2")
        .tells("1 request to version 2 answered as expected")
        .tells("1 request to `labels/prod` answered as expected");
    assert_eq!((promoted(&scene), called(&scene)), (Some(2), json!(10.0)));
    // One that fails as `latest` is none that callers get.
    another(&mut scene, &function(" + 7"));
    for _ in 0..2 {
        let run = scene.run(PUBLISH).exits(5);
        run.tells("callers of `labels/prod`")
            .tells("still get version 2");
        assert_eq!((promoted(&scene), called(&scene)), (Some(2), json!(10.0)));
    }
    scene
        .run(&["status", "tenfold", "--stage", "dev"])
        .exits(0)
        .tells("version 2 of endpoint `tenfold-dev` is `Running`")
        .tells("callers of `labels/prod` get version 2")
        .tells("newest            version 3 (`Running`)");
    // Nor is one that cannot be built.
    another(&mut scene, "def predict(x:\n");
    scene
        .run(PUBLISH)
        .exits(5)
        .tells("ended as `Failed`; callers of `labels/prod` still get version 2");
    // Without the token nothing is tested, and so nothing is moved.
    another(&mut scene, &function(" + 0"));
    scene.without("DOMINO_MODEL_TOKEN");
    scene.run(PUBLISH).exits(3).tells("it was not tested");
    assert_eq!(promoted(&scene), Some(2));
    scene.variable("DOMINO_MODEL_TOKEN", MODEL_TOKEN);
    let made = only(&scene)["versions"].as_array().unwrap().len();
    scene
        .run(PUBLISH)
        .exits(0)
        .tells("`labels/prod` moves to version");
    assert_eq!(only(&scene)["versions"].as_array().unwrap().len(), made);
    assert_eq!(promoted(&scene), Some(made as u64));
}

#[test]
fn before_the_first_move_it_is_told_that_its_route_is_inferred() {
    let mut scene = scene("6.3", "");
    scene.run(PUBLISH).exits(0);
    change(&scene, EndpointChange::Routing("advanced"));
    scene.commit_file("stages.toml", &stages("routing = \"advanced\""));
    let spec = json!({"paths": {"/api/modelServing/v1/modelApis/{id}": {"get": {}}}});
    let spec = Misbehaviour::Reply {
        status: 200,
        content_type: "application/json".into(),
        body: spec.to_string(),
    };
    let faults = scene.sandbox.faults();
    faults.add(Fault::on("GET /docs/openapi/openapi-public.json", spec));
    let said = "has no route that moves it: the one that is used here is inferred";
    scene.run(PUBLISH).exits(0).tells(said);
    assert!(promoted(&scene).is_some());
    another(&mut scene, &function(" + 0.0"));
    let later = scene.run(&[PUBLISH, &["--dry-run"]].concat()).exits(0);
    assert!(!later.stderr.contains(said), "{later}");
}

#[test]
fn a_label_that_somebody_moved_stays_and_one_of_an_unsaid_routing_too() {
    let mut scene = advanced();
    scene.run(PUBLISH).exits(0);
    another(&mut scene, &function(" + 0.0"));
    scene.commit_file("stages.toml", &stages(""));
    scene.run(PUBLISH).exits(6).tells("still get version 1");
    assert_eq!(promoted(&scene), Some(1));
    change(&scene, EndpointChange::Routing("basic"));
    scene.commit_file("stages.toml", &stages("routing = \"advanced\""));
    let made = only(&scene)["versions"].as_array().unwrap().len();
    scene
        .run(PUBLISH)
        .exits(3)
        .tells("no route of Domino's changes it");
    assert_eq!(only(&scene)["versions"].as_array().unwrap().len(), made);
}

fn refused(status: u16) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed: false,
    }
}

#[test]
fn no_fault_of_the_move_is_green_with_callers_elsewhere_and_the_next_run_moves_it_once() {
    for (name, fault, exit) in [
        ("lost reply", Misbehaviour::Reset { processed: true }, 0),
        ("403", refused(403), 3),
        ("404", refused(404), 6),
        ("409", refused(409), 3),
        ("500", refused(500), 4),
        (
            "slow",
            Misbehaviour::Delay {
                by: Duration::from_secs(1),
            },
            0,
        ),
    ] {
        let mut scene = advanced();
        scene.run(PUBLISH).exits(0);
        another(&mut scene, &function(" + 0.0"));
        scene.sandbox.faults().add(Fault::on(LABEL, fault).single());
        let run = scene.run(PUBLISH);
        assert_eq!(run.exit, exit, "{name}: {run}");
        let moved = Some(if exit == 0 { 2 } else { 1 });
        assert_eq!(promoted(&scene), moved, "{name}: {run}");
        if exit != 0 {
            run.tells("callers still get version 1");
            scene.run(PUBLISH).exits(0);
            assert_eq!(promoted(&scene), Some(2), "{name}");
        }
        assert_eq!(only(&scene)["versions"].as_array().unwrap().len(), 2);
    }
}

/// A version that passes as `latest`, and fails where callers are.
fn failing_at_the_label() -> Scene {
    let mut scene = advanced();
    scene.run(PUBLISH).exits(0);
    another(&mut scene, &function(" + 0.0"));
    scene.sandbox.faults().add(Fault::on(CALLED, refused(422)));
    scene
}

#[test]
fn callers_of_a_version_that_fails_at_the_label_get_what_they_had() {
    let scene = failing_at_the_label();
    scene
        .run(PUBLISH)
        .exits(5)
        .tells("failed it at `labels/prod`; callers get version 1 again");
    scene.sandbox.faults().clear();
    assert_eq!((promoted(&scene), called(&scene)), (Some(1), json!(10)));
}

#[test]
fn a_version_that_cannot_run_again_is_named_with_what_to_do() {
    let scene = failing_at_the_label();
    let faults = scene.sandbox.faults();
    faults.add(Fault::on(START_AGAIN, refused(404)));
    scene
        .run(PUBLISH)
        .exits(5)
        .tells("could not be moved back to version 1")
        .tells("it cannot be started again")
        .tells("start version 1 and promote it to `prod` in Domino, now");
    scene.sandbox.faults().clear();
    assert_eq!((promoted(&scene), called(&scene)), (Some(2), json!(10.0)));
}

#[test]
fn an_interrupted_move_of_the_label_is_named_and_the_next_run_ends_it() {
    let mut scene = advanced();
    scene.run(PUBLISH).exits(0);
    another(&mut scene, &function(" + 0.0"));
    let slow = Misbehaviour::Delay {
        by: Duration::from_secs(30),
    };
    scene.sandbox.faults().add(Fault::on(LABEL, slow));
    let from = scene.sandbox.requests().len();
    let running = scene.start(PUBLISH);
    eventually("the label is being moved", || {
        let requests = scene.requests_since(from);
        requests.iter().any(|one| one.contains("/productionLabel"))
    });
    running.signal("INT");
    running
        .end()
        .exits(130)
        .tells("interrupted while `labels/prod` was being moved to version 2");
    scene.sandbox.faults().clear();
    scene.run(PUBLISH).exits(0);
    assert_eq!((promoted(&scene), called(&scene)), (Some(2), json!(10.0)));
    assert_eq!(only(&scene)["versions"].as_array().unwrap().len(), 2);
}
