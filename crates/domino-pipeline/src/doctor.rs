//! `doctor`: looks at a live deployment, as far as one stage needs it, and says what is well and what to do.
//!
//! It only reads: it holds no writer. What the deploy programs would look for is looked for here by the same code, so
//! that both come to the same verdict.

mod deployment;
mod finding;
mod github;
mod placement;
mod visit;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use domino_core::client::Limits;
use domino_core::step::{Format, Step, Subject, TlsFlags, block_on, duration};
use stage_file::StageFile;

use self::finding::Finding;
use self::visit::Visit;
use crate::error::Result;

/// The arguments of `cargo xtask doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stage to look at, as in stages.toml
    #[arg(long, value_name = "STAGE")]
    pub stage: String,
    /// The stage file; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// Certificates.
    #[command(flatten)]
    pub tls: TlsFlags,
    /// How long one request may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub request_timeout: Duration,
    /// Name each request and its answer's status on stderr
    #[arg(short, long)]
    pub verbose: bool,
    /// Multiplies every pause between requests; below 1 for tests
    #[arg(long = "pace", hide = true, env = "DOMINO_PACE", default_value_t = 1.0)]
    pub delay_scale: f64,
}

/// Looks at one stage's deployment and prints one line for each thing; the exit is 3 when something is to be done,
/// and 4 when something could not be reached or understood.
pub fn run(args: &Args) -> Result<ExitCode> {
    let file = StageFile::find(args.stages.as_deref())?;
    let stage = file.stage(&args.stage)?;
    let subject = Subject {
        program: "doctor",
        verb: "",
        entity: String::new(),
        stage: stage.name.clone(),
    };
    let mut step = Step::begin(subject, Format::Text);
    let limits = Limits {
        request: args.request_timeout,
        delay_scale: args.delay_scale,
        verbose: args.verbose,
        program: concat!("xtask-doctor/", env!("CARGO_PKG_VERSION")),
        ..Limits::default()
    };
    let visit = Visit::prepare(args.tls.applied_to(limits), &file, stage, &mut step)?;
    let findings = block_on(async {
        let (domino, github) = tokio::join!(deployment::look(&visit), github::look(&visit));
        Ok([vec![Finding::of_file(&file)], domino, github].concat())
    })?;
    for finding in &findings {
        step.log_to_stdout(&finding.to_string())?;
    }
    Ok(ExitCode::from(finding::exit(&findings) as u8))
}
