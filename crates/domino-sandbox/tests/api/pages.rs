//! The pages a person opens in a browser, without signing in.

use domino_sandbox::Seed;
use serde_json::json;

use crate::browser::Browser;
use crate::world::{Sign, World, text};

fn page(world: &World, path: &str) -> String {
    let reply = world.signed(Sign::Not, "GET", path, None).unwrap();
    assert_eq!(reply.status, 200, "{path}");
    assert!(reply.content_type.starts_with("text/html"));
    reply.text()
}

#[test]
fn the_index_leads_to_the_log_of_each_job() {
    let world = World::new();
    let job = world.run("echo '<i>read me</i>'", json!({ "title": "A & B" }));
    let index = page(&world, "/");
    let link = text(&job["page"]);
    assert!(
        index.contains(&link) && index.contains("A &amp; B"),
        "{index}"
    );
    assert_eq!(
        link,
        format!("/jobs/author/quick-start/{}/logs", text(&job["id"]))
    );
    let log = page(&world, &link);
    assert!(
        log.contains("Succeeded") && log.contains("&lt;i&gt;read me"),
        "{log}"
    );
    assert!(
        !log.contains("<script"),
        "a page of what has ended stays as it is"
    );
    assert!(page(&world, "/jobs/author/quick-start").contains(&link));
}

#[test]
fn a_page_of_what_still_runs_looks_again() {
    let world = World::new();
    let id = text(&world.start("sleep 600", json!({}))["id"]);
    assert!(page(&world, &format!("/jobs/author/quick-start/{id}/logs")).contains("<script>"));
}

#[test]
fn a_page_shows_no_credential_and_nothing_of_another_project() {
    let world = World::seeded(Seed::default().project("author/second"));
    let job = world.run("true", json!({}));
    let author = world.author();
    let index = page(&world, "/");
    assert!(!index.contains(&author.api_key) && !index.contains(&author.token));
    let elsewhere = format!("/jobs/author/second/{}/logs", text(&job["id"]));
    assert_eq!(
        world
            .signed(Sign::Not, "GET", &elsewhere, None)
            .unwrap()
            .status,
        404
    );
}

#[test]
fn a_real_browser_shows_the_page_with_nothing_else_to_fetch_and_follows_its_links() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let world = World::new();
    world.run("echo '<i>read me</i>'", json!({ "title": "A & B" }));
    browser.open(world.sandbox.url());
    browser.reads(|page| page.contains("#1 A & B") && page.contains("Succeeded"));
    let fetched = "performance.getEntriesByType('resource').map(one => one.name).filter(name => name != location.href)";
    assert_eq!(browser.evaluate(fetched), json!([]), "the page is one file");
    browser.click_until("#1 A & B", |page| page.text().contains("<i>read me</i>"));
    browser.click_until("author/quick-start", |page| {
        page.text().contains("Jobs of author/quick-start")
    });
}

#[test]
fn the_page_looks_again_without_losing_the_focus() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let world = World::new();
    world.run("true", json!({ "title": "First" }));
    browser.open(world.sandbox.url());
    browser.evaluate("window.kept = 1");
    let focused = "document.activeElement.innerText";
    for _ in 0..20 {
        if browser.evaluate(focused) == json!("#1 First") {
            break;
        }
        browser.press("Tab", 9);
    }
    assert_eq!(browser.evaluate(focused), json!("#1 First"));
    world.run("true", json!({ "title": "Second" }));
    browser.reads(|page| page.contains("#2 Second"));
    assert_eq!(
        browser.evaluate("window.kept"),
        json!(1),
        "the page was not loaded anew"
    );
    assert_eq!(browser.evaluate(focused), json!("#1 First"));
}

#[test]
fn the_page_is_read_on_a_phone_and_in_the_dark() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let world = World::new();
    world.run("true", json!({ "title": "A job with a rather long title" }));
    world.run("exit 1", json!({ "title": "One that fails" }));
    world.registered(1, "");
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    let bundle = world.bundle();
    world.publish("ci-bot", &bundle, "RequestSubmitted").ok();
    let mut grounds = Vec::new();
    for (width, theme) in [
        (1200, "light"),
        (1200, "dark"),
        (390, "light"),
        (390, "dark"),
    ] {
        browser.on_a_screen(width, theme);
        browser.open(world.sandbox.url());
        browser.picture(&format!("sandbox-{width}-{theme}.png"));
        let needed = browser.evaluate("document.documentElement.scrollWidth");
        assert!(
            needed.as_u64().unwrap() <= u64::from(width),
            "{needed} of {width}"
        );
        grounds.push(browser.evaluate("getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(grounds[0], grounds[1]);
    assert_eq!(grounds[1], grounds[3]);
    let columns = "[...document.querySelectorAll('.column')].map(one => [one.querySelector('h2').innerText, one.querySelectorAll('.card').length])";
    assert_eq!(
        browser.evaluate(columns),
        json!([["Waiting for approval", 1], ["Local", 2], ["dev-plane", 1]])
    );
}
