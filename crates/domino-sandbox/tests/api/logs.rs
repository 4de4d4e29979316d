//! The log of a job, on all three routes, paged and followed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{PATIENCE, World, text};

fn v4_path(id: &str, query: &str) -> String {
    format!("/v4/jobs/{id}/logsWithProblemSuggestions?{query}")
}

/// Follows a log as a client does: page after page, from the last line seen.
fn followed(world: &World, id: &str, limit: usize, until_complete: bool) -> Vec<String> {
    let mut seen = Vec::new();
    let mut latest = "0".to_owned();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = world
            .get(&v4_path(
                id,
                &format!("limit={limit}&latestTimeNano={latest}&logType=stdout"),
            ))
            .ok();
        let logset = &page["logset"];
        let lines = logset["logContent"].as_array().unwrap();
        seen.extend(lines.iter().map(|line| text(&line["log"])));
        if let Some(next) = logset["pagination"]["latestTimeNano"].as_str() {
            latest = next.to_owned();
        }
        if logset["isComplete"] == true || (!until_complete && lines.is_empty()) {
            return seen;
        }
        assert!(Instant::now() < deadline);
        if lines.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn each_log_type_shows_its_lines() {
    let world = World::new();
    let job = world.run("echo out; echo err >&2", json!({}));
    let id = text(&job["id"]);
    assert_eq!(world.log(&id, "stdout"), ["out"]);
    assert_eq!(world.log(&id, "stderr"), ["err"]);
    assert_eq!(world.log(&id, "stdoutstderr").len(), 2);
    let prepared = world.log(&id, "prepareoutput");
    assert!(
        prepared.iter().any(|line| line.starts_with("Cloning")),
        "{prepared:?}"
    );
    assert_eq!(world.log(&id, "console").len(), prepared.len() + 2);
    assert_eq!(world.get(&v4_path(&id, "logType=odd")).status, 400);

    let public = |log_type: &str| {
        let log = world
            .get(&format!("/api/jobs/beta/jobs/{id}/logs?logType={log_type}"))
            .ok();
        let lines = log["logs"]["logContent"].as_array().unwrap();
        lines
            .iter()
            .map(|line| text(&line["log"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(public("stdOut"), ["out"]);
    assert_eq!(public("STDERR"), ["err"]);
    assert_eq!(public("complete").len(), prepared.len() + 2);
}

#[test]
fn the_public_log_has_times_in_rfc_3339_and_pages_under_metadata() {
    let world = World::new();
    let job = world.run("seq 5", json!({}));
    let path = format!(
        "/api/jobs/beta/jobs/{}/logs?logType=stdOut&limit=3",
        text(&job["id"])
    );
    let first = world.get(&path).ok();
    assert_eq!(first["logs"]["isComplete"], false);
    let line = &first["logs"]["logContent"][0];
    assert!(text(&line["timestamp"]).ends_with('Z'));
    assert_eq!(line["logType"], "stdOut");
    assert_eq!(line["size"], 1);
    let latest = text(&first["metadata"]["pagination"]["latestTimeNano"]);
    let second = world.get(&format!("{path}&latestTimeNano={latest}")).ok();
    assert_eq!(second["logs"]["isComplete"], true);
    assert_eq!(second["logs"]["logContent"][0]["log"], "4");
    let huge = world
        .get(&format!("{path}&limit=3").replace("limit=3&limit=3", "limit=99999"))
        .ok();
    assert_eq!(huge["metadata"]["pagination"]["limit"], 10_000);
}

#[test]
fn pages_and_offsets_lose_and_repeat_nothing() {
    let world = World::new();
    let job = world.run("seq 100", json!({}));
    let id = text(&job["id"]);
    let expected: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    assert_eq!(followed(&world, &id, 7, true), expected);
    let from_ninety = world
        .get(&v4_path(&id, "logType=stdout&offset=90&limit=3"))
        .ok();
    let lines = from_ninety["logset"]["logContent"].as_array().unwrap();
    assert_eq!(
        lines.iter().map(|line| &line["log"]).collect::<Vec<_>>(),
        ["91", "92", "93"]
    );
}

#[test]
fn a_log_can_be_followed_while_it_is_written() {
    let world = World::new();
    let gate = world.repository.path().join("gate");
    let command = format!(
        "echo before; while [ ! -e {0} ]; do sleep 0.01; done; echo after",
        gate.display()
    );
    let id = text(&world.start(&command, json!({}))["id"]);
    let deadline = Instant::now() + PATIENCE;
    while followed(&world, &id, 10, false) != ["before"] {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::write(&gate, "").unwrap();
    assert_eq!(followed(&world, &id, 10, true), ["before", "after"]);
}

#[test]
fn the_oldest_log_route_is_html() {
    let world = World::new();
    let job = world.run("echo '<b>'; echo bad >&2", json!({}));
    let path = format!(
        "/v1/projects/author/quick-start/run/{}/stdout",
        text(&job["id"])
    );
    let log = world.get(&path).ok();
    let stdout = text(&log["stdout"]);
    assert!(
        stdout.starts_with("<pre>") && stdout.contains("&lt;b&gt;"),
        "{stdout}"
    );
    assert!(
        stdout.contains("<span class=\"text-danger\">bad</span>"),
        "{stdout}"
    );
    assert!(text(&log["setup"]).contains("Cloning"));
}

#[test]
fn a_million_lines_are_no_trouble() {
    let world = World::new();
    world.is_beyond_the_specs("so many replies are not kept");
    let job = world.run("seq 1000000", json!({}));
    let id = text(&job["id"]);
    assert!(job["logLines"].as_u64().unwrap() >= 1_000_000);
    let mut next = 1_u64;
    let mut latest = "0".to_owned();
    loop {
        let query = format!("limit=10000&latestTimeNano={latest}&logType=stdout");
        let page: Value = world.get(&v4_path(&id, &query)).ok();
        for line in page["logset"]["logContent"].as_array().unwrap() {
            assert_eq!(line["log"], next.to_string().as_str());
            next += 1;
        }
        latest = text(&page["logset"]["pagination"]["latestTimeNano"]);
        if page["logset"]["isComplete"] == true {
            break;
        }
    }
    assert_eq!(next, 1_000_001);
}
