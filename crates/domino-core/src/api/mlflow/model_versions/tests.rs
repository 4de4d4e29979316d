//! The exact requests for model versions, and each reply.

use serde_json::{Value, json};
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::Tracking;
use super::*;
use crate::client::tests::connection;

fn version(number: &str, stage: &str) -> Value {
    json!({
        "name": "fraud", "version": number, "creation_timestamp": 1_760_000_000_000_i64,
        "last_updated_timestamp": 1_760_000_100_000_i64, "current_stage": stage, "description": "",
        "source": "runs:/r1/model", "run_id": "r1", "status": "READY", "run_link": "",
    })
}

fn tracking(server: &MockServer) -> Tracking {
    Tracking::of(&connection(&server.uri()), None).unwrap()
}

fn seven() -> VersionNumber {
    VersionNumber::new(7)
}

#[tokio::test]
async fn a_version_is_read_with_its_tags_and_aliases() {
    let server = MockServer::start().await;
    let mut seventh = version("7", "Staging");
    seventh["tags"] = json!([{"key": "a", "value": "b"}, {"key": "flag"}]);
    seventh["aliases"] = json!(["champion"]);
    Mock::given(method("GET"))
        .and(path("/api/2.0/mlflow/model-versions/get"))
        .and(query_param("name", "fraud"))
        .and(query_param("version", "7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"model_version": seventh})))
        .expect(1)
        .mount(&server)
        .await;
    let reader = tracking(&server).reader();
    let found = reader
        .model_version("fraud", seven())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.version, seven());
    assert_eq!(found.current_stage, ModelStage::Staging);
    assert_eq!(found.status, ModelVersionStatus::Ready);
    assert_eq!(found.tags["a"], "b");
    assert_eq!(found.aliases, ["champion"]);
}

#[tokio::test]
async fn an_unknown_version_is_none_and_an_unknown_route_is_an_error() {
    let server = MockServer::start().await;
    let absent = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"});
    Mock::given(query_param("version", "7"))
        .respond_with(ResponseTemplate::new(404).set_body_json(absent))
        .mount(&server)
        .await;
    let page = ResponseTemplate::new(404).set_body_raw("<!doctype html>", "text/html");
    Mock::given(query_param("version", "8"))
        .respond_with(page)
        .mount(&server)
        .await;
    let reader = tracking(&server).reader();
    assert!(
        reader
            .model_version("fraud", seven())
            .await
            .unwrap()
            .is_none()
    );
    let error = reader
        .model_version("fraud", VersionNumber::new(8))
        .await
        .unwrap_err();
    assert!(error.is_unknown_route());
}

#[tokio::test]
async fn all_versions_are_listed_to_the_last_page_newest_first() {
    let server = MockServer::start().await;
    let route = "/api/2.0/mlflow/model-versions/search";
    Mock::given(path(route))
        .and(query_param("filter", "name='fraud'"))
        .and(query_param("order_by", "version_number DESC"))
        .and(query_param_is_missing("page_token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "model_versions": [version("9", "None"), version("7", "Production")], "next_page_token": "t",
        })))
        .mount(&server)
        .await;
    Mock::given(path(route))
        .and(query_param("page_token", "t"))
        .and(query_param("order_by", "version_number DESC"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"model_versions": [version("10", "Production")]})),
        )
        .mount(&server)
        .await;
    let reader = tracking(&server).reader();
    let numbers = async |keep: fn(&ModelVersion) -> bool| -> Vec<u64> {
        let versions = reader.selected_versions(Which::All("fraud"), keep).await;
        let versions = versions.unwrap().into_iter();
        versions.map(|found| found.version.get()).collect()
    };
    assert_eq!(numbers(|_| true).await, [10, 9, 7]);
    let in_stage = |found: &ModelVersion| found.current_stage == ModelStage::Production;
    assert_eq!(numbers(in_stage).await, [10, 7]);
}

#[tokio::test]
async fn what_changed_last_is_asked_for_in_one_page() {
    let server = MockServer::start().await;
    Mock::given(path("/api/2.0/mlflow/model-versions/search"))
        .and(query_param("filter", "name='fraud' AND version_number < 9"))
        .and(query_param("order_by", "last_updated_timestamp DESC"))
        .and(query_param("max_results", "2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "model_versions": [version("3", "None"), version("7", "Production")], "next_page_token": "t",
        })))
        .expect(1)
        .mount(&server)
        .await;
    let reader = tracking(&server).reader();
    let which = Which::Below("fraud", VersionNumber::new(9));
    let changed = reader.last_changed_versions(which, 2).await.unwrap();
    let numbers: Vec<u64> = changed.iter().map(|found| found.version.get()).collect();
    assert_eq!(numbers, [3, 7]);
}

#[tokio::test]
async fn a_model_without_versions_is_an_empty_reply() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .mount(&server)
        .await;
    let reader = tracking(&server).reader();
    for (which, filter) in [
        (Which::All("it's"), "name=\"it's\""),
        (
            Which::Tagged("it", "promote.stage"),
            "name='it' AND tags.`promote.stage` LIKE '%'",
        ),
    ] {
        let found = reader.selected_versions(which, |_| true).await;
        assert!(found.unwrap().is_empty());
        let requests = server.received_requests().await.unwrap();
        let mut query = requests.last().unwrap().url.query_pairs();
        assert_eq!(query.find(|(key, _)| key == "filter").unwrap().1, filter);
    }
}

#[tokio::test]
async fn a_version_is_moved_alone_and_its_number_sent_as_text() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/2.0/mlflow/model-versions/transition-stage"))
        .and(body_json(json!({
            "name": "fraud", "version": "7", "stage": "Production", "archive_existing_versions": false,
        })))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"model_version": version("7", "Production")}),
        ))
        .expect(1)
        .mount(&server)
        .await;
    let writer = tracking(&server).writer();
    let moved = writer
        .transition_stage("fraud", seven(), &ModelStage::Production)
        .await
        .unwrap();
    assert_eq!(moved.current_stage, ModelStage::Production);
}

#[tokio::test]
async fn a_refused_change_is_sent_once_and_keeps_the_code() {
    let server = MockServer::start().await;
    let refusal = json!({"error_code": "INTERNAL_ERROR", "message": "x", "sqlstate": "XX000"});
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(500).set_body_json(refusal))
        .expect(1)
        .mount(&server)
        .await;
    let writer = tracking(&server).writer();
    let error = writer
        .transition_stage("fraud", seven(), &ModelStage::Archived)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("INTERNAL_ERROR"));
}

#[tokio::test]
async fn a_tag_is_set_also_to_nothing_and_a_description_written() {
    let server = MockServer::start().await;
    for value in ["v", ""] {
        Mock::given(method("POST"))
            .and(path("/api/2.0/mlflow/model-versions/set-tag"))
            .and(body_json(
                json!({"name": "fraud", "version": "7", "key": "k", "value": value}),
            ))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
            .expect(1)
            .mount(&server)
            .await;
    }
    Mock::given(method("PATCH"))
        .and(path("/api/2.0/mlflow/model-versions/update"))
        .and(body_json(
            json!({"name": "fraud", "version": "7", "description": "d"}),
        ))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"model_version": version("7", "None")})),
        )
        .expect(1)
        .mount(&server)
        .await;
    let writer = tracking(&server).writer();
    for value in ["v", ""] {
        writer
            .set_version_tag("fraud", seven(), "k", value)
            .await
            .unwrap();
    }
    writer
        .describe_version("fraud", seven(), "d")
        .await
        .unwrap();
}
