//! Apps on `/api/apps/beta`, where creating a version starts it.

use domino_sandbox::Version;
use serde_json::{Value, json};

use super::{
    answer, at, delete, head, instances, once_status, patch, path_of, slow, times, when, world,
};
use crate::world::{Reply, World, commit, text};

const APPS: &str = "/api/apps/beta/apps";

pub fn body(world: &World, name: &str, version: Value) -> Value {
    json!({
        "name": name,
        "projectId": world.project_id(),
        "visibility": "AUTHENTICATED",
        "version": version,
    })
}

pub fn create(world: &World, name: &str, version: Value) -> Value {
    world.post(APPS, body(world, name, version)).ok()
}

/// An app with an entry point of its own.
pub fn create_from(world: &World, entry_point: &str) -> Value {
    let mut body = body(world, "dash", json!({}));
    body["entryPoint"] = entry_point.into();
    world.post(APPS, body).ok()
}

fn app(world: &World, id: &str) -> Value {
    world.get(&format!("{APPS}/{id}")).ok()
}

pub fn publish(world: &World, id: &str, version: Value) -> Reply {
    world.post(&format!("{APPS}/{id}/versions"), version)
}

/// The path of the current instance of an app, as a reply shows it.
pub fn instance_path(app: &Value) -> String {
    let version = &app["currentVersion"];
    format!(
        "{APPS}/{}/versions/{}/instances/{}",
        text(&app["id"]),
        text(&version["id"]),
        text(&version["currentInstance"]["id"]),
    )
}

#[test]
fn creating_an_app_starts_it() {
    let world = slow(Version::V6_3, 10);
    let version = json!({
        "gitRef": at(&head(&world)),
        "hardwareTierId": "prod-small-k8s",
        "tags": [{ "key": "commit", "value": "abc" }],
        "unheardOf": 1,
    });
    let created = create(&world, "dash", version);
    let id = text(&created["id"]);
    let version = &created["currentVersion"];
    assert_eq!(version["currentInstance"]["status"], "Queued");
    assert_eq!(version["gitRef"], at(&head(&world)));
    assert_eq!(version["hardwareTierId"], "prod-small-k8s");
    assert_eq!(version["tags"][0]["key"], "commit");
    assert!(version["createdAt"].is_i64());
    once_status(&world, &id, "Running");
    let running = app(&world, &id);
    assert_eq!(
        running["currentVersion"]["currentInstance"]["status"],
        "Running"
    );
    assert_eq!(running["project"]["ownerUsername"], "author");
    assert!(running["updatedAt"].is_i64());
    let told = answer(&world, &format!("{}/", path_of(&world, &running["url"])));
    assert_eq!(told["environment"]["DOMINO_PROJECT_NAME"], "quick-start");
    assert_eq!(
        told["environment"]["DOMINO_HARDWARE_TIER_ID"],
        "prod-small-k8s"
    );
}

#[test]
fn a_new_version_starts_beside_the_old_one_and_takes_its_place() {
    // Long enough for a loaded machine to ask once more before the new version runs.
    let world = slow(Version::V6_3, 300);
    let id = text(&create(&world, "dash", json!({}))["id"]);
    assert_eq!(answer(&world, &format!("/apps/{id}/"))["which"], "first");
    let second = commit(world.repository.path(), "which.txt", "second\n");
    let version = publish(&world, &id, json!({ "gitRef": at(&second) })).ok();
    assert_eq!(version["currentInstance"]["status"], "Queued");
    // Until the new one runs, the old one answers.
    assert_eq!(answer(&world, &format!("/apps/{id}/"))["which"], "first");
    let shown = app(&world, &id);
    assert_eq!(shown["currentVersion"]["id"], version["id"]);
    let state = when(&world, &id, |app| instances(app)[0]["status"] == "Stopped");
    assert_eq!(instances(&state)[1]["status"], "Running");
    assert_eq!(instances(&state)[1]["commit"], second.as_str());
    let (_, old_ended) = times(&world, instances(&state)[0]);
    let (new_began, _) = times(&world, instances(&state)[1]);
    assert!(new_began < old_ended);
    assert_eq!(answer(&world, &format!("/apps/{id}/"))["which"], "second");
    let versions = world.get(&format!("{APPS}/{id}/versions")).ok();
    assert_eq!(versions["items"][0]["id"], version["id"]);
    assert_eq!(versions["metadata"]["totalCount"], 2);
}

#[test]
fn a_new_version_that_never_runs_leaves_the_old_one_running() {
    let world = world(Version::V6_2);
    let id = text(&create(&world, "dash", json!({}))["id"]);
    once_status(&world, &id, "Running");
    publish(&world, &id, json!({ "gitRef": at(&"a".repeat(40)) })).ok();
    let state = once_status(&world, &id, "Failed");
    assert_eq!(state["serving"], instances(&state)[0]["id"]);
    assert_eq!(instances(&state)[0]["status"], "Running");
    assert_eq!(answer(&world, &format!("/apps/{id}/"))["which"], "first");
    assert_eq!(
        app(&world, &id)["currentVersion"]["currentInstance"]["status"],
        "Failed"
    );
}

#[test]
fn a_new_version_that_dies_once_it_runs_has_taken_the_place_of_the_old_one() {
    let world = world(Version::V6_3);
    let id = text(&create(&world, "dash", json!({}))["id"]);
    once_status(&world, &id, "Running");
    publish(&world, &id, json!({ "entryScript": "exit 4" })).ok();
    let state = when(&world, &id, |app| {
        app["status"] == "Failed" && instances(app)[0]["status"] == "Stopped"
    });
    assert_eq!(state["serving"], Value::Null);
    assert_eq!(world.get(&format!("/apps/{id}/")).status, 503);
}

#[test]
fn deleting_an_instance_stops_it() {
    let world = world(Version::V6_3);
    let created = create_from(&world, "idle.sh");
    let id = text(&created["id"]);
    once_status(&world, &id, "Running");
    let path = instance_path(&created);
    let running = world.get(&path).ok();
    assert_eq!(running["status"], "Running");
    assert!(running["resourceUsage"].is_array());
    let deleted = delete(&world, &path);
    assert_eq!((deleted.status, deleted.text()), (200, String::new()));
    once_status(&world, &id, "Stopped");
    assert_eq!(world.get(&path).ok()["status"], "Stopped");
    assert_eq!(delete(&world, &path).status, 200);
    let list = path.rsplit_once('/').unwrap().0;
    let instances = world.get(list).ok();
    assert_eq!(instances["items"][0]["status"], "Stopped");
}

#[test]
fn the_log_is_paged_by_the_last_time_seen() {
    let world = world(Version::V6_3);
    let created = create_from(&world, "broken.sh");
    let id = text(&created["id"]);
    once_status(&world, &id, "Failed");
    let path = instance_path(&created);
    let log = |query: &str| world.get(&format!("{path}/{query}")).ok();
    let errors = log("logs?logType=stderr");
    assert_eq!(errors["logContent"][0]["log"], "it broke");
    assert_eq!(errors["isComplete"], true);
    let first = log("realTimeLogs?limit=1");
    assert_eq!(first["isComplete"], false);
    assert_eq!(first["pagination"]["limit"], 1);
    let after = text(&first["pagination"]["latestTime"]);
    let rest = log(&format!("logs?logType=complete&latestTime={after}"));
    assert_eq!(rest["isComplete"], true);
    assert_ne!(rest["logContent"][0], first["logContent"][0]);
    let none = log(&format!(
        "logs?latestTime={}",
        text(&rest["pagination"]["latestTime"])
    ));
    assert_eq!(none["logContent"], json!([]));
    assert_eq!(
        world.get(&format!("{path}/logs?logType=console")).status,
        400
    );
}

#[test]
fn an_app_that_ends_by_itself_succeeds_or_fails_by_its_exit_code() {
    let world = world(Version::V6_3);
    let done = text(&create_from(&world, "done.sh")["id"]);
    let state = once_status(&world, &done, "Succeeded");
    let walked = instances(&state)[0]["statuses"].as_array().unwrap();
    assert_eq!(
        walked[walked.len() - 3..],
        ["Running", "Finishing", "Succeeded"]
    );
    let broken = text(&create_from(&world, "broken.sh")["id"]);
    let state = once_status(&world, &broken, "Failed");
    assert_eq!(
        instances(&state)[0]["failure"],
        "The app ended with exit code 3"
    );
}

#[test]
fn an_app_without_its_entry_point_or_commit_fails_with_the_reason_in_its_log() {
    let world = world(Version::V6_3);
    let reason = |created: Value| {
        let id = text(&created["id"]);
        let state = once_status(&world, &id, "Failed");
        let statuses = instances(&state)[0]["statuses"].to_string();
        assert!(!statuses.contains("Running"), "{statuses}");
        let log = world.get(&format!("{}/logs", instance_path(&created))).ok();
        text(&log["logContent"].as_array().unwrap().last().unwrap()["log"])
    };
    assert_eq!(
        reason(create_from(&world, "missing.sh")),
        "bash: missing.sh: No such file or directory"
    );
    let unknown = json!({ "gitRef": at(&"a".repeat(40)) });
    assert!(reason(create(&world, "dash", unknown)).starts_with("fatal: "));
    world.is_beyond_the_specs("a type of git reference that they do not know is taken and shown");
    let wrong = json!({ "gitRef": { "type": "branch", "value": "main" } });
    assert!(reason(create(&world, "dash", wrong)).contains("IllegalStateException"));
    let dfs = json!({ "dfsCommitId": head(&world) });
    assert!(reason(create(&world, "dash", dfs)).contains("does not exist in the file system"));
}

#[test]
fn a_custom_reference_is_whatever_git_finds_under_it() {
    let world = world(Version::V6_3);
    for value in ["main", &head(&world)] {
        let version = json!({ "gitRef": { "type": "custom", "value": value } });
        let id = text(&create(&world, "dash", version)["id"]);
        let state = once_status(&world, &id, "Running");
        assert_eq!(instances(&state)[0]["commit"], head(&world).as_str());
    }
}

#[test]
fn an_app_that_cannot_be_is_not_made() {
    let world = world(Version::V6_3);
    let missing = world.post(APPS, json!({ "name": "dash" }));
    assert_eq!(missing.status, 400);
    let error = text(&missing.json()["error"]);
    for name in ["projectId", "visibility", "version"] {
        assert!(error.contains(&format!("obj.{name}")), "{name} in {error}");
    }
    let mut odd = body(&world, "dash", json!({}));
    odd["visibility"] = "EVERYBODY".into();
    assert_eq!(world.post(APPS, odd).status, 400);
    let tier = json!({ "hardwareTierId": "Small" });
    let refused = world.post(APPS, body(&world, "dash", tier));
    assert!(text(&refused.json()["error"]).contains("Small"));
    assert_eq!(world.sandbox.state()["apps"], json!([]));
}

#[test]
fn lists_are_filtered_sorted_and_cut() {
    let world = world(Version::V6_3);
    for name in ["Beta board", "alpha", "board two"] {
        create(&world, name, json!({}));
    }
    let names = |query: &str| -> Vec<String> {
        let list = world.get(&format!("{APPS}?{query}")).ok();
        let items = list["items"].as_array().unwrap().iter();
        items.map(|app| text(&app["name"])).collect()
    };
    assert_eq!(names("").len(), 3);
    // A part of a name is enough, which is why a client has to compare.
    assert_eq!(names("name=board"), ["Beta board", "board two"]);
    assert_eq!(
        names("sortField=name&sortOrder=desc"),
        ["board two", "alpha", "Beta board"]
    );
    assert_eq!(names("sortField=name&offset=1&limit=1"), ["alpha"]);
    assert_eq!(names("projectId=000000000000000000000000").len(), 0);
    assert_eq!(names("status=Stopped").len(), 0);
    let projects = world.get(&format!("{APPS}/projectFilterOptions")).ok();
    assert_eq!(projects[0]["id"], world.project_id().as_str());
    let publishers = world.get(&format!("{APPS}/publisherFilterOptions")).ok();
    assert_eq!(publishers[0]["name"], "author");
    assert_eq!(publishers.as_array().unwrap().len(), 1);
}

#[test]
fn an_app_can_be_changed_and_a_version_in_the_change_is_published() {
    let world = world(Version::V6_3);
    let id = text(&create(&world, "dash", json!({}))["id"]);
    once_status(&world, &id, "Running");
    let path = format!("{APPS}/{id}");
    let change = json!({ "name": "board", "visibility": "PUBLIC", "entryPoint": "idle.sh" });
    let changed = patch(&world, &path, change).ok();
    assert_eq!(
        (&changed["name"], &changed["visibility"]),
        (&json!("board"), &json!("PUBLIC"))
    );
    assert_eq!(
        world.sandbox.state()["apps"][0]["versions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    patch(&world, &path, json!({ "version": {} })).ok();
    let state = when(&world, &id, |app| instances(app).len() == 2);
    assert_eq!(state["entryPoint"], "idle.sh");
}

#[test]
fn a_vanity_url_leads_to_the_app_and_belongs_to_one() {
    let world = world(Version::V6_3);
    let created = create(&world, "dash", json!({ "vanityUrl": "wine" }));
    assert!(text(&created["url"]).ends_with("/apps/wine"));
    assert_eq!(created["vanityUrl"], "wine");
    let found = world.get(&format!("{APPS}/vanityUrls/wine")).ok();
    assert_eq!(found["id"], created["id"]);
    assert_eq!(answer(&world, "/apps/wine/")["which"], "first");
    let taken = world.post(APPS, body(&world, "other", json!({ "vanityUrl": "wine" })));
    assert_eq!(taken.status, 400);
    let path = format!(
        "{APPS}/{}/versions/{}",
        text(&created["id"]),
        text(&created["currentVersion"]["id"])
    );
    let version = patch(&world, &path, json!({ "vanityUrl": "grapes" })).ok();
    assert_eq!(version["vanityUrl"], "grapes");
    assert_eq!(world.get(&path).ok()["vanityUrl"], "grapes");
    assert_eq!(answer(&world, "/apps/grapes/")["which"], "first");
    assert_eq!(world.get("/apps/wine/").status, 404);
    assert_eq!(
        patch(&world, &path, json!({ "vanityUrl": "a/b" })).status,
        400
    );
}

#[test]
fn a_deleted_app_stops_and_is_gone() {
    let world = world(Version::V6_3);
    let id = text(&create_from(&world, "idle.sh")["id"]);
    once_status(&world, &id, "Running");
    let deleted = delete(&world, &format!("{APPS}/{id}"));
    assert_eq!((deleted.status, deleted.text()), (200, String::new()));
    assert_eq!(world.get(&format!("{APPS}/{id}")).status, 404);
    assert_eq!(world.get(&format!("/v4/modelProducts/{id}")).status, 404);
    once_status(&world, &id, "Stopped");
}

#[test]
fn views_are_counted_by_user_and_version() {
    let world = world(Version::V6_3);
    let created = create(&world, "dash", json!({}));
    let id = text(&created["id"]);
    let path = format!("{}/views", instance_path(&created));
    for _ in 0..2 {
        assert_eq!(world.request("POST", &path, None).status, 200);
    }
    let views = world.get(&format!("{APPS}/{id}/views")).ok();
    assert_eq!(views["count"], 2);
    assert_eq!(views["versions"][0]["id"], created["currentVersion"]["id"]);
    assert_eq!(views["timeseries"][0]["count"], 2);
    assert!(
        views["users"]
            .as_object()
            .unwrap()
            .values()
            .all(|count| *count == 2)
    );
    assert_eq!(app(&world, &id)["views"], 2);
    let before = world
        .get(&format!("{APPS}/{id}/views?endTimestamp=1000"))
        .ok();
    assert_eq!(before["count"], 0);
}

#[test]
fn an_inline_script_goes_before_the_entry_point() {
    let world = world(Version::V6_3);
    let script = "echo \"it's mine\"\ncat which.txt\n";
    let created = create(&world, "dash", json!({ "entryScript": script }));
    let id = text(&created["id"]);
    once_status(&world, &id, "Succeeded");
    let log = world
        .get(&format!("{}/logs?logType=stdout", instance_path(&created)))
        .ok();
    let lines: Vec<&Value> = log["logContent"].as_array().unwrap().iter().collect();
    assert_eq!(lines[0]["log"], "it's mine");
    assert_eq!(lines[1]["log"], "first");
}
