//! Two runs of one step at the same moment, as when a person at a shell runs it beside the workflow: in the end there
//! is exactly one run.
//!
//! `DOMINO_ROUNDS=100` tries that many rounds instead of a few.

use std::time::Duration;

use super::*;
use harness::rounds::{SLOW, play, slow_down};

/// How many rounds are played side by side: each is mostly waiting.
const TOGETHER: usize = 6;

/// Plays a number of rounds, each in a Domino of its own, where every request takes `latency`.
fn rounds(latency: Duration, setup: fn() -> Scene, round: fn(&Scene)) {
    play(TOGETHER, latency, |latency| {
        let scene = setup();
        slow_down(&scene, latency);
        round(&scene);
    });
}

/// The same command twice at the same moment; both end well, or say that the other was first.
fn twice(scene: &Scene, arguments: &[&str]) -> String {
    let both = [scene.start(arguments), scene.start(arguments)];
    let told = both.map(|running| {
        let run = running.end();
        assert!([0, 3].contains(&run.exit), "{run}");
        run.to_string()
    });
    told.join("\n")
}

fn starts_one(scene: &Scene) {
    let told = twice(scene, &["start", "wait", "--stage", "dev", "--no-wait"]);
    let going = jobs(scene);
    let going = going
        .iter()
        .filter(|job| job["isCompleted"] == false)
        .count();
    assert_eq!(going, 1, "{told}");
}

fn creates_one(scene: &Scene) {
    let told = twice(scene, &["schedule", "score", "--stage", "dev"]);
    assert_eq!(schedules(scene).len(), 1, "{told}");
}

fn in_a_workflow() -> Scene {
    let mut scene = scene();
    scene.on_github("77");
    scene
}

#[test]
fn two_starts_at_once_leave_one_run() {
    rounds(Duration::ZERO, in_a_workflow, starts_one);
}

#[test]
fn two_slow_starts_at_once_leave_one_run() {
    rounds(SLOW, in_a_workflow, starts_one);
}

#[test]
fn two_schedules_at_once_leave_one() {
    rounds(Duration::ZERO, scene, creates_one);
}

#[test]
fn two_slow_schedules_at_once_leave_one() {
    rounds(SLOW, scene, creates_one);
}
