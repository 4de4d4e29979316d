//! The page of `--format html`, in a real browser: wide and narrow, light and dark, by keyboard, and with hostile names.

use serde_json::json;

use super::browser::Browser;
use super::harness::github;
use super::harness::github::server::{Reply, Server};
use super::*;

/// What somebody might call a schedule.
const HOSTILE: &str = "<img src=x onerror=\"document.title='caught'\"></style><script>document.title='caught'</script>";

/// A scene in which something of everything can be seen, and its page in a file.
fn page() -> (Scene, String) {
    let mut scene = scene_of("6.4", &whole());
    scene.variable("GITHUB_REPOSITORY", "example/wine");
    for stage in ["dev", "qa"] {
        deploy_all(&scene, stage);
    }
    deploy(&scene, "deploy-app publish dashboard --stage staging");
    deploy(&scene, "deploy-app unpublish dashboard --stage staging");
    drift::change_schedule(
        &scene,
        &json!({ "title": format!("{HOSTILE} [dev/score paused]"), "isPaused": false }),
    );
    scene.without("DOMINO_TOKEN_PROD");
    let server = waiting();
    scene
        .variable("GITHUB_API_URL", &server.url)
        .variable("GITHUB_TOKEN", github::TOKEN);
    let output = scene
        .command(&["status", "--format", "html"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let html = String::from_utf8(output.stdout).unwrap();
    let file = scene.path().join("status.html");
    std::fs::write(&file, html).unwrap();
    let url = format!("file://{}", file.display());
    (scene, url)
}

/// A run that waits to enter the stage of which nothing is seen.
fn waiting() -> Server {
    Server::start(|request| {
        let body = match request.path.as_str() {
            "/repos/example/wine/actions/runs" => json!({ "workflow_runs": [{
                "id": 77, "name": "Deploy apps", "display_title": "Fix <b>the</b> axis", "head_sha": "ab".repeat(20),
                "created_at": "2026-11-30T12:00:00Z", "triggering_actor": { "login": "ben" },
            }] }),
            "/repos/example/wine/actions/runs/77/pending_deployments" => json!([{
                "environment": { "name": "PROD" },
                "reviewers": [{ "type": "User", "reviewer": { "login": "ann" } }],
            }]),
            _ => return Reply::error(404, "Not Found"),
        };
        Reply::json(200, body)
    })
}

#[test]
fn the_page_is_read_on_a_phone_and_in_the_dark_and_obeys_no_name() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (_scene, url) = page();
    let mut grounds = Vec::new();
    for (width, theme) in [
        (1440, "light"),
        (1440, "dark"),
        (390, "light"),
        (390, "dark"),
    ] {
        browser.on_a_screen(width, theme);
        browser.open(&url);
        browser.picture(&format!("status-{width}-{theme}.png"));
        let needed = browser.evaluate("document.documentElement.scrollWidth");
        assert!(
            needed.as_u64().unwrap() <= u64::from(width),
            "{needed} of {width}"
        );
        let ground = browser.evaluate("getComputedStyle(document.body).backgroundColor");
        grounds.push(ground.as_str().unwrap().to_owned());
    }
    assert_eq!(grounds[0], grounds[2]);
    assert_ne!(grounds[0], grounds[1]);
    let text = browser.text();
    for told in [
        "Not as stages.toml says",
        HOSTILE,
        "No token",
        "waits for reviewer",
        "ci-bot",
        "waits for ann on GitHub",
        "Deploy apps: Fix <b>the</b> axis",
    ] {
        assert!(text.contains(told), "`{told}` is not told: {text}");
    }
    let run = browser.evaluate("document.querySelector('#prod .waits a').href");
    assert_eq!(
        run,
        json!("https://github.com/example/wine/actions/runs/77")
    );
    let title = browser.evaluate("document.title");
    assert_eq!(title, json!("What runs of example/wine"));
    let obeyed = browser.evaluate("document.querySelectorAll('script, img').length");
    assert_eq!(obeyed, json!(0));
    let link = browser.evaluate("document.querySelector('.what a').href");
    let link = link.as_str().unwrap();
    assert!(
        link.starts_with("https://github.com/example/wine/commit/"),
        "{link}"
    );
}

#[test]
fn the_page_is_walked_by_keyboard() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (_scene, url) = page();
    browser.on_a_screen(1440, "light");
    browser.open(&url);
    let mut reached = Vec::new();
    for _ in 0..8 {
        browser.press("Tab", 9);
        let focused = browser.evaluate("document.activeElement.getAttribute('href')");
        reached.push(focused.as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(reached[..4], ["#dev", "#qa", "#staging", "#prod"]);
    assert!(
        reached[4..].iter().all(|link| link.starts_with('#')),
        "{reached:?}"
    );
    let outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, json!("solid"));
}
