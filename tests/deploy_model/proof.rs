//! Green means that it serves: builds that fail, versions that never run, smoke tests, and rollbacks.

use domino_sandbox::{Fault, Misbehaviour, ModelFault};
use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{MODEL_TOKEN, eventually};
use crate::{
    GENERATIONS, SMOKE, STAGES, edit, endpoint, publish, register, scene, scene_of, serves,
    versions,
};

const NEW_VERSION: &str = "POST /api/modelServing/v1/modelApis/*/versions";
const START_AGAIN: &str = "POST /v4/models/*/*/startModelDeployment";

fn refused(status: u16) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed: false,
    }
}

#[test]
fn a_build_that_fails_shows_its_end_and_leaves_what_served() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        register(&scene, "wine", "return x\nimport no_such_library");
        scene.on_github("77");
        let run = publish(&scene, "dev")
            .exits(5)
            .tells("version 2 of endpoint `wine-dev` ended as `Failed`; version 1 still serves")
            .tells("No module named 'no_such_library'")
            .tells("next: deploy-model logs wine --stage dev --id 2 --build");
        assert!(
            scene.summary().contains("No module named"),
            "{run}{}",
            scene.summary()
        );
        assert_eq!(
            serves(&scene, "wine-dev"),
            (json!(1), json!(1)),
            "{version}"
        );
    }
}

#[test]
fn a_version_that_never_runs_is_not_green_and_is_followed_by_the_next_run() {
    for version in GENERATIONS {
        for stuck in ["Building", "Stalled"] {
            let scene = scene_of(version);
            register(&scene, "wine", "return x + 2");
            publish(&scene, "dev").exits(0);
            register(&scene, "wine", "return x + 2.1");
            scene.sandbox.faults().add_model_fault(ModelFault {
                stuck_at: Some(stuck.into()),
                times: Some(1),
                ..ModelFault::default()
            });
            let arguments = ["publish", "wine", "--stage", "dev", "--timeout", "1s"];
            scene
                .run(&arguments)
                .exits(6)
                .tells("and not the one that serves; version 1 still serves");
            assert_eq!(serves(&scene, "wine-dev").0, 1);
            if stuck == "Building" {
                let run = scene.run(&arguments).exits(6);
                assert!(run.stdout.contains("follow version 2"), "{run}");
                assert_eq!(versions(&scene, "wine-dev").len(), 2, "{version}");
            }
        }
    }
}

#[test]
fn statuses_that_lie_or_are_unknown_are_waited_out() {
    for version in GENERATIONS {
        let scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        scene.sandbox.faults().add_model_fault(ModelFault {
            statuses: vec![
                "Dreaming".into(),
                "Unreachable".into(),
                "running soon".into(),
            ],
            ..ModelFault::default()
        });
        publish(&scene, "dev").exits(0);
        assert_eq!(serves(&scene, "wine-dev").0, 1);
    }
}

#[test]
fn a_version_that_fails_its_smoke_test_gives_way_to_the_one_before() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        publish(&scene, "dev").exits(0);
        register(&scene, "wine", "return x + 100");
        scene.on_github("77");
        let started_again = *version == "6.3";
        if !started_again {
            scene
                .sandbox
                .faults()
                .add(Fault::on(START_AGAIN, refused(404)));
        }
        let run = publish(&scene, "dev")
            .exits(5)
            .tells("version 2 of endpoint `wine-dev` failed its smoke test; version 1 serves again")
            .tells("request `one`: `result` is 101, expected 3 ± 0.5");
        match started_again {
            true => assert_snapshot!("restored", run),
            false => drop(run.tells("version 1 serves again, as version 3")),
        }
        // What served before serves again, and answers.
        assert_eq!(serves(&scene, "wine-dev").1, json!(1), "{version}");
        assert_eq!(scene.output("smoke").as_deref(), Some("failed"));
        // What was wished for is not handed on.
        assert_eq!(scene.output("version"), None);
        assert_eq!(scene.output("commit"), None);
        // The bad version is not taken for one that is on its way.
        publish(&scene, "dev").exits(5);
        assert_eq!(serves(&scene, "wine-dev").1, json!(1), "{version}");
    }
}

#[test]
fn the_settings_come_back_with_the_version_that_did() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 100");
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("smoke-test", "replicas = 3\nsmoke-test"),
    );
    publish(&scene, "dev")
        .exits(5)
        .tells("version 1 serves again");
    assert_eq!(endpoint(&scene, "wine-dev")["replicas"], 2);
}

#[test]
fn settings_are_put_back_where_no_version_comes_and_named_where_one_may() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("smoke-test", "replicas = 3\nsmoke-test"),
    );
    let replicas = || endpoint(&scene, "wine-dev")["replicas"].clone();
    let faults = scene.sandbox.faults();
    faults.add(Fault::on(NEW_VERSION, refused(403)).single());
    publish(&scene, "dev")
        .exits(3)
        .tells("no version is known to have been made; its settings are as before again");
    assert_eq!(replicas(), 2);
    register(&scene, "wine", "return x\nimport no_such_library");
    publish(&scene, "dev")
        .exits(5)
        .tells("version 1 still serves; its settings are as before again");
    assert_eq!(replicas(), 2);
    register(&scene, "wine", "return x + 2.1");
    faults.add_model_fault(ModelFault {
        stuck_at: Some("Building".into()),
        ..ModelFault::default()
    });
    scene
        .run(&["publish", "wine", "--stage", "dev", "--timeout", "1s"])
        .exits(6)
        .tells("version 1 still serves; the endpoint's settings were already changed");
    assert_eq!(replicas(), 3);
}

#[test]
fn a_version_that_came_up_unwatched_is_tested_by_the_next_run_and_gives_way() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 100");
    scene.on_github("77");
    let arguments = ["publish", "wine", "--stage", "dev"];
    scene
        .run(&[&arguments[..], &["--no-wait"]].concat())
        .exits(0);
    eventually("it serves", || serves(&scene, "wine-dev").0 == 2);
    // Another run must not take down what somebody may rely on by now.
    scene.on_github("78");
    scene
        .run(&arguments)
        .exits(5)
        .tells("version 2 of endpoint `wine-dev`, which serves already, failed its smoke test");
    assert_eq!(serves(&scene, "wine-dev").0, 2);
    scene.on_github("77");
    scene
        .run(&arguments)
        .exits(5)
        .tells("version 2 of endpoint `wine-dev` failed its smoke test; version 1 serves again");
    assert_eq!(serves(&scene, "wine-dev").0, 1);
}

#[test]
fn a_first_version_that_fails_its_smoke_test_has_nothing_to_give_way_to() {
    let scene = scene();
    register(&scene, "wine", "return x + 100");
    publish(&scene, "dev")
        .exits(5)
        .tells("version 1 of endpoint `wine-dev` failed its smoke test, and serves: there is no version before it");
    // It is there, as wanted, and no good: that is not green either.
    publish(&scene, "dev")
        .exits(5)
        .tells("version 1 of endpoint `wine-dev`, which serves already, failed its smoke test");
    assert_eq!(versions(&scene, "wine-dev").len(), 1);
}

#[test]
fn a_restore_that_fails_is_said_first_and_loudest() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 100");
    let faults = scene.sandbox.faults();
    faults.add(Fault::on(NEW_VERSION, refused(403)).after(1));
    faults.add(Fault::on(START_AGAIN, refused(404)));
    let run = publish(&scene, "dev").exits(5);
    assert_snapshot!("not_restored", run);
}

#[test]
fn a_process_that_dies_at_once_does_not_pass_the_smoke_test() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 2.1");
    scene.sandbox.faults().add_model_fault(ModelFault {
        dies_after: Some(0),
        times: Some(1),
        ..ModelFault::default()
    });
    publish(&scene, "dev")
        .exits(5)
        .tells("version 1 serves again");
    assert_eq!(serves(&scene, "wine-dev").1, json!(1));
}

#[test]
fn a_refused_token_is_a_refusal_and_nothing_is_put_back() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        scene.variable("DOMINO_MODEL_TOKEN", "canary-model-wrong");
        publish(&scene, "dev")
            .exits(3)
            .tells("version 1 of endpoint `wine-dev` serves, but refused the token in `DOMINO_MODEL_TOKEN`");
        assert_eq!(serves(&scene, "wine-dev").0, 1, "{version}");
    }
}

#[test]
fn without_a_token_the_smoke_test_is_skipped_and_the_summary_says_so() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        register(&scene, "wine", "return x + 2");
        scene.without("DOMINO_MODEL_TOKEN").on_github("77");
        publish(&scene, "dev").exits(0);
        let summary = scene.summary();
        assert!(summary.contains("the smoke test was skipped"), "{summary}");
        assert_eq!(
            scene.output("smoke").as_deref(),
            Some("skipped"),
            "{version}"
        );
    }
}

#[test]
fn one_secret_can_hold_the_tokens_of_several_models() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    let tokens = format!("other=canary-model-other\nwine={MODEL_TOKEN}\n");
    scene.variable("DOMINO_MODEL_TOKEN", &tokens);
    publish(&scene, "dev").exits(0);
    assert_eq!(versions(&scene, "wine-dev")[0]["served"], 1);
}

#[test]
fn what_serves_must_be_what_was_asked_for() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    scene.sandbox.faults().add(edit(
        "GET /api/modelServing/v1/modelApis/*/versions/*",
        "/source/registeredModelVersion",
        json!(5),
    ));
    publish(&scene, "dev")
        .exits(5)
        .tells("it serves version 5 of `wine` in place of version 1 of `wine`");
}

#[test]
fn an_older_domino_that_does_not_tell_what_serves_is_said_to() {
    let scene = scene_of("5.9");
    register(&scene, "wine", "return x + 2");
    let unreported = Misbehaviour::Edit {
        set: Default::default(),
        remove: vec!["/data/*/registeredModelName".into()],
    };
    scene
        .sandbox
        .faults()
        .add(Fault::on("GET /v1/models/*/versions", unreported));
    for _ in 0..2 {
        publish(&scene, "dev").exits(0).tells(
            "does not tell what version 1 serves, nor the hardware tier, environment and replicas",
        );
    }
}

#[test]
fn a_version_that_runs_but_does_not_answer_yet_is_not_green() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    register(&scene, "wine", "return x + 2.1");
    let first = versions(&scene, "wine-dev")[0]["id"].clone();
    let route = "GET /api/modelServing/v1/modelApis/*";
    scene
        .sandbox
        .faults()
        .add(edit(route, "/activeVersion/id", first));
    let running = scene.start(&["publish", "wine", "--stage", "dev"]);
    // Once the version runs it is asked which one answers, and as long as that is another one, asked again.
    let id = endpoint(&scene, "wine-dev")["id"].clone();
    let path = format!("/modelApis/{}", id.as_str().unwrap());
    eventually("it is asked again which one answers", || {
        let requests = scene.sandbox.requests();
        let asked = requests
            .iter()
            .filter(|request| request.path.ends_with(&path));
        asked.count() >= 3
    });
    running.signal("TERM");
    running
        .end()
        .exits(143)
        .tells("interrupted; version 2 of endpoint `wine-dev` goes on in Domino");
}

#[test]
fn an_endpoint_that_is_not_at_dominos_own_host_is_said_to_be_elsewhere() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    scene.variable("DOMINO_MODEL_HOST", &host).on_github("77");
    publish(&scene, "dev")
        .exits(5)
        .tells("is `Running` by Domino's word, but does not answer at")
        .tells("an endpoint on a remote data plane has a host of its own");
    assert_eq!(serves(&scene, "wine-dev").0, 1);
    assert_eq!(scene.output("smoke").as_deref(), Some("unreachable"));
}

#[test]
fn a_smoke_test_that_cannot_be_read_is_refused_before_anything_happens() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    scene.commit_file("smoke.jsonl", "{\"input\": 1}\nnonsense\n");
    publish(&scene, "dev")
        .exits(2)
        .tells("smoke.jsonl:1: ")
        .tells("smoke.jsonl:2: ");
    std::fs::write(scene.path().join("other.jsonl"), SMOKE).unwrap();
    scene
        .run(&[
            "publish",
            "wine",
            "--stage",
            "dev",
            "--smoke",
            "other.jsonl",
        ])
        .exits(0);
}

#[test]
fn no_credential_of_dominos_ever_goes_to_an_endpoint() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let requests = scene.sandbox.requests();
    let calls: Vec<_> = requests
        .iter()
        .filter(|request| request.path.starts_with("/models/"))
        .collect();
    assert!(!calls.is_empty());
    for request in requests.iter().filter(|r| !r.path.contains("/mlflow")) {
        let basic = request.credential == domino_sandbox::Credential::Basic;
        assert_eq!(
            basic,
            request.path.starts_with("/models/"),
            "{}",
            request.path
        );
    }
}
