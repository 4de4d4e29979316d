//! The smoke test against endpoints that answer well, badly, late or not at all.

use std::path::Path;

use domino_core::api::model_apis::ModelApiId;
use domino_core::api::model_endpoints::ModelEndpoint;
use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::step::{Format, Step, Subject};
use serde_json::json;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const CASE: &str =
    r#"{"name": "one", "input": {"data": {}}, "expect": {"result": 3}, "max-latency-ms": 100}"#;

fn right() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"result": 3}))
}

/// The result of testing version 2 if these answers come one after the other, the last one repeatedly.
async fn outcome(route: &str, answers: Vec<ResponseTemplate>) -> SmokeTestOutcome {
    let server = MockServer::start().await;
    let last = answers.len() - 1;
    for (place, answer) in answers.into_iter().enumerate() {
        let mock = Mock::given(path(format!("/models/m1/{route}/model"))).respond_with(answer);
        let mock = if place < last {
            mock.up_to_n_times(1)
        } else {
            mock
        };
        mock.mount(&server).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("smoke.jsonl");
    std::fs::write(&file, CASE).unwrap();
    let smoke = RecordedRequests::read(&file, Path::new("smoke.jsonl")).unwrap();
    let connection = Connection::open(
        "https://domino.example.com".parse().unwrap(),
        Credential::Anonymous,
        Limits::default(),
    )
    .unwrap();
    let host = server.uri().parse().unwrap();
    let id = ModelApiId::new("m1");
    let endpoint = ModelEndpoint::of(&connection, host, &id, None).unwrap();
    let endpoint = Calls::AtOnce(endpoint);
    let version = endpoint.route_to(Some(2));
    let subject = Subject {
        program: "deploy-model",
        verb: "publish",
        entity: "wine".into(),
        stage: "dev".into(),
    };
    let mut progress = Step::begin(subject, Format::Json).progress();
    test(&endpoint, version, &smoke, 0.01, &mut progress).await
}

fn failure(outcome: SmokeTestOutcome) -> String {
    match outcome {
        SmokeTestOutcome::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_endpoint_that_comes_up_is_waited_for() {
    for status in [429, 502, 503, 504] {
        let answers = vec![ResponseTemplate::new(status), right()];
        let outcome = outcome("2", answers).await;
        assert!(
            matches!(outcome, SmokeTestOutcome::Passed(_)),
            "{status}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_that_never_comes_up_has_failed() {
    let why = failure(outcome("2", vec![ResponseTemplate::new(503)]).await);
    assert!(
        why.starts_with("request `one`: no usable answer came"),
        "{why}"
    );
}

#[tokio::test]
async fn where_versions_are_not_called_by_number_the_active_one_is_tested() {
    let words = match outcome("latest", vec![right()]).await {
        SmokeTestOutcome::Passed(words) => words,
        other => panic!("{other:?}"),
    };
    assert!(
        words.starts_with("1 request to `latest` answered as expected"),
        "{words}"
    );
}

#[tokio::test]
async fn nothing_at_either_address_is_no_endpoint() {
    let outcome = outcome("elsewhere", vec![right()]).await;
    assert!(
        matches!(outcome, SmokeTestOutcome::NotThere(_)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_first_answer_may_be_late_and_a_second_may_not() {
    let late = || right().set_delay(Duration::from_millis(300));
    let passed = outcome("2", vec![late(), right()]).await;
    assert!(matches!(passed, SmokeTestOutcome::Passed(_)), "{passed:?}");
    let why = failure(outcome("2", vec![late()]).await);
    assert!(why.contains("more than 100 ms"), "{why}");
}

#[tokio::test]
async fn a_function_that_refuses_the_request_says_why() {
    let refusal = json!({"error": {"message": "no such column"}});
    let answers = vec![ResponseTemplate::new(400).set_body_json(refusal)];
    assert_eq!(
        failure(outcome("2", answers).await),
        "request `one`: the function refused it: no such column"
    );
}

#[tokio::test]
async fn a_refused_token_is_no_failure_of_the_model() {
    for status in [401, 403] {
        let outcome = outcome("2", vec![ResponseTemplate::new(status)]).await;
        assert!(
            matches!(outcome, SmokeTestOutcome::Refused(_)),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_sign_in_page_is_no_endpoint() {
    let page = ResponseTemplate::new(200).set_body_raw("<html>Sign in", "text/html");
    let outcome = outcome("2", vec![page]).await;
    assert!(
        matches!(outcome, SmokeTestOutcome::NotThere(_)),
        "{outcome:?}"
    );
}
