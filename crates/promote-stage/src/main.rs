//! Moves model versions from stage to stage. See `promote_stage` for the story.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    promote_stage::run(&promote_stage::Args::parse())
}
