//! When requests go wrong: what was done is undone or named, nothing is done twice, and a rerun mends it.

use std::time::Duration;

use domino_sandbox::{Fault, Misbehaviour};
use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{Scene, eventually};
use crate::world::*;

const TRANSITION: &str = "POST /api/2.0/mlflow/model-versions/transition-stage";
const TAG: &str = "POST /api/2.0/mlflow/model-versions/set-tag";
const ALIAS: &str = "POST /api/2.0/mlflow/registered-models/alias";

/// Version 1 is in staging, and dev serves version 2.
fn scene_of_two() -> Scene {
    let scene = scene();
    let one = register(&scene, "wine", 0.6);
    serve(&scene, "dev", one);
    apply(&scene, "staging", one).exits(0);
    let two = register(&scene, "wine", 0.6);
    serve(&scene, "dev", two);
    scene
}

/// The record of staging among a version's tags.
fn recorded(scene: &Scene, number: u64) -> Value {
    let tags = version(scene, "wine", number)["tags"].clone();
    serde_json::from_str(tags["promote.in.staging"].as_str().unwrap()).unwrap()
}

/// A rerun without faults finishes.
fn mended(scene: &Scene) {
    scene.sandbox.faults().clear();
    apply(scene, "staging", 2).exits(0);
    assert_eq!(versions_in_stage(scene, "wine", "Staging"), [2]);
    assert_eq!(alias(scene, "wine", "staging"), Some(2));
    assert_eq!(alias(scene, "wine", "previous-staging"), Some(1));
    assert_eq!(version(scene, "wine", 2)["tags"]["promote.status"], "done");
}

#[test]
fn without_a_record_nothing_is_moved() {
    let scene = scene_of_two();
    scene
        .sandbox
        .faults()
        .add(Fault::on(TAG, reply(403, false)));
    apply(&scene, "staging", 2)
        .exits(3)
        .tells("nothing was moved: the record of the promotion could not be begun");
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
    mended(&scene);
}

#[test]
fn a_move_that_is_refused_leaves_everything_as_it_was() {
    let scene = scene_of_two();
    scene
        .sandbox
        .faults()
        .add(Fault::on(TRANSITION, reply(403, false)));
    let run = apply(&scene, "staging", 2).exits(3);
    assert_snapshot!("refused_move", masked(run));
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
    assert_eq!(alias(&scene, "wine", "staging"), Some(1));
    mended(&scene);
}

#[test]
fn when_the_old_version_cannot_be_archived_the_new_one_goes_back() {
    let scene = scene_of_two();
    scene
        .sandbox
        .faults()
        .add(Fault::on(TRANSITION, reply(500, false)).after(1).single());
    let run = apply(&scene, "staging", 2).exits(4);
    assert_snapshot!("undone", masked(run));
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
    assert_eq!(stage_of(&scene, "wine", 2), "None");
    assert_eq!(
        version(&scene, "wine", 2)["tags"]["promote.status"],
        "undone"
    );
    assert_eq!(recorded(&scene, 2)["status"], "undone");
    mended(&scene);
}

#[test]
fn what_cannot_be_undone_is_named() {
    let scene = scene_of_two();
    // The move itself passes, and no other does.
    scene
        .sandbox
        .faults()
        .add(Fault::on(TRANSITION, reply(500, false)).after(1));
    apply(&scene, "staging", 2)
        .exits(4)
        .tells("not everything could be put back")
        .tells("`Staging` holds versions 2 and 1");
    mended(&scene);
}

#[test]
fn what_is_left_after_the_move_is_named_and_a_rerun_does_it() {
    let scene = scene_of_two();
    scene
        .sandbox
        .faults()
        .add(Fault::on(ALIAS, reply(403, false)));
    apply(&scene, "staging", 2).exits(3).tells(
        "`Staging` holds version 2, but the promotion is not finished; run this again to finish it; left to do: alias \
         `previous-staging` to version 1, alias `staging` to version 2, tag `promote.in.staging`, tag `promote.status`",
    );
    assert_eq!(recorded(&scene, 2)["status"], "pending");
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [2]);
    assert_eq!(
        version(&scene, "wine", 2)["tags"]["promote.status"],
        "pending"
    );
    mended(&scene);
}

#[test]
fn a_lost_reply_is_looked_after_and_nothing_is_sent_twice() {
    for route in [TRANSITION, TAG, ALIAS] {
        let scene = scene_of_two();
        scene
            .sandbox
            .faults()
            .add(Fault::on(route, Misbehaviour::Reset { processed: true }).single());
        let from = scene.sandbox.requests().len();
        apply(&scene, "staging", 2).exits(0);
        let path = route.strip_prefix("POST ").unwrap();
        let sent = writes(&scene, from);
        let sent: Vec<&String> = sent.iter().filter(|sent| sent.ends_with(path)).collect();
        let wanted = match route {
            TRANSITION | ALIAS => 2,
            _ => 7,
        };
        assert_eq!(sent.len(), wanted, "{sent:?}");
        mended(&scene);
    }
}

#[test]
fn a_busy_server_is_asked_again() {
    let scene = scene_of_two();
    for route in [TRANSITION, TAG, ALIAS] {
        let misbehaviour = Misbehaviour::Status {
            status: 429,
            retry_after: Some(1),
            processed: false,
        };
        scene
            .sandbox
            .faults()
            .add(Fault::on(route, misbehaviour).single());
    }
    apply(&scene, "staging", 2).exits(0);
    mended(&scene);
}

#[test]
fn where_stages_are_gone_a_tag_stands_for_them() {
    let scene = scene();
    for number in [1, 2] {
        register(&scene, "wine", 0.6);
        serve(&scene, "dev", number);
        scene.sandbox.faults().add(Fault::on(
            TRANSITION,
            Misbehaviour::Reply {
                status: 404,
                content_type: "text/html".into(),
                body: "<!doctype html><title>404 Not Found</title>".into(),
            },
        ));
        apply(&scene, "staging", number)
            .exits(0)
            .tells("this experiment manager has no stages any more");
    }
    let tag = |number| version(&scene, "wine", number)["tags"]["promote.stage"].clone();
    assert_eq!((tag(1), tag(2)), ("Archived".into(), "Staging".into()));
    assert_eq!(alias(&scene, "wine", "staging"), Some(2));
    apply(&scene, "staging", 2).exits(0).tells("already");
}

#[test]
fn where_there_are_no_aliases_the_stage_is_what_counts() {
    let scene = scene_of_two();
    scene.sandbox.faults().add(Fault::on(
        ALIAS,
        Misbehaviour::Reply {
            status: 404,
            content_type: "text/html".into(),
            body: "<!doctype html><title>404 Not Found</title>".into(),
        },
    ));
    apply(&scene, "staging", 2)
        .exits(0)
        .tells("this experiment manager has no aliases, so that none was set");
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [2]);
}

#[test]
fn an_interruption_in_the_middle_puts_things_back() {
    let scene = scene_of_two();
    let by = Duration::from_millis(1500);
    scene
        .sandbox
        .faults()
        .add(Fault::on(TRANSITION, Misbehaviour::Delay { by }).single());
    let from = scene.sandbox.requests().len();
    let running = scene.start(&["apply", "wine", "--to", "staging", "--version", "2"]);
    eventually("the move is on its way", || {
        let requests = scene.sandbox.requests();
        let mut new = requests.iter().skip(from);
        new.any(|request| request.path.ends_with("/transition-stage"))
    });
    running.signal("TERM");
    let run = running.end().exits(143);
    assert!(
        run.stderr
            .contains("version 2 was put back into `None`; `Staging` holds version 1"),
        "{run}"
    );
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [1]);
    mended(&scene);
}

#[test]
fn an_interruption_before_anything_was_written_changes_nothing() {
    let scene = scene_of_two();
    let by = Duration::from_secs(20);
    scene.sandbox.faults().add(Fault::on(
        "GET /api/2.0/mlflow/registered-models/get",
        Misbehaviour::Delay { by },
    ));
    let from = scene.sandbox.requests().len();
    let running = scene.start(&["apply", "wine", "--to", "staging", "--version", "2"]);
    eventually("the look is on its way", || {
        scene.sandbox.requests().len() > from
    });
    running.signal("INT");
    running
        .end()
        .exits(130)
        .tells("interrupted; nothing was changed in stage `staging`");
    assert_eq!(writes(&scene, from), [""; 0]);
}
