//! The job that brings the four programs, once for all stages of a run.
//!
//! It holds no secret. What it makes is one archive: an artifact of loose files would lose their executable bit.

use domino_core::stages::StageFile;
use serde_saphyr::Commented;

use super::cache;
use crate::actions;
use crate::workflow::{Job, Permissions, Step, literal};

/// The name under which the archive is handed on.
pub(super) const ARTIFACT: &str = "programs";

/// Puts the programs of the downloaded archive on the path of the steps that follow.
pub(super) const UNPACK: &str = r#"tar --extract --file "$RUNNER_TEMP/programs/programs.tar" --directory "$RUNNER_TEMP/programs"
echo "$RUNNER_TEMP/programs" >> "$GITHUB_PATH"
"#;

const BUILD: &str = r#"cargo build --release --locked --package deploy-job --package deploy-app --package deploy-model --package promote-stage
tar --create --file programs.tar --directory "${CARGO_TARGET_DIR:-target}/release" deploy-job deploy-app deploy-model promote-stage
"#;

/// An approval may come after 30 days, GitHub's limit; the archive must still be there.
const RETENTION_DAYS: u32 = 32;

/// The job that every stage builds upon.
pub(super) fn job(file: &StageFile) -> Job {
    let cache = cache::programs(file);
    let mut build = Step::run("Build the programs", BUILD);
    build.r#if = cache
        .is_some()
        .then(|| "steps.built.outputs.cache-hit != 'true'".to_owned());

    let mut steps = vec![
        actions::CHECKOUT
            .step("Check out the sources")
            .with("persist-credentials", false),
    ];
    steps.extend(cache);
    steps.push(build);
    steps.push(
        actions::UPLOAD_ARTIFACT
            .step("Hand the programs on")
            .with("name", ARTIFACT)
            .with("path", "programs.tar")
            .with("if-no-files-found", "error")
            .with("retention-days", RETENTION_DAYS),
    );
    Job {
        id: "build".to_owned(),
        name: "Build the programs".to_owned(),
        needs: Vec::new(),
        r#if: Some(Commented(
            format!(
                "github.ref == {}",
                literal(&format!("refs/heads/{}", file.pipeline.branch))
            ),
            "a run started by hand on another branch deploys nothing".to_owned(),
        )),
        runs_on: file.pipeline.runner.clone(),
        timeout_minutes: 30,
        environment: None,
        permissions: Permissions::none().and("contents", "read", "checks out the sources"),
        concurrency: None,
        outputs: Default::default(),
        steps,
    }
}
