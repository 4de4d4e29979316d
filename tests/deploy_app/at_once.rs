//! Two publishes of one app at the same moment: in the end there is one app, and the newer commit serves.
//!
//! `DOMINO_ROUNDS=100` tries that many rounds instead of a few.

use std::time::Duration;

use super::*;
use harness::rounds::{SLOW, play, slow_down};

/// How many rounds are played side by side: each is mostly waiting.
const TOGETHER: usize = 4;

/// Plays a number of rounds on a release of Domino's, where every request takes `latency`.
fn rounds(
    version: &str,
    latency: Duration,
    round: impl Fn(&mut Scenery, &dyn Fn(&Scenery)) + Sync,
) {
    play(TOGETHER, latency, |latency| {
        let slower = |scenery: &Scenery| slow_down(&scenery.scene, latency);
        round(&mut Scenery::of(version), &slower);
    });
}

/// Two steps create the app at once.
fn creates_one(scenery: &mut Scenery, slow_down: &dyn Fn(&Scenery)) {
    slow_down(scenery);
    let both = [scenery.scene.start(PUBLISH), scenery.scene.start(PUBLISH)];
    let told = both.map(harness::Running::end);
    let told_all = format!("{}\n{}", told[0], told[1]);
    assert!(
        told.iter().all(|run| [0, 3].contains(&run.exit)),
        "{told_all}"
    );
    assert!(told.iter().any(|run| run.exit == 0), "{told_all}");
    scenery.scene.sandbox.faults().clear();
    let state = scenery.scene.sandbox.state();
    let apps: Vec<&Value> = state["apps"].as_array().unwrap().iter().collect();
    let left = apps.iter().filter(|app| app["isArchived"] == false);
    // The oldest API cannot delete the other one, which is never started.
    let started = left.filter(|app| app["status"] != "").count();
    assert_eq!(started, 1, "{told_all}\n{state:#}");
    eventually("one process serves", || scenery.alive().len() == 1);
    scenery.run(PUBLISH).exits(0).tells("already");
}

/// Two steps publish two commits within a moment, the newer one first or last.
fn newer_one_serves(scenery: &mut Scenery, slow_down: &dyn Fn(&Scenery), newer_first: bool) {
    scenery.run(PUBLISH).exits(0);
    scenery.commit_app(&app_script("two"));
    let old = scenery.scene.commit.clone();
    scenery.commit_app(&app_script("three"));
    let new = scenery.scene.commit.clone();
    slow_down(scenery);
    let publish = |commit: &str| {
        let arguments = [PUBLISH, &["--commit", commit]].concat();
        scenery.scene.start(&arguments)
    };
    let (first, second) = if newer_first {
        (&new, &old)
    } else {
        (&old, &new)
    };
    let first_run = publish(first);
    let second_run = publish(second);
    let told = [first_run.end(), second_run.end()];
    let told_all = format!("{}\n{}", told[0], told[1]);
    let (of_newer, of_older) = if newer_first { (0, 1) } else { (1, 0) };
    scenery.scene.sandbox.faults().clear();
    assert_eq!(told[of_newer].exit, 0, "{told_all}");
    // The older one may have served for a moment before the newer one came.
    assert!([0, 3].contains(&told[of_older].exit), "{told_all}");
    eventually("one process serves", || scenery.alive().len() == 1);
    scenery.serves_alone(&new);
}

#[test]
fn two_creations_at_once_leave_one_app() {
    on_all(|version| rounds(version, Duration::ZERO, creates_one));
}

#[test]
fn two_slow_creations_at_once_leave_one_app() {
    on_all(|version| rounds(version, SLOW, creates_one));
}

#[test]
fn of_two_commits_at_once_the_newer_one_serves() {
    on_all(|version| {
        rounds(version, Duration::ZERO, |scenery, slow_down| {
            newer_one_serves(scenery, slow_down, false)
        });
    });
}

#[test]
fn of_two_commits_at_once_the_newer_one_serves_when_it_was_first() {
    on_all(|version| {
        rounds(version, Duration::ZERO, |scenery, slow_down| {
            newer_one_serves(scenery, slow_down, true)
        });
    });
}
