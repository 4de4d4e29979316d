//! What people do in Domino between two deployments, as requests.

use serde_json::{Value, json};

use crate::harness::eventually;
use crate::world::World;

pub fn retitle_run(world: &mut World) {
    let path = format!("/v4/jobs/{}/name", world.ours());
    world.by_hand("POST", &path, Some(&json!({ "name": "Big training" })));
}

pub fn stop_run(world: &mut World) {
    let body =
        json!({ "jobId": world.ours(), "projectId": world.project(), "commitResults": true });
    world.by_hand("POST", "/v4/jobs/stop", Some(&body));
    eventually("the run is over", || {
        world.things()[&world.ours()]["goes on"] == false
    });
}

/// Stops the run and starts it again, as people do with one that hangs.
pub fn restart_run(world: &mut World) {
    stop_run(world);
    let body = json!({ "jobId": world.ours(), "shouldUseOriginalInputCommit": true });
    world.by_hand("POST", "/v4/jobs/restart", Some(&body));
}

/// Reads a scheduled job, changes something, and sends all of it back.
fn change_schedule(world: &World, id: &str, change: impl FnOnce(&mut Value)) {
    let mut job = world.things()[id].clone();
    if let Some(data) = job["dataConfig"].as_object().cloned() {
        for (name, value) in data {
            job[name] = value;
        }
    }
    change(&mut job);
    let project = job["projectId"].as_str().unwrap().to_owned();
    let fields = job.as_object_mut().unwrap();
    for name in [
        "id",
        "projectId",
        "created",
        "hardwareTierName",
        "scheduledByUserName",
        "dataConfig",
    ] {
        fields.remove(name);
    }
    let schedule = job["schedule"].as_object_mut().unwrap();
    schedule.remove("humanReadableCronString");
    let path = format!("/v4/projects/{project}/scheduledjobs/{id}");
    world.by_hand("PUT", &path, Some(&job));
}

pub fn retitle_schedule(world: &mut World) {
    change_schedule(world, &world.ours(), |job| job["title"] = json!("Nightly"));
}

pub fn pause(world: &mut World) {
    change_schedule(world, &world.ours(), |job| job["isPaused"] = json!(true));
}

/// In the stage where the file pauses it.
pub fn resume(world: &mut World) {
    world.stage = "dev";
    world.deploy().exits(0);
    let things = world.things();
    let paused = things.iter().find(|(_, job)| job["isPaused"] == true);
    change_schedule(world, paused.unwrap().0, |job| {
        job["isPaused"] = json!(false)
    });
}

pub fn move_in_time(world: &mut World) {
    change_schedule(world, &world.ours(), |job| {
        job["schedule"]["cronString"] = json!("0 0 7 ? * MON-FRI")
    });
}

pub fn give_schedule_volumes(world: &mut World) {
    change_schedule(world, &world.ours(), |job| {
        job["externalVolumeMounts"] = json!(["b".repeat(24)]);
        job["netAppVolumeIds"] = json!(["n1"]);
    });
}

pub fn notify(world: &mut World) {
    change_schedule(world, &world.ours(), |job| {
        job["notifyOnCompleteEmailAddresses"] = json!(["ann@example.com"])
    });
}

pub fn give_capacity_type(world: &mut World) {
    change_schedule(world, &world.ours(), |job| {
        job["capacityType"] = json!("spot")
    });
}

/// The newer API for apps that this Domino has.
fn generation(world: &World) -> Option<&'static str> {
    match world.scene.sandbox.state()["version"].as_str().unwrap() {
        version if version.starts_with("5.") => None,
        version if version.starts_with("6.4") => Some("v1"),
        _ => Some("beta"),
    }
}

fn change_app(world: &World, change: &Value) {
    let id = world.ours();
    match generation(world) {
        Some(generation) => world.by_hand(
            "PATCH",
            &format!("/api/apps/{generation}/apps/{id}"),
            Some(change),
        ),
        None => world.by_hand(
            "POST",
            &format!("/v4/modelProducts/{id}/visibility"),
            Some(change),
        ),
    };
}

pub fn rename_app(world: &mut World) {
    change_app(world, &json!({ "name": "Wine board" }));
}

pub fn describe_app(world: &mut World) {
    change_app(world, &json!({ "description": "Ann's numbers" }));
}

pub fn restrict(world: &mut World) {
    change_app(world, &json!({ "visibility": "GRANT_BASED_STRICT" }));
}

pub fn open(world: &mut World) {
    change_app(world, &json!({ "visibility": "PUBLIC" }));
}

pub fn stop_app(world: &mut World) {
    let path = format!("/v4/modelProducts/{}/stop", world.ours());
    world.by_hand("POST", &path, None);
    eventually("the app is down", || {
        world.things()[&world.ours()]["status"] == "Stopped"
    });
}

/// After we have stopped it, somebody starts it again.
pub fn start_app(world: &mut World) {
    stop_app(world);
    new_version(world, json!({}), json!({}), json!({}));
}

pub fn give_app_volumes(world: &mut World) {
    let volumes = json!({ "externalVolumeMountIds": ["b".repeat(24)], "netAppVolumeIds": ["n1"] });
    new_version(world, volumes, json!({}), json!({}));
}

pub fn pass_identity_on(world: &mut World) {
    let identity = json!({ "extendedIdentityPropagationToAppsEnabled": true });
    new_version(world, identity, json!({}), json!({}));
}

pub fn scale_app(world: &mut World) {
    let replicas = json!({ "enabled": true, "minReplicas": 1, "maxReplicas": 3 });
    new_version(
        world,
        json!({}),
        json!({ "autoscalingSpecification": replicas }),
        json!({}),
    );
}

pub fn tag_app(world: &mut World) {
    new_version(
        world,
        json!({}),
        json!({}),
        json!({ "tags": [{ "key": "team", "value": "wine" }] }),
    );
}

pub fn bundle_app(world: &mut World) {
    new_version(
        world,
        json!({}),
        json!({}),
        json!({ "bundleId": "bundle-1" }),
    );
}

/// A version of the same commit with something more in it, published by hand; and it serves.
fn new_version(world: &World, content: Value, deployment: Value, top: Value) {
    let id = world.ours();
    let before = world.things()[&id].clone();
    let git_ref = json!({ "type": "commitId", "value": world.scene.commit });
    let base = json!({ "gitRef": git_ref, "environmentId": before["environmentId"] });
    let tier = json!({ "hardwareTierId": before["hardwareTierId"] });
    match generation(world) {
        Some("v1") => {
            let body = json!({ "content": merged(&[&base, &content]), "deployment": merged(&[&tier, &deployment]) });
            let path = format!("/api/apps/v1/apps/{id}/versions/createAndStart");
            world.by_hand("POST", &path, Some(&merged(&[&body, &top])));
        }
        Some(_) => {
            let body = merged(&[&base, &tier, &content, &deployment, &top]);
            world.by_hand(
                "POST",
                &format!("/api/apps/beta/apps/{id}/versions"),
                Some(&body),
            );
        }
        None => {
            if before["serves"] == true {
                stop_app_of(world, &id);
            }
            let base =
                json!({ "mainRepoGitRef": git_ref, "environmentId": before["environmentId"] });
            let body = merged(&[&base, &tier, &content]);
            world.by_hand(
                "POST",
                &format!("/v4/modelProducts/{id}/start"),
                Some(&body),
            );
        }
    }
    eventually("what was published by hand serves", || {
        let now = &world.things()[&id];
        now["serves"] == true && now["status"] == "Running" && world.processes() == 1
    });
}

fn stop_app_of(world: &World, id: &str) {
    world.by_hand("POST", &format!("/v4/modelProducts/{id}/stop"), None);
    eventually("the app is down", || {
        world.things()[id]["status"] == "Stopped"
    });
}

fn merged(parts: &[&Value]) -> Value {
    let fields = parts
        .iter()
        .filter_map(|part| part.as_object().cloned())
        .flatten();
    Value::Object(fields.collect())
}

/// The account that deploys is taken off the project.
pub fn remove_collaborator(world: &mut World) {
    let path = format!(
        "/v4/projects/{}/collaborators/{}",
        world.project(),
        world.user()
    );
    world.by_hand("DELETE", &path, None);
}

pub fn rename_project(world: &mut World) {
    world
        .scene
        .sandbox
        .rename_project("wine-team", "wine", "wine-2027");
}

pub fn archive_tier(world: &mut World) {
    world.by_hand(
        "POST",
        "/v4/hardwareTier/archive",
        Some(&json!({ "value": "prod-small-k8s" })),
    );
}

/// Another revision of the compute environment was built and is the active one.
pub fn build_revision(world: &mut World) {
    let state = world.scene.sandbox.state();
    let environments = state["environments"].as_array().unwrap();
    let environment = environments
        .iter()
        .find(|one| one["name"] == "Standard")
        .unwrap();
    let (id, latest) = (&environment["id"], &environment["latestRevision"]["id"]);
    let (id, latest) = (id.as_str().unwrap(), latest.as_str().unwrap());
    world.by_hand(
        "POST",
        &format!("/v4/environments/{id}/setactive?revisionId={latest}"),
        None,
    );
}

/// Another workflow run has deployed the next commit; this one is about to deploy the one before.
pub fn deploy_newer(world: &mut World) {
    let old = world.scene.commit.clone();
    world.commit("78");
    world.deploy().exits(0);
    world.scene.on_github("77");
    world.scene.variable("GITHUB_SHA", &old);
}

/// Before anything else, somebody deploys the same from a laptop.
pub fn deploy_from_a_laptop(world: &mut World) {
    for name in [
        "GITHUB_ACTIONS",
        "GITHUB_RUN_ID",
        "GITHUB_SHA",
        "GITHUB_OUTPUT",
        "GITHUB_STEP_SUMMARY",
    ] {
        world.scene.without(name);
    }
    world.deploy().exits(0);
    world.scene.on_github("79");
}
