//! What clients change of projects and environments.

use domino_sandbox::{Options, Seed};
use serde_json::{Value, json};

use crate::world::{World, text};

fn new_project(world: &World, name: &str) -> Value {
    let owner = world.get("/v4/users/self").ok()["id"].clone();
    json!({
        "name": name, "description": "of a test", "visibility": "Private", "ownerId": owner,
        "collaborators": [], "tags": { "tagNames": ["wine"] },
    })
}

#[test]
fn a_project_is_made_once_found_used_and_archived() {
    let world = World::new();
    let body = new_project(&world, "second");
    let project = world.post("/v4/projects", body.clone()).ok();
    let id = text(&project["id"]);
    assert_eq!(project["ownerUsername"], "author");
    assert_eq!(project["tags"][0]["name"], "wine");
    let again = world.post("/v4/projects", body);
    assert_eq!(again.status, 400);
    assert!(again.text().contains("already exists"), "{}", again.text());

    let by_name =
        "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=author&projectName=second";
    assert_eq!(world.get(by_name).ok()["id"], *id);
    let job = json!({ "projectId": id, "commandToRun": "true" });
    let job = world.post("/v4/jobs/start", job).ok();
    assert_eq!(world.ended(&text(&job["id"]))["project"], "author/second");

    let path = format!("/v4/projects/{id}");
    assert_eq!(world.request("DELETE", &path, None).status, 200);
    assert_eq!(world.get(&path).status, 404);
    assert_eq!(world.get(by_name).status, 404);
    assert_eq!(world.get("/v4/projects?name=second").ok(), json!([]));
}

#[test]
fn a_run_gets_no_code_of_a_repository_that_is_not_opened_to_its_user() {
    let world = World::new();
    for (uri, said) in [
        (
            "https://github.com/example-org/wine.git",
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
        ),
        (
            "git@github.com:example-org/wine.git",
            "git@github.com: Permission denied (publickey).",
        ),
    ] {
        let project = json!({
            "name": format!("of-{}", uri.len()), "description": "", "visibility": "Private",
            "mainRepository": { "uri": uri },
        });
        let project = world.post("/api/projects/beta/projects", project).ok();
        let job = json!({ "projectId": project["project"]["id"], "commandToRun": "true" });
        let job = world.post("/v4/jobs/start", job).ok();
        let job = world.ended(&text(&job["id"]));
        assert_eq!(
            (&job["status"], &job["failure"]),
            (&"Failed".into(), &said.into())
        );
    }
}

#[test]
fn a_project_of_another_is_neither_made_nor_archived() {
    let world = World::with(Options {
        seed: Seed::default().user("second").project("second/theirs"),
        ..Options::default()
    });
    let users = world.get("/v4/users?userName=second").ok();
    let mut body = new_project(&world, "for-them");
    body["ownerId"] = users[0]["id"].clone();
    assert_eq!(world.post("/v4/projects", body).status, 403);
    let theirs = world.get("/v4/projects?name=theirs").ok();
    let path = format!("/v4/projects/{}", text(&theirs[0]["id"]));
    assert_eq!(world.request("DELETE", &path, None).status, 403);
    assert_eq!(world.get(&path).status, 200);
}

#[test]
fn tags_are_added_once_and_removed() {
    let world = World::new();
    let path = format!("/v4/projects/{}", world.project_id());
    let tags = |world: &World| {
        let tags = world.get(&path).ok()["tags"].clone();
        let tags = tags.as_array().unwrap().iter();
        tags.map(|tag| text(&tag["name"])).collect::<Vec<_>>()
    };
    let body = json!({ "tagNames": ["wine", "red", "wine"] });
    let wine = world.post(&format!("{path}/tags"), body).ok();
    assert_eq!(tags(&world), ["wine", "red"]);
    let one = format!("{path}/tags/{}", text(&wine["id"]));
    assert_eq!(world.request("DELETE", &one, None).status, 200);
    assert_eq!(tags(&world), ["red"]);
    assert_eq!(world.request("DELETE", &one, None).status, 404);
}

#[test]
fn somebody_is_added_to_a_project_once_and_taken_out() {
    let world = World::seeded(Seed::default().private_project("author/closed"));
    let project = world.get("/v4/projects?name=closed").ok();
    let path = format!("/v4/projects/{}/collaborators", text(&project[0]["id"]));
    let names = |world: &World| {
        let people = world.get(&path).ok();
        let people = people.as_array().unwrap().iter();
        people
            .map(|person| text(&person["userName"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&world), ["author"]);
    let other = world.get("/v4/users?userName=approver").ok()[0]["id"].clone();
    let body = json!({ "collaboratorId": other, "projectRole": "Contributor" });
    for _ in 0..2 {
        world.post(&path, body.clone()).ok();
        assert_eq!(names(&world), ["author", "approver"]);
    }
    let nobody = json!({ "collaboratorId": "0".repeat(24), "projectRole": "Contributor" });
    assert_eq!(world.post(&path, nobody).status, 404);
    let one = format!("{path}/{}", text(&other));
    assert_eq!(world.request("DELETE", &one, None).status, 200);
    assert_eq!(names(&world), ["author"]);
}

#[test]
fn an_environment_is_made_revised_restricted_and_archived() {
    const ENVIRONMENTS: &str = "/api/environments/beta/environments";
    let world = World::new();
    let body = json!({
        "name": "With wine", "image": "registry.example.com/base:1", "visibility": "Private",
        "addBaseDependencies": true,
    });
    let made = world.post(ENVIRONMENTS, body).ok()["environment"].clone();
    let path = format!("{ENVIRONMENTS}/{}/revisions", text(&made["id"]));
    let revision = world.post(&path, json!({ "image": "registry.example.com/base:2" }));
    let revision = revision.ok()["environmentRevision"].clone();
    assert_eq!(revision["number"], 2);

    // The new one is the latest, and the old one is still active.
    let one = format!("/api/environments/v1/environments/{}", text(&made["id"]));
    let seen = world.get(&one).ok()["environment"].clone();
    assert_eq!(seen["latestRevision"]["id"], revision["id"]);
    assert_eq!(seen["selectedRevision"]["number"], 1);

    let job =
        json!({ "environmentId": made["id"], "environmentRevisionSpec": "RestrictedRevision" });
    let restricted = |world: &World| {
        let mut body = job.clone();
        body["projectId"] = world.project_id().into();
        body["commandToRun"] = "true".into();
        world.post("/v4/jobs/start", body)
    };
    assert_eq!(restricted(&world).status, 400);
    let of_revision = format!("{path}/{}", text(&revision["id"]));
    let patch = Some(json!({ "isRestricted": true }));
    assert_eq!(world.request("PATCH", &of_revision, patch).status, 200);
    let job = restricted(&world).ok();
    let job = world.ended(&text(&job["id"]));
    assert_eq!(job["environmentRevisionId"], revision["id"]);

    assert_eq!(world.request("DELETE", &one, None).status, 200);
    assert!(
        !world
            .get("/v4/environments/self")
            .text()
            .contains("With wine")
    );
    assert_eq!(restricted(&world).status, 400);
}
