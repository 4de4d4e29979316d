//! The approval of the workflow run on GitHub: required before an app is published, and not before it is stopped.

use serde_json::json;

use super::*;
use crate::harness::github::{on_github, review};

/// Dev has approvers.
fn guarded(version: &str) -> Scenery {
    let scenery = Scenery::of(version);
    scenery.replace_in_stages(
        "github-environment = \"DEV\"",
        "github-environment = \"DEV\"\napprovers = [\"ann\"]",
    );
    scenery
}

#[test]
fn nothing_is_published_that_nobody_approved_and_stopping_waits_for_nobody() {
    on_all(|version| {
        let mut scenery = guarded(version);
        let asked = on_github(&mut scenery.scene, vec![("/approvals", 200, json!([]))]);
        scenery
            .run(PUBLISH)
            .exits(7)
            .tells("cannot publish app `dashboard` in stage `dev`")
            .tells("nobody has approved environment `DEV` for this run");
        let requests = scenery.scene.requests_since(0);
        assert!(
            requests.iter().all(|r| r.starts_with("GET")),
            "{requests:#?}"
        );
        assert_eq!(asked.try_iter().count(), 1);

        let reviews = json!([review("approved", "ann", "dev")]);
        on_github(&mut scenery.scene, vec![("/approvals", 200, reviews)]);
        scenery.run(PUBLISH).exits(0);
        scenery.serves_alone(&scenery.scene.commit);

        on_github(&mut scenery.scene, vec![("/approvals", 200, json!([]))]);
        scenery.run(PUBLISH).exits(0);
        scenery
            .run(&["unpublish", "dashboard", "--stage", "dev"])
            .exits(0);
        assert_eq!(scenery.alive().len(), 0);
    });
}

#[test]
fn a_dry_run_says_what_will_be_asked_and_away_from_github_that_nobody_is() {
    let mut scenery = guarded(V1);
    let dry_run = [PUBLISH, &["--dry-run"]].concat();
    let run = scenery.run(&dry_run).exits(0);
    assert!(
        run.stdout
            .contains("not asked for, because this is no workflow run"),
        "{run}"
    );
    let asked = on_github(&mut scenery.scene, vec![]);
    let run = scenery.run(&dry_run).exits(0);
    assert!(
        run.stdout
            .contains("environment `DEV` must be approved by `ann`"),
        "{run}"
    );
    assert!(asked.try_recv().is_err());
}
