//! The approval of the workflow run on GitHub: required before an endpoint is created or changed.

use super::*;
use crate::harness::github::{on_github, review};

/// Dev has approvers, and a model is registered.
fn guarded(version: &str) -> Scene {
    let scene = scene_of(version);
    let path = scene.path().join("stages.toml");
    let stages = STAGES.replace(
        "github-environment = \"DEV\"",
        "github-environment = \"DEV\"\napprovers = [\"ann\"]",
    );
    std::fs::write(path, stages).unwrap();
    register(&scene, "wine", "return x + 2");
    scene
}

#[test]
fn nothing_is_published_that_nobody_approved() {
    for version in GENERATIONS {
        let mut scene = guarded(version);
        let asked = on_github(&mut scene, vec![("/approvals", 200, json!([]))]);
        publish(&scene, "dev")
            .exits(7)
            .tells("stage `dev` wants an approval, so nothing was written")
            .tells("nobody has approved environment `DEV` for this run");
        assert_eq!(writes(&scene), [""; 0]);
        assert_eq!(asked.try_iter().count(), 1);

        let reviews = json!([review("approved", "ben", "DEV")]);
        on_github(&mut scene, vec![("/approvals", 200, reviews)]);
        publish(&scene, "dev")
            .exits(7)
            .tells("approved only by `ben`, who started this workflow run");
        assert_eq!(writes(&scene), [""; 0]);

        let reviews = json!([review("approved", "ann", "DEV")]);
        on_github(&mut scene, vec![("/approvals", 200, reviews)]);
        publish(&scene, "dev").exits(0);
        assert_eq!(serves(&scene, "wine-dev"), (json!(1), json!(1)));
        on_github(&mut scene, vec![("/approvals", 200, json!([]))]);
        publish(&scene, "dev").exits(0);
    }
}
