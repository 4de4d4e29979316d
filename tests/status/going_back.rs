//! What went back stays there: no merge moves it, until somebody lets it go.

use super::*;

/// Commits once more, and gives the new commit.
fn commit_again(scene: &mut Scene, text: &str) -> String {
    scene.commit_file("notes.txt", text);
    scene.commit.clone()
}

#[test]
fn what_went_back_is_held_until_it_is_released() {
    let mut scene = scene_of("6.4", &whole());
    let first = scene.commit.clone();
    let kinds = ["deploy-app publish dashboard", "deploy-job schedule score"];
    let all = |flags: &str| kinds.map(|words| format!("{words} --stage dev{flags}"));
    let each = |scene: &Scene, flags: &str| {
        for words in all(flags) {
            deploy(scene, &words);
        }
    };
    let refused = |scene: &Scene, words: &str, tells: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let run = scene.run_program(&built::folder().join(words[0]), &words[1..]);
        run.exits(3).tells(tells);
    };
    each(&scene, "");
    let second = commit_again(&mut scene, "second");
    each(&scene, "");
    each(&scene, &format!(" --commit {first} --back --hold"));
    let now = document(&status(&scene, &["--stage", "dev", "--format", "json"]).exits(0));
    for name in ["dashboard", "score"] {
        let found = entity(&now, "dev", name);
        // The newest commit is masked.
        assert_eq!(found["held"]["from"], "[short]", "{found}");
        assert!(
            first.starts_with(found["commit"].as_str().unwrap()),
            "{found}"
        );
    }
    // Released at once, the very commit that it went back from would be deployed again.
    for words in all(" --release") {
        refused(&scene, &words, "merge what repairs it");
    }
    // The next merge moves nothing, and the same commit is as wanted.
    commit_again(&mut scene, "third");
    for words in all("") {
        refused(&scene, &words, "commit [commit] was not deployed");
    }
    each(&scene, &format!(" --commit {first}"));
    let shown = status(&scene, &["--stage", "dev"]).exits(0);
    let held = format!("dev app dashboard: went back from {} on", &second[..12]);
    assert!(
        shown.stdout.contains("Held:") && shown.stdout.contains(&held),
        "{shown}"
    );
    each(&scene, " --release");
    let now = document(&status(&scene, &["--stage", "dev", "--format", "json"]).exits(0));
    for name in ["dashboard", "score"] {
        let found = entity(&now, "dev", name);
        assert!(found["held"].is_null(), "{found}");
        assert_eq!(found["commit"], "[commit]", "{found}");
    }
}

/// Two stages, the second with a stage of the experiment manager, and one of everything that can go back.
const TO_PROD: &str = r#"
[defaults]
host = "domino.example.com"
environment = "Standard"

[stage.dev]
project = "wine-team/dev"
hardware-tier = { jobs = "dev-small", apps = "dev-small", models = "dev-endpoint" }

[stage.prod]
project = "wine-team/prod"
hardware-tier = { jobs = "prod-small", apps = "prod-small", models = "prod-endpoint" }
model-stage = "Production"

[job.train]
command = "register.py 1"
stages = ["dev"]

[job.score]
command = "train.py --score"
schedule = { cron = "0 0 6 ? * MON-FRI", timezone = "Europe/Berlin" }

[app.dashboard]
entry-point = "app.sh"
visibility = "authenticated"

[model.wine]
registered-model = "wine"
version = "latest"
replicas = 2
"#;

/// What each stage of the pipeline runs, in its order.
const PIPELINE: [&str; 9] = [
    "deploy-job start train --stage dev",
    "deploy-job schedule score --stage dev",
    "deploy-app publish dashboard --stage dev",
    "deploy-model publish wine --stage dev",
    "promote-stage request wine --to prod",
    "deploy-job schedule score --stage prod",
    "deploy-app publish dashboard --stage prod",
    "promote-stage apply wine --to prod",
    "deploy-model publish wine --stage prod",
];

/// One of the deploying programs, however it ends.
fn ends(scene: &Scene, words: &str) -> Run {
    let words: Vec<&str> = words.split(' ').collect();
    scene.run_program(&built::folder().join(words[0]), &words[1..])
}

#[test]
fn three_deployments_two_changes_by_hand_and_back_again() {
    let mut scene = Setup {
        stages: TO_PROD,
        files: &[
            FILES,
            &[("register.py", include_str!("../fixtures/register.py"))],
        ]
        .concat(),
        version: "6.4",
        ..Setup::of(env!("CARGO_BIN_EXE_domino-pipeline"))
    }
    .scene();
    for stage in ["DEV", "PROD"] {
        scene.variable(&format!("DOMINO_TOKEN_{stage}"), TOKEN);
    }
    let receipts = scene.path().join(".git/receipts");
    let mut commits = vec![scene.commit.clone()];
    for round in 1..=3 {
        if round > 1 {
            commits.push(commit_again(&mut scene, &format!("round {round}")));
        }
        let here = receipts.join(round.to_string());
        scene.variable("DEPLOY_RECEIPTS", here.to_str().unwrap());
        for words in PIPELINE.iter().filter(|words| !words.contains("request")) {
            deploy(&scene, words);
        }
    }
    let app = scene.sandbox.state()["apps"][1]["id"].clone();
    let app = format!("/api/apps/beta/apps/{}", app.as_str().unwrap());
    by_hand(
        &scene,
        "PATCH",
        &app,
        &serde_json::json!({ "visibility": "PUBLIC" }),
    );

    let endpoint = scene.sandbox.state()["modelApis"][1]["id"].clone();
    let endpoint = format!(
        "/api/modelServing/v1/modelApis/{}",
        endpoint.as_str().unwrap()
    );
    drift::change_by_hand(
        &scene,
        &endpoint,
        &endpoint,
        &serde_json::json!({ "replicas": 5 }),
    );

    let kept = receipts.to_str().unwrap().to_owned();
    let back = |scene: &Scene, words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        scene.run(
            &[
                &["back", "--stage", "prod", "--receipts", &kept],
                &words[..],
            ]
            .concat(),
        )
    };
    let nothing = back(&scene, "--entity train --to previous --yes").exits(2);
    nothing.tells("a run of job `train` cannot be undone");
    back(&scene, "--entity dashbord --to previous --yes")
        .exits(2)
        .tells("app dashboard");
    back(&scene, "--entity dashboard --to previous")
        .exits(2)
        .tells("nobody can be asked");
    back(&scene, "--entity dashboard --to 1970-01-01 --yes")
        .exits(3)
        .tells("receipts");
    // What is planned changes nothing.
    let state = scene.sandbox.state();
    let plan = back(&scene, "--entity wine --to previous --dry-run").exits(0);
    assert_eq!(scene.sandbox.state(), state);
    let plan = masked(&scene, &plan, &commits).replace(&kept, "[receipts]");
    insta::assert_snapshot!("back_plan", plan);

    scene.variable("DEPLOY_RECEIPTS", receipts.join("back").to_str().unwrap());
    back(&scene, "--entity wine --to previous --yes").exits(0);
    back(&scene, "--entity score --to previous --yes").exits(0);
    let first = format!("--entity dashboard --to {} --yes", &commits[0][..12]);
    back(&scene, &first).exits(0);
    let written = std::fs::read_to_string(receipts.join("back/prod.app.dashboard.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    let text = written.to_string();
    assert!(text.contains("\"back\":\""), "{text}");

    // The history tells what runs since, and the audit that it went back.
    let history = |words: &[&str]| {
        let run =
            scene.run(&[&["history", "--receipts", &kept, "--stage", "prod"], words].concat());
        masked(&scene, &run.exits(0), &commits).replace(&kept, "[receipts]")
    };
    let runs = history(&["--at", "2999-01-01"]);
    let audit = history(&["--audit", "2020-01-01..2999-01-01"]);
    for (what, commit) in [
        ("schedule score", "[commit 2]"),
        ("app dashboard", "[commit 1]"),
        ("model wine", "version 2 at [commit 2]"),
        ("promotion wine", "version 2 at"),
    ] {
        let is_it = |line: &&str| line.contains(&format!(" {what} ")) && line.contains(commit);
        let went_back = |line: &str| line.contains("went back to receipt");
        let line = runs.lines().find(is_it);
        assert!(line.is_some_and(went_back), "{what}: {runs}");
        let mut lines = audit.lines().filter(is_it);
        assert!(lines.any(went_back), "{what}: {audit}");
    }

    // The next merge is held back in production, and only there.
    commits.push(commit_again(&mut scene, "round 4"));
    for words in PIPELINE {
        let run = ends(&scene, words);
        let is_held = words.ends_with("prod") && !words.contains("request");
        match is_held {
            true => run.exits(3).tells("back.yml with the target `release`"),
            false => run.exits(0),
        };
    }
    let now = document(&status(&scene, &["--format", "json"]).exits(0));
    for (name, commit) in [("score", 1), ("dashboard", 0), ("wine", 1)] {
        let found = entity(&now, "prod", name);
        assert!(!found["held"].is_null(), "{found}");
        assert!(
            commits[commit].starts_with(found["commit"].as_str().unwrap()),
            "{found}"
        );
    }
    assert_eq!(entity(&now, "prod", "wine")["version"], "2");
    let shown = status(&scene, &[]).exits(0);
    insta::assert_snapshot!("back_status", masked(&scene, &shown, &commits));

    for name in ["wine", "score", "dashboard"] {
        back(&scene, &format!("--entity {name} --to release --yes")).exits(0);
    }
    let now = document(&status(&scene, &["--format", "json"]).exits(0));
    assert_eq!(entity(&now, "prod", "wine")["version"], "4");
    assert!(entity(&now, "prod", "wine")["held"].is_null());
    assert_eq!(entity(&now, "prod", "dashboard")["commit"], "[commit]");
}

/// Commits, hashes and times differ from run to run.
fn masked(scene: &Scene, run: &Run, commits: &[String]) -> String {
    let mut text = times_masked(scene, run);
    for (at, commit) in commits.iter().enumerate() {
        for length in [40, 12, 7] {
            text = text.replace(&commit[..length], &format!("[commit {}]", at + 1));
        }
    }
    for (pattern, mask) in [
        (r"receipt [0-9a-f]{12}", "receipt [hash]"),
        (r"\d{4}-\d\d-\d\d( \d\d:\d\d UTC)?", "[time]"),
    ] {
        text = regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, mask)
            .into_owned();
    }
    text
}
