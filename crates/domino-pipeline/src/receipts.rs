//! `receipts`: the receipts of deployments, on their way into the repository.
//!
//! It deploys nothing and asks no Domino. What it needs of GitHub is to fetch and push one ref.

mod record;
pub mod remote;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use self::remote::Remote;
use crate::error::Result;
use crate::repository;

/// The arguments of `domino-pipeline receipts`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: ReceiptsVerb,
}

#[derive(Debug, Subcommand)]
enum ReceiptsVerb {
    /// Add the receipts of a folder as git notes to the commits that they are of, and push them to `origin`
    #[command(after_help = RECORDING)]
    Record(RecordArgs),
}

/// How recording goes about it, for its `--help`.
const RECORDING: &str = "\
The notes are in refs/notes/deployments, a line a receipt. Each names the hash of the one before of its entity and \
stage. Of two that record at once, the second begins anew upon what the first has pushed, so that nothing is lost and \
nothing conflicts. What is recorded already stays as it is. The token in GITHUB_TOKEN, which needs `contents: write`, is \
sent to the server of `origin` only where that is GITHUB_SERVER_URL.";

/// The arguments of `domino-pipeline receipts record`.
#[derive(Debug, clap::Args)]
struct RecordArgs {
    /// The folder with the receipts; one that does not exist holds none
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The repository on this machine; when not given, the one here
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

/// Records, and says what came of it.
///
/// # Errors
/// Receipts that cannot be read or were altered, and git's own words.
pub fn run(args: &Args) -> Result<ExitCode> {
    let ReceiptsVerb::Record(args) = &args.verb;
    let repository = args.repository.clone().unwrap_or_else(repository::root);
    let recorded = record::record(&args.folder, &Remote::of(&repository))?;
    eprintln!("{recorded}");
    Ok(ExitCode::SUCCESS)
}
