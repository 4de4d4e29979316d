//! Whether the experiment manager takes a write of this account: asked by one tag, of which nothing stays.

use std::time::Duration;

use super::*;
use crate::harness::eventually;

const SET: &str = "POST /api/2.0/mlflow/model-versions/set-tag";
const DELETE: &str = "DELETE /api/2.0/mlflow/model-versions/delete-tag";
const TAG: &str = "tag `doctor.write-probe.dev` at version 1 of `wine-quality`";
const PROBE: &[&str] = &["doctor", "--stage", "dev", "--write-probe"];

fn mlflow(scene: &Scene, method: &str, route: &str, body: Option<&Value>) -> Value {
    let url = format!("{}/api/2.0/mlflow/{route}", scene.sandbox.url());
    let bearer = format!("Bearer {TOKEN}");
    let (status, reply) = send(method, &url, &[("authorization", &bearer)], body);
    assert_eq!(status, 200, "{route}: {reply}");
    reply
}

/// A file that serves a registered model, of which there is a version.
fn registered() -> Scene {
    let model = "\n[model.quality]\nregistered-model = \"wine-quality\"\n";
    let scene = scene_of("6.3", &format!("{STAGES}{model}"));
    let name = json!({"name": "wine-quality"});
    mlflow(&scene, "POST", "registered-models/create", Some(&name));
    let experiment = json!({"name": "wine"});
    let experiment = mlflow(&scene, "POST", "experiments/create", Some(&experiment));
    let run = json!({"experiment_id": experiment["experiment_id"], "start_time": 1});
    let run = mlflow(&scene, "POST", "runs/create", Some(&run))["run"]["info"]["run_id"].clone();
    let source = format!("runs:/{}/model", run.as_str().unwrap());
    let version = json!({"name": "wine-quality", "source": source, "run_id": run});
    mlflow(&scene, "POST", "model-versions/create", Some(&version));
    scene
}

fn tags(scene: &Scene) -> Value {
    let route = "model-versions/get?name=wine-quality&version=1";
    mlflow(scene, "GET", route, None)["model_version"]["tags"].clone()
}

fn status(status: u16, processed: bool) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed,
    }
}

#[test]
fn a_tag_is_set_and_deleted_and_nothing_stays_whatever_becomes_of_a_reply() {
    let scene = registered();
    let before = tags(&scene);
    let well = format!("ok experiment manager takes writes: the {TAG} was set and deleted");
    let lost = || Misbehaviour::Reset { processed: true };
    for (route, harm) in [
        (None, lost()),
        (Some(SET), lost()),
        (Some(DELETE), lost()),
        (Some(SET), status(502, true)),
        (Some(DELETE), status(504, true)),
        (Some(SET), status(429, false)),
        (Some(DELETE), status(429, false)),
    ] {
        scene.sandbox.faults().clear();
        if let Some(route) = route {
            scene.sandbox.faults().add(Fault::on(route, harm).times(1));
        }
        let run = scene.run(PROBE);
        line(&run, &well);
        assert_eq!(tags(&scene), before, "{run}");
    }
    // What may come late is named, and deleted if it is there by then.
    scene.sandbox.faults().clear();
    let unclear = Fault::on(SET, status(503, false));
    scene.sandbox.faults().add(unclear);
    let run = scene.run(PROBE).exits(4);
    let told = format!(
        "!! write probe: it is not known whether the {TAG} was set, and it is not there now: "
    );
    assert!(run.stdout.contains(&told), "{run}");
    assert_eq!(tags(&scene), before);

    // Without being asked for, nothing is written.
    let from = scene.sandbox.requests().len();
    doctor(&scene);
    let asked = scene.requests_since(from);
    assert!(asked.iter().all(|request| request.starts_with("GET ")));
}

#[test]
fn a_write_that_is_refused_is_told_and_a_tag_that_stays_is_named() {
    let scene = registered();
    let before = tags(&scene);
    let refuse = |route| {
        scene.sandbox.faults().clear();
        let fault = Fault::on(route, status(403, false));
        scene.sandbox.faults().add(fault);
        scene.run(PROBE).exits(3)
    };
    let run = refuse(SET);
    for told in [
        "!! experiment manager takes no write: ",
        "`promote = \"inside\"`",
    ] {
        assert!(run.stdout.contains(told), "{run}");
    }
    assert_eq!(tags(&scene), before);

    let run = refuse(DELETE);
    let left = format!("!! write probe: the {TAG} was set and could not be deleted: ");
    for told in [&left, "→ delete it in the experiment manager"] {
        assert!(run.stdout.contains(told), "{run}");
    }
    let name = "doctor.write-probe.dev";
    assert!(tags(&scene).to_string().contains(name));

    // Another one to its end deletes it.
    scene.sandbox.faults().clear();
    scene.run(PROBE);
    assert_eq!(tags(&scene), before);
}

#[test]
fn an_interrupt_leaves_nothing_or_names_what_it_left() {
    let scene = registered();
    let before = tags(&scene);
    let by = Duration::from_millis(700);
    let slow = Fault::on(SET, Misbehaviour::Delay { by });
    scene.sandbox.faults().add(slow);
    let running = scene.start(PROBE);
    eventually("the tag is being set", || {
        let requests = scene.sandbox.requests();
        requests.iter().any(|one| one.path.ends_with("set-tag"))
    });
    running.signal("INT");
    let run = running.end().exits(130);
    run.tells("interrupted; the write probe left nothing");
    assert_eq!(tags(&scene), before);

    // One that is never answered is broken off, and its tag is named.
    scene.sandbox.faults().clear();
    let never = Fault::on(DELETE, Misbehaviour::Hang { processed: false });
    scene.sandbox.faults().add(never);
    let running = scene.start(PROBE);
    eventually("the tag is set", || tags(&scene) != before);
    running.signal("TERM");
    let run = running.end().exits(143);
    run.tells(&format!("interrupted; the write probe may have left {TAG}"));
}
