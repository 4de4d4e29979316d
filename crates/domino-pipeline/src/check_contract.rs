//! `cargo xtask check-contract`: rehearses, and compares every request and reply with a Domino's own specs.
//!
//! A deployment serves its specs at `/docs/openapi/openapi-public.json` (the whole public API, of which
//! `/assets/public-api.json` is a part) and `/assets/swagger.json` (the internal one).

use std::path::PathBuf;
use std::process::ExitCode;

use domino_sandbox::{AppsV1, Version};

use crate::rehearse;

/// Hold every request that the programs send against the specs of a Domino
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An OpenAPI document of the deployment, or a folder of them; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub spec: Vec<PathBuf>,
    /// The Domino to rehearse against: 5.9, 6.2, 6.3 or 6.4
    #[arg(long, value_name = "VERSION", default_value_t)]
    pub domino_version: Version,
    /// Whether its Apps v1, of 6.3 and 6.4, is `on`, or switched off with this answer: 403 or 404
    #[arg(long, value_name = "ANSWER", default_value_t)]
    pub apps_v1: AppsV1,
    /// Rehearse what is in the working tree, too, and not only what is committed
    #[arg(long)]
    pub uncommitted: bool,
}

/// Rehearses with the specs.
///
/// # Errors
/// When the specs cannot be read, or this machine does not allow a rehearsal.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    rehearse::run(rehearse::Args {
        only: Vec::new(),
        workflows: None,
        uncommitted: args.uncommitted,
        from_empty: false,
        approve: Some(rehearse::Approver::All),
        stop_after: None,
        input: Vec::new(),
        domino_version: args.domino_version,
        apps_v1: args.apps_v1,
        faults: None,
        spec: args.spec,
        mlflow: false,
        python: None,
        build_as_written: false,
        keep: false,
        rerun: None,
        kept: None,
        actor: None,
        days_later: 0,
        artifact_days: None,
        summary_dir: None,
        repository: PathBuf::from("."),
    })
}
