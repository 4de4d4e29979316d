//! Two promotions at once. The experiment manager answers 200 to both; never may both be green with two versions in
//! the stage.

use std::time::Duration;

use domino_sandbox::{Fault, Misbehaviour};
use insta::assert_snapshot;

use crate::harness::{Scene, eventually};
use crate::world::*;

const DONE: &str = "POST /api/2.0/mlflow/registered-models/alias";

/// Somebody puts version `other` into the stage while version `ours` is being promoted.
fn overtaken(ours: u64, other: u64) -> (Scene, crate::harness::Run) {
    let scene = scene();
    for _ in 0..3 {
        register(&scene, "wine", 0.6);
    }
    put(&scene, "wine", 1, "Staging");
    serve(&scene, "dev", ours);
    let by = Duration::from_millis(1500);
    scene
        .sandbox
        .faults()
        .add(Fault::on(DONE, Misbehaviour::Delay { by }).single());
    let from = scene.sandbox.requests().len();
    let ours = ours.to_string();
    let running = scene.start(&["apply", "wine", "--to", "staging", "--version", &ours]);
    eventually("the aliases are being set", || {
        let requests = scene.sandbox.requests();
        requests
            .iter()
            .skip(from)
            .any(|request| request.method == "POST" && request.path.ends_with("/alias"))
    });
    put(&scene, "wine", other, "Staging");
    let run = running.end();
    (scene, run)
}

#[test]
fn the_lower_version_gives_way_to_one_that_came_in_between() {
    let (scene, run) = overtaken(2, 3);
    let run = run.exits(3);
    assert_snapshot!("gives_way", masked(run));
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [3]);
    assert_eq!(
        alias(&scene, "wine", "staging"),
        Some(3),
        "and takes its alias along"
    );
    assert_eq!(stage_of(&scene, "wine", 2), "None");
    // What the other took the place of stays told; that this one came in does not.
    assert_eq!(alias(&scene, "wine", "previous-staging"), Some(1));
    let record = recorded(&scene, "wine", 2, "staging");
    assert_eq!(record["status"], "undone", "{record}");
}

#[test]
fn the_higher_version_is_not_green_beside_one_that_does_not_give_way() {
    let (scene, run) = overtaken(3, 2);
    let run = run.exits(3);
    assert!(
        run.stderr.contains(
            "`Staging` holds versions 3 and 2 of `wine` at once, and version 2 does not give way"
        ),
        "{run}"
    );
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [2]);
}

#[test]
fn two_promotions_at_once_end_with_one_version_in_the_stage() {
    for _ in 0..3 {
        let scene = scene();
        for _ in 0..3 {
            register(&scene, "wine", 0.6);
        }
        put(&scene, "wine", 1, "Staging");
        let start = |number| {
            scene.start(&[
                "apply",
                "wine",
                "--to",
                "staging",
                "--version",
                number,
                "--skip-order",
                "a race",
            ])
        };
        let (two, three) = (start("2"), start("3"));
        let runs = [two.end(), three.end()];
        let held = versions_in_stage(&scene, "wine", "Staging");
        let transcript = || format!("{held:?}\n{}\n{}", runs[0], runs[1]);
        assert_eq!(held.len(), 1, "{}", transcript());
        for (run, number) in runs.iter().zip([2, 3]) {
            assert!([0, 3].contains(&run.exit), "{}", transcript());
            if run.exit == 3 {
                assert_ne!(
                    held,
                    [number],
                    "red, and it holds the stage\n{}",
                    transcript()
                );
            }
        }
        let winner = held[0];
        assert!(
            winner == 1 || runs[winner as usize - 2].exit == 0,
            "{}",
            transcript()
        );
        assert_eq!(
            alias(&scene, "wine", "staging"),
            Some(winner),
            "{}",
            transcript()
        );
    }
}
