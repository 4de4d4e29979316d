//! `domino-pipeline`: parses the command line and runs the verb.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};
use domino_pipeline::repository;
use domino_pipeline::verb::Verb;

/// What you do with a stage file: generate the pipeline, plan a change, rehearse it, look at a deployment.
#[derive(Parser)]
#[command(name = "domino-pipeline", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

fn main() -> ExitCode {
    let command = Arguments::command().bin_name(repository::called_as());
    let arguments = Arguments::from_arg_matches(&command.get_matches());
    arguments.unwrap_or_else(|error| error.exit()).verb.run()
}
