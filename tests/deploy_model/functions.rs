//! Models that are a function in a file: what cannot be pinned, and how a new commit is deployed.

use serde_json::json;

use crate::harness::Scene;
use crate::{GENERATIONS, edit, scene, scene_of, versions};

#[test]
fn a_function_is_published_and_the_plan_says_what_cannot_be_pinned() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        let arguments = ["publish", "function", "--stage", "dev"];
        scene.on_github("77");
        scene
            .run(&arguments)
            .exits(0)
            .tells("a function cannot be pinned to a commit");
        let summary = scene.summary();
        assert!(summary.contains("cannot be pinned"), "{summary}");
        scene.run(&arguments).exits(0).tells("is as wanted");
        scene.commit_file("function.py", "def predict(x):\n    return x * 11\n");
        scene.on_github("78");
        let run = scene.run(&arguments).exits(0);
        assert!(run.stdout.contains("~ commit: "), "{run}");
        std::fs::write(scene.path().join("request.json"), r#"{"parameters": [3]}"#).unwrap();
        let run = scene.run(&[
            "invoke",
            "function",
            "--stage",
            "dev",
            "--input",
            "request.json",
        ]);
        assert!(run.exits(0).stdout.contains("33"), "{version}");
        scene
            .run(&["publish", "function", "--stage", "dev", "--version", "3"])
            .exits(2)
            .tells("which has no versions");
    }
}

#[test]
fn a_function_for_another_commit_than_the_stage_befores_is_refused() {
    let mut scene = scene();
    let publish =
        |scene: &Scene, stage: &str| scene.run(&["publish", "function", "--stage", stage]);
    publish(&scene, "dev").exits(0);
    scene.commit_file("function.py", "def predict(x):\n    return x * 11\n");
    publish(&scene, "staging")
        .exits(3)
        .tells("it serves a function built for commit");
    publish(&scene, "dev").exits(0);
    publish(&scene, "staging").exits(0);
}

#[test]
fn a_function_built_from_another_commit_is_never_green_and_goes_no_further() {
    let mut scene = scene();
    scene.on_github("77");
    let other = "e0".repeat(20);
    let publish = |scene: &Scene, more: &[&str]| {
        scene.run(&[&["publish", "function", "--stage"], more].concat())
    };
    scene.sandbox.faults().add(edit(
        "GET /v4/modelManager/*/getModelReproductionDetails",
        "/*/gitRepoCommits/*/commitId",
        json!(other),
    ));
    let text = format!("it was built from commit {other} in place of [commit]");
    publish(&scene, &["dev"]).exits(5).tells(&text);
    // It runs, and was made for this commit; it is not what was asked for all the same.
    let run = publish(&scene, &["dev", "--dry-run"]).exits(0);
    assert!(run.stdout.contains(&format!("~ {text}")), "{run}");
    publish(&scene, &["staging"])
        .exits(3)
        .tells(&format!("it serves a function built for commit {other}"));
    publish(&scene, &["dev"])
        .exits(5)
        .tells(&text)
        .tells("version 1 serves again");
    scene.sandbox.faults().clear();
    publish(&scene, &["dev"]).exits(0);
    assert_eq!(versions(&scene, "function-dev").len(), 3);
    publish(&scene, &["dev"]).exits(0).tells("is as wanted");
    publish(&scene, &["staging"]).exits(0);
}

#[test]
fn what_is_said_of_the_commit_is_what_was_compared() {
    let scene = scene();
    let route = "GET /v4/modelManager/*/getModelReproductionDetails";
    let publish = || {
        scene
            .run(&["publish", "function", "--stage", "dev"])
            .exits(0)
    };
    let status = || {
        scene
            .run(&["status", "function", "--stage", "dev"])
            .exits(0)
    };
    let is_told = "built from        [commit]";
    publish().tells(is_told);
    publish().tells(is_told);
    status().tells(is_told);
    // A deployment may tell none, and the version's own id be one of Domino's files.
    scene
        .sandbox
        .faults()
        .add(edit(route, "/*/gitRepoCommits", json!([])));
    scene.sandbox.faults().add(edit(
        "GET /api/modelServing/v1/modelApis/*/versions",
        "/*/commitId",
        json!("d0".repeat(20)),
    ));
    let run = publish().tells("Domino does not tell from which commit");
    assert!(!run.stderr.contains("built from  "), "{run}");
    let run = status();
    assert!(!run.stderr.contains("built from  "), "{run}");
}
