//! `deploy-job` with every fault at every request: never green without success, nothing done twice, and no credential
//! shown, even if the server repeats it.

mod harness;

use std::time::Duration;

use domino_sandbox::{Fault, JobFault, Misbehaviour};
use harness::matrix::Matrix;
use harness::{STAGES, Scene, Setup, eventually};

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-job");

const JOBS: &str = r#"
[job.train]
command = "train.py"

[job.fail]
command = "fail.py"

[job.wait]
command = "wait.py"

[job.score]
command = "train.py"
schedule = { cron = "0 0 6 ? * MON-FRI" }
"#;

fn scene() -> Scene {
    let stages = format!("{STAGES}{JOBS}");
    let files = [
        ("train.py", "for n in range(30): print('epoch', n)\n"),
        ("fail.py", "raise SystemExit(1)\n"),
        ("wait.py", "import time\ntime.sleep(600)\n"),
    ];
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
        ],
        count: |scene| all(&scene.sandbox.state(), "jobs").len(),
        serves: |scene| {
            all(&scene.sandbox.state(), "jobs").iter().any(|job| {
                job["status"] == "Succeeded"
                    && job["commit"] == scene.commit.as_str()
                    && job["hardwareTierName"] == "dev-small"
            })
        },
        also: |_, _| &[],
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
        ],
        count: |scene| all(&scene.sandbox.state(), "scheduledJobs").len(),
        serves: |scene| {
            all(&scene.sandbox.state(), "scheduledJobs")
                .iter()
                .any(|job| {
                    job["schedule"]["cronString"] == "0 0 6 ? * MON-FRI"
                        && job["hardwareTierName"] == "prod-small"
                        && job["isPaused"] == false
                })
        },
        also: |_, _| &[],
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
        let mut scene = scene();
        // What comes again within one millisecond may have been printed again, and is kept.
        let slowly =
            "import time\nfor n in range(30): print('epoch', n, flush=True); time.sleep(0.002)\n";
        scene.commit_file("train.py", slowly);
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

fn reset(processed: bool) -> Misbehaviour {
    Misbehaviour::Reset { processed }
}

fn job_count(scene: &Scene) -> usize {
    all(&scene.sandbox.state(), "jobs").len()
}

#[test]
fn a_start_whose_reply_is_lost_is_never_taken_for_an_earlier_run() {
    let lost = |scene: &Scene, processed| {
        let fault = Fault::on("POST /v4/jobs/start", reset(processed)).single();
        scene.sandbox.faults().add(fault);
    };
    // At a terminal, where a run of the same commit has succeeded.
    let mut scene = scene();
    for name in ["GITHUB_RUN_ID", "GITHUB_ACTIONS"] {
        scene.without(name);
    }
    let start = ["start", "train", "--stage", "dev"];
    scene.run(&start).exits(0);
    lost(&scene, false);
    scene.run(&start).exits(4);
    lost(&scene, false);
    let no_wait = ["start", "train", "--stage", "dev", "--no-wait"];
    scene.run(&no_wait).exits(4);
    assert_eq!(job_count(&scene), 1);
    lost(&scene, true);
    scene
        .run(&start)
        .exits(0)
        .tells("Domino has started it as run 2");
    assert_eq!(job_count(&scene), 2);
    // On GitHub, where the run that a re-run repeats has failed.
    scene.on_github("77");
    let fail = ["start", "fail", "--stage", "dev"];
    scene.run(&fail).exits(5);
    lost(&scene, false);
    scene.run(&fail).exits(4);
    assert_eq!(job_count(&scene), 3);
    lost(&scene, true);
    scene.run(&fail).exits(5).tells("run 4 of job `fail` ended");
    assert_eq!(job_count(&scene), 4);
}

#[test]
fn a_changed_schedule_whose_reply_is_lost_is_judged_by_what_domino_has() {
    let mut scene = scene();
    let schedule = ["schedule", "score", "--stage", "prod"];
    scene.run(&schedule).exits(0);
    let cron = |scene: &Scene| {
        let state = scene.sandbox.state();
        let schedules = all(&state, "scheduledJobs");
        assert_eq!(schedules.len(), 1);
        schedules[0].to_string().contains("0 30 7 ?")
    };
    let stages = format!("{STAGES}{JOBS}").replace("0 0 6 ?", "0 30 7 ?");
    scene.commit_file("stages.toml", &stages);
    scene.on_github("78");
    let route = "PUT /v4/projects/*/scheduledjobs/*";
    scene
        .sandbox
        .faults()
        .add(Fault::on(route, reset(false)).single());
    scene.run(&schedule).exits(4);
    assert!(!cron(&scene));
    scene
        .sandbox
        .faults()
        .add(Fault::on(route, reset(true)).single());
    scene.run(&schedule).exits(0).tells("updated the schedule");
    assert!(cron(&scene));
    scene.run(&schedule).exits(0).tells("is as wanted");
}

#[test]
fn a_signal_while_something_is_written_says_what_was_done() {
    let slow = |scene: &Scene, route: &str| {
        let by = Duration::from_secs(1);
        scene
            .sandbox
            .faults()
            .add(Fault::on(route, Misbehaviour::Delay { by }));
    };
    let interrupted = |scene: &Scene, arguments: &[&str], path: &str| {
        let running = scene.start(arguments);
        eventually("it is being written", || {
            let requests = scene.sandbox.requests();
            let mut writes = requests.iter().filter(|request| request.method == "POST");
            writes.any(|request| request.path.ends_with(path))
        });
        running.signal("TERM");
        running.end().exits(143)
    };
    let mut scene = scene();
    scene.without("RUST_LOG");
    slow(&scene, "POST /v4/jobs/start");
    let start = ["start", "wait", "--stage", "dev", "--no-wait"];
    interrupted(&scene, &start, "/jobs/start").tells("interrupted; run 1 ended as `Stopped`");
    assert_eq!(all(&scene.sandbox.state(), "jobs")[0]["status"], "Stopped");
    slow(&scene, "POST /v4/projects/*/scheduledjobs");
    let schedule = ["schedule", "score", "--stage", "prod"];
    interrupted(&scene, &schedule, "/scheduledjobs")
        .tells("interrupted after this was done: created the schedule");
    assert_eq!(all(&scene.sandbox.state(), "scheduledJobs").len(), 1);
}
