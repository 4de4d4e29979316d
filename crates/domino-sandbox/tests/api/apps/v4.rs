//! Apps on `/v4/modelProducts`, as the official client publishes them.

use domino_sandbox::{HardwareTierSeed, Options, Seed, Version};
use serde_json::{Value, json};

use super::{answer, at, head, instances, once_status, path_of, slow, when, with, world};
use crate::world::{PATIENCE, World, commit, text};

/// A new app as the official client sends it: an id of zeros, times that are numbers.
pub fn body(name: &str, project_id: &str) -> Value {
    json!({
        "modelProductType": "APP",
        "projectId": project_id,
        "name": name,
        "owner": "",
        "created": 1_700_000_000_000_000_000_u64,
        "lastUpdated": 1_700_000_000_000_000_000_u64,
        "status": "",
        "media": [],
        "openUrl": "",
        "tags": [],
        "stats": { "usageCount": 0 },
        "appExtension": { "appType": "" },
        "id": "000000000000000000000000",
        "permissionsData": {
            "visibility": "GRANT_BASED",
            "accessRequestStatuses": {},
            "pendingInvitations": [],
            "discoverable": true,
            "appAccessStatus": "ALLOWED",
        },
    })
}

pub fn create(world: &World, name: &str) -> Value {
    let body = body(name, &world.project_id());
    world.post("/v4/modelProducts", body).ok()
}

fn start(world: &World, id: &str, parameters: Value) -> crate::world::Reply {
    world.post(&format!("/v4/modelProducts/{id}/start"), parameters)
}

fn stop(world: &World, id: &str) -> Value {
    let path = format!("/v4/modelProducts/{id}/stop");
    world.request("POST", &path, None).ok()
}

fn product(world: &World, id: &str) -> Value {
    world.get(&format!("/v4/modelProducts/{id}")).ok()
}

#[test]
fn a_new_app_takes_placeholders_and_does_not_run() {
    let world = world(Version::V5_9);
    let app = create(&world, "dash");
    assert_ne!(app["id"], "000000000000000000000000");
    assert_eq!((&app["status"], &app["name"]), (&json!(""), &json!("dash")));
    assert!(text(&app["created"]).ends_with('Z'));
    assert_eq!(app["publisher"]["userName"], "author");
    assert_eq!(app["entryPoint"], "app.sh");
    for absent in ["latestAppInstanceId", "runningAppUrl", "runningCommitId"] {
        assert_eq!(app.get(absent), None);
    }
}

#[test]
fn a_new_app_without_its_required_fields_is_refused_with_all_of_them() {
    let world = world(Version::V6_3);
    let reply = world.post("/v4/modelProducts", json!({ "name": "dash" }));
    assert_eq!(reply.status, 400);
    let message = text(&reply.json()["message"]);
    for name in [
        "modelProductType",
        "projectId",
        "created",
        "permissionsData",
        "id",
    ] {
        assert!(
            message.contains(&format!("obj.{name}")),
            "{name} in {message}"
        );
    }
}

#[test]
fn a_start_answers_a_bare_string_and_runs_the_asked_commit() {
    let world = world(Version::V5_9);
    let first = head(&world);
    commit(world.repository.path(), "which.txt", "second\n");
    let id = text(&create(&world, "dash")["id"]);
    let started = start(&world, &id, json!({ "mainRepoGitRef": at(&first) })).ok();
    assert_eq!(started, json!(id));
    let state = once_status(&world, &id, "Running");
    assert_eq!(instances(&state)[0]["commit"], first.as_str());
    assert_eq!(instances(&state)[0]["isProcessAlive"], true);
    let running = product(&world, &id);
    assert_eq!(running["status"], "Running");
    let told = answer(&world, &path_of(&world, &running["runningAppUrl"]));
    assert_eq!(
        (&told["which"], &told["path"]),
        (&json!("first"), &json!("/"))
    );
    assert_ne!(running["runningCommitId"], first.as_str());
}

#[test]
fn the_statuses_are_walked_up_and_down() {
    let world = slow(Version::V6_2, 10);
    let id = text(&create(&world, "dash")["id"]);
    start(&world, &id, json!({})).ok();
    once_status(&world, &id, "Running");
    assert_eq!(stop(&world, &id), json!(id));
    let state = once_status(&world, &id, "Stopped");
    let walked = [
        "Queued",
        "Scheduled",
        "Preparing",
        "Pulling",
        "Running",
        "StopRequested",
        "Stopping",
        "Stopped",
    ];
    assert_eq!(instances(&state)[0]["statuses"], json!(walked));
    assert_eq!(instances(&state)[0]["isProcessAlive"], false);
    assert_eq!(product(&world, &id)["status"], "Stopped");
}

#[test]
fn what_runs_cannot_be_started_and_what_stops_is_waited_for() {
    let world = slow(Version::V6_3, 10);
    let id = text(&create(&world, "dash")["id"]);
    start(&world, &id, json!({})).ok();
    assert_eq!(start(&world, &id, json!({})).status, 400);
    once_status(&world, &id, "Running");
    stop(&world, &id);
    start(&world, &id, json!({})).ok();
    let state = when(&world, &id, |app| {
        instances(app).len() == 2 && app["status"] == "Running"
    });
    assert_eq!(instances(&state)[0]["status"], "Stopped");
    assert_eq!(state["serving"], instances(&state)[1]["id"]);
}

#[test]
fn a_stop_of_what_does_not_run_changes_nothing() {
    let world = world(Version::V6_3);
    let id = text(&create(&world, "dash")["id"]);
    assert_eq!(stop(&world, &id), json!(id));
    assert_eq!(product(&world, &id)["status"], "");
}

#[test]
fn the_details_of_an_instance_tell_commit_tier_and_environment() {
    let seed = Seed::default().environment("Other");
    let world = with(Options {
        seed,
        version: Version::V5_9,
        ..Options::default()
    });
    let useable = format!("/v4/projects/{}/useableEnvironments", world.project_id());
    let environments = world.get(&useable).ok()["environments"].clone();
    let environment_id = text(&environments[1]["id"]);
    let id = text(&create(&world, "dash")["id"]);
    let parameters = json!({ "hardwareTierId": "dev-small-k8s", "environmentId": environment_id });
    start(&world, &id, parameters).ok();
    once_status(&world, &id, "Running");
    let app = product(&world, &id);
    assert_eq!(app["hardwareTierId"], "dev-small-k8s");
    assert_eq!(app["environmentId"], environment_id.as_str());
    let instance_id = text(&app["latestAppInstanceId"]);
    let path = format!("/v4/modelProducts/apps/versions/{instance_id}");
    let details = world.get(&path).ok();
    assert_eq!(details["status"], "Running");
    assert_eq!(details["hardwareTierName"], "dev-small");
    assert_eq!(details["environmentDetails"]["environmentName"], "Other");
    assert_eq!(
        details["appCodeInfo"]["mainRepo"]["commit"],
        head(&world).as_str()
    );
    assert!(details["started"].is_i64());
    let versions = world.get(&format!("/v4/modelProducts/{id}/versions")).ok();
    assert_eq!(versions[0]["id"], instance_id.as_str());
    assert_eq!(versions[0]["publishingUsername"], "author");
    assert!(versions[0]["duration"].is_i64());

    // The next start keeps what it does not say.
    stop(&world, &id);
    start(&world, &id, json!({})).ok();
    let app = product(&world, &id);
    assert_eq!(app["hardwareTierId"], "dev-small-k8s");
    assert_eq!(app["environmentId"], environment_id.as_str());
}

#[test]
fn a_tier_that_cannot_be_used_starts_nothing() {
    let tier = HardwareTierSeed::new("old-k8s", "Old").archived();
    let world = with(Options {
        seed: Seed::default().hardware_tier(tier),
        ..Options::default()
    });
    let id = text(&create(&world, "dash")["id"]);
    for tier in ["Small", "old-k8s", "dev-endpoint-k8s"] {
        let refused = start(&world, &id, json!({ "hardwareTierId": tier }));
        assert_eq!(refused.status, 400, "{tier}");
    }
    assert_eq!(product(&world, &id)["status"], "");
    assert_eq!(world.sandbox.state()["apps"][0]["versions"], json!([]));
}

#[test]
fn the_log_has_every_kind_of_line_and_ends_with_the_instance() {
    let world = world(Version::V5_9);
    let id = text(&create(&world, "dash")["id"]);
    start(&world, &id, json!({})).ok();
    answer(&world, &format!("/apps/{id}/"));
    let instance = text(&product(&world, &id)["latestAppInstanceId"]);
    let log = |query: &str| {
        let path = format!("/v4/modelProducts/apps/versions/{instance}/{query}");
        world.get(&path).ok()
    };
    let all = log("logs");
    assert_eq!(all["isComplete"], false);
    assert_eq!(all["logContent"][0]["logType"], "prepareoutput");
    assert!(all["logContent"][0]["timestamp"].is_i64());
    let output = log("realTimeLogs?logType=stdout");
    let line = &output["logContent"][0];
    assert!(text(&line["log"]).starts_with("listening on "), "{line}");
    let after = text(&output["pagination"]["latestTimeNano"]);
    let rest = log(&format!("logs?logType=stdout&latestTimeNano={after}"));
    assert_eq!(rest["logContent"], json!([]));
    stop(&world, &id);
    once_status(&world, &id, "Stopped");
    assert_eq!(log("logs")["isComplete"], true);
    assert_eq!(
        world
            .get(&format!(
                "/v4/modelProducts/apps/versions/{instance}/logs?logType=complete"
            ))
            .status,
        400
    );
}

#[test]
fn an_app_can_be_looked_up_and_shown_to_all() {
    let world = world(Version::V6_3);
    let mut body = body("dash", &world.project_id());
    body["vanityUrl"] = "wine".into();
    let id = text(&world.post("/v4/modelProducts", body).ok()["id"]);
    let found = world.get("/v4/modelProducts/vanityUrl/wine").ok();
    assert_eq!(found["id"], id.as_str());
    assert_eq!(world.get("/v4/modelProducts/vanityUrl/beer").status, 404);
    let visible = world.post(
        &format!("/v4/modelProducts/{id}/visibility"),
        json!({ "visibility": "PUBLIC" }),
    );
    assert_eq!(visible.ok(), json!(id));
    assert_eq!(
        product(&world, &id)["permissionsData"]["visibility"],
        "PUBLIC"
    );
    let project = world.project_id();
    let runnable = world.get(&format!(
        "/v4/modelProducts/isRunnable?projectId={project}&type=APP"
    ));
    assert_eq!(runnable.ok(), json!({ "isRunnable": true }));
    let listed = |query: &str| {
        let list = world.get(&format!("/v4/modelProducts{query}")).ok();
        list.as_array().unwrap().len()
    };
    assert_eq!(listed(&format!("?projectId={project}&type=APP")), 1);
    assert_eq!(listed("?type=SCORER"), 0);
    assert_eq!(world.get("/v4/modelProducts/nonsense").status, 400);
    assert_eq!(
        world.get(&format!("/v4/modelProducts/{project}")).status,
        404
    );
}

/// Domino's own convention: code that knows nothing of a sandbox.
#[test]
fn three_apps_on_the_port_of_domino_serve_at_once() {
    let world = world(Version::V5_9);
    let script = "exec python3 -c \"from http.server import *; \
                  HTTPServer(('0.0.0.0', 8888), SimpleHTTPRequestHandler).serve_forever()\"\n";
    commit(world.repository.path(), "app.sh", script);
    let apps: Vec<String> = (0..3)
        .map(|number| text(&create(&world, &format!("app {number}"))["id"]).to_owned())
        .collect();
    for id in &apps {
        start(&world, id, json!({})).ok();
    }
    for id in &apps {
        let app = once_status(&world, id, "Running");
        let path = format!(
            "{}/app.sh",
            path_of(&world, &app["url"]).trim_end_matches('/')
        );
        let deadline = std::time::Instant::now() + PATIENCE;
        let mut reply = world.get(&path);
        while reply.status != 200 {
            assert!(std::time::Instant::now() < deadline, "{}", reply.text());
            std::thread::sleep(std::time::Duration::from_millis(20));
            reply = world.get(&path);
        }
        assert_eq!(reply.text(), script);
    }
}
