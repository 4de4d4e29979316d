//! `demote`: the version that a stage held before comes back, and what had to leave stays away.

use insta::assert_snapshot;

use crate::harness::Scene;
use crate::world::*;

/// Staging held version 1 and holds version 2.
fn scene_of_two() -> Scene {
    let scene = scene();
    for number in [1, 2] {
        register(&scene, "wine", 0.6);
        serve(&scene, "dev", number);
        apply(&scene, "staging", number).exits(0);
    }
    scene
}

#[test]
fn the_version_before_comes_back() {
    let scene = scene_of_two();
    let run = scene
        .run(&[
            "demote",
            "wine",
            "--stage",
            "staging",
            "--reason",
            "it drifts",
        ])
        .exits(0);
    assert_snapshot!("demote", masked(run));
    assert_eq!(holders(&scene, "wine", "Staging"), [1]);
    assert_eq!(alias(&scene, "wine", "staging"), Some(1));
    assert_eq!(alias(&scene, "wine", "previous-staging"), None);
    let left = version(&scene, "wine", 2);
    assert_eq!(left["current_stage"], "Archived");
    let why = left["tags"]["promote.demoted.staging"].as_str().unwrap();
    assert!(why.ends_with(": it drifts"), "{why}");
    let back = version(&scene, "wine", 1)["tags"]["promote.in.staging"].clone();
    assert!(
        back.as_str()
            .unwrap()
            .contains("put back in place of version 2: it drifts"),
        "{back}"
    );
}

#[test]
fn a_second_demotion_does_not_bring_the_bad_one_back() {
    let scene = scene_of_two();
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(0);
    let from = scene.sandbox.requests().len();
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(3)
        .says("there is no alias `previous-staging`")
        .says("it holds version 1; name the version to put back with `--version`");
    scene
        .run(&["demote", "wine", "--stage", "staging", "--version", "1"])
        .exits(0)
        .says("`Staging` holds version 1 of `wine` already, and no other");
    assert_eq!(writes(&scene, from), [""; 0]);
}

#[test]
fn what_was_demoted_comes_back_only_with_a_reason() {
    let scene = scene_of_two();
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(0);
    for verb in ["request", "check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "staging"])
            .exits(3)
            .says("version 2 of `wine` had to leave stage `staging`: version 1 was put back");
    }
    scene
        .run(&[
            "apply",
            "wine",
            "--to",
            "staging",
            "--skip-order",
            "it was the data",
        ])
        .exits(0);
    assert_eq!(holders(&scene, "wine", "Staging"), [2]);
    assert_eq!(alias(&scene, "wine", "previous-staging"), Some(1));
    apply(&scene, "staging", 2).exits(0).says("already");
}

#[test]
fn a_dry_run_of_a_demotion_writes_nothing() {
    let scene = scene_of_two();
    let from = scene.sandbox.requests().len();
    let run = scene
        .run(&["demote", "wine", "--stage", "staging", "--dry-run"])
        .exits(0);
    assert!(
        run.stdout.contains("~ version 1: `Archived` → `Staging`"),
        "{run}"
    );
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(scene.requests_since(from).len(), 2);
}
