//! How an answer is read: its status, its headers, its body and the words in it.

use wiremock::ResponseTemplate;

use super::*;
use crate::client::tests::{answering, connection, error_of, words_of};
use crate::client::{Connection, Limits};
use crate::credential::Credential;
use crate::error::Exit;

#[tokio::test]
async fn a_time_to_try_again_that_is_over_is_no_wait() {
    let busy =
        ResponseTemplate::new(503).insert_header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(error_of(busy).await.retry_after(), Some(0));
    let nonsense = ResponseTemplate::new(503).insert_header("retry-after", "soon");
    assert_eq!(error_of(nonsense).await.retry_after(), None);
}

#[tokio::test]
async fn a_body_without_end_is_read_to_the_limit_and_no_further() {
    let server = answering(ResponseTemplate::new(200).set_body_json("x".repeat(2000))).await;
    let within = |body| {
        let limits = Limits {
            body,
            ..Limits::default()
        };
        let connection =
            Connection::open(server.uri().parse().unwrap(), Credential::Anonymous, limits);
        connection.unwrap().reader()
    };
    let error = within(2001).read::<Value>("/x", &[]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unreachable);
    assert_eq!(words_of(&error), "more than 2001 bytes");
    within(2002).read::<Value>("/x", &[]).await.unwrap();
    assert_eq!(Limits::default().body, 64 * 1024 * 1024);
}

#[tokio::test]
async fn no_compression_is_asked_for_and_none_is_undone() {
    // An empty file, packed with `gzip`; the claimed size is never unpacked.
    let packed = [
        31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let response = ResponseTemplate::new(200)
        .set_body_raw(packed, "application/json")
        .insert_header("content-encoding", "gzip");
    let server = answering(response).await;
    let reader = connection(&server.uri()).reader();
    let error = reader.read::<Value>("/x", &[]).await.unwrap_err();
    assert!(
        words_of(&error).ends_with("it begins: 20 bytes of application/json"),
        "{error:?}"
    );
    let asked = server.received_requests().await.unwrap();
    assert!(!asked[0].headers.contains_key("accept-encoding"));
}

async fn read(response: ResponseTemplate) -> Result<Value, ApiError> {
    let server = answering(response).await;
    connection(&server.uri()).reader().read("/x", &[]).await
}

#[tokio::test]
async fn a_web_page_is_one_by_its_kind_and_its_beginning_and_not_by_one_of_them() {
    let body = |text: &str, kind: &str| ResponseTemplate::new(200).set_body_raw(text, kind);
    let named = read(body("{\"a\": 1}", "text/html; charset=utf-8")).await;
    assert_eq!(named.unwrap()["a"], 1);
    let begun = read(body("<a>", "application/json")).await.unwrap_err();
    assert!(matches!(begun.cause(), Cause::NotUnderstood { .. }));
    let page = read(body(" \n<a>", "TEXT/HTML")).await.unwrap_err();
    assert!(matches!(page.cause(), Cause::NotSignedIn));
}

#[tokio::test]
async fn a_body_is_shown_where_it_is_text_and_counted_elsewhere() {
    let said = async |body: &str| {
        let response = ResponseTemplate::new(200).set_body_raw(body, "text/plain");
        words_of(&read(response).await.unwrap_err())
    };
    assert!(said("a\tb\nc").await.ends_with("it begins: a b c"));
    assert!(
        said("a\u{1}b")
            .await
            .ends_with("it begins: 3 bytes of text/plain")
    );
}

#[tokio::test]
async fn a_page_that_refuses_is_named_by_its_title_where_it_has_one() {
    for (page, words) in [
        (
            "<html><TITLE>\n502  Bad `gateway`</title>",
            "(a web page titled `502 Bad 'gateway'`)",
        ),
        ("<html><title> </title>", "(a web page)"),
        ("<!doctype html><p>no</p>", "(a web page)"),
    ] {
        let response = ResponseTemplate::new(403).set_body_raw(page, "text/html");
        assert_eq!(
            words_of(&error_of(response).await),
            format!("Domino says: {words}")
        );
    }
}

#[tokio::test]
async fn json_without_words_is_shown_as_it_is_unless_it_is_nothing() {
    for (body, words) in [
        ("null", ""),
        ("[1]", "Domino says: [1]"),
        ("{}", "Domino says: {}"),
        (
            "{\"error\": 7, \"errors\": []}",
            "Domino says: {\"error\":7,\"errors\":[]}",
        ),
        ("{\"error_code\": \"X\"}", "Domino says: X"),
    ] {
        let response = ResponseTemplate::new(403).set_body_raw(body, "application/json");
        assert_eq!(words_of(&error_of(response).await), words, "{body}");
    }
}

#[tokio::test]
async fn githubs_limit_without_a_time_is_a_minute() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let spent = |reset: Option<&str>| {
        let spent = ResponseTemplate::new(403)
            .insert_header("x-ratelimit-remaining", "0")
            .insert_header("date", date);
        match reset {
            Some(reset) => spent.insert_header("x-ratelimit-reset", reset),
            None => spent,
        }
    };
    let asked_to_wait = async |response| {
        let server = answering(response).await;
        let connection = connection(&server.uri());
        let sent = connection.0.send(Method::GET, "/x", &[], None, None).await;
        sent.unwrap_err().retry_after()
    };
    assert_eq!(asked_to_wait(spent(None)).await, Some(60));
    assert_eq!(asked_to_wait(spent(Some("784111787"))).await, Some(10));
    assert_eq!(asked_to_wait(spent(Some("1"))).await, Some(0));
}

#[test]
fn as_many_characters_are_shown_whatever_bytes_they_have() {
    let four_bytes = "\u{1f600}".repeat(LONGEST_WORDS);
    assert_eq!(excerpt(four_bytes.as_bytes()), four_bytes);
    let longer = four_bytes.clone() + "\u{1f600}";
    assert_eq!(excerpt(longer.as_bytes()), four_bytes + "…");
}

#[test]
fn a_long_text_ends_after_a_whole_word() {
    let words = |number: usize| "word ".repeat(number);
    assert_eq!(shortened(&words(80)), words(80));
    assert_eq!(shortened(&words(81)), words(80) + "…");
    let begun = "ab ".to_owned() + &words(80);
    assert_eq!(shortened(&begun), "ab ".to_owned() + &words(79) + "…");
    assert_eq!(shortened(&"x".repeat(401)), "…");
}

#[test]
fn a_long_reason_keeps_its_beginning_and_its_end() {
    let words = |numbers: std::ops::Range<usize>| -> String {
        numbers.map(|number| format!("w{number:03} ")).collect()
    };
    let short = words(0..80);
    assert_eq!(without_its_middle(&short), short);
    assert_eq!(
        without_its_middle(&words(0..200)),
        format!("{} … {}", words(0..40), words(160..200))
    );
    // Cut words at both ends are dropped as well.
    assert_eq!(
        without_its_middle(&format!("abc{}", words(0..200))),
        format!("abc{} … {}", words(0..39), words(160..200))
    );
    assert_eq!(
        without_its_middle(&format!("{}abc", words(0..200))),
        format!("{} …  {}abc", words(0..40), words(161..200))
    );
}
