//! Redirects: followed within the origin if they keep the request, and never for a write that would become a read.

use reqwest::Method;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Cause, connection, error_of};

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let other = MockServer::start().await;
    let response =
        ResponseTemplate::new(302).insert_header("location", format!("{}/y", other.uri()));
    let error = error_of(response).await;
    assert!(matches!(error.cause(), Cause::Redirected { .. }));
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_with_the_credential() {
    let server = MockServer::start().await;
    Mock::given(path("/x"))
        .respond_with(ResponseTemplate::new(302).insert_header("location", "/y"))
        .mount(&server)
        .await;
    Mock::given(path("/y"))
        .and(header("authorization", "Bearer canary-token-1234"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!(1)))
        .mount(&server)
        .await;
    let got: Value = connection(&server.uri())
        .reader()
        .read("/x", &[])
        .await
        .unwrap();
    assert_eq!(got, 1);
}

async fn write_redirected_by(status: u16) -> (Result<Value, crate::client::ApiError>, usize) {
    let server = MockServer::start().await;
    Mock::given(path("/x"))
        .respond_with(ResponseTemplate::new(status).insert_header("location", "/y"))
        .mount(&server)
        .await;
    Mock::given(path("/y"))
        .and(method("POST"))
        .and(body_json(json!({"a": 1})))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!("written")))
        .mount(&server)
        .await;
    Mock::given(path("/y"))
        .and(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!("read")))
        .mount(&server)
        .await;
    let body = json!({"a": 1});
    let writer = connection(&server.uri()).writer();
    let result = writer.write(Method::POST, "/x", Some(&body)).await;
    (result, server.received_requests().await.unwrap().len())
}

#[tokio::test]
async fn a_write_is_not_followed_where_it_would_arrive_as_a_read() {
    for status in [301, 302, 303] {
        let (result, requests) = write_redirected_by(status).await;
        let error = result.unwrap_err();
        let named = "redirects the write to `/y`, which is not followed";
        assert!(error.to_string().ends_with(named), "{error}");
        // A server also answers 303 after it has done what was asked.
        assert!(error.outcome_unknown());
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn a_write_is_followed_where_it_stays_the_same_write() {
    for status in [307, 308] {
        let (result, requests) = write_redirected_by(status).await;
        assert_eq!((result.unwrap(), requests), (json!("written"), 2));
    }
}

#[tokio::test]
async fn redirects_without_end_end() {
    let server = MockServer::start().await;
    Mock::given(path("/x"))
        .respond_with(ResponseTemplate::new(302).insert_header("location", "/x"))
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let error = reader.read::<Value>("/x", &[]).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Redirected { .. }));
    assert_eq!(server.received_requests().await.unwrap().len(), 6);
}
