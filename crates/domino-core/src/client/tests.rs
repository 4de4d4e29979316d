//! The connection, tested against a server that answers in all the ways that the API notes name, good and bad.

mod connections;
mod redirects;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::error::Exit;

/// A connection to a local server, with short pauses.
pub(crate) fn connection(address: &str) -> Connection {
    let credential = Credential::Token("canary-token-1234".to_owned().into());
    with_credential(address, credential)
}

fn with_credential(address: &str, credential: Credential) -> Connection {
    let limits = Limits {
        request: Duration::from_secs(2),
        delay_scale: 0.001,
        ..Limits::default()
    };
    Connection::open(address.parse().unwrap(), credential, limits).unwrap()
}

/// A server that answers every connection with the same bytes and closes it.
fn raw(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(READ_ATTEMPTS) {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer);
        }
    });
    address
}

pub(super) async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

pub(super) async fn error_of(response: ResponseTemplate) -> ApiError {
    let server = answering(response).await;
    let reader = connection(&server.uri()).reader();
    reader.read::<Value>("/x", &[]).await.unwrap_err()
}

pub(super) fn words_of(error: &ApiError) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}

#[tokio::test]
async fn a_token_is_sent_as_bearer_and_a_key_in_its_own_header_and_never_both() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let key = Credential::ApiKey("canary-key-5678".to_owned().into());
    for connection in [
        connection(&server.uri()),
        with_credential(&server.uri(), key),
    ] {
        connection.reader().read::<Value>("/x", &[]).await.unwrap();
    }
    let sent = server.received_requests().await.unwrap();
    assert_eq!(sent[0].headers["authorization"], "Bearer canary-token-1234");
    assert!(!sent[0].headers.contains_key("x-domino-api-key"));
    assert_eq!(sent[1].headers["x-domino-api-key"], "canary-key-5678");
    assert!(!sent[1].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_proxy_gets_no_credential_and_takes_the_place_of_the_host() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let proxy = Credential::Proxy(server.uri().parse().unwrap());
    let connection = with_credential("https://domino.example.com", proxy);
    connection.reader().read::<Value>("/x", &[]).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    assert!(!sent[0].headers.contains_key("authorization"));
    assert_eq!(connection.host().as_str(), "https://domino.example.com");
}

#[tokio::test]
async fn a_read_is_tried_again_on_what_may_pass() {
    for status in [408, 429, 502, 503, 504] {
        let server = MockServer::start().await;
        Mock::given(path("/x"))
            .respond_with(ResponseTemplate::new(status))
            .up_to_n_times(2)
            .mount(&server)
            .await;
        Mock::given(path("/x"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"a": 1})))
            .mount(&server)
            .await;
        let got: Value = connection(&server.uri())
            .reader()
            .read("/x", &[])
            .await
            .unwrap();
        assert_eq!(got["a"], 1, "{status}");
        assert_eq!(
            server.received_requests().await.unwrap().len(),
            3,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_read_is_given_up_after_five_tries_and_ends_as_unreachable() {
    let server = answering(ResponseTemplate::new(503)).await;
    let error = connection(&server.uri())
        .reader()
        .read::<Value>("/x", &[])
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Unreachable);
    assert_eq!(
        server.received_requests().await.unwrap().len(),
        READ_ATTEMPTS
    );
}

#[tokio::test]
async fn what_will_not_pass_is_asked_once() {
    for (status, exit) in [
        (400, Exit::Refused),
        (401, Exit::Refused),
        (403, Exit::Refused),
        (404, Exit::Refused),
        (500, Exit::Unreachable),
    ] {
        let server = answering(ResponseTemplate::new(status)).await;
        let error = connection(&server.uri())
            .reader()
            .read::<Value>("/x", &[])
            .await
            .unwrap_err();
        assert_eq!(error.exit(), exit, "{status}");
        assert_eq!(
            server.received_requests().await.unwrap().len(),
            1,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_wait_longer_than_a_minute_is_reported_instead_of_waited() {
    let (date, then) = (
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 09:49:37 GMT",
    );
    for wait in ["3600", then] {
        let busy = ResponseTemplate::new(429)
            .insert_header("retry-after", wait)
            .insert_header("date", date);
        let server = answering(busy).await;
        let reader = connection(&server.uri()).reader();
        let error = reader.read::<Value>("/x", &[]).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(3600), "{wait}");
        let asked = server.received_requests().await.unwrap();
        assert_eq!(asked.len(), 1, "{wait}");
    }
}

#[tokio::test]
async fn the_servers_own_words_are_kept_from_every_shape() {
    for (body, words) in [
        (
            json!({"requestId": "r-1", "errors": ["a", "b"]}),
            "Domino says: a; b (request r-1)",
        ),
        (
            json!({"errors": [{"code": "x", "message": "deep"}]}),
            "Domino says: deep",
        ),
        (json!({"error": "plain"}), "Domino says: plain"),
        (json!({"error": {"message": "inner"}}), "Domino says: inner"),
        (json!({"message": "m"}), "Domino says: m"),
        (
            json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no model"}),
            "Domino says: RESOURCE_DOES_NOT_EXIST: no model",
        ),
    ] {
        let error = error_of(ResponseTemplate::new(403).set_body_json(body)).await;
        assert_eq!(words_of(&error), words);
        assert!(error.to_string().ends_with("/x answered 403 Forbidden"));
    }
}

#[tokio::test]
async fn web_pages_and_binary_data_are_named_and_never_shown() {
    let page = ResponseTemplate::new(403).set_body_raw("<html>secret", "text/html");
    assert_eq!(words_of(&error_of(page).await), "Domino says: (a web page)");
    let binary =
        ResponseTemplate::new(403).set_body_raw(vec![0xac, 0xed, 0, 5], "application/octet-stream");
    assert_eq!(
        words_of(&error_of(binary).await),
        "Domino says: (4 bytes of binary data)"
    );
}

#[tokio::test]
async fn a_sign_in_page_with_200_is_no_success() {
    let page = ResponseTemplate::new(200).set_body_raw("<html>Sign in</html>", "text/html");
    let error = error_of(page).await;
    assert!(matches!(error.cause(), Cause::NotSignedIn));
    assert_eq!(error.exit(), Exit::Refused);
}

#[tokio::test]
async fn a_conflict_with_a_redirect_path_asks_to_sign_in_and_any_other_is_a_conflict() {
    let relogin = ResponseTemplate::new(409).set_body_json(json!({"redirectPath": "/login"}));
    assert!(matches!(
        error_of(relogin).await.cause(),
        Cause::Relogin { .. }
    ));
    let conflict = ResponseTemplate::new(409).set_body_json(json!({"message": "name is taken"}));
    assert!(matches!(
        error_of(conflict).await.cause(),
        Cause::Refused { .. }
    ));
}

#[tokio::test]
async fn json_of_another_shape_is_not_understood_and_shows_its_beginning() {
    let response = ResponseTemplate::new(200).set_body_json(json!({"surprise": true}));
    let server = answering(response).await;
    let reader = connection(&server.uri()).reader();
    let error = reader.read::<Vec<u8>>("/x", &[]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unreachable);
    assert!(words_of(&error).contains("it begins: {\"surprise\":true}"));
}

#[tokio::test]
async fn a_truncated_answer_is_lost_and_nothing_else() {
    let address = raw(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{\"a\"",
    );
    let error = connection(&address)
        .reader()
        .read::<Value>("/x", &[])
        .await
        .unwrap_err();
    assert!(matches!(error.cause(), Cause::Lost(_)), "{error:?}");
    assert!(error.outcome_unknown());
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = connection(&address)
        .reader()
        .read::<Value>("/x", &[])
        .await
        .unwrap_err();
    assert!(matches!(error.cause(), Cause::NotConnected(_)), "{error:?}");
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up_in_time() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    let server = answering(slow).await;
    let limits = Limits {
        request: Duration::from_millis(50),
        delay_scale: 0.0,
        ..Limits::default()
    };
    let credential = Credential::Token("canary-token-1234".to_owned().into());
    let connection = Connection::open(server.uri().parse().unwrap(), credential, limits).unwrap();
    let error = connection
        .reader()
        .read::<Value>("/x", &[])
        .await
        .unwrap_err();
    assert!(matches!(error.cause(), Cause::Lost(_)), "{error:?}");
}

#[tokio::test]
async fn a_write_is_sent_once_and_only_once_when_its_reply_is_lost() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(502))
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    let mut poll = 0;
    let written = write_once(
        0.0,
        async || {
            writer
                .write::<_, Value>(Method::POST, "/x", Some(&json!({})))
                .await
        },
        async || {
            poll += 1;
            Ok((poll == 3).then(|| json!("found")))
        },
    )
    .await
    .unwrap();
    assert_eq!(written, Written::Recovered(json!("found")));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_write_that_is_never_found_is_not_sent_again() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(500))
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    let error = write_once(
        0.0,
        async || {
            writer
                .write::<_, Value>(Method::POST, "/x", Some(&json!({})))
                .await
        },
        async || Ok(None),
    )
    .await
    .unwrap_err();
    assert_eq!(error.exit(), Exit::Unreachable);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_write_that_was_certainly_not_carried_out_is_sent_again() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "1"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!(7)))
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    let written = write_once(
        0.0,
        async || {
            writer
                .write::<_, Value>(Method::POST, "/x", Some(&json!({})))
                .await
        },
        async || Ok(None),
    )
    .await
    .unwrap();
    assert_eq!(written, Written::Replied(json!(7)));
}

#[test]
fn no_debug_output_shows_the_credential() {
    let shown = format!("{:?}", connection("http://127.0.0.1:1"));
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_long_answer_is_cut_between_words_so_that_no_half_of_a_credential_stays() {
    for before in 380..400 {
        let text = format!(
            "{} canary-token-1234 {}",
            "x".repeat(before),
            "y".repeat(500)
        );
        for body in [json!({"message": text}), json!(text), json!([text])] {
            for status in [200, 400] {
                let response = ResponseTemplate::new(status).set_body_json(&body);
                let server = answering(response).await;
                let reader = connection(&server.uri()).reader();
                let error = reader.read::<u8>("/x", &[]).await.unwrap_err();
                let words = words_of(&error).replace("canary-token-1234", "***");
                assert!(!words.contains("canary"), "{before}: {words}");
            }
        }
    }
}
