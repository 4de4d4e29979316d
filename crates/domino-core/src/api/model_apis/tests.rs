//! The exact requests of both generations about endpoints, and each reply. Those about versions and logs are beside.

mod logs;
mod versions;

use serde_json::{Value, json};
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::api::ids::{EnvironmentId, HardwareTierId, ProjectId};
use crate::api::registered_models::VersionNumber;
use crate::client::tests::connection;

const BASE: &str = "/api/modelServing/v1/modelApis";

fn project() -> Project {
    Project {
        id: ProjectId::new("p1"),
        name: "wine-team/wine".parse().unwrap(),
        repository: Some("https://example.com/wine.git".into()),
    }
}

fn desired() -> DesiredModelApi {
    DesiredModelApi {
        name: "wine-dev".into(),
        description: "Predicts".into(),
        project_id: ProjectId::new("p1"),
        environment_id: EnvironmentId::new("e1"),
        hardware_tier_id: Some(HardwareTierId::new("dev-endpoint")),
        replicas: Some(2),
        environment_variables: [("LOG_LEVEL".to_owned(), "info".to_owned())].into(),
        source: registered(),
        version_description: "[dev/wine v7]".into(),
        logs_requests: false,
        carried: Carried::new(),
        carried_version: Carried::new(),
    }
}

fn registered() -> ModelApiSource {
    ModelApiSource::Registered {
        name: "wine".into(),
        version: VersionNumber::new(7),
    }
}

fn api(id: &str) -> Value {
    json!({
        "id": id, "name": format!("name of {id}"), "description": "d", "isArchived": false,
        "environmentId": "e1", "hardwareTierId": "t1", "replicas": 2, "routingMode": "basic", "isAsync": false,
        "strictNodeAntiAffinity": false, "access": {"isPublic": false, "accessTokens": []},
        "healthCheck": {}, "collaborators": [], "volumes": [], "metadata": {"created": 1, "createdBy": "u", "lastModified": 1},
        "activeVersion": {"id": "v1", "number": 1, "dataPlaneId": "dp", "deployment": {"status": "Running", "isPending": false}},
    })
}

fn version(number: u64) -> Value {
    json!({
        "id": format!("v{number}"), "modelApiId": "m1", "number": number, "projectId": "p1", "commitId": "c1",
        "environmentRevisionId": "r1", "dataPlaneId": "dp", "labels": [], "monitoringEnabled": false,
        "recordInvocation": false, "logHttpRequestResponse": false, "description": "[dev/wine v7]",
        "source": {"type": "Registry", "registeredModelName": "wine", "registeredModelVersion": 7},
        "deployment": {"status": "Ready to run", "isPending": true},
        "metadata": {"created": 1_760_000_000_000.0, "createdBy": "u"},
    })
}

async fn answer(server: &MockServer, verb: &str, route: &str, status: u16, body: Value) {
    Mock::given(method(verb))
        .and(path(route))
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .mount(server)
        .await;
}

#[tokio::test]
async fn the_list_asks_for_its_project_and_is_read_to_its_end() {
    let server = MockServer::start().await;
    let page = |ids: &[&str], total: Option<u64>| {
        let mut items: Vec<Value> = ids.iter().map(|id| api(id)).collect();
        items[0]["isArchived"] = json!(ids == ["m1", "m2"]);
        ResponseTemplate::new(200).set_body_json(
            json!({"items": items, "metadata": {"requestId": "r", "totalCount": total, "limit": 2}}),
        )
    };
    for (offset, ids) in [("0", &["m1", "m2"][..]), ("2", &["m3"][..])] {
        Mock::given(path(BASE))
            .and(query_param("projectId", "p1"))
            .and(query_param("limit", "100"))
            .and(query_param("offset", offset))
            .respond_with(page(ids, Some(3)))
            .expect(1)
            .mount(&server)
            .await;
    }
    let reader = connection(&server.uri()).reader();
    let apis = reader.find_model_apis(&project()).await.unwrap();
    assert_eq!(apis.apis.generation(), Generation::ModelServing);
    let ids: Vec<&str> = apis.all.iter().map(|api| api.id.as_str()).collect();
    assert_eq!(
        ids,
        ["m2", "m3"],
        "what was put away counts, but is not shown"
    );
    assert_eq!(apis.all[0].replicas, Some(2));
    assert!(apis.all[0].serves(&ModelApiVersionId::new("v1")));
}

#[tokio::test]
async fn a_list_that_does_not_tell_its_total_ends_when_nothing_new_comes() {
    let server = MockServer::start().await;
    let body = json!({"items": [api("m1")], "metadata": {}});
    answer(&server, "GET", BASE, 200, body).await;
    let reader = connection(&server.uri()).reader();
    assert_eq!(
        reader.find_model_apis(&project()).await.unwrap().all.len(),
        1
    );
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_not_taken_for_an_older_domino() {
    for status in [401, 403, 500] {
        let server = MockServer::start().await;
        answer(
            &server,
            "GET",
            BASE,
            status,
            json!({"message": "access configuration"}),
        )
        .await;
        let reader = connection(&server.uri()).reader();
        let error = reader.find_model_apis(&project()).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_older_domino_is_asked_by_its_own_routes() {
    let server = MockServer::start().await;
    let listed = json!({"objectType": "list", "data": [
        {"_id": "m1", "id": "m1", "name": "wine-dev"}, {"id": "m2", "name": "other"},
    ]});
    answer(
        &server,
        "GET",
        "/v1/projects/wine-team/wine/models",
        200,
        listed,
    )
    .await;
    let seen = json!([{
        "id": "m1", "name": "wine-dev", "description": "Predicts", "lastModified": 1, "owners": [], "isAsync": false,
        "activeModelVersionId": "v3", "activeVersionNumber": 3, "activeVersionStatus": "Running",
    }]);
    Mock::given(path("/v4/modelManager/getModels"))
        .and(query_param("projectId", "p1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(seen))
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let apis = reader.find_model_apis(&project()).await.unwrap();
    assert_eq!(apis.apis.generation(), Generation::Models);
    let first = &apis.all[0];
    assert_eq!(
        (first.id.as_str(), first.description.as_str()),
        ("m1", "Predicts")
    );
    assert!(first.serves(&ModelApiVersionId::new("v3")));
    assert!(apis.all[1].active.is_none());
    let again = reader
        .model_apis(Generation::Models)
        .model_api(&project(), &ModelApiId::new("m2"))
        .await;
    assert_eq!(again.unwrap().unwrap().name, "other");
}

#[tokio::test]
async fn a_model_api_is_created_with_all_that_it_shall_be() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(BASE))
        .and(body_json(json!({
            "name": "wine-dev", "description": "Predicts", "environmentId": "e1",
            "hardwareTierId": "dev-endpoint", "replicas": 2, "isAsync": false, "strictNodeAntiAffinity": false,
            "environmentVariables": [{"key": "LOG_LEVEL", "value": "info"}],
            "version": {
                "projectId": "p1", "environmentId": "e1", "description": "[dev/wine v7]",
                "source": {"type": "Registry", "registeredModelName": "wine", "registeredModelVersion": 7},
                "logHttpRequestResponse": false, "monitoringEnabled": false, "shouldDeploy": true,
            },
        })))
        .respond_with(ResponseTemplate::new(201).set_body_json(api("m1")))
        .expect(1)
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    let id = writer
        .model_apis(Generation::ModelServing)
        .create(&desired())
        .await
        .unwrap();
    assert_eq!(id.as_str(), "m1");
}

#[tokio::test]
async fn a_model_api_is_changed_as_a_whole() {
    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .and(path(format!("{BASE}/m1")))
        .and(body_json(json!({
            "name": "wine-dev", "description": "Predicts", "environmentId": "e1",
            "hardwareTierId": "dev-endpoint", "replicas": 2,
        })))
        .respond_with(ResponseTemplate::new(200).set_body_json(api("m1")))
        .expect(1)
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    writer
        .model_apis(Generation::ModelServing)
        .update(&ModelApiId::new("m1"), &desired())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_label_for_production_leads_to_a_version_or_does_not() {
    let server = MockServer::start().await;
    for is_prod in [true, false] {
        Mock::given(method("PUT"))
            .and(path(format!("{BASE}/m1/versions/v2/productionLabel")))
            .and(body_json(json!({ "isProd": is_prod })))
            .respond_with(ResponseTemplate::new(200).set_body_json(version(2)))
            .expect(1)
            .mount(&server)
            .await;
        let writer = connection(&server.uri()).writer();
        let apis = writer.model_apis(Generation::ModelServing);
        let (id, version) = (ModelApiId::new("m1"), ModelApiVersionId::new("v2"));
        apis.label_for_production(&id, &version, is_prod)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_that_is_made_asynchronous_says_so_on_both_generations() {
    let mut desired = desired();
    desired.carried.insert("isAsync".into(), true.into());
    for (generation, route, reply) in [
        (Generation::ModelServing, BASE, api("m1")),
        (
            Generation::Models,
            "/v1/models",
            json!({"data": {"_id": "m1"}}),
        ),
    ] {
        let server = MockServer::start().await;
        answer(&server, "POST", route, 201, reply).await;
        let writer = connection(&server.uri()).writer();
        writer
            .model_apis(generation)
            .create(&desired)
            .await
            .unwrap();
        let sent = &server.received_requests().await.unwrap()[0];
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(sent["isAsync"], true, "{generation:?}");
    }
}

#[tokio::test]
async fn a_write_that_fails_is_sent_once() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(502))
        .expect(1)
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    let error = writer
        .model_apis(Generation::ModelServing)
        .create(&desired())
        .await
        .unwrap_err();
    assert!(error.outcome_unknown());
}
