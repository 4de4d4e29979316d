//! Scheduled jobs: created, listed, replaced and removed, and what Domino does not accept.

use domino_sandbox::Seed;
use serde_json::{Value, json};

use crate::world::{World, text};

fn wish(world: &World) -> Value {
    json!({
        "title": "Score",
        "command": "score.py",
        "schedule": { "cronString": "0 0 6 ? * MON-FRI", "isCustom": true },
        "timezoneId": "Europe/Berlin",
        "isPaused": false,
        "allowConcurrentExecution": false,
        "hardwareTierIdentifier": "dev-small-k8s",
        "environmentRevisionSpec": "ActiveRevision",
        "scheduledByUserId": world.sandbox.state()["users"][2]["id"],
        "notifyOnCompleteEmailAddresses": ["ml@example.com"],
        "mainRepoGitRef": { "type": "branches", "value": "main" },
    })
}

fn path(world: &World) -> String {
    format!("/v4/projects/{}/scheduledjobs", world.project_id())
}

#[test]
fn a_scheduled_job_is_created_replaced_and_removed() {
    let world = World::new();
    let path = path(&world);
    let created = world.post(&path, wish(&world)).ok();
    assert_eq!(created["hardwareTierName"], "dev-small");
    assert_eq!(created["scheduledByUserName"], "ci-bot");
    assert_eq!(created["schedule"]["cronString"], "0 0 6 ? * MON-FRI");
    assert!(created["schedule"]["humanReadableCronString"].is_string());
    assert_eq!(created["mainRepoGitRef"]["type"], "branches");
    let one = format!("{path}/{}", text(&created["id"]));
    assert_eq!(world.get(&one).ok(), created);
    assert_eq!(world.get(&path).ok(), json!([created]));
    let for_user = world.get(&format!("{path}/forRequestingUser")).ok();
    assert_eq!(for_user[0]["scheduledJob"], created);
    assert_eq!(for_user[0]["canEdit"], true);

    let mut changed = wish(&world);
    changed["isPaused"] = true.into();
    changed.as_object_mut().unwrap().remove("mainRepoGitRef");
    let replaced = world.request("PUT", &one, Some(changed)).ok();
    assert_eq!(replaced["id"], created["id"]);
    assert_eq!(replaced["created"], created["created"]);
    assert_eq!(replaced["isPaused"], true);
    assert!(
        replaced.get("mainRepoGitRef").is_none(),
        "a replacement is the whole"
    );
    assert_eq!(
        world.sandbox.state()["scheduledJobs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let removed = world.request("DELETE", &one, None);
    assert_eq!((removed.status, removed.body.len()), (200, 0));
    assert_eq!(world.get(&one).status, 404);
    assert_eq!(world.request("DELETE", &one, None).status, 404);
    assert_eq!(world.get(&path).ok(), json!([]));
}

#[test]
fn two_of_one_title_are_two() {
    let world = World::new();
    let path = path(&world);
    let first = world.post(&path, wish(&world)).ok();
    let second = world.post(&path, wish(&world)).ok();
    assert_ne!(first["id"], second["id"]);
}

#[test]
fn every_required_field_is_required_and_all_are_named() {
    let world = World::new();
    let reply = world.post(&path(&world), json!({ "schedule": {} }));
    assert_eq!(reply.status, 400);
    let message = text(&reply.json()["message"]);
    for field in [
        "title",
        "command",
        "schedule.cronString",
        "schedule.isCustom",
        "timezoneId",
        "isPaused",
        "allowConcurrentExecution",
        "hardwareTierIdentifier",
        "environmentRevisionSpec",
        "scheduledByUserId",
        "notifyOnCompleteEmailAddresses",
    ] {
        assert!(
            message.contains(&format!("obj.{field}\"")),
            "{field}: {message}"
        );
    }
}

#[test]
fn what_cannot_run_is_refused_and_a_wrong_reference_is_not() {
    let world = World::new();
    let with = |pointer: &str, value: Value| {
        let mut wish = wish(&world);
        *wish.pointer_mut(pointer).unwrap() = value;
        world.post(&path(&world), wish).status
    };
    assert_eq!(with("/schedule/cronString", json!("0 6 * * 1")), 400);
    assert_eq!(with("/timezoneId", json!("Europe/Nowhere")), 400);
    assert_eq!(with("/hardwareTierIdentifier", json!("dev-small")), 400);
    assert_eq!(with("/scheduledByUserId", json!("0".repeat(24))), 400);
    assert_eq!(with("/environmentRevisionSpec", json!("Odd")), 400);
    assert_eq!(world.get(&path(&world)).ok(), json!([]));
    assert_eq!(with("/mainRepoGitRef/type", json!("branch")), 200);
    assert_eq!(with("/schedule/cronString", json!("0 0 12 1 1 ?")), 200);
}

#[test]
fn each_project_has_its_own() {
    let world = World::seeded(Seed::default().project("author/second"));
    let created = world.post(&path(&world), wish(&world)).ok();
    let second = text(&world.sandbox.state()["projects"][1]["id"]);
    assert_eq!(
        world
            .get(&format!("/v4/projects/{second}/scheduledjobs"))
            .ok(),
        json!([])
    );
    let elsewhere = format!(
        "/v4/projects/{second}/scheduledjobs/{}",
        text(&created["id"])
    );
    assert_eq!(world.get(&elsewhere).status, 404);
}
