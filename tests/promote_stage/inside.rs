//! Promoting from inside of Domino, where the experiment manager accepts no write from outside: the step starts a
//! run, and is green only for what the run has written.

use std::path::Path;
use std::time::Duration;

use domino_sandbox::{Fault, Misbehaviour, MlflowContext};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::github::{on_github, review};
use crate::harness::{Scene, Setup, eventually};
use crate::world::*;

const INSIDE: &str = "[pipeline]\npromote = \"inside\"\n";
const START: &str = "POST /v4/jobs/start";
const TRANSITION: &str = "POST /api/2.0/mlflow/model-versions/transition-stage";

/// A scene whose experiment manager takes writes from runs only, whose image has the programs.
fn scene_where(pipeline: &str, gates: &str) -> Scene {
    scene_with_image(pipeline, gates, Path::new(PROGRAM).parent())
}

fn scene_with_image(pipeline: &str, gates: &str, programs: Option<&Path>) -> Scene {
    let gates = match gates {
        "" => String::new(),
        gates => format!("[stage.prod.gates]\n{gates}\n"),
    };
    let scene = Setup {
        stages: &format!("{pipeline}{STAGES}\n{gates}\n{MODEL}"),
        mlflow_context: MlflowContext::Inside,
        programs,
        ..Setup::of(PROGRAM)
    }
    .scene();
    let one = register_by(&scene, "wine", 0.5, "ada");
    put(&scene, "wine", one, "Staging");
    scene
}

const APPLY: &[&str] = &[
    "apply",
    "wine",
    "--to",
    "prod",
    "--version",
    "1",
    "--skip-order",
    "it's $(touch broken) \"now\"",
];

/// What the runs of the project ran, in their order, and how they stand.
fn runs(scene: &Scene) -> Vec<(String, String)> {
    let state = scene.sandbox.state();
    let mut jobs = state["jobs"].as_array().cloned().unwrap_or_default();
    jobs.sort_by_key(|job| job["number"].as_u64());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = jobs.iter();
    told.map(|job| (text(&job["command"]), text(&job["status"])))
        .collect()
}

fn statuses(scene: &Scene) -> Vec<String> {
    runs(scene).into_iter().map(|(_, status)| status).collect()
}

#[test]
fn what_is_refused_from_outside_a_run_does_and_never_twice() {
    let mut scene = scene_where("", "github-approval = true");
    let approved = || {
        vec![(
            "/approvals",
            200,
            json!([review("approved", "ann", "PROD")]),
        )]
    };
    on_github(&mut scene, approved());
    scene
        .run(APPLY)
        .exits(3)
        .tells("takes writes from runs of Domino only")
        .tells("`promote = \"inside\"` under `[pipeline]`");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
    assert_eq!(runs(&scene), []);

    let file = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    scene.commit_file("stages.toml", &format!("{INSIDE}{file}"));
    on_github(&mut scene, approved());
    scene.variable("GITHUB_RUN_ATTEMPT", "1");
    let planned = scene.run(&[APPLY, &["--dry-run"]].concat()).exits(0);
    assert!(
        planned
            .stdout
            .contains("+ a run of `promote-stage apply wine --to prod --version 1"),
        "{planned}"
    );
    assert_eq!(runs(&scene), []);
    std::fs::write(scene.path().join(".summary"), "").unwrap();
    let run = scene.run(APPLY).exits(0);
    assert_snapshot!(
        "inside",
        masked(format!(
            "{run}--- outputs\n{}--- summary\n{}",
            scene.outputs(),
            scene.summary()
        ))
    );
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
    let record = recorded(&scene, "wine", 1, "prod");
    assert_eq!(record["status"], "done");
    assert_eq!(record["approved-by"], json!(["ann (GitHub)"]));
    assert_eq!(record["request-id"], "workflow run 77");
    assert_eq!(record["told-by"], "the step of GitHub run 77");
    assert_eq!(
        record["run"],
        "https://github.com/acme/wine/actions/runs/77"
    );
    assert_eq!(record["reason"], "it's $(touch broken) \"now\"");
    scene
        .run(APPLY)
        .exits(0)
        .tells("`Production` holds version 1 of `wine` already");
    assert_eq!(statuses(&scene), ["Succeeded"]);
}

#[test]
fn what_the_run_refuses_the_step_refuses_with_its_words_and_its_exit_code() {
    let scene = scene_where(INSIDE, "soak = \"7d\"");
    // The run has the stage file of the commit.
    let path = scene.path().join("stages.toml");
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, file.replace("soak = \"7d\"", "")).unwrap();
    let run = scene.run(APPLY).exits(7);
    assert_snapshot!("inside_refused", masked(run));
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
    assert_eq!(statuses(&scene), ["Failed"]);
    std::fs::write(&path, file).unwrap();
    scene.run(APPLY).exits(7);
    assert_eq!(statuses(&scene), ["Failed"], "nothing is started in vain");
}

#[test]
fn who_started_or_trained_it_does_not_approve_it_inside_either() {
    let mut scene = scene_where(INSIDE, "github-approval = true");
    for (user, why) in [
        ("ben", "who started this workflow run"),
        ("ada", "who trained the version"),
    ] {
        let reviews = json!([review("approved", user, "PROD")]);
        on_github(&mut scene, vec![("/approvals", 200, reviews)]);
        scene.run(APPLY).exits(7).tells(why);
        // The same where somebody tells a run so by hand.
        let id = run_by_hand(
            &scene,
            &format!(
                "promote-stage apply wine --to prod --version 1 --skip-order x --told-actor ben --told-approver {user} \
                 --told-run https://github.com/acme/wine/actions/runs/77"
            ),
        );
        assert!(log_of(&scene, &id).contains(why));
    }
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
}

/// Runs a command as a person does on the project's page, to its end.
fn run_by_hand(scene: &Scene, command: &str) -> String {
    let path =
        "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=wine-team&projectName=wine";
    let project = domino(scene, "GET", path, None).1["id"].clone();
    let job = json!({"projectId": project, "commandToRun": command, "title": "by hand"});
    let (status, job) = domino(scene, "POST", START.split_once(' ').unwrap().1, Some(job));
    assert_eq!(status, 200, "{job}");
    let id = job["id"].as_str().unwrap().to_owned();
    eventually("the run is over", || {
        let (_, job) = domino(scene, "GET", &format!("/v4/jobs/{id}"), None);
        job["statuses"]["isCompleted"] == true
    });
    id
}

fn log_of(scene: &Scene, id: &str) -> String {
    let path = format!("/v4/jobs/{id}/logsWithProblemSuggestions");
    domino(scene, "GET", &path, None).1.to_string()
}

#[test]
fn what_a_run_is_told_nobody_else_is() {
    let scene = scene_where("", "");
    let told = ["--told-run", "https://github.com/acme/wine/actions/runs/77"];
    for verb in [APPLY, &["check", "wine", "--to", "prod"]] {
        scene
            .run(&[verb, &told].concat())
            .exits(2)
            .tells("is what a step tells a run of Domino, and this is none");
    }
    scene
        .run(&["demote", "wine", "--stage", "prod", told[0], told[1]])
        .exits(2);
    // Nor a run where steps write themselves.
    let command = format!("promote-stage apply wine --to prod {}", told.join(" "));
    let id = run_by_hand(&scene, &command);
    assert!(log_of(&scene, &id).contains("steps promote from outside here"));
    let odd = "https://github.com/acme/wine/actions/runs/77?x";
    scene
        .run(&[APPLY, &["--told-run", odd]].concat())
        .exits(2)
        .tells("is no page of a workflow run");
}

#[test]
fn a_start_whose_reply_is_lost_is_found() {
    let mut scene = scene_where(INSIDE, "");
    scene.on_github("77");
    let lost = Misbehaviour::Reset { processed: true };
    scene.sandbox.faults().add(Fault::on(START, lost).single());
    scene
        .run(APPLY)
        .exits(0)
        .tells("the reply to the start was lost");
    assert_eq!(statuses(&scene), ["Succeeded"]);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
}

#[test]
fn whichever_write_is_lost_or_refused_the_next_step_mends_it() {
    let lost = Misbehaviour::Reset { processed: true };
    let cut = Misbehaviour::Reset { processed: false };
    let tag = "POST /api/2.0/mlflow/model-versions/set-tag";
    let alias_route = "POST /api/2.0/mlflow/registered-models/alias";
    for route in [START, tag, TRANSITION, alias_route] {
        for fault in [lost.clone(), cut.clone(), reply(503, false)] {
            let mut scene = scene_where(INSIDE, "");
            scene.on_github("77");
            let fault = Fault::on(route, fault).single();
            scene.sandbox.faults().add(fault);
            let first = scene.run(APPLY);
            assert_eq!(scene.sandbox.faults().fired(), 1, "{route}: {first}");
            let held = versions_in_stage(&scene, "wine", "Production") == [1];
            assert!(
                first.exit == 0 && held || first.exit == 4,
                "{route}: {first}"
            );
            let began = runs(&scene).len();
            let second = scene.run(APPLY).exits(0);
            assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
            assert_eq!(alias(&scene, "wine", "production"), Some(1));
            assert_eq!(recorded(&scene, "wine", 1, "prod")["status"], "done");
            let more = usize::from(first.exit != 0);
            assert_eq!(runs(&scene).len(), began + more, "{route}: {first}{second}");
        }
    }
}

#[test]
fn a_step_that_was_killed_leaves_a_run_that_the_next_one_follows() {
    let mut scene = scene_where(INSIDE, "");
    scene.on_github("77");
    let slow = Misbehaviour::Delay {
        by: Duration::from_secs(2),
    };
    let fault = Fault::on(TRANSITION, slow).single();
    scene.sandbox.faults().add(fault);
    let from = scene.sandbox.requests().len();
    let running = scene.start(APPLY);
    eventually("the run writes", || {
        let sent = writes(&scene, from);
        sent.iter().any(|sent| sent.ends_with("/transition-stage"))
    });
    running.signal("KILL");
    running.end();
    let run = scene.run(APPLY).exits(0);
    assert_eq!(statuses(&scene), ["Succeeded"], "{run}");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
}

#[test]
fn a_step_that_is_interrupted_stops_its_run_and_the_next_finishes_what_it_left() {
    let mut scene = scene_where(INSIDE, "");
    scene.on_github("77");
    let hang = Misbehaviour::Hang { processed: true };
    scene
        .sandbox
        .faults()
        .add(Fault::on(TRANSITION, hang).single());
    let running = scene.start(APPLY);
    eventually("the version has moved", || {
        stage_of(&scene, "wine", 1) == "Production"
    });
    running.signal("INT");
    let run = running.end().exits(130);
    assert!(run.stderr.contains("interrupted; run 1 "), "{run}");
    eventually("the run is over", || statuses(&scene) == ["Stopped"]);
    assert_ne!(recorded(&scene, "wine", 1, "prod")["status"], "done");
    scene.run(APPLY).exits(0);
    assert_eq!(statuses(&scene), ["Stopped", "Succeeded"]);
    assert_eq!(recorded(&scene, "wine", 1, "prod")["status"], "done");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
    assert_eq!(alias(&scene, "wine", "production"), Some(1));
}

#[test]
fn an_image_without_the_program_is_told_with_what_brings_it() {
    let scene = scene_with_image(INSIDE, "", None);
    let run = scene.run(APPLY).exits(5);
    assert_snapshot!("inside_without_the_program", masked(run));
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
}

#[test]
fn a_run_that_is_not_over_in_time_is_named_and_goes_on() {
    let mut scene = scene_where(INSIDE, "");
    scene.on_github("77");
    let slow = Misbehaviour::Delay {
        by: Duration::from_secs(3),
    };
    scene
        .sandbox
        .faults()
        .add(Fault::on(TRANSITION, slow).single());
    scene
        .run(&[APPLY, &["--timeout", "1s"]].concat())
        .exits(6)
        .tells("is still `")
        .tells("run this again to follow it");
    scene.run(APPLY).exits(0);
    assert_eq!(statuses(&scene), ["Succeeded"]);
}

#[test]
fn asking_and_going_back_are_done_by_runs_too() {
    let mut scene = scene_where(INSIDE, GOVERNED);
    scene
        .on_github("77")
        .variable("GITHUB_REPOSITORY", "acme/wine");
    let which = [
        "wine",
        "--to",
        "prod",
        "--version",
        "1",
        "--skip-order",
        "x",
    ];
    let ask = [&["request"], &which[..]].concat();
    scene
        .run(&ask)
        .exits(0)
        .tells("waits for `approver` already");
    assert_eq!(scene.sandbox.waiting_requests().len(), 1);
    scene.run(&ask).exits(0);
    assert_eq!(statuses(&scene), ["Succeeded"]);
    assert!(version(&scene, "wine", 1)["tags"]["promote.request.prod"].is_string());
    scene.run(APPLY).exits(7);
    scene.sandbox.approve_waiting("approver").unwrap();
    scene.run(APPLY).exits(0);
    let two = register_by(&scene, "wine", 0.4, "ada");
    put(&scene, "wine", two, "Production");
    let back = [
        "demote",
        "wine",
        "--stage",
        "prod",
        "--version",
        "1",
        "--reason",
        "it's `odd`",
    ];
    scene.run(&back).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
    let record = recorded(&scene, "wine", 1, "prod");
    assert_eq!(record["told-by"], "the step of GitHub run 77");
    assert!(record["reason"].as_str().unwrap().ends_with("it's `odd`"));
    scene.run(&back).exits(0).tells("already");
    assert_eq!(statuses(&scene), ["Succeeded"; 3]);
}
