//! Two publishes of one model at the same moment, as when a person at a shell runs it beside the workflow: in the end
//! exactly one endpoint serves what was requested.
//!
//! `DOMINO_ROUNDS=100` tries that many rounds instead of a few, `DOMINO_LATENCY_MS=2000` slower ones.

use std::time::Duration;

use super::*;
use harness::rounds::{SLOW, play, slow_down};

/// How many rounds are played side by side: each is mostly waiting.
const TOGETHER: usize = 4;

const PUBLISH: &[&str] = &["publish", "wine", "--stage", "dev"];

/// Plays a number of rounds, each in a Domino of its own, where every request takes `latency`.
fn rounds(latency: Duration, setup: fn() -> Scene, round: fn(&Scene)) {
    play(TOGETHER, latency, |latency| {
        let scene = setup();
        slow_down(&scene, latency);
        round(&scene);
    });
}

/// The same command twice at the same moment; both end well, or say that the other was first. Then one endpoint serves
/// with one version, and the next publish finds it.
fn leaves_one(scene: &Scene) {
    let both = [scene.start(PUBLISH), scene.start(PUBLISH)];
    let told = both.map(harness::Running::end);
    let words = format!("{}\n{}", told[0], told[1]);
    assert!(told.iter().all(|run| [0, 3].contains(&run.exit)), "{words}");
    assert!(told.iter().any(|run| run.exit == 0), "{words}");
    scene.sandbox.faults().clear();
    let going = || {
        let state = scene.sandbox.state();
        let all = state["modelApis"].as_array().unwrap().clone();
        let left = all.iter().filter(|api| api["isArchived"] == false);
        let versions = left.flat_map(|api| api["versions"].as_array().unwrap());
        let going = versions.filter(|version| version["status"] != "Stopped");
        going.cloned().collect::<Vec<Value>>()
    };
    eventually("one version goes on", || going().len() == 1);
    assert_eq!(going()[0]["status"], "Running", "{words}");
    let again = scene.run(PUBLISH).exits(0).tells("is as wanted");
    assert_eq!(going().len(), 1, "{words}\n{again}");
}

fn of_version(version: &str) -> Scene {
    let scene = scene_of(version);
    register(&scene, "wine", "return x + 2");
    scene
}

fn nothing_yet() -> Scene {
    of_version("6.3")
}

fn nothing_yet_on_an_older_domino() -> Scene {
    of_version("5.9")
}

fn an_endpoint() -> Scene {
    let scene = nothing_yet();
    scene.run(PUBLISH).exits(0);
    register(&scene, "wine", "return x + 2.1");
    scene
}

fn an_endpoint_on_an_older_domino() -> Scene {
    let scene = nothing_yet_on_an_older_domino();
    scene.run(PUBLISH).exits(0);
    register(&scene, "wine", "return x + 2.1");
    scene
}

#[test]
fn two_creations_at_once_leave_one_endpoint() {
    rounds(Duration::ZERO, nothing_yet, leaves_one);
}

#[test]
fn two_slow_creations_at_once_leave_one_endpoint() {
    rounds(SLOW, nothing_yet, leaves_one);
}

#[test]
fn two_creations_at_once_on_an_older_domino_leave_one_that_serves() {
    rounds(Duration::ZERO, nothing_yet_on_an_older_domino, leaves_one);
    rounds(SLOW, nothing_yet_on_an_older_domino, leaves_one);
}

#[test]
fn two_new_versions_at_once_leave_one_that_serves() {
    rounds(Duration::ZERO, an_endpoint, leaves_one);
    rounds(Duration::ZERO, an_endpoint_on_an_older_domino, leaves_one);
}

#[test]
fn two_slow_new_versions_at_once_leave_one_that_serves() {
    rounds(SLOW, an_endpoint, leaves_one);
    rounds(SLOW, an_endpoint_on_an_older_domino, leaves_one);
}
