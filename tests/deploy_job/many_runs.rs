//! A project with many runs: a start reads only those that may be its own, and starts nothing twice.
//!
//! `DEPLOY_JOB_BUILDS` names other builds of the program, separated by a colon; their requests and times for the same
//! work are shown side by side.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::harness::github::on_github;

const START: &[&str] = &["start", "train", "--stage", "dev", "--dry-run"];

fn with_past_runs(number: u32, apart: Duration) -> Scene {
    let scene = scene();
    add_runs(&scene, number, apart);
    scene
}

fn add_runs(scene: &Scene, number: u32, apart: Duration) {
    scene
        .sandbox
        .add_finished_runs("wine-team/wine", "nightly.py", number, apart)
        .unwrap();
}

/// Makes the program a step of a workflow run that was made just now.
fn just_now(scene: &mut Scene) {
    let now = jiff::Timestamp::now();
    on_github(
        scene,
        vec![(
            "/actions/runs/77",
            200,
            json!({"id": 77, "created_at": now}),
        )],
    );
}

/// How often the list of runs was asked for by a program, and how long it took in all.
fn lists(scene: &Scene, program: &Path) -> (usize, Duration) {
    let (from, began) = (scene.sandbox.requests().len(), Instant::now());
    scene.run_program(program, START).exits(0);
    let took = began.elapsed();
    let asked = scene.sandbox.requests();
    (
        asked[from..]
            .iter()
            .filter(|request| request.path == "/v4/jobs")
            .count(),
        took,
    )
}

#[test]
fn ten_thousand_recent_runs_cost_a_start_three_requests_at_most() {
    for in_a_workflow in [false, true] {
        let mut scene = with_past_runs(10_000, Duration::from_secs(60));
        if in_a_workflow {
            just_now(&mut scene);
        }
        let (requests, _) = lists(&scene, Path::new(PROGRAM));
        assert!(requests <= 3, "{requests}");
        let builds = std::env::var("DEPLOY_JOB_BUILDS").unwrap_or_default();
        for build in builds.split(':').filter(|build| !build.is_empty()) {
            let (requests, took) = lists(&scene, Path::new(build));
            println!(
                "in a workflow: {in_a_workflow}; {build}: {requests} lists of runs, {took:.2?}"
            );
        }
    }
}

#[test]
fn a_run_of_this_workflow_run_is_found_behind_many_others() {
    for told in [true, false] {
        let mut scene = with_past_runs(150, Duration::from_secs(3 * 3600));
        match told {
            true => just_now(&mut scene),
            false => drop(on_github(&mut scene, Vec::new())),
        }
        let start = &START[..4];
        scene.run(start).exits(0);
        add_runs(&scene, 250, Duration::ZERO);
        scene
            .run(start)
            .exits(0)
            .tells("succeeded already in this workflow run");
        assert_eq!(jobs(&scene).len(), 401);
    }
}

#[test]
fn a_run_that_goes_on_is_found_behind_many_others() {
    let mut scene = scene();
    let start = ["start", "wait", "--stage", "dev", "--no-wait"];
    scene.run(&start).exits(0);
    add_runs(&scene, 1_000, Duration::ZERO);
    scene
        .run(&start)
        .exits(0)
        .tells("run 1 of job `wait` goes on; it is not waited for");
    just_now(&mut scene);
    scene
        .run(&start)
        .exits(0)
        .tells("run 1 of job `wait` goes on; it is not waited for");
    let from = scene.sandbox.requests().len();
    scene
        .run(&["stop", "wait", "--stage", "dev"])
        .exits(0)
        .tells("run 1 of job `wait` ended as `Stopped`");
    let asked = scene.sandbox.requests();
    let lists = asked[from..]
        .iter()
        .filter(|request| request.path == "/v4/jobs");
    assert_eq!(lists.count(), 2);
}
