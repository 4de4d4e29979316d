//! Publishes the apps of a stage in Domino. See `deploy_app` for the story.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    deploy_app::run(&deploy_app::Args::parse())
}
