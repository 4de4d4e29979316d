//! The revision of the compute environment that a stage's endpoint was built on, handed on to the next stage.

use super::*;

#[test]
fn the_revision_is_handed_on_and_what_an_endpoint_cannot_keep_to_is_said() {
    for version in GENERATIONS {
        let mut scene = scene_of(version);
        scene.on_github("77");
        register(&scene, "wine", "return x + 2");
        let (active, other) = scene.revisions();
        publish(&scene, "dev").exits(0);
        // The oldest routes do not tell what a version was built on.
        let told = (*version == "6.3").then_some(active);
        assert_eq!(scene.output("environment-revision"), told);

        scene.variable("MODEL_VERSION", "1");
        scene.variable("REVISION_BEFORE", &other);
        let dry_run = ["publish", "wine", "--stage", "staging", "--dry-run"];
        scene
            .run(&dry_run)
            .exits(0)
            .tells("stage `dev` ran revision [id] of compute environment `Standard`, and stage `staging` runs revision [id]");
        let path = scene.path().join("stages.toml");
        let pinned = STAGES.replace(
            "[stage.staging]\n",
            "[stage.staging]\nenvironment = { name = \"Standard\", revision = \"as-before\" }\n",
        );
        std::fs::write(path, pinned).unwrap();
        scene
            .run(&dry_run)
            .exits(3)
            .tells("is not its active one, and an endpoint is always built on that");
    }
}
