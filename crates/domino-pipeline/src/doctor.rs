//! `doctor`: looks at a live deployment, as far as the stages need it, and says what is well and what to do.
//!
//! It only reads, unless a write probe is asked for. What the deploy programs would look for is looked for here by the same code, so
//! that both come to the same verdict. Every stage is visited with a token of its own, all of them side by side.

mod clock;
mod deployment;
mod endpoints;
mod finding;
mod from_runner;
mod git_access;
mod github;
mod placement;
mod report;
mod specs;
mod visit;
mod write_probe;

use std::path::PathBuf;
use std::process::ExitCode;

use domino_core::client::Limits;
use domino_core::step::{self, Step, Subject, block_on};
use futures_util::future::join_all;
use jiff::Timestamp;
use stage_file::StageFile;

use self::finding::Finding;
use self::report::{Report, StageFindings};
use self::visit::Visit;
use crate::error::Result;
use crate::printed::{print, summarize};
use crate::request_flags::RequestFlags;
use crate::stage_token;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line for each thing
    Text,
    /// One JSON document
    Json,
    /// Markdown, for a step's summary
    Markdown,
}

/// The arguments of `domino-pipeline doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this stage, as in stages.toml; may be given several times. All of them when not given
    #[arg(long = "stage", value_name = "STAGE")]
    pub stages_asked: Vec<String>,
    /// The stage file; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// How it is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Also set one tag of its own at the newest version of each registered model, and delete it again: whether the
    /// experiment manager lets this account write
    #[arg(long)]
    pub write_probe: bool,
    /// Look at nothing, and write .github/workflows/doctor.yml, which runs the doctor upon the runners when it is started
    #[arg(long, conflicts_with_all = ["stages_asked", "format", "write_probe"])]
    pub from_runner: bool,
    /// How requests are made.
    #[command(flatten)]
    pub requests: RequestFlags,
}

/// Looks at the deployments of the stages and prints one line for each thing; the exit is 3 when something is to be done,
/// and 4 when something could not be reached or understood.
pub fn run(args: &Args) -> Result<ExitCode> {
    let file = StageFile::find(args.stages.as_deref())?;
    if args.from_runner {
        return from_runner::write(&file);
    }
    let stages = stage_token::stages(&file, &args.stages_asked)?;
    stage_token::one_host(&stages)?;
    let subject = Subject {
        program: "doctor",
        verb: "",
        entity: String::new(),
        stage: match stages[..] {
            [one] => one.name.clone(),
            _ => String::new(),
        },
    };
    let mut step = Step::begin(subject, step::Format::Text);
    let limits = Limits {
        program: concat!("xtask-doctor/", env!("CARGO_PKG_VERSION")),
        ..args.requests.limits(&step)
    };
    let visits = Visit::prepare_all(limits, &file, &stages, &mut step)?;
    let (report, interrupted) = block_on(async {
        let mut report = look(&file, &visits).await;
        if !args.write_probe {
            return Ok((report, None));
        }
        Ok(match write_probe::probe(&visits).await {
            Ok(found) => {
                for (stage, findings) in report.stages.iter_mut().zip(found) {
                    stage.findings.extend(findings);
                }
                (report, None)
            }
            Err(error) => (report, Some(error)),
        })
    })?;
    let text = match args.format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string_pretty(&report)?,
        Format::Markdown => report.page(),
    };
    print(&mut step, &text)?;
    if args.format == Format::Markdown {
        summarize(&step, &text);
    }
    match interrupted {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::from(report.exit() as u8)),
    }
}

async fn look(file: &StageFile, visits: &[Visit<'_>]) -> Report {
    let looks = visits.iter().map(async |visit| {
        let (domino, github) = tokio::join!(deployment::look(visit), github::look(visit));
        StageFindings {
            stage: visit.stage.name.clone(),
            findings: [domino, github].concat(),
        }
    });
    let repository = async {
        match visits.first() {
            Some(visit) => github::repository(visit).await,
            None => Vec::new(),
        }
    };
    let (stages, repository) = tokio::join!(join_all(looks), repository);
    Report {
        format: 1,
        at: Timestamp::now(),
        file: Finding::of_file(file),
        stages,
        repository,
    }
}
