//! What differs from the stage file, and what somebody changed since.

use serde_json::json;

use super::small_github::{SmallGitHub, WINE};
use super::*;

/// Reads a thing, changes some fields of it, and writes it back without what is only shown.
pub fn change_by_hand(scene: &Scene, list: &str, one: &str, changes: &Value) {
    let script = "import json, os, sys, urllib.request\n\
        def call(method, path, body=None):\n    \
        request = urllib.request.Request(sys.argv[1] + path, data=body, method=method, \
        headers={'Content-Type': 'application/json', 'Authorization': 'Bearer ' + os.environ['KEY']})\n    \
        return json.loads(urllib.request.urlopen(request).read() or b'null')\n\
        found = call('GET', sys.argv[2])\n\
        found = [x for x in found if x['id'] in sys.argv[3]][0] if isinstance(found, list) else found\n\
        for shown in ('access', 'activeVersion', 'collaborators', 'created', 'dataConfig', 'hardwareTierName', \
        'healthCheck', 'id', 'isArchived', 'isAsync', 'metadata', 'projectId', 'routingMode', 'scheduledByUserName', \
        'strictNodeAntiAffinity', 'volumes'): found.pop(shown, None)\n\
        if 'schedule' in found: found['schedule'].pop('humanReadableCronString', None)\n\
        found.update(json.loads(sys.argv[4]))\n\
        call('PUT', sys.argv[3], json.dumps(found).encode())\n";
    let output = std::process::Command::new("python3")
        .args([
            "-c",
            script,
            scene.sandbox.url(),
            list,
            one,
            &changes.to_string(),
        ])
        .env("KEY", TOKEN)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

/// The id of an entity of stage dev, and the id of its project.
fn ids(scene: &Scene, name: &str) -> (String, String) {
    let command = scene
        .command(&["status", "--stage", "dev", "--format", "json"])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&command.stdout).unwrap();
    let id = entity(&document, "dev", name)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let state = scene.sandbox.state();
    let projects = state["projects"].as_array().unwrap();
    let project = projects
        .iter()
        .find(|project| project["name"] == "dev")
        .unwrap();
    (id, project["id"].as_str().unwrap().to_owned())
}

pub fn change_schedule(scene: &Scene, changes: &Value) {
    let (id, project) = ids(scene, "score");
    let list = format!("/v4/projects/{project}/scheduledjobs");
    change_by_hand(scene, &list, &format!("{list}/{id}"), changes);
}

fn change_endpoint(scene: &Scene, changes: &Value) {
    let (id, _) = ids(scene, "wine");
    let one = format!("/api/modelServing/v1/modelApis/{id}");
    change_by_hand(scene, &one, &one, changes);
}

#[test]
fn what_people_changed_since_is_told_with_the_line_that_says_otherwise() {
    let scene = scene_of("6.4", &whole());
    deploy_all(&scene, "dev");
    let dev = |words: &[&str]| status(&scene, &[&["--stage", "dev"], words].concat());
    dev(&["--exit-code"]).exits(0);
    change_schedule(&scene, &json!({ "isPaused": false }));
    change_endpoint(&scene, &json!({ "replicas": 5 }));
    let (app, _) = ids(&scene, "dashboard");
    let app = format!("/api/apps/v1/apps/{app}");
    by_hand(&scene, "PATCH", &app, &json!({ "visibility": "PUBLIC" }));
    let run = dev(&["--exit-code"]).exits(8);
    insta::assert_snapshot!("by_hand", times_masked(&scene, &run));
    // Without being asked, the exit says that all could be looked at.
    let run = dev(&["--format", "json"]).exits(0);
    let document = document(&run);
    let differs = |name: &str| entity(&document, "dev", name)["differences"].clone();
    assert_eq!(differs("train"), json!([]));
    assert_eq!(differs("score")[0]["by_hand"], true);
    assert_eq!(differs("dashboard")[0]["domino"], "PUBLIC");
    assert_eq!(differs("dashboard")[0]["by_hand"], true);
    assert_eq!(differs("wine")[0]["file"], "2");
    assert_eq!(differs("wine")[0]["by_hand"], true);
}

#[test]
fn what_the_file_says_anew_is_no_change_by_hand() {
    let scene = scene_of("6.4", &whole());
    for words in ["deploy-job schedule score", "deploy-app publish dashboard"] {
        deploy(&scene, &format!("{words} --stage dev"));
    }
    let text = whole()
        .replace("0 0 6 ?", "0 30 7 ?")
        .replace("\"authenticated\"", "\"grant-based\"")
        .replace("apps = \"dev-small\"", "apps = \"qa-small\"");
    write_stages(&scene, &text);
    let run = status(&scene, &["--stage", "dev", "--format", "json"]).exits(0);
    let document = document(&run);
    let of = |name: &str| -> Vec<(String, bool)> {
        let all = entity(&document, "dev", name)["differences"]
            .as_array()
            .unwrap()
            .clone();
        let all = all.iter();
        all.map(|one| {
            (
                one["what"].as_str().unwrap().to_owned(),
                one["by_hand"] == true,
            )
        })
        .collect()
    };
    assert_eq!(of("score"), [("schedule".to_owned(), false)]);
    assert_eq!(
        of("dashboard"),
        [
            ("visibility".to_owned(), false),
            ("hardware tier".to_owned(), false)
        ]
    );
}

#[test]
fn what_left_the_file_and_what_never_came_are_both_told() {
    let scene = scene_of("6.4", &whole());
    for words in ["deploy-job schedule score", "deploy-app publish dashboard"] {
        deploy(&scene, &format!("{words} --stage dev"));
    }
    let text = whole()
        .replace("[job.score]", "[job.rate]")
        .replace("[app.dashboard]", "[app.numbers]");
    write_stages(&scene, &text);
    let run = status(&scene, &["--stage", "dev", "--exit-code"]).exits(8);
    assert!(
        run.stdout
            .contains("deploy-job schedule score --stage dev --delete"),
        "{run}"
    );
    for told in [
        "dev/score",
        "dev/dashboard",
        "dev job train: no run",
        "dev app numbers: not in Domino",
    ] {
        assert!(run.stdout.contains(told), "`{told}` is not told:\n{run}");
    }
}

#[test]
fn a_failed_run_and_a_stopped_app_count_as_not_as_the_file_says() {
    let scene = scene_of("6.4", &whole());
    deploy(&scene, "deploy-app publish dashboard --stage dev");
    deploy(&scene, "deploy-app unpublish dashboard --stage dev");
    let run = status(&scene, &["--stage", "dev", "--exit-code"]).exits(8);
    assert!(
        run.stdout.contains("dev app dashboard: it is `Stopped`"),
        "{run}"
    );
}

#[test]
fn one_issue_is_opened_changed_and_closed_by_itself() {
    let github = SmallGitHub::start();
    let mut scene = scene_of("6.4", &whole());
    github.asked_by(&mut scene);
    let look = |scene: &Scene, exit| {
        let words = [
            "--stage",
            "dev",
            "--exit-code",
            "--format",
            "markdown",
            "--issue",
        ];
        status(scene, &words).exits(exit)
    };
    let issue = || github.state().repositories[WINE].issues[0].clone();
    let run = look(&scene, 8).tells("opened issue #7");
    assert!(run.stdout.contains("dev job train: no run"), "{run}");
    assert_eq!(github.writes(), ["POST /issues"]);
    let text = issue()["body"].as_str().unwrap().to_owned();
    assert!(text.contains("dev job train: no run"), "{text}");
    look(&scene, 8).tells("issue #7 says the same already");
    assert_eq!(github.writes(), ["POST /issues"]);
    deploy_all(&scene, "dev");
    look(&scene, 0).tells("closed issue #7");
    assert_eq!(github.writes(), ["POST /issues", "PATCH /issues/7"]);
    assert_eq!(issue()["state"], "closed");
    // What cannot be looked at closes nothing.
    github.change(|wine| wine.issues[0]["state"] = json!("open"));
    scene.variable("DOMINO_TOKEN_DEV", "canary-of-nobody");
    look(&scene, 3);
    assert_eq!(issue()["state"], "open");
}
