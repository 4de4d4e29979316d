//! `cargo xtask check-contract`: rehearses, and holds every request and reply against a Domino's own specs.
//!
//! A deployment serves its specs at `/assets/public-api.json` and `/assets/swagger.json`.

use std::path::PathBuf;
use std::process::ExitCode;

use domino_contract::{Contract, Exchange, Verdict};
use domino_sandbox::{Recorded, Version};

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
    /// Rehearse what is in the working tree, too, and not only what is committed
    #[arg(long)]
    pub uncommitted: bool,
}

/// Rehearses with the specs.
///
/// # Errors
/// When the specs cannot be read, or this machine does not let us rehearse.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    rehearse::run(rehearse::Args {
        only: Vec::new(),
        workflows: None,
        uncommitted: args.uncommitted,
        approve: Some(rehearse::Approver::All),
        stop_after: None,
        domino_version: args.domino_version,
        faults: None,
        spec: args.spec,
        mlflow: false,
        keep: false,
        summary_dir: None,
        repository: PathBuf::from("."),
    })
}

/// Judges what went over the wire, and says what came of it.
pub(crate) fn holds(contract: &Contract, recorded: &[Recorded]) -> bool {
    let mut verdict = Verdict::default();
    for request in recorded {
        // What a fault made of a reply is nobody's word.
        let whole = request.fault.is_none();
        verdict.add(contract.judge(&Exchange {
            method: &request.method,
            path: &request.path,
            query: request.query.as_deref(),
            body: request.body.as_ref(),
            status: request.status.filter(|_| whole),
            reply: request.reply.as_ref().filter(|_| whole),
        }));
    }
    println!("\n{verdict}");
    verdict.findings.is_empty()
}
