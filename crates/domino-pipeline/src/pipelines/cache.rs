//! What a run may reuse from earlier runs: the built programs, or what cargo compiled.
//!
//! Nothing is reused on a branch that is named after releases: a run there uses the sources alone. The workflow
//! linters require it, and the branch name says that the team wants it.

use stage_file::StageFile;

use crate::actions;
use github_workflow::write::Step;

/// Looks for an archive of this name that was built from exactly these sources; the step's id is `built`.
pub(super) fn programs(file: &StageFile, archive: &str) -> Option<Step> {
    let step = actions::CACHE
        .step("Look for programs built from these sources before")
        .id("built")
        .with("path", "programs.tar")
        .with(
            "key",
            // A program from another image may need another C library.
            format!(
                "{archive}-{}-${{{{ runner.arch }}}}-${{{{ hashFiles('Cargo.toml', 'Cargo.lock', 'crates/**') }}}}",
                file.pipeline.runner.word()
            ),
        );
    allowed(file).then_some(step)
}

/// Restores what an earlier run of this job compiled, for cargo to continue with.
pub(super) fn compiled(file: &StageFile, job: &str) -> Option<Step> {
    let step = actions::CACHE
        .step("Reuse what earlier runs compiled")
        .with("path", "~/.cargo/registry\ntarget\n")
        .with(
            "key",
            format!("cargo-{job}-${{{{ runner.os }}}}-${{{{ hashFiles('Cargo.lock') }}}}"),
        )
        .with("restore-keys", format!("cargo-{job}-${{{{ runner.os }}}}-"));
    allowed(file).then_some(step)
}

fn allowed(file: &StageFile) -> bool {
    !file
        .pipeline
        .branch
        .to_ascii_lowercase()
        .contains("release")
}
