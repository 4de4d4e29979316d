//! What a job really is: a process at the requested commit, with Domino's variables and files that stay for the next
//! one.

use domino_sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use crate::jobs::is_alive;
use crate::world::{World, commit, git, text};

fn output(world: &World, job: &Value) -> Vec<String> {
    world.log(&text(&job["id"]), "stdoutstderr")
}

#[test]
fn a_run_walks_the_statuses_of_domino() {
    let world = World::new();
    let job = world.run("true", json!({}));
    let walked = [
        "Queued",
        "Scheduled",
        "Preparing",
        "Pulling",
        "Running",
        "Finishing",
        "Succeeded",
    ];
    assert_eq!(job["statuses"], json!(walked));
}

#[test]
fn the_code_is_that_of_the_asked_commit_branch_or_tag() {
    let world = World::new();
    let repository = world.repository.path();
    let first = git(repository, &["rev-parse", "HEAD"]);
    git(repository, &["tag", "v1"]);
    git(repository, &["switch", "--quiet", "--create", "side"]);
    commit(repository, "which.txt", "side\n");
    git(repository, &["switch", "--quiet", "main"]);
    let newest = commit(repository, "which.txt", "newest\n");
    let said = |git_ref: Value| {
        let job = world.run("cat which.txt", json!({ "mainRepoGitRef": git_ref }));
        (output(&world, &job), text(&job["commit"]))
    };
    let of = |kind: &str, value: &str| said(json!({ "type": kind, "value": value }));
    assert_eq!(
        of("commitId", &first),
        (vec!["first".into()], first.clone())
    );
    assert_eq!(of("tags", "v1").0, ["first"]);
    assert_eq!(of("branches", "side").0, ["side"]);
    assert_eq!(
        said(json!({ "type": "head" })),
        (vec!["newest".into()], newest.clone())
    );
    assert_eq!(said(json!(null)).1, newest);
}

#[test]
fn the_head_may_be_another_commit_than_what_is_checked_out() {
    let repository = World::new().stop();
    let first = git(repository.path(), &["rev-parse", "HEAD"]);
    commit(repository.path(), "which.txt", "newest\n");
    let sandbox = Sandbox::start(Options {
        repository: repository.path().to_owned(),
        head: Some(first.clone()),
        ..Options::default()
    });
    let world = World::of(sandbox.unwrap(), repository);
    let job = world.run("cat which.txt", json!({}));
    assert_eq!(output(&world, &job), ["first"]);
    let model = json!({
        "name": "plus", "projectId": world.project_id(), "file": "model.py", "function": "f",
    });
    world.post("/v1/models", model).ok();
    let state = world.sandbox.state();
    assert_eq!(state["modelApis"][0]["versions"][0]["commit"], first);
}

#[test]
fn the_repository_may_be_given_by_a_folder_within_it() {
    let world = World::within("src/project", Options::default());
    let job = world.run("cat which.txt", json!({}));
    assert_eq!(output(&world, &job), ["first"]);
}

#[test]
fn the_commit_that_ran_can_be_read_back() {
    let world = World::new();
    let commit = git(world.repository.path(), &["rev-parse", "HEAD"]);
    let job = world.run(
        "true",
        json!({ "mainRepoGitRef": { "type": "commitId", "value": commit } }),
    );
    let job = world.get(&format!("/v4/jobs/{}", text(&job["id"]))).ok();
    assert_eq!(
        job["mainRepoGitRef"],
        json!({ "type": "commitId", "value": commit })
    );
    assert_eq!(
        job["dependentRepositories"][0]["startingCommitId"],
        commit.as_str()
    );
}

#[test]
fn a_wrong_word_for_a_reference_is_accepted_and_fails_the_run() {
    let world = World::new();
    let job = world.run(
        "true",
        json!({ "mainRepoGitRef": { "type": "branch", "value": "main" } }),
    );
    assert_eq!(job["status"], "Failed");
    assert!(
        !job["statuses"]
            .as_array()
            .unwrap()
            .contains(&"Running".into())
    );
    let log = world.log(&text(&job["id"]), "prepareoutput").join("\n");
    assert!(
        log.contains("IllegalStateException: Unknown reference type: branch"),
        "{log}"
    );
}

#[test]
fn a_commit_that_is_not_there_fails_the_run_later() {
    let world = World::new();
    for git_ref in [
        json!({ "type": "commitId", "value": "0123456789012345678901234567890123456789" }),
        json!({ "type": "commitId", "value": "--output=x" }),
        json!({ "type": "branches", "value": "none" }),
    ] {
        let job = world.run("true", json!({ "mainRepoGitRef": git_ref }));
        assert_eq!(job["status"], "Failed", "{git_ref}");
        assert!(text(&job["failure"]).starts_with("fatal:"), "{job}");
    }
    // A commit of the code is none of Domino's own file system.
    let code = git(world.repository.path(), &["rev-parse", "HEAD"]);
    let job = world.run("true", json!({ "commitId": code }));
    assert_eq!(job["status"], "Failed");
}

#[test]
fn scripts_run_with_their_interpreter_and_arguments() {
    let world = World::new();
    let repository = world.repository.path();
    commit(repository, "args.py", "import sys\nprint(sys.argv[1:])\n");
    commit(repository, "args.sh", "echo \"$#: $*\"\n");
    let said = |command: &str| output(&world, &world.run(command, json!({})));
    assert_eq!(said("args.py --name 'a b' 3"), ["['--name', 'a b', '3']"]);
    assert_eq!(said("args.sh one two"), ["2: one two"]);
    assert_eq!(said("echo plain; echo and more"), ["plain", "and more"]);
}

#[test]
fn the_exit_code_decides_and_the_reason_is_told() {
    let world = World::new();
    let job = world.run("echo broken >&2; exit 3", json!({}));
    assert_eq!(job["status"], "Failed");
    let id = text(&job["id"]);
    let job = world.get(&format!("/v4/jobs/{id}")).ok();
    assert!(text(&job["abnormalStatus"]["runFailureMessage"]).contains("exit code 3"));
    let log = world
        .get(&format!("/v4/jobs/{id}/logsWithProblemSuggestions"))
        .ok();
    assert_eq!(log["problemSuggestion"]["problem"], "broken");
    let public = world.get(&format!("/api/jobs/beta/jobs/{id}/logs")).ok();
    assert_eq!(public["logs"]["problem"], "broken");
    let killed = world.run("kill -9 $$", json!({}));
    assert_eq!(killed["status"], "Failed");
}

#[test]
fn a_run_has_the_variables_of_domino_and_little_else() {
    let world = World::new();
    let job = world.run("env", json!({ "overrideHardwareTierId": "dev-small-k8s" }));
    let environment = output(&world, &job);
    let value = |name: &str| {
        let start = format!("{name}=");
        let line = environment.iter().find(|line| line.starts_with(&start));
        line.unwrap_or_else(|| panic!("no {name}"))
            .trim_start_matches(&start)
            .to_owned()
    };
    assert_eq!(value("DOMINO_PROJECT_OWNER"), "author");
    assert_eq!(value("DOMINO_PROJECT_NAME"), "quick-start");
    assert_eq!(value("DOMINO_PROJECT_ID"), world.project_id());
    assert_eq!(value("DOMINO_RUN_ID"), text(&job["id"]));
    assert_eq!(value("DOMINO_STARTING_USERNAME"), "author");
    assert_eq!(value("DOMINO_HARDWARE_TIER_ID"), "dev-small-k8s");
    assert_eq!(value("DOMINO_API_HOST"), world.sandbox.url());
    assert_eq!(value("DOMINO_USER_API_KEY"), world.author().api_key);
    assert_eq!(value("DOMINO_WORKING_DIR"), value("PWD"));
    assert!(
        environment.iter().all(|line| !line.starts_with("CARGO")),
        "{environment:?}"
    );
}

/// Asks who one is at each address that a run is given for itself, without a credential and with a wrong one.
const ASK_WITHOUT: &str = r#"
import json, os, urllib.error, urllib.request
for name in ("DOMINO_API_PROXY", "MLFLOW_TRACKING_URI"):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Domino-Api-Key": "wrong"}):
        request = urllib.request.Request(os.environ[name] + "/v4/users/self", headers=headers)
        print(json.load(urllib.request.urlopen(request))["userName"])
request = urllib.request.Request(os.environ["DOMINO_API_PROXY"] + "/v4/nothing?here")
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError as refused:
    print(refused.code)
body = json.dumps({"name": "wine"}).encode()
request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/registered-models/create",
    data=body, headers={"Content-Type": "application/json"})
tags = json.load(urllib.request.urlopen(request))["registered_model"]["tags"]
print({tag["key"]: tag["value"] for tag in tags}["mlflow.domino.run_id"] == os.environ["DOMINO_RUN_ID"])
"#;

#[test]
fn what_comes_to_a_runs_own_addresses_comes_from_the_run_without_a_credential() {
    for mlflow_context in ["required", "writes", "inside", "none"] {
        let world = World::with(Options {
            mlflow_context: mlflow_context.parse().unwrap(),
            ..Options::default()
        });
        commit(world.repository.path(), "ask.py", ASK_WITHOUT);
        let job = world.run("ask.py", json!({}));
        let expected = [&["author"; 6][..], &["404", "True"]].concat();
        assert_eq!(output(&world, &job), expected, "{mlflow_context}");
    }
}

/// Asks for Domino's version once it is told to end.
const PATIENT: &str = r#"
import os, pathlib, signal, sys, urllib.request
said = pathlib.Path(sys.argv[1])
def end(*_):
    said.write_bytes(urllib.request.urlopen(os.environ["DOMINO_API_PROXY"] + "/version").read())
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
said.touch()
while True:
    signal.pause()
"#;

#[test]
fn a_run_that_is_asked_to_end_reaches_its_addresses_until_it_has_ended() {
    let world = World::new();
    let said = world.repository.path().join("said");
    commit(world.repository.path(), "patient.py", PATIENT);
    let command = format!("exec python3 patient.py {}", said.display());
    let id = text(&world.start(&command, json!({}))["id"]);
    world.job_once(&id, |_| said.exists());
    let stop = json!({ "projectId": world.project_id(), "jobId": id, "commitResults": false });
    world.post("/v4/jobs/stop", stop).ok();
    world.job_once(&id, |job| job["isCompleted"] == true);
    let said = std::fs::read_to_string(&said).unwrap();
    assert!(said.contains("\"version\""), "{said}");
}

#[test]
fn a_run_can_call_the_sandbox_with_what_it_was_given() {
    let world = World::new();
    commit(
        world.repository.path(),
        "who.py",
        "import json, os, urllib.request\n\
         request = urllib.request.Request(os.environ['DOMINO_API_HOST'] + '/v4/users/self',\n\
             headers={'X-Domino-Api-Key': os.environ['DOMINO_USER_API_KEY']})\n\
         print(json.load(urllib.request.urlopen(request))['userName'])\n",
    );
    let job = world.run("who.py", json!({}));
    assert_eq!(output(&world, &job), ["author"]);
}

#[test]
fn what_a_run_left_in_dominostats_is_told() {
    let world = World::new();
    let command = r#"echo '{"rmse": 0.5, "model": "linear", "nested": {}}' > dominostats.json"#;
    let job = world.run(command, json!({}));
    let read = world.get(&format!("/v4/jobs/{}", text(&job["id"]))).ok();
    let expected =
        json!([{ "name": "model", "value": "linear" }, { "name": "rmse", "value": "0.5" }]);
    assert_eq!(read["dominoStats"], expected);
    let list = world
        .get(&format!("/v4/jobs?projectId={}", world.project_id()))
        .ok();
    assert_eq!(list["dominoStatColumns"], json!(["model", "rmse"]));
}

#[test]
fn artifacts_stay_for_the_next_run_and_code_does_not() {
    let world = World::new();
    world.run(
        "echo kept > $DOMINO_ARTIFACTS_DIR/file; echo lost > file",
        json!({}),
    );
    let next = world.run(
        "cat $DOMINO_ARTIFACTS_DIR/file; cat file || true",
        json!({}),
    );
    assert_eq!(output(&world, &next)[0], "kept");
    let status = git(world.repository.path(), &["status", "--porcelain"]);
    assert_eq!(status, "", "the repository itself is only read");
}

#[test]
fn nothing_a_run_started_outlives_it() {
    let world = World::new();
    let marker = world.repository.path().join("orphan");
    let command = format!("sleep 600 & echo $! > {}", marker.display());
    let job = world.run(&command, json!({}));
    assert_eq!(job["status"], "Succeeded");
    let orphan = std::fs::read_to_string(&marker).unwrap();
    assert!(!is_alive(orphan.trim()), "{orphan}");
}

#[test]
fn stopping_the_sandbox_ends_its_processes_and_removes_their_files() {
    let world = World::new();
    let marker = world.repository.path().join("child");
    let command = format!(
        "trap '' TERM; echo $$ $PWD > {}; sleep 600",
        marker.display()
    );
    let id = text(&world.start(&command, json!({}))["id"]);
    world.job_once(&id, |_| {
        std::fs::read_to_string(&marker).is_ok_and(|text| text.ends_with('\n'))
    });
    let _repository = world.stop();
    let said = std::fs::read_to_string(&marker).unwrap();
    let (process, folder) = said.trim().split_once(' ').unwrap();
    assert!(!is_alive(process), "{process}");
    assert!(!std::path::Path::new(folder).exists(), "{folder}");
}
