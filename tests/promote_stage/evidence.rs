//! The questions of a policy that a request answers, which of its approvals count, and what somebody found.

use std::time::Duration;

use domino_core::receipt::{SealedReceipt, write_to_folder};
use domino_sandbox::{Fault, Misbehaviour, PolicySeed, Seed};
use serde_json::{Value, json};

use crate::harness::Scene;
use crate::world::*;

const COMPARE: &str = "How does it compare with the version in production?";
const ORIGIN: &str = "Where does it come from?";
const TESTED: &str = "What did its smoke test say?";
const SUBMIT: &str = "POST /api/governance/v1/rpc/submit-result-to-policy";
const UPLOAD: &str = "POST /v4/projects/*/commits/head/files/*/*";
const ATTACH: &str = "POST /api/governance/v1/bundles/*/attachments";

fn policy(seed: Seed) -> Seed {
    seed.policy(
        PolicySeed::new("Promotion")
            .stages(&["Validation", "Sign-off"])
            .asks(&[COMPARE, ORIGIN, TESTED, "Anything else?"])
            .opens_after("Validation"),
    )
}

/// Version 1 is ready for prod, where these gates say more of the policy.
fn scene_saying(more: &str) -> Scene {
    let scene = governed_by(policy, &format!("{GOVERNED}\n{more}"));
    let one = register(&scene, "wine", 0.5);
    put(&scene, "wine", one, "Staging");
    serve(&scene, "staging", one);
    scene
}

fn answering() -> Scene {
    let evidence = format!("evidence = {{ metrics = \"{COMPARE}\", lineage = \"{ORIGIN}\" }}");
    scene_saying(&format!("policy-stage = \"Validation\"\n{evidence}"))
}

/// The same, with a receipt that says what the smoke test in staging said, and the sheet as a file.
fn answering_all() -> Scene {
    let evidence = format!("evidence = {{ smoke-test = \"{TESTED}\", report = \"sheets\" }}");
    let mut scene = scene_saying(&evidence);
    let version = &scene.sandbox.state()["registeredModels"][0]["versions"][0];
    let identity = json!({
        "name": "wine", "version": 1, "run-id": version["runId"], "created": 1, "source": version["source"],
    });
    let receipt = json!({
        "format": 1, "stage": "staging", "kind": "model", "entity": "wine", "commit": "a".repeat(40),
        "outcome": "done", "result": "it serves", "began": "2026-11-12T08:00:00Z", "at": "2026-11-12T08:09:00Z",
        "what": {"model-version": identity}, "who": {},
        "where": {"host": "h", "project": "p", "github-environment": "STAGE"}, "plan": {"headline": "publish"},
        "program": "deploy-model 0.1.0", "smoke-test": "2 requests to version 1 answered as expected",
    });
    let sealed = SealedReceipt::seal(serde_json::from_value(receipt).unwrap()).unwrap();
    let folder = scene.path().join("receipts");
    write_to_folder(&folder, &sealed).unwrap();
    scene.variable("DEPLOY_RECEIPTS", folder.to_str().unwrap());
    scene
}

/// The files of the project that Domino keeps itself.
fn files(scene: &Scene) -> Vec<Value> {
    let projects = scene.sandbox.state()["projects"].clone();
    let mut projects = projects.as_array().unwrap().iter();
    let files =
        projects.find_map(|project| project["files"].as_array().filter(|all| !all.is_empty()));
    files.cloned().unwrap_or_default()
}

/// The reports that are attached to the bundle, by their files.
fn reports(scene: &Scene) -> Vec<Value> {
    let attached = bundle(scene)["attachments"].clone();
    let attached = attached.as_array().cloned().unwrap_or_default().into_iter();
    let reports = attached.filter(|one| one["type"] == "Report");
    reports
        .map(|one| one["identifier"]["filename"].clone())
        .collect()
}

fn bundle(scene: &Scene) -> Value {
    scene.sandbox.state()["bundles"][0].clone()
}

fn answers(scene: &Scene) -> Vec<String> {
    let results = bundle(scene)["results"].clone();
    let results = results.as_array().cloned().unwrap_or_default();
    let content = |result: &Value| result["artifactContent"].as_str().unwrap().to_owned();
    results.iter().map(content).collect()
}

const REQUEST: &[&str] = &["request", "wine", "--to", "prod"];

#[test]
fn a_request_answers_the_policy_once_and_later_approvals_are_not_waited_for() {
    let scene = answering();
    scene
        .run(REQUEST)
        .exits(0)
        .plans("the answer to `How does it compare with the version in production?`");
    let first = answers(&scene);
    assert_eq!(first.len(), 2);
    assert!(
        first
            .iter()
            .any(|answer| answer.contains("Promotion sheet")),
        "{first:?}"
    );
    assert!(
        first.iter().any(|answer| answer.contains("rmse")),
        "{first:?}"
    );
    let status = |scene: &Scene| {
        let approvals = bundle(scene)["approvals"].clone();
        [0, 1].map(|at| approvals[at]["status"].clone())
    };
    assert_eq!(status(&scene), ["PendingReview", "PendingSubmission"]);
    scene
        .run(REQUEST)
        .exits(0)
        .tells("waits for `approver` already");
    assert_eq!(answers(&scene), first);
    let user = scene.sandbox.user("approver");
    let person = json!({ "id": "u1", "name": user.user_name });
    let finding = json!({
        "bundleId": bundle(&scene)["id"], "approvalId": bundle(&scene)["approvals"][0]["id"], "name": "Bias by region",
        "severity": "S1", "approver": person, "assignee": person,
    });
    let found = domino_as(
        &scene,
        "approver",
        "POST",
        "/api/governance/v1/findings",
        Some(finding),
    );
    assert_eq!(found.0, 200);
    scene
        .run(&["check", "wine", "--to", "prod"])
        .exits(7)
        .tells("finding `Bias by region` (S1, `ToDo`)");
    scene.sandbox.approve_waiting("approver").unwrap();
    scene
        .run(&["check", "wine", "--to", "prod"])
        .exits(0)
        .tells("`Sign-off approval` of bundle `wine version 1 to prod` is of a later policy stage");
    apply(&scene, "prod", 1).exits(0);
    assert_eq!(status(&scene), ["Approved", "PendingSubmission"]);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
}

#[test]
fn the_smoke_test_of_the_stage_before_is_submitted_and_the_sheet_attached_once() {
    let scene = answering_all();
    scene
        .run(&[REQUEST, &["--dry-run"]].concat())
        .exits(0)
        .plans("the answer to `What did its smoke test say?`")
        .plans("the sheet attached to the bundle, uploaded as `sheets/wine-version-1-to-prod-");
    assert!(files(&scene).is_empty());
    scene.run(REQUEST).exits(0);
    let [answer] = &answers(&scene)[..] else {
        panic!("one answer")
    };
    let said = "Smoke test of wine version 1 in stage `staging`: 2 requests to version 1 answered as expected (2026-";
    assert!(answer.starts_with(said), "{answer}");
    let [file] = &files(&scene)[..] else {
        panic!("one file")
    };
    let content = file["content"].as_str().unwrap();
    assert!(
        content.contains("Promotion sheet: wine version 1"),
        "{content}"
    );
    assert!(content.contains("Lineage of wine version 1"), "{content}");
    assert_eq!(reports(&scene), [file["path"].clone()]);
    scene
        .run(REQUEST)
        .exits(0)
        .tells("waits for `approver` already");
    assert_eq!((files(&scene).len(), reports(&scene).len()), (1, 1));
    // What was attached before anybody was asked is covered by the approval.
    scene.sandbox.approve_waiting("approver").unwrap();
    scene.run(&["check", "wine", "--to", "prod"]).exits(0);
}

#[test]
fn a_smoke_test_that_nothing_recorded_is_said_and_nothing_is_submitted() {
    let mut scene = answering_all();
    for (receipts, why) in [
        (None, "there is no receipt of it in stage `staging`"),
        (
            Some(("2 requests to version 1", "all of them")),
            " was altered",
        ),
    ] {
        match receipts {
            None => {
                scene.without("DEPLOY_RECEIPTS");
            }
            Some((from, to)) => {
                let folder = scene.path().join("receipts");
                let file = folder.join("staging.model.wine.json");
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(text.contains(from));
                std::fs::write(file, text.replace(from, to)).unwrap();
                scene.variable("DEPLOY_RECEIPTS", folder.to_str().unwrap());
            }
        }
        scene
            .run(&[REQUEST, &["--dry-run"]].concat())
            .exits(0)
            .tells("`smoke-test` in `[stage.prod.gates.evidence]` is not answered, and nothing is submitted for it: ")
            .tells(why);
    }
    scene.run(REQUEST).exits(0);
    assert_eq!(answers(&scene), [""; 0]);
    assert_eq!(scene.sandbox.waiting_requests().len(), 2);
}

#[test]
fn what_the_policy_does_not_have_is_refused_before_anything_is_written() {
    for (more, says) in [
        (
            "policy-stage = \"Validaton\"",
            "policy `Promotion` has no stage `Validaton`",
        ),
        (
            "evidence = { metrics = \"How good?\" }",
            "there is no question `How good?` here",
        ),
    ] {
        let scene = scene_saying(more);
        scene.run(REQUEST).exits(3).tells(says);
        assert_eq!(scene.sandbox.state()["bundles"], json!([]));
    }
}

#[test]
fn nobody_is_asked_without_the_answers_and_no_fault_doubles_them() {
    let refused = |status| Misbehaviour::Status {
        status,
        retry_after: None,
        processed: false,
    };
    let slow = Misbehaviour::Delay {
        by: Duration::from_secs(1),
    };
    let writes = [
        (UPLOAD, "the sheet could not be uploaded"),
        (ATTACH, "the sheet could not be attached to the bundle"),
        (SUBMIT, "the questions of the policy could not be answered"),
    ];
    let written = |scene: &Scene| {
        (
            answers(scene).len(),
            files(scene).len(),
            reports(scene).len(),
        )
    };
    for (name, fault) in [
        ("lost reply", Misbehaviour::Reset { processed: true }),
        ("slow", slow),
    ] {
        let scene = answering_all();
        let faults = scene.sandbox.faults();
        for (route, _) in writes {
            faults.add(Fault::on(route, fault.clone()).single());
        }
        scene.run(REQUEST).exits(0);
        assert_eq!(scene.sandbox.waiting_requests().len(), 2, "{name}");
        assert_eq!(faults.fired(), writes.len(), "{name}");
        assert_eq!(written(&scene), (1, 1, 1), "{name}");
    }
    for (status, exit) in [(403, 3), (404, 3), (409, 3), (500, 4)] {
        let scene = answering_all();
        for (route, why) in writes {
            let fault = Fault::on(route, refused(status)).single();
            scene.sandbox.faults().add(fault);
            let run = scene.run(REQUEST);
            assert_eq!(run.exit, exit, "{status} at {route}: {run}");
            run.tells(&format!("nobody was asked: {why}"));
            assert_eq!(
                scene.sandbox.waiting_requests().len(),
                0,
                "{status} at {route}"
            );
        }
        scene.run(REQUEST).exits(0);
        assert_eq!(written(&scene), (1, 1, 1), "{status}");
    }
}
