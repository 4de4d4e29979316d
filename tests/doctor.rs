//! The outside view of `cargo xtask doctor`: what a person sees of a live deployment, and that it only reads.

#[path = "doctor/github.rs"]
mod github;
#[path = "harness/mod.rs"]
mod harness;
#[path = "small_github/mod.rs"]
mod small_github;
#[path = "doctor/unreachable.rs"]
mod unreachable;
#[path = "doctor/write_probe.rs"]
mod write_probe;

use std::collections::BTreeSet;

use domino_sandbox::{EndpointChange, Fault, Misbehaviour, Role};
use harness::http::send;
use harness::{KEY, Run, STAGES, Scene, Setup, TOKEN};
use serde_json::{Value, json};

const ENTITIES: &str = r#"
[job.train]
command = "train.py"

[app.dashboard]
entry-point = "app.sh"

[model.wine]
file = "predict.py"
function = "predict"

[model.wine.stage.dev]
hardware-tier = "dev-endpoint"

[model.wine.stage.staging]
hardware-tier = "staging-endpoint"

[model.wine.stage.prod]
hardware-tier = "prod-endpoint"
"#;

fn scene_of(version: &str, stages: &str) -> Scene {
    let setup = Setup {
        stages,
        version,
        ..Setup::of(env!("CARGO_BIN_EXE_domino-pipeline"))
    };
    setup.scene()
}

fn scene(version: &str) -> Scene {
    scene_of(version, &format!("{STAGES}{ENTITIES}"))
}

fn doctor(scene: &Scene) -> Run {
    scene.run(&["doctor", "--stage", "dev"])
}

/// Every visit may read and do nothing else.
#[track_caller]
fn only_read(scene: &Scene) {
    let methods: BTreeSet<String> = scene
        .sandbox
        .requests()
        .iter()
        .map(|request| request.method.to_string())
        .collect();
    assert_eq!(methods, BTreeSet::from(["GET".to_owned()]));
}

/// Whatever is at another host than this machine's is cloned with a credential.
fn on_another_host(scene: &Scene) {
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/gateway/projects/findProjectByOwnerAndName",
        Misbehaviour::Edit {
            set: vec![(
                "/mainRepository/uri".into(),
                "https://github.com/example-org/wine".into(),
            )],
            remove: Vec::new(),
        },
    ));
}

/// Requires a line, whole.
#[track_caller]
fn line(run: &Run, line: &str) {
    assert!(
        run.stdout.lines().any(|found| found == line),
        "no line `{line}`:\n{run}"
    );
}

/// Requires that everything else is well.
#[track_caller]
fn only_wrong(run: &Run, count: usize) {
    let wrong = run.stdout.lines().filter(|line| line.starts_with("!! "));
    assert_eq!(wrong.count(), count, "{run}");
}

#[test]
fn a_deployment_that_has_everything_is_well() {
    let scene = scene("6.3");
    let run = doctor(&scene).exits(0);
    insta::assert_snapshot!("doctor_well", run.to_string());
    only_read(&scene);
}

#[test]
fn each_generation_of_the_api_is_named() {
    for (version, expected) in [
        (
            "5.9",
            [
                "ok Domino 5.9.2",
                "ok apps by `/v4/modelProducts`, every Domino",
                "ok model endpoints by `/v1/models`, of older deployments",
            ],
        ),
        (
            "6.3, apps v1 403",
            [
                "ok Domino 6.3.0",
                "ok apps by `/api/apps/beta/apps`, Domino 6.1 on",
                "ok model endpoints by `/api/modelServing/v1`",
            ],
        ),
        (
            "6.4",
            [
                "ok Domino 6.4.0",
                "ok apps by `/api/apps/v1/apps`, Domino 6.3 on",
                "ok model endpoints by `/api/modelServing/v1`",
            ],
        ),
    ] {
        let scene = scene(version);
        let run = doctor(&scene).exits(0);
        for expected in expected {
            line(&run, expected);
        }
        only_read(&scene);
    }
}

#[test]
fn a_credential_that_domino_does_not_know_is_told_and_nothing_behind_it_asked() {
    let mut scene = scene("6.3");
    scene.variable("DOMINO_TOKEN", "canary-token-of-another-deployment");
    let run = doctor(&scene).exits(3);
    insta::assert_snapshot!("doctor_wrong_credential", run.to_string());
    assert_eq!(scene.requests_since(0).len(), 2);
}

#[test]
fn a_token_that_ends_is_told_of_and_not_shown() {
    // `{"exp":1577836800,"sub":"ci-bot"}` in its middle.
    const ENDED: &str =
        "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE1Nzc4MzY4MDAsInN1YiI6ImNpLWJvdCJ9.c2lnbmF0dXJl";
    let mut scene = scene("6.3");
    scene.variable("DOMINO_TOKEN", ENDED);
    let run = doctor(&scene).exits(3);
    assert!(run.stdout.contains("ended on 2020-01-01"), "{run}");
    assert!(!run.to_string().contains("eyJ"), "{run}");
}

#[test]
fn a_users_key_is_well_where_keys_are_taken_and_wrong_where_they_are_not() {
    for (version, exit, tells) in [
        ("6.3", 0, "a user's key, which Domino is giving up"),
        ("6.4", 3, "a key sent where only tokens are taken"),
    ] {
        let mut scene = scene(version);
        scene
            .without("DOMINO_TOKEN")
            .variable("DOMINO_USER_API_KEY", KEY);
        let run = doctor(&scene).exits(exit);
        assert!(run.stdout.contains(tells), "{run}");
    }
}

#[test]
fn without_a_credential_only_the_host_is_asked() {
    let mut scene = scene("6.3");
    scene.without("DOMINO_TOKEN").without("DOMINO_USER_API_KEY");
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout
            .contains("!! credential: there is no credential for Domino → set `DOMINO_TOKEN`"),
        "{run}"
    );
    line(&run, "ok Domino 6.3.0");
}

#[test]
fn a_project_that_is_not_there_is_told_with_those_that_are() {
    let mut scene = scene("6.3");
    let stages = format!("{STAGES}{ENTITIES}").replace("wine-team/wine\"", "wine-team/whine\"");
    scene.commit_file("stages.toml", &stages);
    let run = doctor(&scene).exits(3);
    line(
        &run,
        "!! project: there is no project `wine-team/whine` for this account → the account sees `wine-team/wine` (stages.toml:4)",
    );
    only_wrong(&run, 1);
}

#[test]
fn a_hardware_tier_that_is_not_there_or_of_another_data_plane_is_told_with_its_line() {
    let mut scene = scene("6.3");
    let stages = format!("{STAGES}{ENTITIES}").replace(
        "hardware-tier = \"dev-small\"\ndata-plane = \"dev-plane\"",
        "hardware-tier = { jobs = \"dev-smal\", apps = \"prod-small\" }\ndata-plane = \"dev-plane\"",
    );
    scene.commit_file("stages.toml", &stages);
    let run = doctor(&scene).exits(3);
    insta::assert_snapshot!("doctor_wrong_tier", run.to_string());
    only_wrong(&run, 2);
}

#[test]
fn a_data_plane_that_is_not_healthy_is_told() {
    let scene = scene("6.3");
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/projects/*/hardwareTiers",
        Misbehaviour::Edit {
            set: vec![("/*/dataPlane/isHealthy".into(), Value::Bool(false))],
            remove: Vec::new(),
        },
    ));
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout
            .contains("its data plane `dev-plane` is not healthy according to Domino → ask"),
        "{run}"
    );
}

#[test]
fn a_compute_environment_that_is_not_there_is_told() {
    let mut scene = scene("6.3");
    let stages = format!("{STAGES}{ENTITIES}").replace("\"Standard\"", "\"Standart\"");
    scene.commit_file("stages.toml", &stages);
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout
            .contains("there is no compute environment `Standart` here → there is `Standard`"),
        "{run}"
    );
    only_wrong(&run, 1);
}

#[test]
fn the_volumes_and_the_cluster_of_a_run_are_looked_for_as_a_step_does() {
    let run = "volumes = [\"raw\"]\nnetapp-volumes = [\"n1\"]\n\
               cluster = { type = \"ray\", workers = 2, worker-tier = \"dev-small\", environment = \"Standard\" }";
    let stages =
        format!("{STAGES}{ENTITIES}").replace("\"train.py\"", &format!("\"train.py\"\n{run}"));
    // The sandbox has the volumes that the file names at first.
    let mut scene = scene_of("6.3", &stages);
    let tells = |run: &Run, begins: &str| {
        let mut lines = run.stdout.lines();
        assert!(
            lines.any(|found| found.starts_with(begins)),
            "no `{begins}`:\n{run}"
        );
    };
    let well = doctor(&scene).exits(0);
    line(
        &well,
        "ok external volumes of job `train`: `raw` at /mnt/raw",
    );
    line(
        &well,
        "ok cluster of job `train`: its tiers, and compute environment `Standard`",
    );
    tells(
        &well,
        "-- NetApp volumes of job `train`: `n1` → no API lists them",
    );
    let wrong = stages
        .replace("[\"raw\"]", "[\"rav\"]")
        .replace("worker-tier = \"dev-small\"", "worker-tier = \"dev-smal\"");
    scene.commit_file("stages.toml", &wrong);
    let told = doctor(&scene).exits(3);
    only_wrong(&told, 2);
    tells(
        &told,
        "!! external volumes of job `train`: there is no external volume `rav` here → there is `raw`",
    );
    tells(
        &told,
        "!! cluster of job `train`: there is no hardware tier `dev-smal` here → ",
    );
    only_read(&scene);
}

#[test]
fn a_registered_model_and_a_policy_that_are_not_there_are_told() {
    let stages = format!(
        "{STAGES}{ENTITIES}\n[model.quality]\nregistered-model = \"wine-quality\"\n\
         [stage.prod.gates]\ndomino-approval = \"governance\"\npolicy = \"No such policy\"\n"
    )
    .replace(
        "data-plane = \"prod-plane\"",
        "data-plane = \"prod-plane\"\nmodel-stage = \"Production\"",
    );
    let scene = scene_of("6.3", &stages);
    let run = scene.run(&["doctor", "--stage", "prod"]);
    assert!(
        run.stdout
            .contains("!! there is no version of a registered model `wine-quality` → run the job"),
        "{run}"
    );
    assert!(run.exit == 3, "{run}");
    only_read(&scene);
}

#[test]
fn a_model_that_a_job_is_yet_to_register_is_no_fault_of_the_first_stage() {
    let registered = "\n[model.quality]\nregistered-model = \"wine-quality\"\n";
    let scene = scene_of("6.3", &format!("{STAGES}{ENTITIES}{registered}"));
    let run = doctor(&scene).exits(0);
    assert!(
        run.stdout.contains(
            "-- registered model `wine-quality`, which has no version yet → a job of the first"
        ),
        "{run}"
    );
    let no_job = "[model.quality]\nregistered-model = \"wine-quality\"\n";
    let scene = scene_of("6.3", &format!("{STAGES}{no_job}"));
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout
            .contains("!! there is no version of a registered model"),
        "{run}"
    );
}

#[test]
fn every_stage_is_looked_at_with_its_own_token_and_told_below_its_name() {
    let mut scene = scene("6.3");
    scene
        .without("DOMINO_TOKEN")
        .without("DOMINO_USER_API_KEY")
        .variable("DOMINO_TOKEN_DEV", TOKEN)
        .variable("DOMINO_TOKEN_PROD", "canary-token-of-another-deployment");
    let run = scene.run(&["doctor"]).exits(3);
    insta::assert_snapshot!("doctor_all_stages", run.to_string());
    only_read(&scene);

    // Named ones come in the order of the file, each once.
    let named = ["doctor", "--stage", "staging", "--stage", "dev", "--stage"];
    let run = scene.run(&[&named[..], &["dev"]].concat()).exits(0);
    let titles = |run: &Run| {
        let titles = run.stdout.lines().filter(|line| line.starts_with("stage "));
        titles.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(titles(&run), ["stage dev", "stage staging"], "{run}");

    let run = scene.run(&["doctor", "--format", "json"]).exits(3);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["format"], 1);
    let stages = document["stages"].as_array().unwrap();
    let names: Vec<&Value> = stages.iter().map(|one| &one["stage"]).collect();
    assert_eq!(names, ["dev", "staging", "prod"]);
    let count = |at: usize, verdict: &str| {
        let findings = stages[at]["findings"].as_array().unwrap();
        findings
            .iter()
            .filter(|one| one["verdict"] == verdict)
            .count()
    };
    assert_eq!(
        [count(0, "wrong"), count(1, "wrong"), count(2, "wrong")],
        [0, 0, 1]
    );

    // Where no stage has a token, that is what is to be done.
    scene
        .without("DOMINO_TOKEN_DEV")
        .without("DOMINO_TOKEN_PROD");
    let run = scene.run(&["doctor", "--format", "markdown"]).exits(3);
    assert_eq!(run.stdout.matches("❌ credential").count(), 3, "{run}");
}

#[test]
fn a_git_credential_that_cannot_be_seen_is_told_with_where_to_look() {
    let scene = scene("6.3");
    on_another_host(&scene);
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout
            .contains("!! `ci-bot` has no git credential for `github.com` → give it one"),
        "{run}"
    );
    // Older deployments do not have the routes.
    for route in [
        "/api/users/beta/credentials/*",
        "/v4/projects/*/credentialMapping",
    ] {
        let absent = Misbehaviour::Status {
            status: 404,
            retry_after: None,
            processed: false,
        };
        scene.sandbox.faults().add(Fault::on(route, absent));
    }
    let run = doctor(&scene).exits(0);
    assert!(
        run.stdout.contains(
            "-- the git credential of `ci-bot` for `github.com` cannot be seen from here → look at *Git credentials*"
        ),
        "{run}"
    );
}

#[test]
fn an_endpoint_that_this_account_may_not_deploy_to_is_told() {
    let scene = scene("6.3");
    let state = scene.sandbox.state();
    let (project, environment) = (&state["projects"][0]["id"], &state["environments"][0]["id"]);
    let source = json!({"type": "File", "file": "predict.py", "function": "predict"});
    let version = json!({
        "projectId": project, "environmentId": environment, "description": "", "logHttpRequestResponse": false,
        "monitoringEnabled": false, "shouldDeploy": false, "source": source,
    });
    let endpoint = json!({
        "name": "wine-dev", "description": "", "environmentId": environment, "isAsync": false,
        "strictNodeAntiAffinity": false, "environmentVariables": [], "version": version,
    });
    let url = format!("{}/api/modelServing/v1/modelApis", scene.sandbox.url());
    let bearer = format!("Bearer {TOKEN}");
    let made = send("POST", &url, &[("authorization", &bearer)], Some(&endpoint));
    assert!(made.0 < 300, "{made:?}");
    for (role, told) in [
        (None, "ok endpoint `wine-dev`: `ci-bot` is its Owner"),
        (
            Some(Role::Viewer),
            "!! endpoint `wine-dev`: `ci-bot` is its Viewer, and may not deploy to it → ask an owner to make `ci-bot` a \
             collaborator of it with the role Editor",
        ),
    ] {
        if let Some(role) = role {
            let change = EndpointChange::Role("ci-bot", Some(role));
            scene.sandbox.change_endpoint("wine-dev", change).unwrap();
        }
        line(&doctor(&scene), told);
    }
}

#[test]
fn a_clock_that_is_off_by_more_than_tokens_bear_is_told() {
    let scene = scene("6.3");
    scene.sandbox.faults().skew_clock(3600);
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout
            .contains("behind Domino's → set it by NTP: more than 5m apart"),
        "{run}"
    );
    scene.sandbox.faults().skew_clock(-60);
    line(
        &doctor(&scene),
        "ok clock: this machine's and Domino's agree",
    );
}

#[test]
fn the_doctor_goes_to_the_runners_by_a_workflow_that_only_looks() {
    let scene = scene("6.3");
    let run = scene.run(&["doctor", "--from-runner"]).exits(0);
    let run = run
        .tells("wrote .github/workflows/doctor.yml")
        .tells("gh workflow run doctor.yml");
    assert_eq!(run.stdout, "");
    assert!(scene.sandbox.requests().is_empty());
    let path = scene.path().join(".github/workflows/doctor.yml");
    insta::assert_snapshot!("doctor_workflow", std::fs::read_to_string(&path).unwrap());
    // From then on it is one of the generated files, and stays.
    scene.run(&["gen-workflows"]).exits(0);
    scene.run(&["gen-workflows", "--check"]).exits(0);
    std::fs::write(&path, "on: push\n").unwrap();
    scene
        .run(&["doctor", "--from-runner"])
        .exits(1)
        .tells("was not written by gen-workflows");
}

#[test]
fn a_stage_that_is_not_in_the_file_is_wrong_usage() {
    let scene = scene("6.3");
    scene
        .run(&["doctor", "--stage", "tset"])
        .exits(2)
        .tells("no stage `tset`");
    assert!(scene.sandbox.requests().is_empty());
}
