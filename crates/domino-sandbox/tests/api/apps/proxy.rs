//! What is passed to an app and back, and who is let in.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use domino_sandbox::{Credential, Options, Seed, Version};
use serde_json::{Value, json};

use super::{answer, beta, once_status, patch, with, world};
use crate::browser::Browser;
use crate::world::{PATIENCE, Reply, Sign, World, text};

/// A running app, and the path of it with the final slash.
fn running() -> (World, String) {
    let world = world(Version::V6_3);
    let id = text(&beta::create(&world, "dash", json!({}))["id"]);
    let path = format!("/apps/{id}/");
    answer(&world, &path);
    (world, path)
}

fn open(world: &World, sign: Sign<'_>, path: &str) -> Reply {
    world.signed(sign, "GET", path, None).unwrap()
}

fn set_visibility(world: &World, path: &str, visibility: &str) {
    let id = path.trim_matches('/').rsplit('/').next().unwrap();
    let app = format!("/api/apps/beta/apps/{id}");
    patch(world, &app, json!({ "visibility": visibility })).ok();
}

/// A connection on which `text` was said after the request line and the token.
fn say(world: &World, request_line: &str, headers: &str) -> BufReader<TcpStream> {
    let address = world.sandbox.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let token = world.author().token;
    write!(
        stream,
        "{request_line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n{headers}\r\n"
    )
    .unwrap();
    BufReader::new(stream)
}

/// Reads the head of a reply and gives its first line.
fn status_line(stream: &mut BufReader<TcpStream>) -> String {
    let mut first = String::new();
    stream.read_line(&mut first).unwrap();
    let mut line = first.clone();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
    }
    first
}

#[test]
fn the_app_is_asked_for_what_comes_after_its_url() {
    let (world, path) = running();
    let told = answer(&world, &format!("{path}a%20b/c?x=1&y=%2F"));
    assert_eq!(told["path"], "/a%20b/c?x=1&y=%2F");
    let reply = world.post(path.trim_end_matches('/'), json!({}));
    assert_eq!(reply.status, 307);
    let posted = world
        .post(&format!("{path}data"), json!({ "some": "data" }))
        .ok();
    assert_eq!(posted["method"], "POST");
    assert_eq!(posted["body"], "{\"some\":\"data\"}");
    assert_eq!(posted["headers"]["content-type"], "application/json");
    let put = world.request("PUT", &path, None).ok();
    assert_eq!(put["method"], "PUT");
}

#[test]
fn an_url_without_its_final_slash_leads_to_the_one_with_it() {
    let (world, path) = running();
    let bare = path.trim_end_matches('/');
    let reply = world.get(&format!("{bare}?a=b"));
    assert_eq!(reply.status, 307);
    assert_eq!(reply.headers["location"], format!("{path}?a=b"));
}

#[test]
fn an_app_sees_who_looks_at_it_and_no_credential() {
    let (world, path) = running();
    let key = world.author().api_key;
    let told = open(&world, Sign::Key(&key), &path).ok();
    assert_eq!(told["headers"]["domino-username"], "author");
    let headers = told["headers"].to_string();
    assert!(!headers.contains(&key), "{headers}");
    let token = world.author().token;
    let told = open(&world, Sign::Token(&token), &path).ok();
    assert!(!told["headers"].to_string().contains(&token));
    assert_eq!(
        told["headers"]["host"],
        world.sandbox.url().strip_prefix("http://").unwrap()
    );
}

#[test]
fn an_app_is_told_where_to_listen_and_everything_a_run_is_told() {
    let (world, path) = running();
    let environment = answer(&world, &path)["environment"].clone();
    assert_eq!(environment["APP_HOST"], "127.0.0.1");
    assert_eq!(environment["DOMINO_RUN_HOST_PATH"], path.as_str());
    assert_eq!(environment["DOMINO_API_HOST"], world.sandbox.url());
    assert_eq!(environment["DOMINO_PROJECT_OWNER"], "author");
    assert_eq!(environment["DOMINO_STARTING_USERNAME"], "author");
    assert!(environment["DOMINO_ARTIFACTS_DIR"].is_string());
    assert!(environment["MLFLOW_TRACKING_URI"].is_string());
    assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None);
}

#[test]
fn without_a_credential_there_is_a_page_to_sign_in_with_status_200() {
    let (world, path) = running();
    let wrong = Sign::Token("wrong");
    let key_as_bearer = world.author().api_key;
    for sign in [Sign::Not, wrong, Sign::Token(&key_as_bearer)] {
        for path in [path.as_str(), "/apps/nothing/"] {
            let page = open(&world, sign, path);
            assert_eq!(page.status, 200);
            assert!(page.content_type.starts_with("text/html"));
            assert!(page.text().contains("Sign in to Domino"));
        }
    }
    assert_eq!(world.get("/apps/nothing/").status, 404);
}

#[test]
fn a_public_app_needs_no_credential() {
    let (world, path) = running();
    set_visibility(&world, &path, "PUBLIC");
    let told = open(&world, Sign::Not, &path).ok();
    assert_eq!(told["headers"].get("domino-username"), None);
    set_visibility(&world, &path, "AUTHENTICATED");
    let page = open(&world, Sign::Not, &path);
    assert!(page.text().contains("Sign in to Domino"));
}

#[test]
fn an_app_by_grant_is_for_members_and_who_was_let_in() {
    let seed = Seed::bare().private_project("author/own");
    let world = with(Options {
        seed,
        ..Options::default()
    });
    let id = text(&beta::create(&world, "dash", json!({}))["id"]);
    let path = format!("/apps/{id}/");
    answer(&world, &path);
    let approver = world.sandbox.user("approver").token;
    let approver = Sign::Token(&approver);
    assert_eq!(open(&world, approver, &path).status, 200);
    set_visibility(&world, &path, "GRANT_BASED");
    let refused = open(&world, approver, &path);
    assert_eq!(refused.status, 403);
    assert!(refused.content_type.starts_with("text/html"));
    assert_eq!(world.get(&path).status, 200);
    let me = open(&world, approver, "/v4/users/self").ok();
    let granted = json!({ "accessStatuses": [{ "userId": me["id"], "status": "ALLOWED" }] });
    patch(&world, &format!("/api/apps/beta/apps/{id}"), granted).ok();
    assert_eq!(open(&world, approver, &path).status, 200);
}

#[test]
fn a_person_signs_in_with_a_button_that_opens_apps_and_nothing_else() {
    let (world, path) = running();
    let page = open(&world, Sign::Not, &path).text();
    let action = page
        .split("action=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
        .find(|action| action.contains("user=author"))
        .unwrap();
    assert_eq!(open(&world, Sign::Not, &action).status, 404);
    let signed_in = world.signed(Sign::Not, "POST", &action, None).unwrap();
    assert_eq!(signed_in.status, 303);
    assert_eq!(signed_in.headers["location"], path.as_str());
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/apps"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with_another = format!("theirs=1; {cookie}");
    let told = open(&world, Sign::Header("cookie", &with_another), &path).ok();
    assert_eq!(told["headers"]["domino-username"], "author");
    assert_eq!(told["headers"]["cookie"], "theirs=1");
    let api = open(&world, Sign::Header("cookie", &cookie), "/v4/users/self");
    assert_eq!(api.status, 401);
    let elsewhere = "/sign-in?user=author&to=https%3A%2F%2Fexample.com";
    let refused = world.signed(Sign::Not, "POST", elsewhere, None).unwrap();
    assert_eq!(refused.status, 400);
}

#[test]
fn an_app_that_does_not_listen_runs_and_answers_nothing() {
    let world = world(Version::V6_3);
    let id = text(&beta::create_from(&world, "idle.sh")["id"]);
    once_status(&world, &id, "Running");
    let reply = world.get(&format!("/apps/{id}/"));
    assert_eq!(reply.status, 502);
    assert!(reply.content_type.starts_with("text/html"));
}

#[test]
fn an_app_that_does_not_run_is_not_available() {
    let world = world(Version::V6_3);
    let id = text(&beta::create_from(&world, "broken.sh")["id"]);
    once_status(&world, &id, "Failed");
    assert_eq!(world.get(&format!("/apps/{id}/")).status, 503);
}

#[test]
fn a_reply_comes_as_it_is_written() {
    let (world, path) = running();
    let mut slow = say(&world, &format!("GET {path}slow"), "");
    assert!(status_line(&mut slow).contains("200"));
    let mut seen = String::new();
    while !seen.contains("first") {
        slow.read_line(&mut seen).unwrap();
    }
    assert!(!seen.contains("second"));
    // Only now the app is told to go on, so that a proxy that waits for the end would hang.
    assert_eq!(world.get(&format!("{path}go")).text(), "went");
    while !seen.contains("second") {
        slow.read_line(&mut seen).unwrap();
    }
}

#[test]
fn a_connection_can_change_its_protocol() {
    let (world, path) = running();
    let headers = "Connection: Upgrade\r\nUpgrade: echo\r\n";
    let mut changed = say(&world, &format!("GET {path}"), headers);
    assert!(status_line(&mut changed).contains("101"));
    changed.get_mut().write_all(b"hello\n").unwrap();
    let mut heard = vec![0; "heard hello\n".len()];
    changed.read_exact(&mut heard).unwrap();
    assert_eq!(heard, b"heard hello\n");
}

#[test]
fn what_an_app_was_asked_is_recorded() {
    let (world, path) = running();
    open(&world, Sign::Not, &path);
    world.get(&format!("{path}x"));
    let requests = world.sandbox.requests();
    let [.., unsigned, signed] = &requests[..] else {
        panic!("too few requests");
    };
    assert_eq!(unsigned.credential, Credential::None);
    assert_eq!(unsigned.status, Some(200));
    assert_eq!(
        (signed.path.as_str(), signed.user.as_deref()),
        (format!("{path}x").as_str(), Some("author"))
    );
    assert_eq!(signed.credential, Credential::Bearer);
}

#[test]
fn pages_list_the_apps_and_show_their_logs() {
    let (world, path) = running();
    let index = open(&world, Sign::Not, "/").text();
    assert!(index.contains(&format!("href=\"{path}\"")), "{index}");
    let app: Value = world.sandbox.state()["apps"][0].clone();
    let page = open(&world, Sign::Not, &text(&app["page"])).text();
    assert!(page.contains("listening on "), "{page}");
    assert!(page.contains("<strong>Running</strong>"));
    assert_eq!(open(&world, Sign::Not, "/modelproducts/none").status, 404);
}

#[test]
fn a_person_at_a_real_browser_signs_in_with_a_click_and_is_led_to_the_app() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (world, path) = running();
    browser.open(&format!("{}{path}", world.sandbox.url()));
    browser.reads(|page| page.contains("Whom do you want to be?"));
    browser.click_until("author", |page| page.text().contains("\"domino-username\""));
    let told = browser.evaluate("document.querySelector('pre').innerText");
    let told: Value = serde_json::from_str(told.as_str().unwrap()).unwrap();
    assert_eq!(told["headers"]["domino-username"], "author");
    assert!(told["headers"]["cookie"].is_null(), "{told}");
}
