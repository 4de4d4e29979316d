//! Models that are a function in a file: what cannot be pinned, and how a new commit gets there.

use crate::harness::Scene;
use crate::{GENERATIONS, scene, scene_of};

#[test]
fn a_function_is_published_and_the_plan_says_what_cannot_be_pinned() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        let arguments = ["publish", "function", "--stage", "dev"];
        scene.on_github("77");
        scene
            .run(&arguments)
            .exits(0)
            .says("a function cannot be pinned to a commit");
        let summary = scene.summary();
        assert!(summary.contains("cannot be pinned"), "{summary}");
        scene.run(&arguments).exits(0).says("is as wanted");
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
            .says("which has no versions");
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
        .says("it serves a function built for commit");
    publish(&scene, "dev").exits(0);
    publish(&scene, "staging").exits(0);
}
