//! Runs the jobs of a stage in Domino. See `deploy_job` for the story.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    deploy_job::run(&deploy_job::Args::parse())
}
