//! Apps over real HTTP, generation by generation: how they are published, how their processes end, who may open them
//! and what is passed through.

mod beta;
mod faults;
mod proxy;
mod v1;
mod v4;

use std::time::{Duration, Instant};

use domino_sandbox::{AppsV1, Options, Pace, Version};
use serde_json::{Value, json};

use crate::world::{PATIENCE, Reply, Sign, World, commit, git, text};

/// A sandbox of `version` whose repository has apps of every kind.
fn world(version: Version) -> World {
    with(Options {
        version,
        ..Options::default()
    })
}

fn with(options: Options) -> World {
    let world = World::with(options);
    let repository = world.repository.path();
    commit(repository, "server.py", include_str!("apps/server.py"));
    commit(repository, "app.sh", "exec python3 server.py\n");
    commit(repository, "idle.sh", "echo idling\nexec sleep 1000\n");
    commit(repository, "done.sh", "echo all is said\n");
    commit(repository, "broken.sh", "echo it broke >&2\nexit 3\n");
    world
}

/// A sandbox whose statuses last for so many milliseconds each.
fn slow(version: Version, milliseconds: u64) -> World {
    with(Options {
        version,
        delays: Pace::every(Duration::from_millis(milliseconds)),
        ..Options::default()
    })
}

/// The times of the first and the last line in the log of an instance.
fn times(world: &World, instance: &Value) -> (i64, i64) {
    let id = text(&instance["id"]);
    let log = world
        .get(&format!("/v4/modelProducts/apps/versions/{id}/logs"))
        .ok();
    let lines = log["logContent"].as_array().unwrap();
    let time = |line: Option<&Value>| line.unwrap()["timestamp"].as_i64().unwrap();
    (time(lines.first()), time(lines.last()))
}

/// The state of an app, once it is as wanted.
#[track_caller]
fn when(world: &World, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state = world.sandbox.state();
        let apps = state["apps"].as_array().unwrap();
        let app = apps.iter().find(|app| app["id"] == id).unwrap();
        if wanted(app) {
            return app.clone();
        }
        assert!(Instant::now() < deadline, "the app is still {app:#}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The state of an app, once its last instance has this status.
#[track_caller]
fn once_status(world: &World, id: &str, status: &str) -> Value {
    when(world, id, |app| app["status"] == status)
}

/// Every instance of an app's state, oldest first.
fn instances(app: &Value) -> Vec<&Value> {
    let versions = app["versions"].as_array().unwrap().iter();
    let mut instances: Vec<&Value> = versions
        .flat_map(|version| version["instances"].as_array().unwrap())
        .collect();
    instances.sort_by_key(|instance| instance["number"].as_u64());
    instances
}

/// What an app answers at `path` once it answers at all.
#[track_caller]
fn answer(world: &World, path: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reply = world.get(path);
        if reply.status == 200 {
            return reply.json();
        }
        assert!(Instant::now() < deadline, "still {}", reply.text());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The path of an URL of the sandbox.
fn path_of(world: &World, url: &Value) -> String {
    let url = text(url);
    let path = url.strip_prefix(world.sandbox.url());
    path.unwrap_or_else(|| panic!("{url} is elsewhere"))
        .to_owned()
}

fn delete(world: &World, path: &str) -> Reply {
    world.request("DELETE", path, None)
}

fn patch(world: &World, path: &str, body: Value) -> Reply {
    world.request("PATCH", path, Some(body))
}

fn head(world: &World) -> String {
    git(world.repository.path(), &["rev-parse", "HEAD"])
}

/// A git reference to one commit.
fn at(commit: &str) -> Value {
    json!({ "type": "commitId", "value": commit })
}

fn is_known(world: &World, path: &str) -> bool {
    world.get(path).status != 404
}

#[test]
fn each_version_has_the_generations_it_should() {
    let generations_with = |version, apps_v1| {
        let world = World::with(Options {
            version,
            apps_v1,
            ..Options::default()
        });
        let v1 = world.get("/api/apps/v1/apps").status;
        let beta = is_known(&world, "/api/apps/beta/apps");
        (v1, beta, is_known(&world, "/v4/modelProducts"))
    };
    let generations = |version| generations_with(version, AppsV1::On);
    assert_eq!(generations(Version::V5_9), (404, false, true));
    assert_eq!(generations(Version::V6_2), (404, true, true));
    for version in [Version::V6_3, Version::V6_4] {
        assert_eq!(generations(version), (200, true, true));
        let off = |answer| generations_with(version, answer);
        assert_eq!(off(AppsV1::Forbidden), (403, true, true));
        assert_eq!(off(AppsV1::NotFound), (404, true, true));
    }
}

#[test]
fn a_generation_that_is_not_there_is_an_unknown_route() {
    let world = world(Version::V6_2);
    let reply = world.get("/api/apps/v1/apps");
    assert_eq!(reply.status, 404);
    assert!(reply.content_type.starts_with("text/plain"));
    assert!(reply.text().contains("/api/apps/v1/apps"));
}

#[test]
fn every_generation_asks_for_a_credential() {
    let world = world(Version::V6_4);
    for path in [
        "/api/apps/v1/apps",
        "/api/apps/beta/apps",
        "/v4/modelProducts",
    ] {
        assert_eq!(
            world.signed(Sign::Not, "GET", path, None).unwrap().status,
            401
        );
    }
}

#[test]
fn an_app_of_one_generation_is_seen_on_the_others() {
    let world = world(Version::V6_4);
    let v1 = text(&v1::create(&world, "first", json!({}))["id"]);
    let beta = text(&beta::create(&world, "second", json!({}))["id"]);
    let v4 = text(&v4::create(&world, "third")["id"]);
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|app| text(&app["id"])).collect()
    };
    let all = vec![v1, beta, v4];
    assert_eq!(ids(&world.get("/v4/modelProducts").ok()), all);
    for path in ["/api/apps/beta/apps", "/api/apps/v1/apps"] {
        assert_eq!(ids(&world.get(path).ok()["items"]), all);
    }
}

#[test]
fn an_app_of_a_private_project_is_not_seen_by_others() {
    let seed = domino_sandbox::Seed::bare().private_project("approver/own");
    let world = with(Options {
        seed,
        ..Options::default()
    });
    let approver = world.sandbox.user("approver").token;
    let body = v4::body("hidden", &world.project_id());
    let created = world.signed(
        Sign::Token(&approver),
        "POST",
        "/v4/modelProducts",
        Some(body),
    );
    let id = text(&created.unwrap().ok()["id"]);
    assert_eq!(world.get(&format!("/v4/modelProducts/{id}")).status, 403);
    assert_eq!(world.get("/v4/modelProducts").ok(), json!([]));
    assert_eq!(world.get("/api/apps/beta/apps").ok()["items"], json!([]));
}

#[test]
fn stopping_the_sandbox_ends_the_apps() {
    let world = world(Version::V6_3);
    let id = text(&beta::create(&world, "dash", json!({}))["id"]);
    let environment = answer(&world, &format!("/apps/{id}/"))["environment"].clone();
    let port: u16 = text(&environment["APP_PORT"]).parse().unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    world.stop();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
