//! The person's side: the page with its buttons, and the command line.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::json;

use crate::browser::Browser;
use crate::world::{Reply, Sign, World};

fn index(world: &World) -> String {
    let reply = world.signed(Sign::Not, "GET", "/", None).unwrap();
    assert_eq!(reply.headers["x-frame-options"], "DENY");
    reply.text()
}

/// What stands in the form's field of this name.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    let rest = &page[page.find(&start).unwrap() + start.len()..];
    &rest[..rest.find('"').unwrap()]
}

/// Presses a button of the index, from a page of `origin`.
fn press(world: &World, token: &str, decision: &str, origin: &str) -> Reply {
    let page = index(world);
    let form = format!(
        "token={token}&id={}&by={}&decision={decision}",
        field(&page, "id"),
        field(&page, "by")
    );
    world.send_form("/sandbox/decisions", origin, &form)
}

fn status(world: &World) -> serde_json::Value {
    world.sandbox.state()["bundles"][0]["approvals"][0]["status"].clone()
}

#[test]
fn the_page_shows_who_is_waited_for_and_its_buttons_answer() {
    let world = World::new();
    assert!(index(&world).contains("Nothing waits for an approval"));
    let bundle = world.bundle();
    assert!(index(&world).contains("Nothing waits for an approval"));
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    let page = index(&world);
    for part in [
        "wine version 1 (wine 1)",
        "Model promotion: Review approval",
        "ci-bot",
        "as approver",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let token = field(&page, "token").to_owned();
    let rejected = press(&world, &token, "reject", world.sandbox.url());
    assert_eq!(rejected.status, 303, "{}", rejected.text());
    assert_eq!(status(&world), "PendingSubmission");
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    let approved = press(&world, &token, "approve", world.sandbox.url());
    assert_eq!(approved.status, 303);
    assert_eq!(approved.headers["location"], "/");
    assert_eq!(status(&world), "Approved");
    let state = world.sandbox.state();
    let events = &state["bundles"][0]["approvals"][0]["events"];
    assert_eq!(events[3]["by"], "approver");
    assert!(index(&world).contains("Nothing waits for an approval"));
}

#[test]
fn a_person_at_a_real_browser_rejects_and_approves_with_a_click() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let world = World::new();
    let bundle = world.bundle();
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    browser.open(world.sandbox.url());
    browser.reads(|page| page.contains("wine version 1 (wine 1)") && page.contains("as approver"));
    browser.click_until("Reject", |_| status(&world) == "PendingSubmission");
    browser.reads(|page| page.contains("Nothing waits for an approval"));
    // The page looks again by itself: the next request comes to whoever sits in front of it.
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    browser.reads(|page| page.contains("wine version 1 (wine 1)"));
    browser.click_until("Approve", |_| status(&world) == "Approved");
    browser.reads(|page| page.contains("Nothing waits for an approval"));
    let state = world.sandbox.state();
    let events = state["bundles"][0]["approvals"][0]["events"].as_array();
    let last = events.unwrap().last().unwrap();
    assert_eq!(last["by"], "approver", "{last}");
}

#[test]
fn no_other_page_presses_a_button() {
    let world = World::new();
    let bundle = world.bundle();
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    let token = field(&index(&world), "token").to_owned();
    let own = world.sandbox.url().to_owned();
    assert_eq!(press(&world, "guessed", "approve", &own).status, 403);
    let foreign = press(&world, &token, "approve", "https://example.com");
    assert_eq!(foreign.status, 403);
    assert_eq!(status(&world), "PendingReview");
    // A page that was asked for by a name of somebody else has no buttons to press.
    let host = Sign::Header("host", "evil.example.com");
    let rebound = world.signed(host, "GET", "/", None).unwrap().text();
    assert!(rebound.contains("wine version 1") && !rebound.contains("<form"));
}

#[test]
fn the_page_shows_models_with_their_stages_and_endpoints() {
    let world = World::new();
    world.registered(1, "");
    let body = json!({ "name": "wine", "version": "1", "stage": "Staging" });
    world
        .post("/api/2.0/mlflow/model-versions/transition-stage", body)
        .ok();
    let alias = json!({ "name": "wine", "version": "1", "alias": "champion" });
    world
        .post("/api/2.0/mlflow/registered-models/alias", alias)
        .ok();
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    let page = index(&world);
    for part in [
        "<td>wine</td><td>1</td>",
        ">Staging<",
        "champion",
        "wine-dev",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let path = format!("/models/{id}/overview");
    assert!(page.contains(&path) && page.contains("version 1: wine version 1"));
    let overview = world.signed(Sign::Not, "GET", &path, None).unwrap().text();
    assert!(overview.contains("The build is complete") && overview.contains("answers"));
    let address = format!("/models/{id}/latest/model");
    let shown = world.signed(Sign::Not, "GET", &address, None).unwrap();
    assert_eq!(shown.text(), overview, "the link of a deployment opens");
    let token = world.sandbox.model_token(&id).unwrap();
    assert!(!page.contains(&token) && !overview.contains(&token));
}

/// Runs the program with the credentials of a running sandbox.
fn program(world: &World, arguments: &[&str]) -> Output {
    let file: PathBuf = world.repository.path().join("sandbox.env");
    let variables = format!(
        "DOMINO_API_HOST={}\nAPPROVER_TOKEN={}\nAUTHOR_TOKEN={}\n",
        world.sandbox.url(),
        world.sandbox.user("approver").token,
        world.author().token,
    );
    std::fs::write(&file, variables).unwrap();
    Command::new(env!("CARGO_BIN_EXE_domino-sandbox"))
        .args(arguments)
        .arg("--credentials-file")
        .arg(file)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn the_command_line_lists_approves_and_rejects() {
    let world = World::new();
    let bundle = world.bundle();
    let nothing = program(&world, &["approve"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(said(&nothing).contains("nobody is waited for"));
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    let listed = said(&program(&world, &["requests"]));
    assert!(
        listed.contains("wine version 1") && listed.contains("ci-bot"),
        "{listed}"
    );
    let stranger = program(&world, &["approve", "--as", "author"]);
    assert_eq!(stranger.status.code(), Some(2));
    assert!(said(&stranger).contains("not an assigned approver"));
    assert!(program(&world, &["reject", "wine"]).status.success());
    assert_eq!(status(&world), "PendingSubmission");
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    let approved = program(&world, &["approve"]);
    assert!(approved.status.success(), "{}", said(&approved));
    assert_eq!(status(&world), "Approved");
    let token = world.sandbox.user("approver").token;
    assert!(!said(&approved).contains(&token));
}
