//! `deploy-job` under every fault at every request: nothing false green, nothing twice, nothing leaked.

mod harness;

use domino_sandbox::JobFault;
use harness::matrix::Matrix;
use harness::{STAGES, Scene, Setup};

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-job");

const JOBS: &str = r#"
[job.train]
command = "train.py"

[job.score]
command = "train.py"
schedule = { cron = "0 0 6 ? * MON-FRI" }
"#;

fn scene() -> Scene {
    let stages = format!("{STAGES}{JOBS}");
    let files = [("train.py", "for n in range(30): print('epoch', n)\n")];
    let mut scene = Setup {
        stages: &stages,
        files: &files,
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene.on_github("77").variable("RUST_LOG", "trace");
    scene
}

fn all<'a>(state: &'a serde_json::Value, noun: &str) -> &'a [serde_json::Value] {
    state[noun].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn no_fault_makes_start_lie_or_start_twice() {
    Matrix {
        name: "deploy-job start",
        scene,
        arguments: &[
            "start",
            "train",
            "--stage",
            "dev",
            "--timeout",
            "20s",
            "--request-timeout",
            "1s",
            "--verbose",
        ],
        count: |scene| all(&scene.sandbox.state(), "jobs").len(),
        serves: |scene| {
            all(&scene.sandbox.state(), "jobs")
                .iter()
                .any(|job| job["status"] == "Succeeded")
        },
        also: |_| &[],
        costly: false,
    }
    .hold();
}

#[test]
fn no_fault_makes_schedule_lie_or_schedule_twice() {
    Matrix {
        name: "deploy-job schedule",
        scene,
        arguments: &[
            "schedule",
            "score",
            "--stage",
            "prod",
            "--request-timeout",
            "1s",
            "--verbose",
        ],
        count: |scene| all(&scene.sandbox.state(), "scheduledJobs").len(),
        serves: |scene| !all(&scene.sandbox.state(), "scheduledJobs").is_empty(),
        also: |_| &[],
        costly: false,
    }
    .hold();
}

#[test]
fn statuses_and_logs_that_misbehave_are_seen_through() {
    let statuses = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    for fault in [
        JobFault {
            statuses: statuses(&["Running", "Queued", "Succeeded", "Running"]),
            ..JobFault::default()
        },
        JobFault {
            statuses: statuses(&["Failed", "Queued"]),
            ..JobFault::default()
        },
        JobFault {
            statuses: statuses(&["Hovering", "Landing"]),
            ..JobFault::default()
        },
        JobFault {
            completed_lag: 5,
            ..JobFault::default()
        },
        JobFault {
            log_repeats: 7,
            ..JobFault::default()
        },
        JobFault {
            log_late: 3,
            ..JobFault::default()
        },
        JobFault {
            log_complete_early: true,
            ..JobFault::default()
        },
    ] {
        let scene = scene();
        scene.sandbox.faults().add_job_fault(fault.clone());
        let run = scene.run(&["start", "train", "--stage", "dev"]);
        assert_eq!(run.exit, 0, "{fault:?}\n{run}");
        let lines = run
            .stderr
            .lines()
            .filter(|line| line.contains("| epoch "))
            .count();
        // A log that calls itself complete before it is may be cut, and nothing tells.
        assert!(
            lines == 30 || fault.log_complete_early,
            "{lines} lines under {fault:?}\n{run}"
        );
    }
}

#[test]
fn a_status_that_hangs_ends_in_time_and_names_what_goes_on() {
    let scene = scene();
    scene.sandbox.faults().add_job_fault(JobFault {
        stuck_at: Some("Running".into()),
        ..JobFault::default()
    });
    let run = scene
        .run(&["start", "train", "--stage", "dev", "--timeout", "1s"])
        .exits(6);
    assert!(
        run.stderr
            .contains("run 1 of job `train` is still `Running`"),
        "{run}"
    );
}

#[test]
fn a_clock_that_is_wrong_by_days_changes_nothing() {
    for skew in [-40 * 24 * 3600, 40 * 24 * 3600] {
        let scene = scene();
        scene.sandbox.faults().skew_clock(skew);
        scene.run(&["start", "train", "--stage", "dev"]).exits(0);
        scene.run(&["start", "train", "--stage", "dev"]).exits(0);
        assert_eq!(all(&scene.sandbox.state(), "jobs").len(), 1, "{skew}");
    }
}
