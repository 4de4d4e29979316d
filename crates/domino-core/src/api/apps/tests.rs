//! The exact requests for apps, and their replies, by generation; and how a generation is chosen.

mod beta;
mod model_products;
mod thumbnail;
mod v1;

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::api::ids::{EnvironmentId, HardwareTierId};
use crate::client::tests::connection;
use stage_file::Visibility;

fn project() -> ProjectId {
    ProjectId::new("p1")
}

fn app_id() -> AppId {
    AppId::new("a1")
}

fn version_id() -> AppVersionId {
    AppVersionId::new("v1")
}

fn sha() -> String {
    "ab".repeat(20)
}

fn commit_ref() -> Value {
    json!({"type": "commitId", "value": sha()})
}

fn content() -> AppContent {
    AppContent {
        git_ref: Some(serde_json::from_value(commit_ref()).unwrap()),
        hardware_tier: Some(HardwareTierId::new("small-k8s")),
        environment: Some(EnvironmentId::new("e1")),
        revision: Some("r1".into()),
        carried: Carried::default(),
    }
}

/// A content without what is only carried over.
fn ours(content: AppContent) -> AppContent {
    AppContent {
        carried: Carried::default(),
        ..content
    }
}

fn new_app() -> NewApp {
    NewApp {
        project: project(),
        name: "dashboard-dev".into(),
        description: "The numbers".into(),
        entry_point: "apps/app.sh".into(),
        visibility: Visibility::GrantBasedStrict,
        discoverable: None,
        content: content(),
    }
}

/// A version as beta tells it, with more fields than are read.
fn wire_version(id: &str, status: &str) -> Value {
    json!({
        "id": id, "gitRef": commit_ref(), "environmentId": "e1", "environmentRevisionId": "r1",
        "hardwareTierId": "small-k8s", "createdAt": 1_760_000_000_000_i64, "updatedAt": 1_760_000_000_000.5,
        "externalVolumeMountIds": [], "netAppVolumeIds": [], "tags": [],
        "extendedIdentityPropagationToAppsEnabled": false,
        "currentInstance": {"id": "i1", "createdAt": 1_760_000_000_000_i64, "status": status},
    })
}

/// An app as beta tells it.
fn wire_app(id: &str, name: &str, project: &str) -> Value {
    json!({
        "id": id, "name": name, "entryPoint": "apps/app.sh", "description": "The numbers",
        "visibility": "GRANT_BASED", "url": format!("https://domino.example.com/apps/{id}"),
        "renderIFrame": true, "accessStatuses": [], "discoverable": true, "views": 3,
        "project": {"id": project, "name": "wine", "ownerId": "u1", "ownerUsername": "wine-team", "projectType": "Analytic"},
        "currentVersion": wire_version("v1", "Running"),
    })
}

/// A server that answers exactly one request.
async fn server(verb: &str, route: &str, status: u16, body: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method(verb))
        .and(path(route))
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .expect(1)
        .mount(&server)
        .await;
    server
}

/// What was sent as a body, in the order of arrival.
async fn bodies(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap_or(Value::Null))
        .collect()
}

async fn lists(server: &MockServer, route: &str, response: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path(route))
        .respond_with(response)
        .mount(server)
        .await;
}

async fn found_on(responses: &[(&str, u16)]) -> Result<Generation, ApiError> {
    let server = MockServer::start().await;
    for (route, status) in responses {
        let body = match *route {
            "/v4/modelProducts" => json!([]),
            _ => json!({"items": [], "metadata": {"totalCount": 0}}),
        };
        let response = ResponseTemplate::new(*status).set_body_json(body);
        lists(&server, route, response).await;
    }
    let reader = connection(&server.uri()).reader();
    let found = reader.find_apps(&project(), "dashboard-dev").await;
    found.map(|(apps, _)| apps.generation())
}

#[tokio::test]
async fn the_newest_generation_that_is_here_is_chosen() {
    let (v1, beta, v4) = (
        "/api/apps/v1/apps",
        "/api/apps/beta/apps",
        "/v4/modelProducts",
    );
    for (responses, expected) in [
        (vec![(v1, 200), (beta, 200), (v4, 200)], Generation::V1),
        (vec![(v1, 404), (beta, 200), (v4, 200)], Generation::Beta),
        (vec![(v1, 501), (beta, 501), (v4, 200)], Generation::V4),
        // Switched off is not the same as missing.
        (vec![(v1, 403), (beta, 200), (v4, 200)], Generation::Beta),
    ] {
        assert_eq!(found_on(&responses).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_refusal_or_an_outage_never_means_that_a_generation_is_not_here() {
    for status in [400, 401, 403, 409, 422, 500, 503] {
        let error = found_on(&[("/api/apps/v1/apps", status), ("/v4/modelProducts", 200)])
            .await
            .unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
    }
}

#[tokio::test]
async fn a_right_that_is_missing_in_both_newer_generations_is_told_of_the_newest() {
    let error = found_on(&[("/api/apps/v1/apps", 403), ("/api/apps/beta/apps", 403)])
        .await
        .unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 403);
    assert!(error.to_string().contains("/api/apps/v1/apps"), "{error}");
}

#[tokio::test]
async fn no_generation_at_all_is_an_error_of_the_last_one() {
    let error = found_on(&[]).await.unwrap_err();
    assert!(error.is_absent());
    assert!(error.to_string().contains("/v4/modelProducts"));
}
