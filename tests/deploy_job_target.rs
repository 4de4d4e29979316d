//! What `deploy-job` aims at: the project, the tier, the account, and exactly what the stage file says. And the
//! result of runs that were stopped, by us or by somebody else.

mod harness;

use domino_sandbox::{Fault, JobFault, Misbehaviour, Seed};
use harness::{STAGES, Scene, Setup, eventually};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-job");

const JOBS: &str = r#"
[job.train]
command = "train.py"

[job.wait]
command = "wait.py"

[job.score]
command = "train.py"
schedule = { cron = "0 0 6 ? * MON-FRI" }
"#;

fn scene_with(jobs: &str, seed: fn(Seed) -> Seed) -> Scene {
    let stages = format!("{STAGES}{jobs}");
    let wait = "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n";
    Setup {
        stages: &stages,
        files: &[("train.py", "print('trained')\n"), ("wait.py", wait)],
        seed,
        ..Setup::of(PROGRAM)
    }
    .scene()
}

fn scene() -> Scene {
    scene_with(JOBS, |seed| seed)
}

fn all(scene: &Scene, noun: &str) -> Vec<Value> {
    let state = scene.sandbox.state();
    state[noun].as_array().cloned().unwrap_or_default()
}

/// The only request of this method and path, and its body.
fn sent(scene: &Scene, method: &str, path_ends: &str) -> Value {
    let requests = scene.sandbox.requests();
    let mut bodies = requests
        .iter()
        .filter(|request| request.method == method && request.path.ends_with(path_ends))
        .map(|request| request.body.clone().unwrap_or_default());
    let body = bodies.next().expect("no such request");
    assert_eq!(bodies.next(), None);
    body
}

#[test]
fn a_project_of_the_same_name_is_never_taken_for_the_one_of_the_stage_file() {
    // The account has a project of the name itself, and so has a user; the file's belongs to an organisation.
    let scene = scene_with(JOBS, |seed| {
        seed.project("ci-bot/wine")
            .project("author/wine")
            .project("wine-team/wine-2")
    });
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_eq!(all(&scene, "jobs")[0]["project"], "wine-team/wine");
    let mut alone = scene_with(JOBS, |seed| {
        seed.project("ci-bot/vine").project("author/vine")
    });
    let stages = format!("{STAGES}{JOBS}").replace("wine-team/wine", "wine-team/vine");
    alone.commit_file("stages.toml", &stages);
    alone.run(&["start", "train", "--stage", "dev"]).exits(3);
    assert!(all(&alone, "jobs").is_empty());
}

#[test]
fn nothing_is_asked_that_only_an_administrator_may_read() {
    let scene = scene();
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    scene.run(&["schedule", "score", "--stage", "dev"]).exits(0);
    for request in scene.sandbox.requests() {
        assert_eq!(
            request.status.map(|status| status / 100),
            Some(2),
            "{request:?}"
        );
        let of_all = ["/v4/hardwareTier", "/v4/dataplanes", "/v4/users"];
        assert!(!of_all.contains(&request.path.as_str()), "{request:?}");
    }
}

#[test]
fn a_command_arrives_byte_for_byte() {
    let command = r#"train.py --note 'single "double"' 100% $HOME %(x)s #1 ä☁ \n"#;
    let jobs = format!("[job.train]\ncommand = '''{command}'''\ntitle = '''{command}'''\n");
    let scene = scene_with(&jobs, |seed| seed);
    scene
        .run(&["start", "train", "--stage", "dev", "--no-wait"])
        .exits(0);
    let body = sent(&scene, "POST", "/jobs/start");
    assert_eq!(body["commandToRun"], command);
    assert!(body["title"].as_str().unwrap().contains(command));
}

#[test]
fn a_schedule_runs_on_the_tier_of_jobs_and_as_the_account_that_made_it() {
    let stages = STAGES.replace(
        "hardware-tier = \"prod-small\"",
        "hardware-tier = { jobs = \"prod-small\", models = \"prod-endpoint\", apps = \"prod-page\" }",
    );
    let mut scene = scene_with(JOBS, |seed| seed);
    scene.commit_file("stages.toml", &format!("{stages}{JOBS}"));
    scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    let body = sent(&scene, "POST", "/scheduledjobs");
    let state = scene.sandbox.state();
    let id_of = |noun: &str, name: &str| {
        let all = state[noun].as_array().unwrap().iter();
        let found = all
            .clone()
            .find(|one| one["name"] == name || one["userName"] == name);
        found.map_or(Value::Null, |one| one["id"].clone())
    };
    assert_eq!(
        body["hardwareTierIdentifier"],
        id_of("hardwareTiers", "prod-small")
    );
    assert_ne!(body["hardwareTierIdentifier"], "prod-small");
    assert_eq!(body["scheduledByUserId"], id_of("users", "ci-bot"));
}

#[test]
fn a_run_that_somebody_stops_is_red() {
    let scene = scene();
    let running = scene.start(&["start", "wait", "--stage", "dev"]);
    eventually("the job runs", || {
        all(&scene, "jobs")
            .first()
            .is_some_and(|job| job["status"] == "Running")
    });
    scene.run(&["stop", "wait", "--stage", "dev"]).exits(0);
    running
        .end()
        .exits(5)
        .tells("run 1 of job `wait` ended as `Stopped`");
}

#[test]
fn a_run_that_domino_gives_up_is_red_whatever_its_word_for_that() {
    for word in ["Error", "Failed", "Stopped"] {
        let scene = scene();
        scene.sandbox.faults().add(Fault::on(
            "GET /v4/jobs/*",
            Misbehaviour::Edit {
                set: vec![
                    ("/statuses/executionStatus".into(), word.into()),
                    ("/statuses/isCompleted".into(), true.into()),
                ],
                remove: vec![],
            },
        ));
        scene
            .run(&["start", "train", "--stage", "dev"])
            .exits(5)
            .tells(&format!("ended as `{word}`"));
    }
}

#[test]
fn a_stop_that_does_not_stop_is_red() {
    let scene = scene();
    scene
        .run(&["start", "wait", "--stage", "dev", "--no-wait"])
        .exits(0);
    let refused = Misbehaviour::Status {
        status: 500,
        retry_after: None,
        processed: false,
    };
    scene
        .sandbox
        .faults()
        .add(Fault::on("POST /v4/jobs/stop", refused));
    scene
        .run(&["stop", "wait", "--stage", "dev"])
        .exits(4)
        .tells("cannot stop run 1 of job `wait`");
    scene.sandbox.faults().clear();
    scene.run(&["stop", "wait", "--stage", "dev"]).exits(0);
    assert_eq!(all(&scene, "jobs")[0]["status"], "Stopped");
}

#[test]
fn a_stop_that_goes_on_for_ever_is_not_called_done() {
    let scene = scene();
    scene.sandbox.faults().add_job_fault(JobFault {
        stuck_at: Some("Running".into()),
        ..JobFault::default()
    });
    scene
        .run(&["start", "wait", "--stage", "dev", "--no-wait"])
        .exits(0);
    eventually("the job runs", || {
        all(&scene, "jobs")[0]["status"] == "Running"
    });
    scene
        .run(&["stop", "wait", "--stage", "dev", "--timeout", "300ms"])
        .exits(6)
        .tells("was told to stop and is still `Running`");
}

fn edit(pointer: &str, value: impl Into<Value>) -> Misbehaviour {
    Misbehaviour::Edit {
        set: vec![(pointer.into(), value.into())],
        remove: vec![],
    }
}

#[test]
fn the_commit_is_read_from_the_run_and_not_from_the_reply_to_its_start() {
    let scene = scene();
    let silent = Misbehaviour::Edit {
        set: vec![],
        remove: vec!["/mainRepoGitRef".into()],
    };
    scene
        .sandbox
        .faults()
        .add(Fault::on("POST /v4/jobs/start", silent));
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    scene
        .run(&["start", "train", "--stage", "dev", "--no-wait"])
        .exits(0);
    scene.sandbox.faults().clear();
    let another = edit("/mainRepoGitRef/value", "0".repeat(40));
    let read = Fault::on("GET /v4/jobs/*", another.clone());
    scene.sandbox.faults().add(read);
    scene
        .run(&["start", "wait", "--stage", "dev"])
        .exits(5)
        .tells("is not what was asked for; it was stopped: commit");
    scene.sandbox.faults().clear();
    // Without waiting there is only the reply.
    let reply = Fault::on("POST /v4/jobs/start", another);
    scene.sandbox.faults().add(reply);
    scene
        .run(&["start", "wait", "--stage", "dev", "--no-wait"])
        .exits(5)
        .tells("is not what was asked for; it was stopped: commit");
    eventually("both are stopped", || {
        let jobs = all(&scene, "jobs");
        jobs[2..].iter().all(|job| job["status"] == "Stopped")
    });
}

#[test]
fn a_faulty_run_that_is_completed_is_over_and_red() {
    let scene = scene();
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/jobs/*",
        edit("/statuses/executionStatus", "Faulty"),
    ));
    scene
        .run(&["start", "train", "--stage", "dev", "--timeout", "60s"])
        .exits(5)
        .tells("ended as `Faulty`");
}

#[test]
fn a_deployments_own_word_for_an_end_ends_a_run_and_is_never_green() {
    let scene = scene();
    let never_over = Misbehaviour::Edit {
        set: vec![
            ("/statuses/executionStatus".into(), "Landed".into()),
            ("/statuses/isCompleted".into(), false.into()),
        ],
        remove: vec![],
    };
    let faults = scene.sandbox.faults();
    faults.add(Fault::on("GET /v4/jobs/*", never_over));
    let groups = edit("/completed", vec!["Succeeded", "Landed"]);
    faults.add(Fault::on("GET /v4/jobs/getStatus/values", groups));
    scene
        .run(&["start", "train", "--stage", "dev", "--timeout", "60s"])
        .exits(5)
        .tells("ended as `Landed`");
    let requests = scene.sandbox.requests();
    let asked = requests.iter().filter(|r| r.path.ends_with("/values"));
    assert_eq!(asked.count(), 1);
}

#[test]
fn a_schedule_whose_job_left_the_file_can_be_deleted() {
    let mut scene = scene();
    scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    let (without, _) = JOBS.split_once("[job.score]").unwrap();
    scene.commit_file("stages.toml", &format!("{STAGES}{without}"));
    let delete = |name| scene.run(&["schedule", name, "--stage", "prod", "--delete"]);
    delete("scores")
        .exits(0)
        .tells("has no schedule in stage `prod`, and is not in stages.toml");
    delete("a/b").exits(2);
    assert_eq!(all(&scene, "scheduledJobs").len(), 1);
    delete("score").exits(0).tells("deleted the schedule");
    assert!(all(&scene, "scheduledJobs").is_empty());
    scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(2);
}

#[test]
fn the_commit_of_the_push_and_the_id_of_the_tier_go_over_the_wire() {
    let mut scene = scene();
    let pushed = scene.commit.clone();
    scene.on_github("77");
    // The checkout is ahead of what was pushed, and still that is what runs.
    scene.commit_file("later.txt", "later\n");
    scene.run(&["start", "train", "--stage", "prod"]).exits(0);
    let body = sent(&scene, "POST", "/jobs/start");
    assert_eq!(body["mainRepoGitRef"]["type"], "commitId");
    assert_eq!(body["mainRepoGitRef"]["value"], pushed.as_str());
    let job = &all(&scene, "jobs")[0];
    assert_eq!(job["commit"], pushed.as_str());
    assert_eq!(job["hardwareTierName"], "prod-small");
    assert_eq!(body["overrideHardwareTierId"], job["hardwareTierId"]);
    assert_ne!(body["overrideHardwareTierId"], "prod-small");
}
