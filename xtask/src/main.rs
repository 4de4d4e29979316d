//! `cargo xtask`: reads which task is asked for and hands it on.

use std::process::ExitCode;

use clap::Parser;

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: xtask::Verb,
}

fn main() -> ExitCode {
    Arguments::parse().verb.run()
}
