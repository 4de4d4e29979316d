//! One commit in one workflow run is one run in Domino, whatever happens on the way.

use super::*;

#[test]
fn a_failed_run_is_started_anew_by_a_rerun_and_a_person_always_starts_anew() {
    let mut scene = scene();
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_eq!(jobs(&scene).len(), 2);
    scene.on_github("77");
    scene.run(&["start", "fail", "--stage", "dev"]).exits(5);
    scene.run(&["start", "fail", "--stage", "dev"]).exits(5);
    assert_eq!(jobs(&scene).len(), 4);
}

#[test]
fn a_run_that_goes_on_is_followed_and_not_started_again() {
    let mut scene = scene();
    scene.on_github("77");
    let first = scene
        .run(&["start", "wait", "--stage", "dev", "--no-wait"])
        .exits(0);
    drop(first);
    let second = scene
        .run(&["start", "wait", "--stage", "dev", "--timeout", "1s"])
        .exits(6);
    assert!(second.stdout.contains("follow run 1"), "{second}");
    assert!(
        second.stderr.contains("run this again to follow it"),
        "{second}"
    );
    assert_eq!(jobs(&scene).len(), 1);
}

#[test]
fn a_lost_reply_to_the_start_never_starts_a_second_run() {
    for fault in [
        Misbehaviour::Reset { processed: true },
        Misbehaviour::Truncate,
        Misbehaviour::CutJson,
        Misbehaviour::LoginPage,
        reply(502, true),
        reply(500, true),
    ] {
        let scene = scene();
        scene
            .sandbox
            .faults()
            .add(Fault::on("POST /v4/jobs/start", fault.clone()).single());
        let run = scene.run(&["start", "train", "--stage", "dev"]);
        let started = jobs(&scene).len();
        match fault {
            // The page comes instead of the answer; whether the start was carried out decides.
            Misbehaviour::LoginPage => assert!(started <= 1),
            _ => {
                assert_eq!(started, 1, "{fault:?}\n{run}");
                run.exits(0).tells("the reply to the start was lost");
            }
        }
    }
}

#[test]
fn a_start_that_never_happened_is_red_and_a_rerun_starts_one() {
    let mut scene = scene();
    scene.on_github("77");
    scene.sandbox.faults().add(
        Fault::on(
            "POST /v4/jobs/start",
            Misbehaviour::Reset { processed: false },
        )
        .single(),
    );
    scene.run(&["start", "train", "--stage", "dev"]).exits(4);
    assert_eq!(jobs(&scene).len(), 0);
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_eq!(jobs(&scene).len(), 1);
}

#[test]
fn an_interruption_stops_the_run_and_says_so() {
    for (signal, exit) in [("INT", 130), ("TERM", 143)] {
        let scene = scene();
        let running = scene.start(&["start", "wait", "--stage", "dev"]);
        eventually("the job runs", || {
            jobs(&scene)
                .first()
                .is_some_and(|job| job["status"] == "Running")
        });
        running.signal(signal);
        let run = running.end().exits(exit);
        assert!(
            run.stderr.contains("interrupted; run 1 ended as `Stopped`"),
            "{run}"
        );
        assert_eq!(jobs(&scene)[0]["status"], "Stopped");
    }
}

#[test]
fn an_interruption_leaves_the_run_when_asked_to() {
    let scene = scene();
    let running = scene.start(&["start", "wait", "--stage", "dev", "--keep-running"]);
    eventually("the job runs", || {
        jobs(&scene)
            .first()
            .is_some_and(|job| job["status"] == "Running")
    });
    running.signal("INT");
    running.end().exits(130).tells("run 1 goes on");
    assert_eq!(jobs(&scene)[0]["status"], "Running");
    scene
        .run(&["stop", "wait", "--stage", "dev"])
        .exits(0)
        .tells("ended as `Stopped`");
    scene
        .run(&["stop", "wait", "--stage", "dev"])
        .exits(0)
        .tells("no run of job `wait` goes on");
}

#[test]
fn a_runners_clock_that_is_ahead_starts_nothing_twice() {
    let mut scene = scene();
    scene.on_github("77");
    // For this machine, the server lives forty days ago.
    scene.sandbox.faults().skew_clock(-40 * 24 * 3600);
    for _ in 0..2 {
        scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    }
    assert_eq!(jobs(&scene).len(), 1);
}
