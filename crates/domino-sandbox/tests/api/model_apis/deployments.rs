//! How a version becomes the one that answers, and what happens to the previous one.

use domino_sandbox::{ModelFault, Options};
use serde_json::{Value, json};

use super::APIS;
use crate::jobs::is_alive;
use crate::world::{World, commit, git, text};

#[test]
fn a_version_walks_the_statuses_of_domino_and_answers() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    let version = world.version_once(&id, 1, "Running");
    let walked = [
        "Preparing to build",
        "Building",
        "Ready to run",
        "Starting",
        "Running",
    ];
    assert_eq!(version["statuses"], json!(walked));
    assert_eq!(version["build"], "complete");
    assert_eq!(world.predicted(&id, "latest", 20), 41);
    assert_eq!(world.predicted(&id, "1", 3), 7);
    let state = world.endpoint_state(&id);
    assert_eq!(state["versions"][0]["served"], 2);
    assert_eq!(state["activeVersion"], 1);
}

#[test]
fn a_new_version_takes_over_once_it_runs_and_the_old_one_ends() {
    let world = World::new();
    world.registered(1, "");
    world.registered(2, "");
    let id = world.endpoint();
    let first = world.version_once(&id, 1, "Running");
    let process = first["processId"].to_string();
    assert!(is_alive(&process));
    world.next_version(&id, 2);
    world.version_once(&id, 2, "Running");
    assert_eq!(world.predicted(&id, "latest", 20), 42);
    world.version_once(&id, 1, "Stopped");
    assert!(!is_alive(&process));
    let token = world.sandbox.model_token(&id).unwrap();
    let gone = world.call(&id, "1", &token, json!({ "data": { "x": 1 } }));
    assert_eq!(gone.status, 503);
}

#[test]
fn the_active_version_lags_until_the_new_one_runs() {
    let world = World::new();
    world.registered(1, "");
    world.registered(2, "");
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    world.sandbox.faults().add_model_fault(ModelFault {
        stuck_at: Some("Starting".into()),
        ..ModelFault::default()
    });
    let second = text(&world.next_version(&id, 2)["id"]);
    world.version_once(&id, 2, "Starting");
    let api = world.get(&format!("{APIS}/{id}")).ok();
    assert_eq!(api["activeVersion"]["number"], 1);
    assert_eq!(api["activeVersion"]["deployment"]["status"], "Running");
    let version = world.get(&format!("{APIS}/{id}/versions/{second}")).ok();
    let starting = json!({ "status": "Starting", "isPending": true });
    assert_eq!(version["deployment"], starting);
    assert_eq!(world.predicted(&id, "latest", 20), 41);
}

#[test]
fn a_model_that_cannot_be_loaded_is_a_failed_build_and_the_old_version_still_serves() {
    let world = World::new();
    world.registered(1, "");
    world.registered(2, "import no_such_module");
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    let second = text(&world.next_version(&id, 2)["id"]);
    let failed = world.version_once(&id, 2, "Failed");
    assert_eq!(failed["build"], "failed");
    let path = format!("{APIS}/{id}/versions/{second}/buildLogs");
    let logs = world.get(&path).ok();
    assert_eq!(logs["status"], "failed");
    let lines = logs["logs"].as_array().unwrap();
    let text: String = lines
        .iter()
        .map(|line| format!("{}\n", line["log"].as_str().unwrap()))
        .collect();
    for part in [
        "Traceback (most recent call last)",
        "predict.py\", line 2",
        "ModuleNotFoundError: No module named 'no_such_module'",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let nanoseconds = lines[0]["timeNano"].as_u64().unwrap();
    let rest = world
        .get(&format!("{path}?sinceTimeNano={nanoseconds}"))
        .ok();
    assert_eq!(rest["logs"].as_array().unwrap().len(), lines.len() - 1);
    assert_eq!(world.predicted(&id, "latest", 20), 41);
}

#[test]
fn a_version_without_files_is_a_failed_build() {
    let world = World::new();
    world.register("wine", &world.mlflow_run());
    let id = world.endpoint();
    let failed = world.version_once(&id, 1, "Failed");
    assert!(text(&failed["failure"]).contains("no files"));
    let api = world.get(&format!("{APIS}/{id}")).ok();
    assert_eq!(api.get("activeVersion"), None);
}

#[test]
fn a_file_and_a_function_are_those_of_the_newest_commit() {
    let world = World::new();
    let repository = world.repository.path();
    std::fs::create_dir(repository.join("models")).unwrap();
    commit(
        repository,
        "models/add.py",
        "def add(a, b=1):\n    return a + b\n",
    );
    std::fs::write(repository.join("models/add.py"), "not committed").unwrap();
    let head = git(repository, &["rev-parse", "HEAD"]);
    let mut version = world.version_body(1);
    version["source"] = json!({ "type": "File", "file": "models/add.py", "function": "add" });
    let made = world.post(APIS, world.endpoint_body(version.clone()));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = text(&made.json()["id"]);
    world.version_once(&id, 1, "Running");
    let token = world.sandbox.model_token("wine-dev").unwrap();
    let sum = world.call(&id, "latest", &token, json!({ "parameters": [2, 3] }));
    assert_eq!(sum.ok()["result"], 5);
    let versions = world.get(&format!("{APIS}/{id}/versions")).ok();
    assert_eq!(versions[0]["commitId"], head.as_str());
    let path = format!("/v4/modelManager/{id}/getModelReproductionDetails");
    let built_from = world.get(&path).ok()[0]["gitRepoCommits"][0].clone();
    assert_eq!(built_from["commitId"], head.as_str());
    assert_eq!(built_from["isMainRepo"], true);

    version["source"]["function"] = "subtract".into();
    world.post(&format!("{APIS}/{id}/versions"), version.clone());
    let failed = world.version_once(&id, 2, "Failed");
    assert_eq!(failed["failure"], "The model cannot be loaded");
    version["source"]["file"] = "models/none.py".into();
    world.post(&format!("{APIS}/{id}/versions"), version);
    world.version_once(&id, 3, "Failed");
    assert_eq!(world.endpoint_state(&id)["activeVersion"], 1);
}

#[test]
fn who_does_not_ask_for_a_deployment_gets_a_build() {
    let world = World::new();
    world.registered(1, "");
    let mut version = world.version_body(1);
    version.as_object_mut().unwrap().remove("shouldDeploy");
    let made = world.post(APIS, world.endpoint_body(version)).json();
    let id = text(&made["id"]);
    world.version_once(&id, 1, "Ready to run");
    let versions = world.get(&format!("{APIS}/{id}/versions")).ok();
    assert_eq!(versions[0].get("deployment"), None);
    assert_eq!(world.endpoint_state(&id)["activeVersion"], Value::Null);
}

#[test]
fn an_archived_endpoint_is_gone_and_its_process_too() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    let version = world.version_once(&id, 1, "Running");
    let path = format!("{APIS}/{id}");
    let reply = world.request("DELETE", &path, None);
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    world.version_once(&id, 1, "Stopped");
    assert!(!is_alive(&version["processId"].to_string()));
    assert_eq!(world.get(&path).ok()["isArchived"], true);
    let list = format!("{APIS}?offset=0&projectId={}", world.project_id());
    assert_eq!(world.get(&list).ok()["items"], json!([]));
}

#[test]
fn no_process_outlives_the_sandbox() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    let process = world.version_once(&id, 1, "Running")["processId"].to_string();
    assert!(is_alive(&process));
    world.stop();
    assert!(!is_alive(&process));
}

#[test]
fn faults_of_endpoints_build_badly_stall_misreport_and_die() {
    let world = World::new();
    world.registered(1, "");
    let faults = world.sandbox.faults();
    let fault = |fault: ModelFault| {
        faults.add_model_fault(ModelFault {
            times: Some(1),
            ..fault
        })
    };
    fault(ModelFault {
        build_fails: true,
        ..ModelFault::default()
    });
    fault(ModelFault {
        stuck_at: Some("Stalled".into()),
        ..ModelFault::default()
    });
    fault(ModelFault {
        statuses: vec!["Running".into(), "Wobbling".into()],
        stuck_at: Some("Building".into()),
        ..ModelFault::default()
    });
    fault(ModelFault {
        dies_after: Some(2),
        ..ModelFault::default()
    });
    let id = world.endpoint();
    let failed = world.version_once(&id, 1, "Failed");
    assert!(text(&failed["failure"]).contains("fault of the sandbox"));
    world.next_version(&id, 1);
    let stalled = world.version_once(&id, 2, "Stalled");
    assert_eq!(stalled["isAlive"], false);
    // The reply to the request that makes the version is its first look.
    let third = world.next_version(&id, 1);
    assert_eq!(third["deployment"]["status"], "Running");
    world.version_once(&id, 3, "Building");
    let path = format!("{APIS}/{id}/versions/{}", text(&third["id"]));
    let shown = || text(&world.get(&path).ok()["deployment"]["status"]);
    assert_eq!([shown(), shown()], ["Wobbling", "Building"]);
    world.next_version(&id, 1);
    world.version_once(&id, 4, "Running");
    assert_eq!(world.predicted(&id, "latest", 1), 3);
    assert_eq!(world.predicted(&id, "latest", 1), 3);
    world.version_once(&id, 4, "Failed");
    assert_eq!(world.endpoint_state(&id)["activeVersion"], 4);
}

#[test]
fn a_fault_file_has_endpoints_too() {
    let world = World::new();
    let path = world.repository.path().join("faults.toml");
    std::fs::write(
        &path,
        "[[model]]\nendpoint = \"dev\"\nstuck-at = \"Stalled\"\n",
    )
    .unwrap();
    world.sandbox.faults().load(&path).unwrap();
    world.registered(1, "");
    let id = world.endpoint();
    world.version_once(&id, 1, "Stalled");
    std::fs::write(&path, "[[model]]\nwobbles = true\n").unwrap();
    assert!(world.sandbox.faults().load(&path).is_err());
}

#[test]
fn the_sample_trains_registers_and_serves_the_very_model() {
    let world = World::with(Options::default());
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/project");
    let repository = world.repository.path();
    std::fs::create_dir(repository.join("src")).unwrap();
    let copied = std::process::Command::new("cp")
        .args(["-R", sample])
        .arg(repository.join("src/project"))
        .status();
    assert!(copied.unwrap().success());
    git(repository, &["add", "src"]);
    git(repository, &["commit", "--quiet", "--message", "sample"]);
    let job = world.run("src/project/jobs/train.py", json!({}));
    assert_eq!(job["status"], "Succeeded", "{job}");
    let state = world.sandbox.state();
    let model = &state["registeredModels"][0];
    assert_eq!(model["name"], "wine-quality");
    let version = &model["versions"][0];
    assert_eq!(version["tags"]["mlflow.domino.run_id"], job["id"]);

    let mut body = world.version_body(1);
    body["source"]["registeredModelName"] = "wine-quality".into();
    let made = world.post(APIS, world.endpoint_body(body));
    let id = text(&made.json()["id"]);
    world.version_once(&id, 1, "Running");
    let token = world.sandbox.model_token(&id).unwrap();
    let smoke = std::fs::read_to_string(format!("{sample}/models/smoke.jsonl")).unwrap();
    let mut tried = 0;
    for line in smoke.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let reply = world.call(&id, "latest", &token, case["input"].clone());
        let off =
            reply.ok()["result"].as_f64().unwrap() - case["expect"]["result"].as_f64().unwrap();
        assert!(off.abs() <= case["tolerance"].as_f64().unwrap(), "{case}");
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn a_version_that_ended_can_be_started_again_and_takes_over() {
    let world = World::new();
    world.registered(1, "");
    world.registered(2, "");
    let id = world.endpoint();
    let first = text(&world.version_once(&id, 1, "Running")["id"]);
    let start = |version: &str| {
        let path = format!("/v4/models/{id}/{version}/startModelDeployment");
        world.post(&path, json!({}))
    };
    // One that runs goes on.
    assert_eq!(start(&first).ok()[0]["status"], "running");
    let second = text(&world.next_version(&id, 2)["id"]);
    world.version_once(&id, 2, "Running");
    world.version_once(&id, 1, "Stopped");
    for (start_it, number, other, answer) in [(&first, 1, 2, 41), (&second, 2, 1, 42)] {
        assert_eq!(start(start_it).ok()[0]["status"], "starting");
        world.version_once(&id, other, "Stopped");
        assert_eq!(world.predicted(&id, "latest", 20), answer);
        assert_eq!(world.endpoint_state(&id)["activeVersion"], number);
    }
    world.sandbox.faults().add_model_fault(ModelFault {
        build_fails: true,
        ..ModelFault::default()
    });
    let third = text(&world.next_version(&id, 2)["id"]);
    world.version_once(&id, 3, "Failed");
    let refused = start(&third);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("was not built"));
}
