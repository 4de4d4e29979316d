//! Failures on the way to Domino: each kind is named with its exit code, or waited out.

use super::*;

#[test]
fn an_unknown_status_word_is_never_green() {
    let scene = scene();
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/jobs/*",
        Misbehaviour::Edit {
            set: vec![("/statuses/executionStatus".into(), "Wonderful".into())],
            remove: vec![],
        },
    ));
    scene
        .run(&["start", "train", "--stage", "dev", "--timeout", "60s"])
        .exits(5);
}

#[test]
fn a_job_whose_end_lags_is_waited_for() {
    let scene = scene();
    scene.sandbox.faults().add_job_fault(JobFault {
        completed_lag: 3,
        ..JobFault::default()
    });
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
}

#[test]
fn trouble_at_the_first_request_is_named_with_its_exit_code() {
    let reply = |status| reply(status, false);
    for (name, fault, exit, tells) in [
        ("html", Misbehaviour::LoginPage, 3, "web page"),
        ("binary", Misbehaviour::BinaryForbidden, 3, "binary data"),
        ("truncated", Misbehaviour::CutJson, 4, "not understood"),
        ("500", reply(500), 4, "500 Internal Server Error"),
        ("404", reply(404), 3, "no project"),
        ("403", reply(403), 3, "403 Forbidden"),
        ("503", reply(503), 4, "503 Service Unavailable"),
    ] {
        let scene = scene();
        scene.sandbox.faults().add(Fault::on(
            "GET /v4/gateway/projects/findProjectByOwnerAndName",
            fault,
        ));
        let run = scene.run(&["start", "train", "--stage", "dev"]);
        assert_eq!(run.exit, exit, "{name}\n{run}");
        assert!(
            run.stderr.contains(tells),
            "{name}: `{tells}` is not said\n{run}"
        );
        assert_eq!(jobs(&scene).len(), 0);
    }
}

#[test]
fn what_passes_by_itself_is_waited_out() {
    for fault in [
        Misbehaviour::Status {
            status: 429,
            retry_after: Some(1),
            processed: false,
        },
        Misbehaviour::Status {
            status: 503,
            retry_after: None,
            processed: false,
        },
        Misbehaviour::Reset { processed: false },
        Misbehaviour::Delay {
            by: std::time::Duration::from_millis(300),
        },
        Misbehaviour::Truncate,
    ] {
        let scene = scene();
        scene
            .sandbox
            .faults()
            .add(Fault::on("GET /v4/projects/*/hardwareTiers", fault).single());
        scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    }
}

#[test]
fn an_answer_that_never_comes_ends_in_time() {
    let scene = scene();
    scene.sandbox.faults().add(Fault::on(
        "GET /v4/**",
        Misbehaviour::Hang { processed: false },
    ));
    scene
        .run(&[
            "start",
            "train",
            "--stage",
            "dev",
            "--request-timeout",
            "100ms",
        ])
        .exits(4)
        .tells("no answer in time");
}
