//! A run that others change too: one that lost its title is found again, and never started a second time.

use serde_json::json;

use super::*;
use crate::harness::{TOKEN, http};

const START: &[&str] = &["start", "wait", "--stage", "dev", "--no-wait"];
const STOP: &[&str] = &["stop", "wait", "--stage", "dev"];

fn by_hand(scene: &Scene, path: &str, header: (&str, &str), body: &Value) {
    let url = format!("{}{path}", scene.sandbox.url());
    let (status, reply) = http::send("POST", &url, &[header], Some(body));
    assert_eq!(status, 200, "{reply}");
}

fn retitle(scene: &Scene, number: usize) {
    let id = jobs(scene)[number - 1]["id"].as_str().unwrap().to_owned();
    let path = format!("/v4/jobs/{id}/name");
    let bearer = format!("Bearer {TOKEN}");
    let name = json!({ "name": format!("Big training {number}") });
    by_hand(scene, &path, ("authorization", &bearer), &name);
}

/// The same command and commit, started in Domino by `header`'s account.
fn starts_by_hand(scene: &Scene, header: (&str, &str), tier: &str) {
    let state = scene.sandbox.state();
    let body = json!({
        "projectId": state["projects"][0]["id"], "commandToRun": "wait.py", "title": "Mine",
        "mainRepoGitRef": { "type": "commitId", "value": scene.commit },
        "overrideHardwareTierId": tier,
    });
    by_hand(scene, "/v4/jobs/start", header, &body);
}

#[test]
fn a_retitled_run_that_goes_on_is_followed_and_not_started_again() {
    let mut scene = scene();
    scene.on_github("77");
    scene.run(START).exits(0);
    retitle(&scene, 1);
    let run = scene
        .run(START)
        .exits(0)
        .tells("run 1 of job `wait` goes on");
    let told =
        "= run 1, called `Big training 1` in Domino: ours by its command, commit and account";
    assert!(run.stdout.contains(told), "{run}");
    assert_eq!(jobs(&scene).len(), 1);
}

#[test]
fn two_runs_that_may_be_ours_are_refused_by_name() {
    let mut scene = scene();
    scene.on_github("77");
    for number in [1, 2] {
        scene.run(&[START, &["--beside"]].concat()).exits(0);
        retitle(&scene, number);
    }
    let from = scene.sandbox.requests().len();
    scene
        .run(START)
        .exits(3)
        .tells("may be ours under another title: run 2 (")
        .tells("called `Big training 1` in Domino")
        .tells("end its title with `[dev/wait [short] run 77]` in Domino; if not, give `--beside`");
    for verb in [STOP, &["status", "wait", "--stage", "dev"]] {
        scene.run(verb).exits(3).tells("name it by its id: `--id`");
    }
    let requests = scene.requests_since(from);
    assert!(
        requests.iter().all(|one| one.starts_with("GET ")),
        "{requests:?}"
    );
    scene.run(&[START, &["--beside"]].concat()).exits(0);
    assert_eq!(jobs(&scene).len(), 3);
}

#[test]
fn what_somebody_else_runs_or_runs_elsewhere_is_none_of_ours() {
    let mut scene = scene();
    scene.on_github("77");
    let author = scene.sandbox.user("author");
    starts_by_hand(
        &scene,
        ("x-domino-api-key", &author.api_key),
        "dev-small-k8s",
    );
    let bearer = format!("Bearer {TOKEN}");
    starts_by_hand(&scene, ("authorization", &bearer), "prod-small-k8s");
    scene
        .run(START)
        .exits(0)
        .tells("started job `wait` as run 3");
    scene
        .run(STOP)
        .exits(0)
        .tells("run 3 of job `wait` ended as `Stopped`");
}

#[test]
fn a_run_of_the_same_commit_that_a_person_started_is_followed() {
    let mut scene = scene();
    scene.run(START).exits(0);
    scene.on_github("77");
    let run = scene.run(START).exits(0);
    assert!(
        run.stdout
            .contains("= run 1, started by `ci-bot` for the same commit"),
        "{run}"
    );
    assert_eq!(jobs(&scene).len(), 1);
    scene.run(&[START, &["--beside"]].concat()).exits(0);
    assert_eq!(jobs(&scene).len(), 2);
}
