//! When requests fail: what was done is rolled back or named, nothing is done twice, and a rerun repairs it.

use std::time::Duration;

use domino_sandbox::{Fault, Misbehaviour};
use insta::assert_snapshot;
use serde_json::{Value, json};

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

/// How far the promotion of version 2 into staging got, by its record.
fn status(scene: &Scene) -> Value {
    recorded(scene, "wine", 2, "staging")["status"].clone()
}

/// A rerun without faults finishes.
fn mended(scene: &Scene) {
    scene.sandbox.faults().clear();
    apply(scene, "staging", 2).exits(0);
    assert_eq!(versions_in_stage(scene, "wine", "Staging"), [2]);
    assert_eq!(alias(scene, "wine", "staging"), Some(2));
    assert_eq!(alias(scene, "wine", "previous-staging"), Some(1));
    assert_eq!(status(scene), "done");
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
    assert_eq!(status(&scene), "undone");
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
         `previous-staging` to version 1, alias `staging` to version 2, tag `promote.in.staging`",
    );
    assert_eq!(status(&scene), "pending");
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [2]);
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
        assert_eq!(sent.len(), 2, "{sent:?}");
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

#[test]
fn a_promotion_that_was_killed_is_finished_by_the_next() {
    crate::on_both::killed(&scene(), "wine");
}

#[test]
fn rights_that_do_not_go_as_far_as_deleting_are_enough() {
    let scene = scene();
    for _ in 0..2 {
        register(&scene, "wine", 0.6);
    }
    let denied = Misbehaviour::Reply {
        status: 403,
        content_type: "text/html".into(),
        body: "Permission denied".into(),
    };
    for route in ["DELETE /api/2.0/mlflow/**", "GET /api/2.0/mlflow/runs/get"] {
        scene.sandbox.faults().add(Fault::on(route, denied.clone()));
    }
    crate::on_both::without_deleting(&scene, "wine");
}

#[test]
fn an_alias_that_a_rollback_could_not_delete_is_told_of_and_leads_nobody_astray() {
    let scene = scene();
    for number in [1, 2] {
        register(&scene, "wine", 0.6);
        serve(&scene, "dev", number);
    }
    put(&scene, "wine", 2, "Staging");
    put(&scene, "wine", 2, "None");
    let add = |fault| scene.sandbox.faults().add(fault);
    add(Fault::on("DELETE /api/2.0/mlflow/**", reply(403, false)));
    let by = Duration::from_millis(1500);
    add(Fault::on(ALIAS, Misbehaviour::Delay { by }).single());
    let from = scene.sandbox.requests().len();
    let running = scene.start(&["apply", "wine", "--to", "staging", "--version", "2"]);
    eventually("the alias is being set", || {
        writes(&scene, from)
            .iter()
            .any(|sent| sent.ends_with("/alias"))
    });
    put(&scene, "wine", 2, "None");
    running
        .end()
        .exits(3)
        .tells("version 2 of `wine` was moved out of `Staging` again")
        .tells("warning: alias `staging` stays where it leads");
    assert_eq!(alias(&scene, "wine", "staging"), Some(2));
    serve(&scene, "dev", 1);
    let run = apply(&scene, "staging", 1).exits(0);
    assert!(run.stdout.contains("takes the place of  nothing"), "{run}");
    assert_eq!(alias(&scene, "wine", "staging"), Some(1));
    assert_eq!(alias(&scene, "wine", "previous-staging"), None);
}

#[test]
fn of_two_writers_of_a_new_tag_or_alias_the_slower_looks_and_goes_on() {
    let scene = scene_of_two();
    let unique = "(sqlite3.IntegrityError) UNIQUE constraint failed: model_version_tags.key";
    let body = json!({"error_code": "BAD_REQUEST", "message": unique}).to_string();
    let refused = Misbehaviour::Reply {
        status: 400,
        content_type: "application/json".into(),
        body,
    };
    for route in [TAG, ALIAS] {
        scene
            .sandbox
            .faults()
            .add(Fault::on(route, refused.clone()).times(2));
    }
    apply(&scene, "staging", 2).exits(0);
    mended(&scene);
    // One that goes on being refused is no clash.
    let scene = scene_of_two();
    scene.sandbox.faults().add(Fault::on(TAG, refused));
    apply(&scene, "staging", 2)
        .exits(3)
        .tells("UNIQUE constraint failed");
    mended(&scene);
}

#[test]
fn a_model_that_is_renamed_meanwhile_is_said_to_be() {
    let scene = scene_of_two();
    let rename = |name: &str, new_name: &str| {
        let body = json!({"name": name, "new_name": new_name});
        mlflow(&scene, "POST", "registered-models/rename", body);
    };
    let gone = "it was there when this began: somebody has deleted or renamed it since";
    let by = Duration::from_millis(1500);
    for (route, passed, words) in [
        (TAG, 0, gone),
        (ALIAS, 0, gone),
        (
            "GET /api/2.0/mlflow/model-versions/search",
            1,
            "registered model `wine` no longer exists: somebody deleted or renamed it meanwhile",
        ),
    ] {
        let fault = Fault::on(route, Misbehaviour::Delay { by });
        scene.sandbox.faults().add(fault.after(passed).single());
        let from = scene.sandbox.requests().len();
        let running = scene.start(&["apply", "wine", "--to", "staging", "--version", "2"]);
        eventually("the request is on its way", || {
            let sent = scene.requests_since(from);
            sent.iter().filter(|sent| *sent == route).count() > passed
        });
        rename("wine", "beer");
        running.end().exits(3).tells(words);
        rename("beer", "wine");
        scene.sandbox.faults().clear();
    }
    mended(&scene);
}

#[test]
fn what_the_experiment_manager_refuses_for_no_lack_of_rights_is_told_from_that() {
    let scene = scene_of_two();
    for (status, content_type, body, words) in [
        (
            403,
            "text/plain",
            "Invalid Host header - possible DNS rebinding attack detected".to_owned(),
            "MLflow 3.5 and later take only host names that they were told of",
        ),
        (
            500,
            "application/json",
            json!({"error_code": "FEATURE_DISABLED", "message": "Model registry functionality is unavailable"})
                .to_string(),
            "keeps no registered models, or has that part switched off",
        ),
    ] {
        for route in ["GET /api/2.0/mlflow/registered-models/get", TAG] {
            let content_type = content_type.to_owned();
            let body = body.clone();
            let refused = Misbehaviour::Reply { status, content_type, body };
            scene.sandbox.faults().add(Fault::on(route, refused));
            let from = scene.sandbox.requests().len();
            apply(&scene, "staging", 2).exits(3).tells(words);
            assert!(writes(&scene, from).len() <= 1, "it is not asked again");
            scene.sandbox.faults().clear();
        }
    }
    mended(&scene);
}
