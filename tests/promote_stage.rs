//! `promote-stage` from outside: what a user sees, what the experiment manager and Domino received, and what a stage
//! really holds.

#[path = "promote_stage/approval.rs"]
mod approval;
#[path = "promote_stage/back.rs"]
mod back;
#[path = "promote_stage/concurrency.rs"]
mod concurrency;
#[path = "promote_stage/evidence.rs"]
mod evidence;
#[path = "promote_stage/gates.rs"]
mod gates;
#[path = "promote_stage/github.rs"]
mod github;
mod harness;
#[path = "promote_stage/identity.rs"]
mod identity;
#[path = "promote_stage/inside.rs"]
mod inside;
#[path = "promote_stage/lineage.rs"]
mod lineage;
#[path = "promote_stage/measured.rs"]
mod measured;
#[path = "promote_stage/on_both.rs"]
mod on_both;
#[path = "promote_stage/order.rs"]
mod order;
#[path = "promote_stage/outside.rs"]
mod outside;
#[path = "promote_stage/trouble.rs"]
mod trouble;
#[path = "promote_stage/world.rs"]
mod world;

use insta::assert_snapshot;
use serde_json::{Value, json};
use world::*;

#[test]
fn a_version_enters_a_stage_and_the_one_before_leaves_it() {
    let mut scene = scene();
    let old = register(&scene, "wine", 0.6);
    serve(&scene, "dev", old);
    apply(&scene, "staging", old).exits(0);
    let new = register(&scene, "wine", 0.5);
    serve(&scene, "dev", new);
    scene
        .on_github("77")
        .variable("GITHUB_REPOSITORY", "acme/wine");
    let run = apply(&scene, "staging", new).exits(0);
    assert_snapshot!(
        "apply",
        masked(format!(
            "{run}--- outputs\n{}--- summary\n{}",
            scene.outputs(),
            scene.summary()
        ))
    );
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [new]);
    assert_eq!(stage_of(&scene, "wine", old), "Archived");
    assert_eq!(alias(&scene, "wine", "staging"), Some(new));
    assert_eq!(alias(&scene, "wine", "previous-staging"), Some(old));
}

#[test]
fn what_was_done_stands_in_a_tag_that_everybody_can_read() {
    let mut scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    scene
        .on_github("77")
        .variable("GITHUB_REPOSITORY", "acme/wine");
    apply(&scene, "staging", one).exits(0);
    let record = recorded(&scene, "wine", one, "staging");
    assert_eq!(record["status"], "done");
    assert_eq!(record["from"], "dev");
    assert_eq!(record.get("approved-by"), None, "nobody was asked");
    assert!(record["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        record["run"],
        "https://github.com/acme/wine/actions/runs/77"
    );
    // What earlier releases wrote beside it would tell of the last promotion only.
    let tag = json!({"name": "wine", "version": "1", "key": "promote.to", "value": "staging"});
    mlflow(&scene, "POST", "model-versions/set-tag", tag);
    // The record of one stage stays when the version goes on to the next.
    serve(&scene, "staging", one);
    apply(&scene, "prod", one).exits(0);
    assert_eq!(recorded(&scene, "wine", one, "prod")["from"], "staging");
    assert_eq!(recorded(&scene, "wine", one, "staging"), record);
    assert_eq!(version(&scene, "wine", one)["tags"]["promote.to"], "");
}

#[test]
fn a_second_apply_changes_nothing_and_writes_nothing() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    apply(&scene, "staging", one).exits(0);
    let before = (scene.sandbox.requests().len(), version(&scene, "wine", one));
    let run = apply(&scene, "staging", one)
        .exits(0)
        .tells("`Staging` holds version 1 of `wine` already, and no other");
    assert_snapshot!("apply_again", masked(run));
    assert_eq!(writes(&scene, before.0), [""; 0]);
    assert_eq!(version(&scene, "wine", one), before.1);
}

#[test]
fn the_version_is_the_one_that_the_stage_before_serves_when_none_is_given() {
    let mut scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    register(&scene, "wine", 0.5);
    // GitHub hands on an output that is not there as an empty text.
    scene.variable("MODEL_VERSION", "");
    scene.run(&["apply", "wine", "--to", "staging"]).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [one]);
    scene.variable("MODEL_VERSION", &one.to_string());
    scene
        .run(&["apply", "wine", "--to", "staging"])
        .exits(0)
        .tells("already");
}

#[test]
fn everything_that_was_in_the_stage_is_archived_by_name() {
    let scene = scene();
    let all: Vec<u64> = (0..3).map(|_| register(&scene, "wine", 0.6)).collect();
    put(&scene, "wine", all[0], "Staging");
    put(&scene, "wine", all[1], "Staging");
    serve(&scene, "dev", all[2]);
    let run = apply(&scene, "staging", all[2])
        .exits(0)
        .tells("archived version 2")
        .tells("archived version 1");
    assert!(run.stdout.contains("~ version 2: `Staging` → `Archived`"));
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [all[2]]);
    assert_eq!(
        versions_in_stage(&scene, "wine", "Archived"),
        [all[0], all[1]]
    );
    assert_eq!(alias(&scene, "wine", "previous-staging"), Some(all[1]));
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    let from = scene.sandbox.requests().len();
    for verb in ["apply", "request"] {
        let run = scene
            .run(&[verb, "wine", "--to", "staging", "--dry-run"])
            .exits(0);
        assert!(run.stdout.starts_with("plan: "), "{run}");
    }
    assert_eq!(writes(&scene, from), [""; 0]);
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    let document = |arguments: &[&str], exit| -> Value {
        let run = scene
            .run(&[arguments, &["--format", "json"]].concat())
            .exits(exit);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let sheet = document(&["request", "wine", "--to", "staging"], 0);
    assert_eq!(sheet["outcome"], "unchanged");
    let rows = sheet["table"].as_array().unwrap();
    let rmse = rows
        .iter()
        .find(|row| row["what"] == "metric rmse")
        .unwrap();
    assert_eq!(rmse["asked_for"], "0.6");
    let check = document(&["check", "wine", "--to", "staging"], 0);
    assert_eq!(check["outputs"]["version"], "1");
    let applied = document(&["apply", "wine", "--to", "staging"], 0);
    assert_eq!(applied["outcome"], "done");
    assert_eq!(applied["outputs"]["model-stage"], "Staging");
    let status = document(&["status", "wine", "--stage", "staging"], 0);
    assert_eq!(status["table"][1]["version"], "1");
    let refused = document(&["apply", "wine", "--to", "prod"], 3);
    assert_eq!(refused["exit"], 3);
}

#[test]
fn each_verb_keeps_to_its_number_of_requests() {
    let scene = scene_with(
        "github-approval = false",
        "metric-rules = [\"rmse must not rise by more than 2 %\"]",
    );
    let one = register(&scene, "wine", 0.6);
    let two = register(&scene, "wine", 0.6);
    put(&scene, "wine", one, "Staging");
    serve(&scene, "dev", two);
    let count = |arguments: &[&str]| {
        let from = scene.sandbox.requests().len();
        scene.run(arguments).exits(0);
        let requests = scene.requests_since(from);
        let written = writes(&scene, from).len();
        (requests.len() - written, written)
    };
    // Project, model; endpoints and the one that answers; the runs of both versions.
    let read = 6;
    assert_eq!(count(&["request", "wine", "--to", "staging"]), (read, 0));
    assert_eq!(count(&["check", "wine", "--to", "staging"]), (read, 0));
    // Two looks at the stage; the record, the move, one archived, two aliases, the record.
    assert_eq!(count(&["apply", "wine", "--to", "staging"]), (read + 2, 6));
    assert_eq!(count(&["status", "wine", "--stage", "staging"]), (2, 0));
}

#[test]
fn a_model_of_many_versions_takes_few_requests() {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    for _ in 0..1199 {
        copy(&scene, "wine", one);
    }
    let apply = |number: u64| {
        let from = scene.sandbox.requests().len();
        let number = number.to_string();
        let any = ["--version", &number, "--skip-order", "many"];
        let run = scene.run(&[&["apply", "wine", "--to", "staging"], &any[..]].concat());
        (run.exits(0), scene.requests_since(from))
    };
    let of_mlflow = |requests: &[String]| {
        let all = requests.iter();
        all.filter(|request| request.contains("/api/2.0/mlflow/"))
            .count()
    };
    put(&scene, "wine", 2, "Staging");
    let (run, requests) = apply(900);
    assert!(run.stderr.contains("archived version 2"), "{run}");
    assert!(of_mlflow(&requests) <= 12, "{requests:#?}");
    // Project and endpoints; one asks the model for endpoints, where the stage before has none that may be seen.
    assert_eq!(requests.len() - of_mlflow(&requests), 3, "{requests:#?}");
    let (run, requests) = apply(1200);
    assert!(run.stderr.contains("archived version 900"), "{run}");
    assert!(of_mlflow(&requests) <= 12, "{requests:#?}");
    // One that somebody put into the stage since is found among the last changes.
    put(&scene, "wine", 7, "Staging");
    let (run, requests) = apply(1100);
    assert!(run.stderr.contains("archived version 1200"), "{run}");
    assert!(run.stderr.contains("archived version 7"), "{run}");
    // One archived more; and so much changed within the last minutes that a second page is looked at.
    assert!(of_mlflow(&requests) <= 14, "{requests:#?}");
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1100]);
}

#[test]
fn what_each_stage_holds_is_listed() {
    let scene = scene();
    let run = scene.run(&["status", "wine", "--stage", "dev"]).exits(0);
    assert!(run.stderr.contains("no registered model `wine` yet"));
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    apply(&scene, "staging", one).exits(0);
    let two = register(&scene, "wine", 0.6);
    put(&scene, "wine", two, "Production");
    let run = scene.run(&["status", "wine", "--stage", "dev"]).exits(0);
    assert_snapshot!("status", masked(run));
    register(&scene, "wine", 0.6);
    put(&scene, "wine", 3, "Production");
    scene
        .run(&["status", "wine", "--stage", "dev"])
        .exits(0)
        .tells("warning: `Production` holds versions 3 and 2 at once");
}

#[test]
fn a_name_of_any_characters_is_promoted() {
    let name = "wein & käse %";
    let scene = scene_of("6.3", "", "", |seed| seed);
    let mut file = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    file = file.replace(
        "registered-model = \"wine\"",
        &format!("registered-model = \"{name}\""),
    );
    std::fs::write(scene.path().join("stages.toml"), file).unwrap();
    let one = register(&scene, name, 0.6);
    serve_model(&scene, name, "dev", one);
    apply(&scene, "staging", one).exits(0);
    assert_eq!(versions_in_stage(&scene, name, "Staging"), [one]);
    assert_eq!(alias(&scene, name, "staging"), Some(one));
}
