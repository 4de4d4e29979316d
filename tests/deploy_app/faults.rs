//! Replies that are lost, refusals, and pages that only look healthy.

use domino_sandbox::{Fault, Misbehaviour};
use insta::assert_snapshot;
use serde_json::json;

use crate::scenes::{BETA, PUBLISH, Scenery, V1, V4, app_script, on_all};

fn status(status: u16, processed: bool) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed,
    }
}

/// Every write that publishing makes on a Domino of this version, the first time and the second.
fn writes(version: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match version {
        V1 => (
            &[
                "POST /api/apps/v1/apps",
                "POST /api/apps/v1/apps/*/versions/*/start",
            ],
            &["POST /api/apps/v1/apps/*/versions/createAndStart"],
        ),
        BETA => (
            &["POST /api/apps/beta/apps"],
            &["POST /api/apps/beta/apps/*/versions"],
        ),
        _ => (
            &["POST /v4/modelProducts", "POST /v4/modelProducts/*/start"],
            &[
                "POST /v4/modelProducts/*/stop",
                "POST /v4/modelProducts/*/start",
            ],
        ),
    }
}

#[test]
fn a_reply_that_is_lost_never_makes_a_second_app_or_version() {
    on_all(|version| {
        let (first, second) = writes(version);
        let lost = [Misbehaviour::Reset { processed: true }, status(502, true)];
        for lost in lost {
            for route in first {
                let scenery = Scenery::of(version);
                let faults = scenery.scene.sandbox.faults();
                faults.add(Fault::on(route, lost.clone()).single());
                let run = scenery.run(PUBLISH).exits(0);
                assert_eq!(scenery.instances().len(), 1, "{route}: {run}");
                scenery.serves_alone(&scenery.scene.commit);
            }
            for route in second {
                let mut scenery = Scenery::of(version);
                scenery.run(PUBLISH).exits(0);
                scenery.commit_app(&app_script("two"));
                let faults = scenery.scene.sandbox.faults();
                faults.add(Fault::on(route, lost.clone()).single());
                let run = scenery.run(PUBLISH).exits(0);
                assert_eq!(scenery.instances().len(), 2, "{route}: {run}");
                scenery.serves_alone(&scenery.scene.commit);
            }
        }
    });
}

#[test]
fn a_write_that_was_not_carried_out_leaves_or_puts_back_what_ran() {
    on_all(|version| {
        let (_, second) = writes(version);
        for route in second {
            let mut scenery = Scenery::of(version);
            scenery.run(PUBLISH).exits(0);
            let before = scenery.scene.commit.clone();
            scenery.commit_app(&app_script("two"));
            let faults = scenery.scene.sandbox.faults();
            faults.add(Fault::on(route, status(403, false)).single());
            let run = scenery.run(PUBLISH);
            // On v4 the version before was stopped by then, and is put back.
            let stopped = route.ends_with("modelProducts/*/start");
            assert_eq!(run.exit, if stopped { 5 } else { 3 }, "{route}: {run}");
            assert!(run.stderr.contains("runs now"), "{route}: {run}");
            scenery.serves_alone(&before);
            if version == V1 {
                assert_snapshot!("refused", scenery.without_commit(&run));
            }
        }
    });
}

#[test]
fn a_server_that_does_something_else_is_found_out() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.commit_app(&app_script("two"));
        let sha = json!("ab".repeat(20));
        let other = Misbehaviour::Edit {
            set: [
                "/currentVersion/gitRef/value",
                "/currentVersion/content/gitRef/value",
                "/appCodeInfo/mainRepo/commit",
            ]
            .map(|pointer| (pointer.to_owned(), sha.clone()))
            .into(),
            remove: Vec::new(),
        };
        // What Domino says of the new version is not what was asked for. The plan's own read passes unharmed.
        let fault = match version {
            V1 => Fault::on("GET /api/apps/v1/apps/*", other),
            BETA => Fault::on("GET /api/apps/beta/apps/*", other),
            _ => Fault::on("GET /v4/modelProducts/apps/versions/*", other).after(1),
        };
        scenery.scene.sandbox.faults().add(fault);
        let run = scenery
            .run(&[PUBLISH, &["--timeout", "30s"]].concat())
            .exits(5);
        run.tells("is not what was asked for: commit: abababab");
    });
}

#[test]
fn what_is_not_told_is_warned_of_and_never_called_unchanged() {
    let scenery = Scenery::of(V4);
    let silent = Misbehaviour::Edit {
        set: Vec::new(),
        remove: vec!["/appCodeInfo/mainRepo/commit".into()],
    };
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /v4/modelProducts/apps/versions/*", silent));
    scenery
        .run(PUBLISH)
        .exits(0)
        .tells("warning: this Domino does not tell the commit of what an app runs");
    let run = scenery.run(PUBLISH).exits(0);
    assert!(
        run.stdout.contains("~ commit: not told by this Domino"),
        "{run}"
    );
    assert_eq!(scenery.instances().len(), 2);
}

#[test]
fn a_sign_in_page_is_not_healthy_and_no_reason_to_take_the_version_away() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.commit_app(&app_script("two"));
        let faults = scenery.scene.sandbox.faults();
        faults.add(Fault::on("GET /apps/**", Misbehaviour::LoginPage));
        let run = scenery.run(PUBLISH).exits(3);
        assert_eq!(scenery.served().as_ref(), Some(&scenery.scene.commit));
        if version == V1 {
            assert_snapshot!("sign_in_page", scenery.without_commit(&run));
        }
        // The next run finds the same, and changes nothing either.
        let from = scenery.scene.sandbox.requests().len();
        scenery.run(PUBLISH).exits(3);
        scenery.only_reads_since(from);
    });
}

#[test]
fn an_app_that_runs_and_does_not_answer_is_not_called_unchanged() {
    let scenery = Scenery::of(V1);
    scenery.run(PUBLISH).exits(0);
    scenery.replace_in_stages("/healthz", "/sick");
    let from = scenery.scene.sandbox.requests().len();
    scenery
        .run(&[PUBLISH, &["--timeout", "300ms"]].concat())
        .exits(5)
        .tells("runs in stage `dev`, but does not answer");
    scenery.only_reads_since(from);
}

#[test]
fn an_outage_while_waiting_is_waited_out() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        let faults = scenery.scene.sandbox.faults();
        let route = match version {
            V1 => "GET /api/apps/v1/apps/*",
            BETA => "GET /api/apps/beta/apps/*/versions/*",
            _ => "GET /v4/modelProducts/apps/versions/*",
        };
        faults.add(Fault::on(route, status(503, false)).after(1).times(12));
        scenery.run(PUBLISH).exits(0);
        scenery.serves_alone(&scenery.scene.commit);
    });
}

#[test]
fn a_stop_whose_reply_is_lost_is_not_sent_twice() {
    on_all(|version| {
        let stop = match version {
            V1 => "POST /api/apps/v1/apps/*/versions/*/stop",
            BETA => "DELETE /api/apps/beta/apps/*/versions/*/instances/*",
            _ => "POST /v4/modelProducts/*/stop",
        };
        let unpublish = &["unpublish", "dashboard", "--stage", "dev"];
        let scenery = Scenery::of(version);
        for lost in [Misbehaviour::Reset { processed: true }, status(502, true)] {
            scenery.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
            let from = scenery.scene.sandbox.requests().len();
            let faults = scenery.scene.sandbox.faults();
            faults.add(Fault::on(stop, lost).single());
            let run = scenery.run(unpublish).exits(0);
            assert!(scenery.alive().is_empty(), "{run}");
            assert_eq!(scenery.writes_since(from).len(), 1, "{run}");
        }
        // One that never arrived leaves the app running, and says so.
        scenery.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
        let faults = scenery.scene.sandbox.faults();
        faults.add(Fault::on(stop, Misbehaviour::Reset { processed: false }).single());
        let run = scenery.run(unpublish).exits(4);
        assert!(run.stderr.contains("cannot stop version "), "{run}");
        assert_eq!(scenery.alive().len(), 1, "{run}");
    });
}
