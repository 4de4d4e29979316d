//! What is sent to change an environment, and what each answer means.

use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::client::tests::connection;

const PROD: &str = "/repos/acme/wine/environments/PROD%20EU";

fn environments(server: &MockServer) -> Environments {
    let connection = connection("https://domino.example.com");
    Environments::of(
        &connection,
        Some(server.uri()),
        "acme/wine",
        "canary-github-1",
    )
    .unwrap()
}

/// Answers a write with this body once, and nothing else.
async fn taking(verb: &str, route: &str, body: Value, status: u16) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method(verb))
        .and(path(format!("{PROD}{route}")))
        .and(body_json(body))
        .and(header("accept", "application/vnd.github+json"))
        .and(header("x-github-api-version", "2022-11-28"))
        .respond_with(ResponseTemplate::new(status).set_body_json(json!({})))
        .expect(1)
        .mount(&server)
        .await;
    server
}

async fn shows(server: &MockServer, route: &str, body: Value) {
    Mock::given(method("GET"))
        .and(path(format!("{PROD}{route}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

fn limited() -> Value {
    json!({"protected_branches": false, "custom_branch_policies": true})
}

fn rules() -> Protection {
    let reviewer = |kind, id| Reviewer {
        kind,
        id,
        name: String::new(),
    };
    Protection {
        reviewers: vec![
            reviewer(ReviewerKind::User, 1),
            reviewer(ReviewerKind::Team, 2),
        ],
        prevents_self_review: true,
        wait_timer: 5,
        branches: BranchLimit::Named,
        admins_may_bypass: None,
    }
}

fn answered(reviewers: &Value) -> Value {
    json!({
        "protection_rules": [
            {"type": "wait_timer", "wait_timer": 5},
            {"type": "required_reviewers", "prevent_self_review": true, "reviewers": reviewers},
        ],
        "deployment_branch_policy": limited(),
    })
}

fn both() -> Value {
    json!([
        {"type": "Team", "reviewer": {"id": 2, "slug": "t"}},
        {"type": "User", "reviewer": {"id": 1, "login": "ann"}},
    ])
}

#[tokio::test]
async fn all_rules_are_sent_and_then_looked_at() {
    let body = json!({
        "wait_timer": 5, "prevent_self_review": true,
        "reviewers": [{"type": "User", "id": 1}, {"type": "Team", "id": 2}],
        "deployment_branch_policy": limited(),
    });
    let server = taking("PUT", "", body, 200).await;
    shows(&server, "", answered(&both())).await;
    let environments = environments(&server);
    EnvironmentWriter::of(&environments)
        .set_rules("PROD EU", &rules(), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_not_asked_for_and_was_not_there_is_not_sent() {
    let plain = Protection {
        branches: BranchLimit::Named,
        ..Protection::default()
    };
    let server = taking(
        "PUT",
        "",
        json!({"deployment_branch_policy": limited()}),
        200,
    )
    .await;
    shows(&server, "", json!({"deployment_branch_policy": limited()})).await;
    let environments_of = environments(&server);
    EnvironmentWriter::of(&environments_of)
        .set_rules("PROD EU", &plain, None)
        .await
        .unwrap();
    // What existed before is removed by its name.
    let body = json!({"wait_timer": 0, "reviewers": [], "deployment_branch_policy": limited()});
    let server = taking("PUT", "", body, 200).await;
    shows(&server, "", json!({"deployment_branch_policy": limited()})).await;
    let environments_of = environments(&server);
    let writer = EnvironmentWriter::of(&environments_of);
    let before = rules();
    writer
        .set_rules("PROD EU", &plain, Some(&before))
        .await
        .unwrap();
}

#[tokio::test]
async fn rules_that_github_took_and_does_not_have_are_an_error() {
    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .mount(&server)
        .await;
    shows(
        &server,
        "",
        answered(&json!([{"type": "User", "reviewer": {"id": 1, "login": "ann"}}])),
    )
    .await;
    let environments = environments(&server);
    let error = EnvironmentWriter::of(&environments)
        .set_rules("PROD EU", &rules(), None)
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(
        error.to_string().ends_with("does not have them all"),
        "{error}"
    );
}

#[tokio::test]
async fn a_branch_that_may_deploy_already_is_no_error_and_one_that_may_not_is() {
    let server = taking(
        "POST",
        "/deployment-branch-policies",
        json!({"name": "main", "type": "branch"}),
        303,
    )
    .await;
    let policies = |name: &str, kind: &str| json!({"total_count": 1, "branch_policies": [{"id": 1, "name": name, "type": kind}]});
    shows(
        &server,
        "/deployment-branch-policies",
        policies("main", "branch"),
    )
    .await;
    let there = environments(&server);
    EnvironmentWriter::of(&there)
        .open_branch("PROD EU", "main")
        .await
        .unwrap();

    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(303))
        .expect(1)
        .mount(&server)
        .await;
    shows(
        &server,
        "/deployment-branch-policies",
        policies("main", "tag"),
    )
    .await;
    let tag = environments(&server);
    assert!(
        EnvironmentWriter::of(&tag)
            .open_branch("PROD EU", "main")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_policy_that_is_gone_already_is_closed() {
    let server = MockServer::start().await;
    Mock::given(method("DELETE"))
        .and(path(format!("{PROD}/deployment-branch-policies/7")))
        .respond_with(ResponseTemplate::new(404))
        .expect(1)
        .mount(&server)
        .await;
    shows(
        &server,
        "/deployment-branch-policies",
        json!({"branch_policies": []}),
    )
    .await;
    let policy = BranchPolicy {
        id: 7,
        name: "*".into(),
        is_tag: false,
    };
    let environments = environments(&server);
    EnvironmentWriter::of(&environments)
        .close_branch("PROD EU", &policy)
        .await
        .unwrap();
}

#[tokio::test]
async fn variables_and_secrets_are_sent_as_github_takes_them() {
    let body = json!({"name": "DOMINO_ENV", "value": "PROD"});
    for (verb, route, is_there) in [
        ("POST", "/variables", false),
        ("PATCH", "/variables/DOMINO_ENV", true),
    ] {
        let server = taking(verb, route, body.clone(), 201).await;
        let environments = environments(&server);
        let set = EnvironmentWriter::of(&environments)
            .set_variable("PROD EU", "DOMINO_ENV", "PROD", is_there)
            .await;
        set.unwrap();
    }
    let body = json!({"encrypted_value": "c2VhbGVk", "key_id": "7"});
    let server = taking("PUT", "/secrets/DOMINO_TOKEN", body, 204).await;
    let key = PublicKey {
        key_id: "7".into(),
        key: String::new(),
    };
    let environments = environments(&server);
    let writer = EnvironmentWriter::of(&environments);
    let set = writer.set_secret("PROD EU", "DOMINO_TOKEN", &key, "c2VhbGVk", None);
    set.await.unwrap();
}

#[tokio::test]
async fn a_secret_whose_reply_was_lost_counts_as_written_only_when_its_time_has_changed() {
    for (written, is_ok) in [
        ("2026-01-02T00:00:00Z", true),
        ("2026-01-01T00:00:00Z", false),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("PUT"))
            .respond_with(ResponseTemplate::new(502))
            .expect(1)
            .mount(&server)
            .await;
        let secret = json!({"name": "DOMINO_TOKEN", "updated_at": written});
        shows(&server, "/secrets/DOMINO_TOKEN", secret).await;
        let key = PublicKey {
            key_id: "7".into(),
            key: String::new(),
        };
        let before = Secret {
            name: "DOMINO_TOKEN".into(),
            updated_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        };
        let environments = environments(&server);
        let writer = EnvironmentWriter::of(&environments);
        let set = writer.set_secret("PROD EU", "DOMINO_TOKEN", &key, "c2VhbGVk", Some(&before));
        assert_eq!(set.await.is_ok(), is_ok);
    }
}
