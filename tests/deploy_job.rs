//! `deploy-job` from outside: what a user sees, and what Domino received.

#[path = "deploy_job/again.rs"]
mod again;
#[path = "deploy_job/approval.rs"]
mod approval;
#[path = "deploy_job/at_once.rs"]
mod at_once;
mod harness;
#[path = "deploy_job/left.rs"]
mod left;
#[path = "deploy_job/many_runs.rs"]
mod many_runs;
#[path = "deploy_job/one_run.rs"]
mod one_run;
#[path = "deploy_job/openapi.rs"]
mod openapi;
#[path = "deploy_job/outputs.rs"]
mod outputs;
#[path = "deploy_job/revision.rs"]
mod revision;
#[path = "deploy_job/schedule.rs"]
mod schedule;
#[path = "deploy_job/settings.rs"]
mod settings;
#[path = "deploy_job/shared_run.rs"]
mod shared_run;
#[path = "deploy_job/shared_schedule.rs"]
mod shared_schedule;
#[path = "deploy_job/stages.rs"]
mod stages;
#[path = "deploy_job/trouble.rs"]
mod trouble;

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
fn status_and_logs_tell_of_the_newest_run() {
    let scene = scene();
    scene
        .run(&["status", "train", "--stage", "dev"])
        .exits(3)
        .tells("has no run in stage `dev`");
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
        .tells("is not what was asked for; it was stopped");
    eventually("the job is stopped", || {
        jobs(&scene)[0]["status"] == "Stopped"
    });
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
        .tells("no stage is given");
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
