//! `deploy-job` from outside: what a user sees, and what Domino received.

mod harness;

use domino_sandbox::{Fault, HardwareTierSeed, JobFault, Misbehaviour, Seed};
use harness::{STAGES, Scene, Setup, eventually};
use insta::assert_snapshot;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-job");

const TRAIN: &str = "import json\nprint('epoch 1')\nprint('rmse 0.5')\njson.dump({'rmse': 0.5}, open('dominostats.json', 'w'))\n";
const FAIL: &str = "import sys\nprint('reading data')\nprint('no such column: alcohol', file=sys.stderr)\nsys.exit(3)\n";
const WAIT: &str = "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n";

const JOBS: &str = r#"
[job.train]
command = "train.py"
title = "Train the model"

[job.fail]
command = "fail.py"

[job.wait]
command = "wait.py"

[job.lines]
command = "lines.py"

[job.score]
command = "train.py"
title = "Score"
schedule = { cron = "0 0 6 ? * MON-FRI", timezone = "Europe/Berlin", paused = ["dev"], notify = ["ml@example.com"] }
"#;

fn scene() -> Scene {
    scene_with(|setup| setup)
}

fn scene_with(change: impl FnOnce(Setup<'_>) -> Setup<'_>) -> Scene {
    let stages = format!("{STAGES}{JOBS}");
    let files = [("train.py", TRAIN), ("fail.py", FAIL), ("wait.py", WAIT)];
    change(Setup {
        stages: &stages,
        files: &files,
        ..Setup::of(PROGRAM)
    })
    .scene()
}

fn jobs(scene: &Scene) -> Vec<Value> {
    scene.sandbox.state()["jobs"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn schedules(scene: &Scene) -> Vec<Value> {
    scene.sandbox.state()["scheduledJobs"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn reply(status: u16, processed: bool) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed,
    }
}

#[test]
fn a_job_that_succeeds_is_green_and_tells_its_numbers() {
    let mut scene = scene();
    scene.on_github("77");
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_snapshot!(
        "start",
        format!(
            "{run}--- outputs\n{}--- summary\n{}",
            scene.outputs(),
            scene.summary()
        )
    );
    assert_eq!(jobs(&scene).len(), 1);
}

#[test]
fn a_cold_start_needs_five_requests_in_three_rounds() {
    let scene = scene();
    scene
        .run(&["start", "train", "--stage", "dev", "--no-wait"])
        .exits(0);
    let requests = scene.sandbox.requests();
    let paths: Vec<&str> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(requests.len(), 5, "{paths:?}");
    // The first finds the project, the last starts the job; the three between go out side by side.
    let second = requests[1].started;
    assert!(requests[0].ended.unwrap() <= second);
    for middle in &requests[1..4] {
        assert!(
            requests[0].ended.unwrap() <= middle.started
                && middle.ended.unwrap() <= requests[4].started
        );
    }
    assert!(requests[4].path.ends_with("/jobs/start"));
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let scene = scene();
    let run = scene
        .run(&["start", "train", "--stage", "dev", "--dry-run"])
        .exits(0);
    assert_snapshot!("dry_run", run);
    assert!(
        scene
            .sandbox
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let scene = scene();
    let run = scene
        .run(&["start", "train", "--stage", "dev", "--format", "json"])
        .exits(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["outcome"], "done");
    assert_eq!(document["outputs"]["status"], "Succeeded");
    assert_eq!(document["plan"]["changes"][0]["kind"], "create");
    let failed = scene
        .run(&["start", "fail", "--stage", "dev", "--format", "json"])
        .exits(5);
    let document: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(document["exit"], 5);
    assert!(
        document["excerpt"]["lines"]
            .to_string()
            .contains("no such column")
    );
}

#[test]
fn a_job_that_fails_is_red_with_its_last_lines_and_the_next_command() {
    let mut scene = scene();
    scene.on_github("77");
    let run = scene.run(&["start", "fail", "--stage", "dev"]).exits(5);
    assert_snapshot!("failed", format!("{run}--- summary\n{}", scene.summary()));
}

#[test]
fn a_wrong_reference_word_or_unknown_commit_fails_with_dominos_reason() {
    let scene = scene();
    let commit = "0".repeat(40);
    scene
        .run(&["start", "train", "--stage", "dev", "--commit", &commit])
        .exits(5);
}

#[test]
fn a_second_run_in_one_workflow_run_is_done_already() {
    let mut scene = scene();
    scene.on_github("77");
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    let again = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_snapshot!("again", again);
    assert_eq!(jobs(&scene).len(), 1);
    // Another stage and another workflow run are other deployments, even in the same project.
    scene
        .run(&["start", "train", "--stage", "staging"])
        .exits(0);
    scene
        .on_github("78")
        .run(&["start", "train", "--stage", "dev"])
        .exits(0);
    assert_eq!(jobs(&scene).len(), 3);
}

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
            .add(Fault::on("POST /v4/jobs/start", fault.clone()).once());
        let run = scene.run(&["start", "train", "--stage", "dev"]);
        let started = jobs(&scene).len();
        match fault {
            // The page comes instead of the answer; whether the start was carried out decides.
            Misbehaviour::LoginPage => assert!(started <= 1),
            _ => {
                assert_eq!(started, 1, "{fault:?}\n{run}");
                run.exits(0).says("the reply to the start was lost");
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
        .once(),
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
    running.end().exits(130).says("run 1 goes on");
    assert_eq!(jobs(&scene)[0]["status"], "Running");
    scene
        .run(&["stop", "wait", "--stage", "dev"])
        .exits(0)
        .says("ended as `Stopped`");
    scene
        .run(&["stop", "wait", "--stage", "dev"])
        .exits(0)
        .says("no run of job `wait` goes on");
}

#[test]
fn status_and_logs_tell_of_the_newest_run() {
    let scene = scene();
    scene
        .run(&["status", "train", "--stage", "dev"])
        .exits(3)
        .says("has no run in stage `dev`");
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_snapshot!(
        "status",
        scene.run(&["status", "train", "--stage", "dev"]).exits(0)
    );
    assert_snapshot!(
        "logs",
        scene.run(&["logs", "train", "--stage", "dev"]).exits(0)
    );
}

#[test]
fn a_long_log_arrives_whole_and_once() {
    let script = "for n in range(25000): print('line', n)\n";
    let mut scene = scene();
    scene.commit_file("lines.py", script);
    scene.run(&["start", "lines", "--stage", "dev"]).exits(0);
    let run = scene.run(&["logs", "lines", "--stage", "dev"]).exits(0);
    let lines: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("line "))
        .collect();
    assert_eq!(lines.len(), 25_000);
    assert!(
        lines
            .iter()
            .enumerate()
            .all(|(number, line)| *line == format!("line {number}"))
    );
}

#[test]
fn a_remote_log_can_neither_command_the_runner_nor_forge_the_summary() {
    let script = "print('::set-output name=x::y')\nprint('##[error]forged')\nprint('</details>```\\n# forged')\nraise SystemExit(1)\n";
    let mut scene = scene();
    scene.commit_file("fail.py", script);
    scene.on_github("77");
    let run = scene.run(&["start", "fail", "--stage", "dev"]).exits(5);
    for line in run.stdout.lines().chain(run.stderr.lines()) {
        let command = line.trim_start().starts_with("::");
        assert!(
            !command || line.starts_with("::error") || line.starts_with("::warning"),
            "{line}"
        );
        assert!(!line.contains("##["), "{line}");
    }
    let summary = scene.summary();
    let fence = summary
        .find("````")
        .expect("the excerpt has a longer fence");
    assert!(summary[..fence].matches("# forged").count() == 0);
}

#[test]
fn a_schedule_is_created_kept_and_updated_never_twice() {
    let mut scene = scene();
    scene.on_github("77");
    let created = scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    assert!(created.stdout.contains("next run"), "{created}");
    assert_eq!(schedules(&scene).len(), 1);
    let sent = schedules(&scene)[0].clone();
    assert_eq!(
        sent["hardwareTierIdentifier"],
        scene_tier(&scene, "prod-small")
    );
    scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0)
        .says("is as wanted");
    let text = format!("{STAGES}{JOBS}").replace("0 0 6 ?", "0 30 7 ?");
    scene.commit_file("stages.toml", &text);
    let updated = scene
        .on_github("78")
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    assert!(updated.stdout.contains("0 30 7 ?"), "{updated}");
    assert_eq!(schedules(&scene).len(), 1);
    assert_eq!(schedules(&scene)[0]["id"], sent["id"]);
    // Paused in dev, and another schedule than prod's.
    scene.run(&["schedule", "score", "--stage", "dev"]).exits(0);
    assert_eq!(schedules(&scene).len(), 2);
    scene
        .run(&["schedule", "score", "--stage", "prod", "--delete"])
        .exits(0)
        .says("deleted");
    scene
        .run(&["schedule", "score", "--stage", "prod", "--delete"])
        .exits(0)
        .says("has no schedule");
    assert_eq!(schedules(&scene).len(), 1);
    assert_eq!(schedules(&scene)[0]["isPaused"], true);
}

/// The id of a tier by its name: what the sandbox's own state knows it by.
fn scene_tier(scene: &Scene, name: &str) -> Value {
    let state = scene.sandbox.state();
    let tiers = state["hardwareTiers"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    tiers
        .iter()
        .find(|tier| tier["name"] == name)
        .map_or(Value::Null, |tier| tier["id"].clone())
}

#[test]
fn a_lost_reply_to_a_new_schedule_never_makes_a_second_one() {
    let scene = scene();
    let fault = Fault::on(
        "POST /v4/projects/*/scheduledjobs",
        Misbehaviour::Reset { processed: true },
    )
    .once();
    scene.sandbox.faults().add(fault);
    scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    assert_eq!(schedules(&scene).len(), 1);
}

#[test]
fn a_run_on_another_tier_than_asked_for_is_stopped_and_red() {
    let scene = scene();
    let wrong = vec![("/hardwareTier/id".to_owned(), Value::from("somewhere-else"))];
    let edit = Misbehaviour::Edit {
        set: wrong,
        remove: vec![],
    };
    scene
        .sandbox
        .faults()
        .add(Fault::on("GET /v4/jobs/*/runtimeExecutionDetails", edit));
    scene
        .run(&["start", "wait", "--stage", "dev"])
        .exits(5)
        .says("is not what was asked for; it was stopped");
    eventually("the job is stopped", || {
        jobs(&scene)[0]["status"] == "Stopped"
    });
}

#[test]
fn an_unknown_status_word_is_never_green() {
    let scene = scene();
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/jobs/*",
        Misbehaviour::Edit {
            set: vec![("/statuses/executionStatus".into(), "Wonderful".into())],
            remove: vec![],
        },
    ));
    scene
        .run(&["start", "train", "--stage", "dev", "--timeout", "60s"])
        .exits(5);
}

#[test]
fn a_job_whose_end_lags_is_waited_for() {
    let scene = scene();
    scene.sandbox.faults().add_job_fault(JobFault {
        completed_lag: 3,
        ..JobFault::default()
    });
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
}

#[test]
fn trouble_at_the_first_request_is_named_with_its_exit_code() {
    let reply = |status| reply(status, false);
    for (name, fault, exit, says) in [
        ("html", Misbehaviour::LoginPage, 3, "web page"),
        ("binary", Misbehaviour::BinaryForbidden, 3, "binary data"),
        ("truncated", Misbehaviour::CutJson, 4, "not understood"),
        ("500", reply(500), 4, "500 Internal Server Error"),
        ("404", reply(404), 3, "no project"),
        ("403", reply(403), 3, "403 Forbidden"),
        ("503", reply(503), 4, "503 Service Unavailable"),
    ] {
        let scene = scene();
        scene.sandbox.faults().add(Fault::on(
            "GET /v4/gateway/projects/findProjectByOwnerAndName",
            fault,
        ));
        let run = scene.run(&["start", "train", "--stage", "dev"]);
        assert_eq!(run.exit, exit, "{name}\n{run}");
        assert!(
            run.stderr.contains(says),
            "{name}: `{says}` is not said\n{run}"
        );
        assert_eq!(jobs(&scene).len(), 0);
    }
}

#[test]
fn what_passes_by_itself_is_waited_out() {
    for fault in [
        Misbehaviour::Status {
            status: 429,
            retry_after: Some(1),
            processed: false,
        },
        Misbehaviour::Status {
            status: 503,
            retry_after: None,
            processed: false,
        },
        Misbehaviour::Reset { processed: false },
        Misbehaviour::Delay {
            by: std::time::Duration::from_millis(300),
        },
        Misbehaviour::Truncate,
    ] {
        let scene = scene();
        scene
            .sandbox
            .faults()
            .add(Fault::on("GET /v4/projects/*/hardwareTiers", fault).once());
        scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let mut scene = scene();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    scene.variable("DOMINO_API_HOST", &address);
    assert_snapshot!(
        "refused_connection",
        scene.run(&["start", "train", "--stage", "dev"]).exits(4)
    );
}

#[test]
fn an_answer_that_never_comes_ends_in_time() {
    let scene = scene();
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/**",
        Misbehaviour::Hang { processed: false },
    ));
    scene
        .run(&[
            "start",
            "train",
            "--stage",
            "dev",
            "--request-timeout",
            "100ms",
        ])
        .exits(4)
        .says("no answer in time");
}

#[test]
fn a_wrong_credential_is_refused_with_what_to_do() {
    let mut scene = scene();
    scene.variable("DOMINO_TOKEN", "not-a-token-of-anybody");
    assert_snapshot!(
        "wrong_credential",
        scene.run(&["start", "train", "--stage", "dev"]).exits(3)
    );
    let none = scene
        .without("DOMINO_TOKEN")
        .without("DOMINO_USER_API_KEY")
        .run(&["start", "train", "--stage", "dev"])
        .exits(3);
    assert!(
        none.stderr.contains("there is no credential for Domino"),
        "{none}"
    );
}

#[test]
fn an_unknown_project_lists_those_the_account_sees() {
    let mut scene = scene();
    let text = format!("{STAGES}{JOBS}").replace("wine-team/wine", "wine-team/wines");
    scene.commit_file("stages.toml", &text);
    assert_snapshot!(
        "unknown_project",
        scene.run(&["start", "train", "--stage", "dev"]).exits(3)
    );
}

#[test]
fn an_unknown_tier_lists_the_nearest_and_the_line_that_names_it() {
    let mut scene = scene();
    let text = format!("{STAGES}{JOBS}").replace("\"dev-small\"", "\"dev-smal\"");
    scene.commit_file("stages.toml", &text);
    scene.on_github("77");
    assert_snapshot!(
        "unknown_tier",
        scene.run(&["start", "train", "--stage", "dev"]).exits(3)
    );
}

#[test]
fn an_unknown_environment_lists_the_nearest() {
    let mut scene = scene();
    let text = format!("{STAGES}{JOBS}").replace("\"Standard\"", "\"Standart\"");
    scene.commit_file("stages.toml", &text);
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(3);
    assert!(
        run.stderr
            .contains("there is no compute environment `Standart` here"),
        "{run}"
    );
    assert!(run.stderr.contains("`Standard`"), "{run}");
}

#[test]
fn two_tiers_of_one_name_must_be_told_apart() {
    fn seed(seed: Seed) -> Seed {
        seed.hardware_tier(HardwareTierSeed::new("other-small", "dev-small").on("dev-plane"))
    }
    let scene = scene_with(|setup| Setup { seed, ..setup });
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(3);
    assert!(
        run.stderr
            .contains("2 hardware tiers are called `dev-small`"),
        "{run}"
    );
}

#[test]
fn a_tier_of_another_data_plane_is_a_wrong_target() {
    let mut scene = scene();
    let text = format!("{STAGES}{JOBS}").replace(
        "hardware-tier = \"prod-small\"",
        "hardware-tier = \"dev-small\"",
    );
    scene.commit_file("stages.toml", &text);
    assert_snapshot!(
        "wrong_data_plane",
        scene.run(&["start", "train", "--stage", "prod"]).exits(3)
    );
    assert_eq!(jobs(&scene).len(), 0);
}

#[test]
fn the_stage_and_domino_env_must_agree() {
    let mut scene = scene();
    scene.variable("DOMINO_ENV", "Stage");
    scene.run(&["start", "train", "--dry-run"]).exits(0);
    let run = scene.run(&["start", "train", "--stage", "prod"]).exits(2);
    assert_snapshot!("stage_mismatch", run);
    scene
        .without("DOMINO_ENV")
        .run(&["start", "train"])
        .exits(2)
        .says("no stage is given");
}

#[test]
fn an_unknown_job_names_the_nearest() {
    let scene = scene();
    let run = scene.run(&["start", "trian", "--stage", "dev"]).exits(2);
    assert!(run.stderr.contains("`train`"), "{run}");
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_user_key_works_where_domino_takes_it_and_is_warned_about() {
    let mut scene = scene();
    scene
        .without("DOMINO_TOKEN")
        .variable("DOMINO_USER_API_KEY", harness::KEY);
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_eq!(
        run.stderr.matches("DOMINO_USER_API_KEY").count(),
        1,
        "{run}"
    );
    let mut newest = scene_with(|setup| Setup {
        version: "6.4",
        ..setup
    });
    newest
        .without("DOMINO_TOKEN")
        .variable("DOMINO_USER_API_KEY", harness::KEY);
    newest.run(&["start", "train", "--stage", "dev"]).exits(3);
}

#[test]
fn the_job_route_of_another_version_is_named_when_it_is_not_there() {
    let scene = scene();
    scene
        .sandbox
        .faults()
        .add(Fault::on("POST /v4/jobs/start", reply(404, false)));
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(3);
    assert!(
        run.stderr.contains("/v4/jobs/start answered 404 Not Found"),
        "{run}"
    );
}
