//! What faults do to apps.

use domino_sandbox::{AppFault, Fault, Misbehaviour, Version};
use serde_json::{Value, json};

use super::{answer, beta, delete, instances, once_status, when, world};
use crate::world::{World, commit, text};

fn displayed(world: &World, id: &str) -> String {
    let app = world.get(&format!("/api/apps/beta/apps/{id}")).ok();
    text(&app["currentVersion"]["currentInstance"]["status"])
}

fn faulty(fault: AppFault) -> World {
    let world = world(Version::V6_3);
    world.sandbox.faults().add_app_fault(fault);
    world
}

#[test]
fn statuses_can_jump_and_go_backwards_and_be_unheard_of() {
    let statuses = ["Running", "Queued", "Wobbling"].map(str::to_owned);
    let world = faulty(AppFault {
        statuses: statuses.to_vec(),
        ..AppFault::default()
    });
    // The reply to the creation is the first look.
    let created = beta::create_from(&world, "idle.sh");
    let id = text(&created["id"]);
    assert_eq!(
        created["currentVersion"]["currentInstance"]["status"],
        "Running"
    );
    assert_eq!(displayed(&world, &id), "Queued");
    assert_eq!(displayed(&world, &id), "Wobbling");
    once_status(&world, &id, "Running");
    assert_eq!(displayed(&world, &id), "Running");
}

#[test]
fn a_status_can_hang_while_the_truth_goes_on() {
    let world = faulty(AppFault {
        app: "dash".into(),
        stuck_at: Some("Pulling".into()),
        times: Some(1),
        ..AppFault::default()
    });
    let id = text(&beta::create_from(&world, "idle.sh")["id"]);
    once_status(&world, &id, "Running");
    assert_eq!(displayed(&world, &id), "Pulling");
    let other = text(&beta::create_from(&world, "idle.sh")["id"]);
    once_status(&world, &other, "Running");
    assert_eq!(displayed(&world, &other), "Running");
}

#[test]
fn a_start_can_fail_with_words_of_its_own() {
    let world = faulty(AppFault {
        start_fails: Some("ImagePullBackOff".into()),
        times: Some(1),
        ..AppFault::default()
    });
    let created = beta::create(&world, "dash", json!({}));
    let id = text(&created["id"]);
    let state = once_status(&world, &id, "Failed");
    assert_eq!(instances(&state)[0]["failure"], "ImagePullBackOff");
    let log = world
        .get(&format!("{}/logs", beta::instance_path(&created)))
        .ok();
    let lines = log["logContent"].as_array().unwrap();
    assert_eq!(lines.last().unwrap()["log"], "ImagePullBackOff");
}

#[test]
fn a_stop_can_hang_until_it_is_forced() {
    let world = faulty(AppFault {
        stop_hangs: true,
        times: Some(1),
        ..AppFault::default()
    });
    let created = beta::create_from(&world, "idle.sh");
    let id = text(&created["id"]);
    once_status(&world, &id, "Running");
    delete(&world, &beta::instance_path(&created));
    let state = once_status(&world, &id, "Stopping");
    assert_eq!(instances(&state)[0]["isProcessAlive"], true);
    // Another instance waits for it all that time.
    let start = format!("/v4/modelProducts/{id}/start");
    world.post(&start, json!({})).ok();
    assert_eq!(displayed(&world, &id), "Queued");
    let stop = format!("/v4/modelProducts/{id}/stop?force=true");
    world.request("POST", &stop, None).ok();
    when(&world, &id, |app| {
        let mut all = instances(app).into_iter();
        all.all(|instance| instance["status"] == "Stopped")
    });
}

#[test]
fn a_new_version_can_be_made_to_stop_the_old_one_first() {
    let world = faulty(AppFault {
        stops_first: true,
        ..AppFault::default()
    });
    let id = text(&beta::create(&world, "dash", json!({}))["id"]);
    answer(&world, &format!("/apps/{id}/"));
    commit(world.repository.path(), "which.txt", "second\n");
    let failing = json!({ "entryScript": "exit 1" });
    beta::publish(&world, &id, failing).ok();
    let state = when(&world, &id, |app| app["status"] == "Failed");
    assert_eq!(instances(&state)[0]["status"], "Stopped");
    assert_eq!(state["serving"], Value::Null);
}

#[test]
fn a_request_to_an_app_goes_wrong_like_any_other() {
    let world = world(Version::V6_3);
    let id = text(&beta::create(&world, "dash", json!({}))["id"]);
    let path = format!("/apps/{id}/");
    answer(&world, &path);
    let bad_gateway = Misbehaviour::Status {
        status: 502,
        retry_after: None,
        processed: false,
    };
    let faults = world.sandbox.faults();
    faults.add(Fault::on("GET /apps/**", bad_gateway).single());
    faults.add(
        Fault::on("GET /apps/**", Misbehaviour::CutJson)
            .after(1)
            .single(),
    );
    assert_eq!(world.get(&path).status, 502);
    let cut = world.get(&path);
    assert_eq!(cut.status, 200);
    assert!(serde_json::from_slice::<Value>(&cut.body).is_err());
    assert_eq!(world.get(&path).ok()["which"], "first");
}
