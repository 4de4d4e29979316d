//! `status`: what runs of each entity in each stage, since when and by whom, and where it differs from the stage
//! file.
//!
//! It only reads: it has no writer. Every stage is read with a token of its own, all of them side by side, and one
//! that cannot be read hides none of the others.

pub mod answer;
mod apps;
mod compare;
pub mod deployed;
mod drift_issue;
mod jobs;
mod left_over;
pub(crate) mod look;
mod markdown;
mod models;
pub(crate) mod page;
mod places;
mod seen;
mod table;
mod waiting;
mod watch;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use domino_core::client::Limits;
use domino_core::error::{CommandError, Exit};
use domino_core::step::{self, Step, Subject, TlsFlags, block_on, duration};
use stage_file::StageFile;

use self::answer::Status;
use self::look::Look;
use crate::error::{Result, VerbError};
use crate::printed::{print, summarize};
use crate::request_flags::PROGRAM;
use crate::stage_token;

/// How the status is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people
    Text,
    /// One JSON document
    Json,
    /// Markdown, for an issue or a step's summary
    Markdown,
    /// One page that stands by itself
    Html,
}

/// The arguments of `domino-pipeline status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these stages, as in stages.toml; all of them when not given
    #[arg(long = "stage", value_name = "STAGE")]
    pub stages_asked: Vec<String>,
    /// The stage file; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// How it is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// End with exit 8 when something differs from stages.toml, is down, or is not there
    #[arg(long)]
    pub exit_code: bool,
    /// Keep one issue of the GitHub repository about what differs: opened, updated and closed by itself
    #[arg(long)]
    pub issue: bool,
    /// Look again and again until Ctrl-C, on a terminal
    #[arg(long)]
    pub watch: bool,
    /// Certificates.
    #[command(flatten)]
    pub tls: TlsFlags,
    /// How long one request may take; a stage may take twice that
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub request_timeout: Duration,
    /// Name each request and its answer's status on stderr
    #[arg(short, long)]
    pub verbose: bool,
    /// Multiplies every pause between requests; below 1 for tests
    #[arg(long = "pace", hide = true, env = "DOMINO_PACE", default_value_t = 1.0)]
    pub delay_scale: f64,
}

/// Looks at all stages and shows them; the exit is 8 when something differs and that was asked for, and that of the
/// trouble when a stage could not be looked at.
pub fn run(args: &Args) -> Result<ExitCode> {
    let file = StageFile::find(args.stages.as_deref())?;
    let stages = stage_token::stages(&file, &args.stages_asked)?;
    if args.watch && (args.format != Format::Text || !std::io::stdout().is_terminal()) {
        let error = VerbError::usage("`--watch` shows a table on a terminal, and this is none");
        return Err(error.hint("leave it away, or look at a page: `--format html`"));
    }
    let subject = Subject {
        program: "domino-pipeline",
        verb: "status",
        entity: String::new(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, step::Format::Text);
    let limits = Limits {
        request: args.request_timeout,
        delay_scale: args.delay_scale,
        verbose: args.verbose,
        scrubber: step.scrubber().clone(),
        program: PROGRAM,
        ..Limits::default()
    };
    let limits = args.tls.applied_to(limits);
    let look = Look::prepare(limits.clone(), &file, stages, args.issue, &mut step)?;
    if args.watch {
        return watch::watch(&look, &step);
    }
    let status = block_on(async {
        let status = look.look().await;
        if args.issue {
            drift_issue::keep(&status, &file, limits, &mut step).await?;
        }
        Ok::<_, CommandError>(status)
    })?;
    if args.format == Format::Text {
        for warning in status.stages.iter().flat_map(|stage| &stage.warnings) {
            step.warn(warning, None);
        }
    }
    let text = written(&status, &file, args.format)?;
    print(&mut step, &text)?;
    if args.format == Format::Markdown {
        summarize(&step, &text);
    }
    let trouble = status.exit_of_trouble();
    Ok(ExitCode::from(match trouble {
        0 if args.exit_code && status.differs() => Exit::Differs as u8,
        trouble => trouble,
    }))
}

fn written(status: &Status, file: &StageFile, format: Format) -> Result<String> {
    let path = file.path.display().to_string();
    Ok(match format {
        Format::Text => table::text(status, &path, rehearsal::console::width()),
        Format::Json => serde_json::to_string_pretty(status)?,
        Format::Markdown => markdown::page(status, &path),
        Format::Html => page::page(status, &path),
    })
}
