//! The exact requests to the governance service, and how each reply is read.

use serde_json::{Value, json};
use wiremock::matchers::{body_json, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::projects::ProjectId;
use super::super::registered_models::VersionNumber;
use super::*;
use crate::client::tests::connection;

async fn answers(verb: &str, route: &str, body: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method(verb))
        .and(path(format!("{BASE}{route}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .expect(1)
        .mount(&server)
        .await;
    server
}

fn bundle(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "state": "Active", "policyId": "po1", "projectId": "p1", "stage": "Validation",
        "createdBy": {"id": "u1", "userName": "ci-bot"},
        "attachments": [{
            "id": "a1", "type": "ModelVersion", "identifier": {"name": "wine", "version": 7},
            "approvalTimelineMap": {
                "ap1": {"approvalStatus": "Approved", "timelineStatus": "Valid"},
                "ap2": {"approvalStatus": "Approved", "timelineStatus": "Invalid"},
            },
        }],
    })
}

#[tokio::test]
async fn policies_are_read_to_the_last_page() {
    let server = MockServer::start().await;
    for (offset, ids) in [("0", ["po1", "po2"]), ("2", ["po2", "po3"])] {
        let data: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "name": id, "status": "Published"}))
            .collect();
        Mock::given(path("/api/governance/v1/policy-overviews"))
            .and(query_param("limit", "100"))
            .and(query_param("offset", offset))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "data": data, "meta": {"pagination": {"limit": 2, "offset": 0, "totalCount": 4}},
            })))
            .expect(1)
            .mount(&server)
            .await;
    }
    let policies = connection(&server.uri()).reader().policies().await.unwrap();
    let ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
    assert_eq!(ids, ["po1", "po2", "po3"]);
    assert_eq!(policies[0].status, PolicyStatus::Published);
}

#[tokio::test]
async fn a_deployment_that_ignores_the_offset_does_not_send_pages_for_ever() {
    let server = MockServer::start().await;
    Mock::given(path("/api/governance/v1/policy-overviews"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"data": [{"id": "po1", "name": "a", "status": "Draft"}]})),
        )
        .expect(2)
        .mount(&server)
        .await;
    let policies = connection(&server.uri()).reader().policies().await.unwrap();
    assert_eq!(policies.len(), 1);
}

#[tokio::test]
async fn a_policy_tells_its_stages_and_whose_approvals_they_ask_for() {
    let approvals = json!([{"id": "sa1", "name": "Owner", "approvers": [
        {"id": "u2", "name": "approver", "editable": true, "showByDefault": true},
    ]}]);
    let body = json!({
        "id": "po1", "name": "Promotion", "enforceSequentialOrder": true, "gates": null,
        "stages": [{"id": "s1", "name": "Validation", "approvals": approvals}, {"id": "s2", "name": "Last"}],
    });
    let server = answers("GET", "/policies/po1", body).await;
    let reader = connection(&server.uri()).reader();
    let policy = reader.policy(&PolicyId::new("po1")).await.unwrap().unwrap();
    assert!(policy.enforce_sequential_order);
    assert_eq!(policy.stages.len(), 2);
    let owner = &policy.stages[0].approvals[0];
    assert_eq!(owner.id.as_str(), "sa1");
    assert_eq!(owner.approvers[0].name, "approver");
    assert!(!owner.approvers[0].is_organization_user);
}

#[tokio::test]
async fn the_bundles_of_a_project_and_policy_and_no_others_are_listed() {
    let server = MockServer::start().await;
    let mut other = bundle("b2", "other");
    other["projectId"] = json!("p2");
    Mock::given(method("GET"))
        .and(path("/api/governance/v1/bundles"))
        .and(query_param("project_id", "p1"))
        .and(query_param("policy_id", "po1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "data": [bundle("b1", "wine"), other], "meta": {"pagination": {"totalCount": 2}},
        })))
        .expect(1)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let bundles = reader
        .bundles(&ProjectId::new("p1"), &PolicyId::new("po1"))
        .await
        .unwrap();
    assert_eq!(bundles.len(), 1);
    let bundle = &bundles[0];
    assert_eq!(bundle.state, BundleState::Active);
    assert_eq!(
        bundle.created_by.as_ref().unwrap().name.as_deref(),
        Some("ci-bot")
    );
    let attached = &bundle.attachments[0];
    assert!(attached.is_model_version("wine", VersionNumber::new(7)));
    assert!(!attached.is_model_version("wine", VersionNumber::new(8)));
    assert!(!attached.is_model_version("beer", VersionNumber::new(7)));
    assert!(!attached.is_left_out_of(&ApprovalId::new("ap1")));
    assert!(attached.is_left_out_of(&ApprovalId::new("ap2")));
    assert!(!attached.is_left_out_of(&ApprovalId::new("ap3")));
}

#[tokio::test]
async fn approvals_tell_how_they_stand_and_who_acted_last() {
    let body = json!([
        {"id": "ap1", "name": "Owner", "status": "Approved", "policyId": "po1", "stageApprovalId": "sa1",
         "approvers": [{"id": "u2", "name": "approver", "editable": false, "showByDefault": true}],
         "updatedAt": "2026-01-01T00:00:00Z", "updatedBy": {"userId": "u2", "username": "approver"}},
        {"id": "ap2", "status": "PendingSubmission", "updatedBy": null, "approvers": null},
        {"id": "ap3", "status": "Dreaming", "updatedBy": {}},
    ]);
    let server = answers("GET", "/bundles/b1/approvals", body).await;
    let reader = connection(&server.uri()).reader();
    let approvals = reader.bundle_approvals(&BundleId::new("b1")).await.unwrap();
    assert_eq!(approvals[0].status, ApprovalStatus::Approved);
    let approver = approvals[0].updated_by.as_ref().unwrap();
    assert_eq!(
        (approver.id.as_deref(), approver.name.as_deref()),
        (Some("u2"), Some("approver"))
    );
    assert_eq!(approvals[1].updated_by, None);
    assert_eq!(
        approvals[2].status,
        ApprovalStatus::Unknown("Dreaming".into())
    );
    assert_eq!(
        approvals[2].updated_by, None,
        "an object that says nothing says nobody"
    );
}

#[tokio::test]
async fn a_closed_gate_stops_endpoints_unless_it_guards_apps_only() {
    let gate = |open: bool, actions: &[&str]| {
        let resources: Vec<Value> = actions.iter().map(|a| json!({"action": a})).collect();
        json!({"id": "g", "name": "g", "isOpen": open, "reason": "why", "resources": resources})
    };
    let body = json!([
        gate(true, &["CreateEndpoint"]),
        gate(false, &["CreateEndpoint"]),
        gate(false, &["CreateApp"]),
        gate(false, &["CreateApp", "CreateEndpoint"]),
        gate(false, &[]),
    ]);
    let server = answers("GET", "/bundles/b1/gates", body).await;
    let reader = connection(&server.uri()).reader();
    let gates = reader.bundle_gates(&BundleId::new("b1")).await.unwrap();
    let stops: Vec<bool> = gates
        .iter()
        .map(|gate| gate.stops_endpoints(&GatedPlace::default()))
        .collect();
    assert_eq!(stops, [false, true, false, true, true]);
    assert_eq!(gates[1].reason, "why");
}

#[test]
fn a_gate_may_be_about_one_tier_or_plane_or_let_pass_all_the_same() {
    let gate = |resource: serde_json::Value| -> Gate {
        serde_json::from_value(json!({"isOpen": false, "resources": [resource]})).unwrap()
    };
    let limited = |parameters: serde_json::Value| {
        gate(json!({"action": "CreateApp", "parameters": parameters}))
    };
    let place = |tier: &str, plane: &str| GatedPlace {
        tier: Some(tier.into()),
        data_plane: Some(plane.into()),
    };
    let (small, nowhere) = (place("small", "one"), GatedPlace::default());
    assert!(gate(json!({"action": "CreateApp"})).stops_apps(&small));
    assert!(!gate(json!({"action": "CreateEndpoint"})).stops_apps(&small));
    assert!(!gate(json!({"action": "CreateApp", "failOpen": true})).stops_apps(&nowhere));
    for (parameters, stops) in [
        (json!({"hardwareTierId": "small"}), true),
        (json!({"hardwareTierId": ["small", "large"]}), true),
        (json!({"hardwareTierId": "large"}), false),
        (json!({"hardwareTierId": "any"}), true),
        (json!({"hardwareTierId": ["any"]}), true),
        (json!({"dataPlaneId": "one"}), true),
        (json!({"dataPlaneId": ["two", "three"]}), false),
        (
            json!({"dataPlaneId": "any", "hardwareTierId": "small"}),
            true,
        ),
        (
            json!({"dataPlaneId": "one", "hardwareTierId": "large"}),
            false,
        ),
        (
            json!({"dataPlaneId": "two", "hardwareTierId": "small"}),
            false,
        ),
        (json!({"region": "eu"}), true),
    ] {
        let gate = limited(parameters.clone());
        assert_eq!(gate.stops_apps(&small), stops, "{parameters}");
        // What is not known of a place may be what the gate is about.
        assert!(gate.stops_apps(&nowhere), "{parameters}");
        assert_eq!(gate.names_places(), parameters.get("region").is_none());
    }
    let endpoints = |fail_open: bool| {
        let parameters = json!({"hardwareTierId": "large"});
        gate(json!({"action": "CreateEndpoint", "failOpen": fail_open, "parameters": parameters}))
    };
    let large = place("large", "one");
    assert!(endpoints(false).stops_endpoints(&large) && !endpoints(false).stops_endpoints(&small));
    assert!(!endpoints(true).stops_endpoints(&large));
    assert!(endpoints(true).fails_open_for_endpoints(&large));
    assert!(!endpoints(true).fails_open_for_endpoints(&small));
    assert!(!endpoints(false).fails_open_for_endpoints(&large));
    let open: Gate = serde_json::from_value(json!({"isOpen": true})).unwrap();
    assert!(!open.stops_apps(&nowhere));
}

#[tokio::test]
async fn a_bundle_is_made_with_the_version_in_it_as_a_number() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/governance/v1/bundles"))
        .and(body_json(json!({
            "name": "wine version 7 to prod", "policyId": "po1", "projectId": "p1",
            "attachments": [{"type": "ModelVersion", "identifier": {"name": "wine", "version": 7}}],
        })))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(bundle("b1", "wine version 7 to prod")),
        )
        .expect(1)
        .mount(&server)
        .await;
    let new = NewBundle {
        name: "wine version 7 to prod".into(),
        policy: PolicyId::new("po1"),
        project: ProjectId::new("p1"),
        model: "wine".into(),
        version: VersionNumber::new(7),
    };
    let made = connection(&server.uri())
        .writer()
        .create_bundle(&new)
        .await
        .unwrap();
    assert_eq!(made.id.as_str(), "b1");
}

#[tokio::test]
async fn an_approval_is_asked_for_by_an_event() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/governance/v1/rpc/publish-approval-event"))
        .and(body_json(json!({
            "bundleId": "b1", "policyId": "po1", "projectId": "p1", "eventType": "RequestSubmitted",
            "approvalId": "ap1", "stageApprovalId": "sa1",
        })))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"id": "ap1", "status": "PendingReview"})),
        )
        .expect(1)
        .mount(&server)
        .await;
    let event = ApprovalEvent {
        bundle_id: BundleId::new("b1"),
        policy_id: PolicyId::new("po1"),
        project_id: ProjectId::new("p1"),
        event_type: ApprovalEventType::RequestSubmitted,
        approval_id: ApprovalId::new("ap1"),
        stage_approval_id: Some(PolicyApprovalId::new("sa1")),
    };
    let writer = connection(&server.uri()).writer();
    let approval = writer.publish_approval_event(&event).await.unwrap();
    assert_eq!(approval.status, ApprovalStatus::PendingReview);
}

#[tokio::test]
async fn a_conflict_is_not_taken_for_an_expired_sign_in() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(
            ResponseTemplate::new(409).set_body_json(json!({"message": "there is such a bundle"})),
        )
        .mount(&server)
        .await;
    let new = NewBundle {
        name: "n".into(),
        policy: PolicyId::new("po1"),
        project: ProjectId::new("p1"),
        model: "wine".into(),
        version: VersionNumber::new(7),
    };
    let error = connection(&server.uri())
        .writer()
        .create_bundle(&new)
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(reqwest::StatusCode::CONFLICT));
    assert!(!error.outcome_unknown());
}

#[test]
fn somebody_is_known_by_id_before_name() {
    let of = |value: Value| Actor::of(&value);
    let ada = of(json!({"id": "u1", "name": "Ada"})).unwrap();
    assert!(ada.is(&of(json!({"id": "u1", "name": "Somebody else"})).unwrap()));
    assert!(!ada.is(&of(json!({"id": "u2", "name": "Ada"})).unwrap()));
    assert!(ada.is(&of(json!("ada")).unwrap()));
    assert!(ada.is_called("ADA"));
    assert_eq!(of(json!({"id": ""})), None);
    assert_eq!(of(json!("")), None);
    assert_eq!(
        of(json!({"id": "u9"})).unwrap().to_string(),
        "the user with id `u9`"
    );
}
