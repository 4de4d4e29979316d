//! Somebody presses Ctrl-C, or GitHub cancels the job.

use domino_sandbox::{AppFault, Fault, Misbehaviour};

use crate::harness::eventually;
use crate::scenes::{BETA, PUBLISH, Scenery, V4, app_script, on_all};

/// Waits until the program has sent a request whose path ends like this, and so often.
fn sent(scenery: &Scenery, method: &str, end: &str, times: usize) {
    eventually(end, || {
        let requests = scenery.scene.sandbox.requests();
        let matching = requests
            .iter()
            .filter(|request| request.method == method && request.path.ends_with(end));
        matching.count() >= times
    });
}

#[test]
fn before_anything_is_changed_nothing_is_changed() {
    let scenery = Scenery::of(BETA);
    let hang = Misbehaviour::Hang { processed: false };
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /v4/projects/*/hardwareTiers", hang));
    let running = scenery.scene.start(PUBLISH);
    sent(&scenery, "GET", "/hardwareTiers", 1);
    running.signal("INT");
    running
        .end()
        .exits(130)
        .tells("nothing was changed in stage `dev`");
    scenery.only_reads_since(0);
}

#[test]
fn a_version_on_its_way_is_left_there_and_the_next_run_follows_it() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.commit_app(&app_script("two"));
        // Long enough to be seen on its way by whoever looks, and to come to serve at last.
        scenery.scene.sandbox.faults().add_app_fault(AppFault {
            statuses: vec!["Preparing".into(); 60],
            times: Some(1),
            ..AppFault::default()
        });
        let running = scenery.scene.start(PUBLISH);
        eventually("two starts", || scenery.instances().len() == 2);
        let seen = scenery.scene.sandbox.requests().len();
        eventually("it is watched", || {
            scenery.scene.sandbox.requests().len() > seen + 3
        });
        running.signal("TERM");
        let run = running.end().exits(143);
        assert!(
            run.stderr.contains("of commit [short] is `Preparing`"),
            "{run}"
        );
        let from = scenery.scene.sandbox.requests().len();
        scenery.run(PUBLISH).exits(0);
        scenery.only_reads_since(from);
        scenery.serves_alone(&scenery.scene.commit);
        assert_eq!(scenery.instances().len(), 2, "{version}");
    });
}

/// The oldest API tells the commit of a start only once its code is there.
#[test]
fn a_version_whose_commit_is_not_told_yet_is_not_replaced_by_itself() {
    let scenery = Scenery::of(V4);
    scenery.run(PUBLISH).exits(0);
    let requests = scenery.scene.sandbox.requests();
    let told = requests.iter().rev().find(|request| {
        let path = &request.path;
        path.starts_with("/v4/modelProducts/apps/versions/") && !path.ends_with("/logs")
    });
    let mut early = told.unwrap().reply.clone().unwrap();
    early["status"] = "Preparing".into();
    early.as_object_mut().unwrap().remove("appCodeInfo");
    let reply = Misbehaviour::Reply {
        status: 200,
        content_type: "application/json".into(),
        body: early.to_string(),
    };
    let route = "GET /v4/modelProducts/apps/versions/*";
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on(route, reply).times(3));
    scenery.run(PUBLISH).exits(0);
    assert_eq!(faults.fired(), 3);
    scenery.only_reads_since(requests.len());
    assert_eq!(scenery.instances().len(), 1);
}

#[test]
fn what_was_stopped_for_nothing_is_started_again() {
    let mut scenery = Scenery::of(V4);
    scenery.run(PUBLISH).exits(0);
    let before = scenery.scene.commit.clone();
    scenery.commit_app(&app_script("two"));
    let hang = Misbehaviour::Hang { processed: true };
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("POST /v4/modelProducts/*/stop", hang));
    let running = scenery.scene.start(PUBLISH);
    sent(&scenery, "POST", "/stop", 1);
    running.signal("INT");
    let run = running.end().exits(130);
    assert!(run.stderr.contains("was started again; "), "{run}");
    eventually("the version before serves again", || {
        scenery.served().as_deref() == Some(before.as_str())
    });
    assert_eq!(scenery.instances().len(), 2);
}

#[test]
fn a_stop_that_never_settles_is_named_as_what_it_is() {
    let mut scenery = Scenery::of(V4);
    scenery.scene.sandbox.faults().add_app_fault(AppFault {
        stop_hangs: true,
        ..AppFault::default()
    });
    scenery.run(PUBLISH).exits(0);
    scenery.commit_app(&app_script("two"));
    let running = scenery.scene.start(PUBLISH);
    sent(&scenery, "POST", "/stop", 1);
    running.signal("INT");
    running.end().exits(130).tells("is `Stopping`");
    assert_eq!(scenery.instances().len(), 1);
}

#[test]
fn unpublish_says_how_far_it_came() {
    let scenery = Scenery::of(BETA);
    scenery.scene.sandbox.faults().add_app_fault(AppFault {
        stop_hangs: true,
        ..AppFault::default()
    });
    scenery.run(PUBLISH).exits(0);
    let unpublish = &["unpublish", "dashboard", "--stage", "dev"];
    let running = scenery.scene.start(unpublish);
    eventually("it is told to stop", || {
        !scenery
            .writes_since(0)
            .iter()
            .all(|write| !write.starts_with("DELETE"))
    });
    running.signal("INT");
    running
        .end()
        .exits(130)
        .tells("was told to stop and is `Stop");
    scenery
        .run(&[unpublish, &["--timeout", "200ms"][..]].concat())
        .exits(6)
        .tells("is still `Stopping`");
}
