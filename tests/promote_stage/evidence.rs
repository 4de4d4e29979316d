//! The questions of a policy that a request answers, which of its approvals count, and what somebody found.

use std::time::Duration;

use domino_sandbox::{Fault, Misbehaviour, PolicySeed, Seed};
use serde_json::{Value, json};

use crate::harness::Scene;
use crate::world::*;

const COMPARE: &str = "How does it compare with the version in production?";
const ORIGIN: &str = "Where does it come from?";
const SUBMIT: &str = "POST /api/governance/v1/rpc/submit-result-to-policy";

fn policy(seed: Seed) -> Seed {
    seed.policy(
        PolicySeed::new("Promotion")
            .stages(&["Validation", "Sign-off"])
            .asks(&[COMPARE, ORIGIN, "Anything else?"])
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
    for (name, fault, exit) in [
        ("lost reply", Misbehaviour::Reset { processed: true }, 0),
        ("403", refused(403), 3),
        ("404", refused(404), 3),
        ("409", refused(409), 3),
        ("500", refused(500), 4),
        (
            "slow",
            Misbehaviour::Delay {
                by: Duration::from_secs(1),
            },
            0,
        ),
    ] {
        let scene = answering();
        scene
            .sandbox
            .faults()
            .add(Fault::on(SUBMIT, fault).single());
        let run = scene.run(REQUEST);
        assert_eq!(run.exit, exit, "{name}: {run}");
        let asked = scene.sandbox.waiting_requests().len();
        assert_eq!(asked, usize::from(exit == 0), "{name}: {run}");
        if exit != 0 {
            run.tells("nobody was asked: the questions of the policy could not be answered");
            scene.run(REQUEST).exits(0);
        }
        assert_eq!(answers(&scene).len(), 2, "{name}");
    }
}
