//! The revision of the compute environment that a stage ran, handed on to the next one, on each generation.

use super::*;

const STAGING: &[&str] = &["publish", "dashboard", "--stage", "staging"];

#[test]
fn the_revision_is_handed_on_and_another_one_is_warned_of() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.scene.on_github("77");
        let (active, other) = scenery.scene.revisions();
        scenery.run(PUBLISH).exits(0);
        assert_eq!(scenery.scene.output("environment-revision"), Some(active));
        scenery.scene.variable("REVISION_BEFORE", &other);
        scenery
            .run(&[STAGING, &["--dry-run"]].concat())
            .exits(0)
            .tells("stage `dev` ran revision [id] of compute environment `Standard`, and stage `staging` runs revision [id]");
    });
}

#[test]
fn as_before_pins_the_revision_where_the_api_takes_one_and_is_refused_where_not() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.replace_in_stages(
            "[stage.staging]\n",
            "[stage.staging]\nenvironment = { name = \"Standard\", revision = \"as-before\" }\n",
        );
        let (active, other) = scenery.scene.revisions();
        scenery.scene.variable("REVISION_BEFORE", &other);
        if version == V4 {
            scenery
                .run(STAGING)
                .exits(3)
                .tells("starts apps in the active revision of an environment only");
            scenery.scene.variable("REVISION_BEFORE", &active);
        }
        scenery.run(STAGING).exits(0);
        let runs = scenery.app()["versions"][0]["environmentRevisionId"].clone();
        assert_eq!(runs, if version == V4 { active } else { other });
    });
}
