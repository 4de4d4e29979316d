//! The project's own tasks, run as `cargo xtask <verb>`: one verb, one module.
//!
//! It knows the stage file and the sandbox. No crate depends on it, and no deploy program does anything here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use domino_core::error::{CommandError, Exit};
use stage_file::{StageFileError, UnknownName};

pub mod actions;
pub mod another_repository;
pub mod check_contract;
pub mod ci;
pub mod diagram;
pub mod doctor;
pub mod gen_workflows;
pub mod import_ini;
pub mod pipelines;
pub mod plan;
pub mod readme;
pub mod reference;
pub mod rehearse;
pub mod schema;

/// What `cargo xtask` can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write the workflow files and the picture of the pipeline from stages.toml
    GenWorkflows(gen_workflows::Args),
    /// Show what merging a change would deploy where, without asking Domino
    Plan(plan::Args),
    /// Run the workflow files here, stage by stage, against a Domino on this machine
    Rehearse(rehearse::Args),
    /// Write stages.schema.json, by which editors complete stages.toml
    Schema(schema::Args),
    /// Hold what the programs send against the specs of a Domino
    CheckContract(check_contract::Args),
    /// Look at a live deployment without changing it, and say what to do before the first push
    Doctor(doctor::Args),
    /// Make a stages.toml of the Python templates' env-variables.ini
    ImportIni(import_ini::Args),
    /// Run everything that must hold before a change is merged, as ci.yml does
    Ci,
}

impl Verb {
    /// Does it, and tells the person when that was not possible.
    pub fn run(self) -> ExitCode {
        let done = match self {
            Self::GenWorkflows(args) => gen_workflows::run(&args),
            Self::Plan(args) => plan::run(&args),
            Self::Rehearse(args) => rehearse::run(args),
            Self::Schema(args) => schema::run(&args),
            Self::CheckContract(args) => check_contract::run(args),
            Self::Doctor(args) => doctor::run(&args),
            Self::ImportIni(args) => import_ini::run(&args),
            Self::Ci => ci::run(&root()),
        };
        done.unwrap_or_else(|error| {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            let command = error
                .chain()
                .find_map(|cause| cause.downcast_ref::<CommandError>());
            if let Some(hint) = command.and_then(CommandError::to_do) {
                eprintln!("\nhint: {hint}");
            }
            let of_the_file = error
                .chain()
                .any(|cause| cause.is::<StageFileError>() || cause.is::<UnknownName>());
            ExitCode::from(match command {
                Some(command) => command.exit(),
                None if of_the_file => Exit::Usage,
                None => Exit::Bug,
            } as u8)
        })
    }
}

/// The top of this repository: `cargo` says where the manifest of this crate is.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = manifest
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new("."));
    root.to_owned()
}
