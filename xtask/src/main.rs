//! `cargo xtask`: the project's own chores, and the way to `domino-pipeline` for everything else.
//!
//! It depends on no crate, so that the first call in a fresh clone prints something within a second.

mod ci;
mod pipeline;
mod verbs;
mod wheel;

// The list of checks is written once; `ci.yml` is generated from it.
#[path = "../../crates/domino-pipeline/src/checks.rs"]
mod checks;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // `help rehearse` is another way to say `rehearse --help`.
    if let [help, verb] = arguments.as_slice()
        && help == "help"
    {
        arguments = vec![verb.clone(), "--help".to_owned()];
    }
    match arguments.first().map(String::as_str) {
        None => {
            eprint!("{}", verbs::help());
            ExitCode::from(2)
        }
        Some("-h" | "--help" | "help") => {
            print!("{}", verbs::help());
            ExitCode::SUCCESS
        }
        Some("ci") => match arguments.get(1).map(String::as_str) {
            None => ci::run(&root()),
            Some("-h" | "--help") => {
                print!("{}", verbs::ci_help());
                ExitCode::SUCCESS
            }
            Some(argument) => {
                eprint!("{}", verbs::unexpected(argument, "ci"));
                ExitCode::from(2)
            }
        },
        Some("wheel") => match &arguments[1..] {
            [help] if help == "-h" || help == "--help" => {
                print!("{}", wheel::HELP);
                ExitCode::SUCCESS
            }
            arguments => match wheel::Args::read(arguments) {
                Ok(args) => wheel::run(&args, &root()),
                Err(argument) => {
                    eprint!("{}", verbs::unexpected(&argument, "wheel [OPTIONS]"));
                    ExitCode::from(2)
                }
            },
        },
        Some(name) => match verbs::named(name) {
            Some(verb) => pipeline::run(verb, &root(), &arguments),
            None => {
                eprint!("{}", verbs::unknown(name));
                ExitCode::from(2)
            }
        },
    }
}

/// The top of this repository: `cargo` says where the manifest of this crate is.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest.parent().unwrap_or(Path::new(".")).to_owned()
}
