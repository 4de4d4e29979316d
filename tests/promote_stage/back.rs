//! `demote`: the version that a stage held before returns, and the demoted one stays away.

use domino_sandbox::Fault;
use insta::assert_snapshot;
use serde_json::json;

use crate::harness::Scene;
use crate::world::*;

/// Staging held version 1 and holds version 2.
fn scene_of_two() -> Scene {
    let scene = scene();
    for number in [1, 2] {
        register(&scene, "wine", 0.6);
        serve(&scene, "dev", number);
        apply(&scene, "staging", number).exits(0);
    }
    scene
}

#[test]
fn the_version_before_comes_back() {
    let scene = scene_of_two();
    let run = scene
        .run(&[
            "demote",
            "wine",
            "--stage",
            "staging",
            "--reason",
            "it drifts",
        ])
        .exits(0);
    assert_snapshot!("demote", masked(run));
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
    assert_eq!(alias(&scene, "wine", "staging"), Some(1));
    assert_eq!(alias(&scene, "wine", "previous-staging"), None);
    let left = version(&scene, "wine", 2);
    assert_eq!(left["current_stage"], "Archived");
    let why = left["tags"]["promote.demoted.staging"].as_str().unwrap();
    assert!(why.ends_with(": it drifts"), "{why}");
    let back = version(&scene, "wine", 1)["tags"]["promote.in.staging"].clone();
    assert!(
        back.as_str()
            .unwrap()
            .contains("put back in place of version 2: it drifts"),
        "{back}"
    );
}

#[test]
fn a_second_demotion_does_not_bring_the_bad_one_back() {
    let scene = scene_of_two();
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(0);
    let from = scene.sandbox.requests().len();
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(3)
        .tells("there is no alias `previous-staging`")
        .tells("it holds version 1; name the version to put back with `--version`");
    scene
        .run(&["demote", "wine", "--stage", "staging", "--version", "1"])
        .exits(0)
        .tells("`Staging` holds version 1 of `wine` already, and no other");
    assert_eq!(writes(&scene, from), [""; 0]);
}

#[test]
fn what_was_demoted_comes_back_only_with_a_reason() {
    let scene = scene_of_two();
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(0);
    for verb in ["request", "check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "staging"])
            .exits(3)
            .tells("version 2 of `wine` had to leave stage `staging`: version 1 was put back");
    }
    scene
        .run(&[
            "apply",
            "wine",
            "--to",
            "staging",
            "--skip-order",
            "it was the data",
        ])
        .exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [2]);
    assert_eq!(alias(&scene, "wine", "previous-staging"), Some(1));
    apply(&scene, "staging", 2).exits(0).tells("already");
}

#[test]
fn a_dry_run_of_a_demotion_writes_nothing() {
    let scene = scene_of_two();
    let from = scene.sandbox.requests().len();
    let run = scene
        .run(&["demote", "wine", "--stage", "staging", "--dry-run"])
        .exits(0);
    assert!(
        run.stdout.contains("~ version 1: `Archived` → `Staging`"),
        "{run}"
    );
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(scene.requests_since(from).len(), 2);
}

#[test]
fn a_version_that_the_stage_never_let_in_does_not_come_back() {
    let scene = scene_of_two();
    register(&scene, "wine", 0.6);
    // In the stage by hand is not let in either, and may not become so.
    let four = register(&scene, "wine", 0.6);
    put(&scene, "wine", four, "Staging");
    let from = scene.sandbox.requests().len();
    for number in ["3", "4"] {
        scene
            .run(&[
                "demote", "wine", "--stage", "staging", "--version", number, "--reason", "now",
            ])
            .exits(3)
            .tells(&format!(
                "version {number} of `wine` was never let into stage `staging`: neither its record nor the alias \
                 `previous-staging` says so"
            ))
            .tells(&format!(
                "promote-stage apply wine --to staging --version {number} asks them"
            ));
    }
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [2, four]);
    // One that had been there before this program came has no record, but the alias.
    put(&scene, "wine", 3, "Production");
    put(&scene, "wine", four, "None");
    serve(&scene, "staging", 2);
    apply(&scene, "prod", 2).exits(0);
    scene.run(&["demote", "wine", "--stage", "prod"]).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [3]);
    assert_eq!(recorded(&scene, "wine", 3, "prod")["from"], "Archived");
}

#[test]
fn a_demotion_that_was_not_finished_is_finished_by_a_rerun() {
    let scene = scene_of_two();
    let record = "POST /api/2.0/mlflow/registered-models/alias";
    scene
        .sandbox
        .faults()
        .add(Fault::on(record, reply(403, false)).single());
    let arguments = ["demote", "wine", "--stage", "staging", "--reason", "drift"];
    scene.run(&arguments).exits(3).tells(
        "left to do: alias `staging` to version 1, tag `promote.in.staging`, alias `previous-staging` to be taken away",
    );
    let left = version(&scene, "wine", 2)["tags"]["promote.demoted.staging"].clone();
    assert!(left.as_str().unwrap().ends_with(": drift"), "{left}");
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
    assert_eq!(alias(&scene, "wine", "staging"), Some(1));
    assert_eq!(alias(&scene, "wine", "previous-staging"), None);
    let back = recorded(&scene, "wine", 1, "staging");
    assert_eq!(back["status"], "done");
    assert_eq!(back["reason"], "put back in place of version 2: drift");
}

#[test]
fn a_demotion_that_is_undone_leaves_no_mark() {
    let scene = scene_of_two();
    // The version that comes back enters, and the one that shall leave cannot.
    let transition = "POST /api/2.0/mlflow/model-versions/transition-stage";
    scene
        .sandbox
        .faults()
        .add(Fault::on(transition, reply(500, false)).after(1).single());
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(4)
        .tells("version 1 was put back into `Archived`; `Staging` holds version 2");
    let stays = version(&scene, "wine", 2)["tags"].clone();
    assert_eq!(stays["promote.demoted.staging"], "");
    let back = recorded(&scene, "wine", 1, "staging");
    assert_eq!(back["status"], "undone");
    assert_eq!(alias(&scene, "wine", "previous-staging"), Some(1));
    // That it had been in the stage is not forgotten.
    let by_name = ["demote", "wine", "--stage", "staging", "--version", "1"];
    scene.run(&by_name).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
}

#[test]
fn what_somebody_took_out_of_the_stage_comes_back_only_with_a_reason() {
    let scene = scene_of_two();
    // Nobody decided that version 1 shall not come back: version 2 took its place.
    serve(&scene, "dev", 1);
    apply(&scene, "staging", 1).exits(0);
    put(&scene, "wine", 1, "Archived");
    let from = scene.sandbox.requests().len();
    for verb in ["request", "check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "staging"])
            .exits(3)
            .tells("version 1 of `wine` was let into stage `staging` at")
            .tells("and somebody has moved it to `Archived` since");
    }
    assert_eq!(writes(&scene, from), [""; 0]);
    let why = "it was the wrong one";
    scene
        .run(&["apply", "wine", "--to", "staging", "--skip-order", why])
        .exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
    // A version that went on to the next stage has left this one by itself.
    serve(&scene, "staging", 1);
    apply(&scene, "prod", 1).exits(0);
    put(&scene, "wine", 1, "Archived");
    apply(&scene, "staging", 1).exits(0);
}

#[test]
fn an_alias_that_somebody_moved_stays_until_it_is_put_back() {
    let scene = scene_of_two();
    let body = json!({"name": "wine", "alias": "staging", "version": "1"});
    mlflow(&scene, "POST", "registered-models/alias", body);
    let from = scene.sandbox.requests().len();
    apply(&scene, "staging", 2)
        .exits(0)
        .tells("alias `staging` of `wine` leads to version 1: somebody moved it after version 2 was let in")
        .tells("`Staging` holds version 2 of `wine` already");
    assert_eq!(writes(&scene, from), [""; 0]);
    let run = scene
        .run(&["apply", "wine", "--to", "staging", "--put-back"])
        .exits(0);
    assert!(
        run.stdout.contains("~ alias `staging` → version 2"),
        "{run}"
    );
    assert_eq!(alias(&scene, "wine", "staging"), Some(2));
}

#[test]
fn an_alias_that_two_stages_share_brings_back_only_what_this_one_held() {
    let scene = scene_with("", "");
    let path = scene.path().join("stages.toml");
    let file = std::fs::read_to_string(&path).unwrap();
    let canary = "\n[stage.canary]\nhardware-tier = { models = \"staging-endpoint\" }\nmodel-stage = \"Staging\"\n";
    let file = file.replace("\n[stage.prod]", &format!("{canary}\n[stage.prod]"));
    std::fs::write(path, file).unwrap();
    register(&scene, "wine", 0.6);
    let any = ["--version", "1", "--skip-order", "a canary"];
    scene
        .run(&[&["apply", "wine", "--to", "canary"], &any[..]].concat())
        .exits(0);
    let body = json!({"name": "wine", "alias": "previous-staging", "version": "1"});
    mlflow(&scene, "POST", "registered-models/alias", body);
    register(&scene, "wine", 0.6);
    put(&scene, "wine", 1, "Archived");
    put(&scene, "wine", 2, "Staging");
    scene
        .run(&["demote", "wine", "--stage", "staging"])
        .exits(3)
        .tells("version 1 of `wine` was never let into stage `staging`");
    scene.run(&["demote", "wine", "--stage", "canary"]).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
}
