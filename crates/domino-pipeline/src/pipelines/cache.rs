//! What a run may take over from earlier runs: the built programs, or what cargo compiled.
//!
//! Nothing on a branch that is named after releases: there, a run starts from the sources alone. The linters of
//! workflows ask for that, and the name says that the team means it.

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
            // A program of another image may want another C library.
            format!(
                "{archive}-{}-${{{{ runner.arch }}}}-${{{{ hashFiles('Cargo.toml', 'Cargo.lock', 'crates/**') }}}}",
                file.pipeline.runner.word()
            ),
        );
    allowed(file).then_some(step)
}

/// Brings what an earlier run of this job compiled, for cargo to go on from.
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
