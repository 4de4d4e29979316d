//! Publishes the models of a stage as endpoints. See `deploy_model` for the story.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    deploy_model::run(&deploy_model::Args::parse())
}
