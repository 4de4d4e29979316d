//! The approval in Domino: requested by `request`, given by people, evaluated by `check` and `apply`.

use domino_sandbox::{Fault, Misbehaviour, PolicySeed, Seed};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::Scene;
use crate::world::*;

const BUNDLES: &str = "/api/governance/v1/bundles";

/// Version 1 is ready for prod, whose policy is asked for.
fn ready() -> Scene {
    prepared(governed(), "author")
}

fn prepared(scene: Scene, trained_by: &str) -> Scene {
    let one = register_by(&scene, "wine", 0.5, trained_by);
    put(&scene, "wine", one, "Staging");
    serve(&scene, "staging", one);
    scene
}

fn request(scene: &Scene) -> crate::harness::Run {
    scene.run(&["request", "wine", "--to", "prod"])
}

/// What a user does with the one approval of the one bundle.
fn act(scene: &Scene, user: &str, event: &str) -> (u16, Value) {
    let (_, bundles) = domino(scene, "GET", BUNDLES, None);
    let bundle = bundles["data"][0].clone();
    let id = bundle["id"].as_str().unwrap();
    let (_, approvals) = domino(scene, "GET", &format!("{BUNDLES}/{id}/approvals"), None);
    let approval = approvals[0].clone();
    domino_as(
        scene,
        user,
        "POST",
        "/api/governance/v1/rpc/publish-approval-event",
        Some(json!({
            "bundleId": id, "policyId": bundle["policyId"], "projectId": bundle["projectId"], "eventType": event,
            "approvalId": approval["id"], "stageApprovalId": approval["stageApprovalId"],
        })),
    )
}

#[test]
fn a_request_asks_with_a_sheet_and_an_approval_lets_the_version_in() {
    let mut scene = governed();
    let one = register(&scene, "wine", 0.6);
    put(&scene, "wine", one, "Production");
    let two = register(&scene, "wine", 0.5);
    put(&scene, "wine", two, "Staging");
    serve(&scene, "staging", two);
    scene.on_github("77").variable("DOMINO_ENV", "STAGE");
    let run = request(&scene).exits(0);
    assert_snapshot!(
        "request",
        masked(format!(
            "{run}--- outputs\n{}--- summary\n{}",
            scene.outputs(),
            scene.summary()
        ))
    );
    scene.variable("DOMINO_ENV", "PROD");
    let run = scene.run(&["check", "wine", "--to", "prod"]).exits(7);
    assert_snapshot!("not_approved_yet", masked(run));
    apply(&scene, "prod", two)
        .exits(7)
        .tells("approval in Domino: `Review approval` waits for `approver`");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [one]);
    scene.sandbox.approve_waiting("approver").unwrap();
    apply(&scene, "prod", two).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [two]);
    let record = recorded(&scene, "wine", two, "prod");
    assert_eq!(record["approved-by"], json!(["approver (Domino)"]));
    let id = scene.output("request-id").unwrap();
    assert_eq!(record["request-id"], id.as_str());
}

#[test]
fn a_second_request_asks_nobody_again() {
    let scene = ready();
    request(&scene).exits(0);
    let from = scene.sandbox.requests().len();
    request(&scene)
        .exits(0)
        .tells("bundle `wine version 1 to prod` waits for `approver` already");
    scene.sandbox.approve_waiting("approver").unwrap();
    request(&scene)
        .exits(0)
        .tells("bundle `wine version 1 to prod` is approved already");
    let asked = writes(&scene, from);
    assert!(
        !asked.iter().any(|request| request.ends_with("/bundles")),
        "{asked:?}"
    );
}

#[test]
fn without_a_request_nobody_comes_in() {
    let scene = ready();
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("nobody has asked for it: there is no bundle `wine version 1 to prod` of policy `Promotion`");
    // That of another version is no approval of this one.
    request(&scene).exits(0);
    scene.sandbox.approve_waiting("approver").unwrap();
    let two = register(&scene, "wine", 0.5);
    put(&scene, "wine", two, "Staging");
    serve(&scene, "staging", two);
    apply(&scene, "prod", two)
        .exits(7)
        .tells("there is no bundle `wine version 2 to prod`");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
}

#[test]
fn no_fault_at_a_gate_opens_it() {
    let scene = ready();
    request(&scene).exits(0);
    scene.sandbox.approve_waiting("approver").unwrap();
    let from = scene.sandbox.requests().len();
    for route in [
        "GET /v4/users/self".to_owned(),
        "GET /api/governance/v1/policy-overviews".to_owned(),
        format!("GET {BUNDLES}"),
        format!("GET {BUNDLES}/*/approvals"),
        format!("GET {BUNDLES}/*/gates"),
    ] {
        for misbehaviour in [
            reply(401, false),
            reply(500, false),
            Misbehaviour::CutJson,
            Misbehaviour::LoginPage,
        ] {
            let case = format!("{misbehaviour:?} at {route}");
            let asked = scene.sandbox.requests().len();
            scene.sandbox.faults().add(Fault::on(&route, misbehaviour));
            let run = apply(&scene, "prod", 1);
            scene.sandbox.faults().clear();
            assert!([3, 4].contains(&run.exit), "{case}: {run}");
            let asked = scene.requests_since(asked);
            let harmed = route.replace('*', "[uuid]");
            assert!(asked.contains(&harmed), "{case} harmed nothing: {asked:?}");
        }
    }
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
    apply(&scene, "prod", 1).exits(0);
}

#[test]
fn a_refusal_is_told_with_its_name_and_not_asked_again_by_itself() {
    let scene = ready();
    request(&scene).exits(0);
    assert_eq!(act(&scene, "approver", "RequestRejected").0, 200);
    for verb in ["check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "prod"])
            .exits(7)
            .tells("`Review approval` was sent back by `approver`");
    }
    let from = scene.sandbox.requests().len();
    let run = request(&scene).exits(7);
    assert_snapshot!("sent_back", masked(run));
    assert_eq!(writes(&scene, from), [""; 0]);
    scene
        .run(&["request", "wine", "--to", "prod", "--again"])
        .exits(0);
    scene.sandbox.approve_waiting("approver").unwrap();
    apply(&scene, "prod", 1).exits(0);
}

#[test]
fn who_trained_the_version_does_not_approve_it() {
    let scene = prepared(governed(), "approver");
    request(&scene).exits(0);
    scene.sandbox.approve_waiting("approver").unwrap();
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("`Review approval` was given by `approver`, who trained the version");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
}

#[test]
fn who_asked_does_not_approve() {
    let policy =
        |seed: Seed| seed.policy(PolicySeed::new("Promotion").approvers(&["ci-bot", "approver"]));
    let scene = governed_by(policy, GOVERNED);
    let scene = prepared(scene, "author");
    request(&scene).exits(0);
    assert_eq!(act(&scene, "ci-bot", "RequestApproved").0, 200);
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("`Review approval` was given by `ci-bot`, who asked for it");
}

#[test]
fn who_started_the_workflow_does_not_approve() {
    let mut scene = ready();
    scene.variable("GITHUB_ACTOR", "Approver");
    request(&scene).exits(0);
    scene.sandbox.approve_waiting("approver").unwrap();
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("`Review approval` was given by `approver`, who started this workflow run");
}

#[test]
fn every_stage_of_the_policy_must_agree() {
    let policy =
        |seed: Seed| seed.policy(PolicySeed::new("Promotion").stages(&["Validation", "Release"]));
    let scene = governed_by(policy, GOVERNED);
    let scene = prepared(scene, "author");
    for _ in 0..2 {
        request(&scene).exits(0);
        let approved = scene.sandbox.approve_waiting("approver").unwrap();
        assert!(!approved.is_empty());
        if scene.run(&["check", "wine", "--to", "prod"]).exit == 0 {
            break;
        }
    }
    apply(&scene, "prod", 1).exits(0);
}

#[test]
fn a_lost_reply_makes_no_second_bundle() {
    for route in [
        "POST /api/governance/v1/bundles",
        "POST /api/governance/v1/rpc/publish-approval-event",
    ] {
        let scene = ready();
        scene
            .sandbox
            .faults()
            .add(Fault::on(route, Misbehaviour::Reset { processed: true }).single());
        request(&scene).exits(0);
        let state = scene.sandbox.state();
        assert_eq!(state["bundles"].as_array().unwrap().len(), 1);
        assert_eq!(scene.sandbox.waiting_requests().len(), 1);
    }
}

#[test]
fn a_policy_that_is_not_there_is_named_with_those_that_are() {
    let gates = "domino-approval = \"governance\"\npolicy = \"Promtion\"";
    let policy = |seed: Seed| seed.policy(PolicySeed::new("Promotion"));
    let scene = prepared(governed_by(policy, gates), "author");
    request(&scene)
        .exits(3)
        .tells("there is no policy `Promtion` here")
        .tells("`Promotion`");
}

#[test]
fn a_domino_without_governance_is_told() {
    let scene = prepared(
        scene_of(
            "5.9",
            "domino-approval = \"governance\"\npolicy = \"Promotion\"",
            "",
            |seed| seed,
        ),
        "author",
    );
    request(&scene)
        .exits(3)
        .tells("this Domino has no governance");
}

const REVIEWED: &str = "domino-approval = \"review\"\nreviewers = [\"approver\"]";

#[test]
fn a_review_of_an_older_domino_is_asked_for_and_known_by_what_it_brings() {
    let scene = prepared(scene_of("5.9", REVIEWED, "", |seed| seed), "author");
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("review in Domino: nobody has asked for it");
    request(&scene)
        .exits(0)
        .tells("a review of version 1 of `wine` for `Production` was asked for")
        .tells("warning: the model reviews of Domino 5.8 to 5.11 are unproven here");
    request(&scene)
        .exits(0)
        .tells("a review was asked for already");
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("Domino has not put the version into `Production` yet");
    scene.sandbox.approve_waiting("approver").unwrap();
    apply(&scene, "prod", 1).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [1]);
    assert_eq!(alias(&scene, "wine", "production"), Some(1));
    assert_eq!(recorded(&scene, "wine", 1, "prod")["status"], "done");
}

#[test]
fn a_review_is_refused_where_there_are_none_and_of_users_who_are_not_there() {
    let scene = prepared(scene_of("6.3", REVIEWED, "", |seed| seed), "author");
    for verb in ["request", "check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "prod"])
            .exits(3)
            .tells("has no model reviews, which 5.8 to 5.11 have");
    }
    let nobody = "domino-approval = \"review\"\nreviewers = [\"nobody\"]";
    let scene = prepared(scene_of("5.9", nobody, "", |seed| seed), "author");
    request(&scene)
        .exits(3)
        .tells("Domino has no user `nobody`");
}
