//! What `history` is asked for on its command line.

use std::path::PathBuf;
use std::time::Duration;

use domino_core::step::{TlsFlags, duration};
use jiff::tz::TimeZone;

use super::time::zone;

/// How the history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people
    Text,
    /// One JSON document
    Json,
    /// Markdown, for a step's summary
    Markdown,
    /// One page that stands by itself
    Html,
    /// A table for a spreadsheet
    Csv,
}

/// The arguments of `domino-pipeline history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these stages
    #[arg(long = "stage", value_name = "STAGE")]
    pub(super) stages_asked: Vec<String>,
    /// Only these jobs, apps and models
    #[arg(long = "entity", value_name = "NAME")]
    pub(super) entities: Vec<String>,
    /// What ran at this time: a date (at its end), or a date and time, with a zone or in `--timezone`
    #[arg(long, value_name = "TIME", conflicts_with = "audit")]
    pub(super) at: Option<String>,
    /// Who approved what between two dates, both included, with the gaps named: `2026-10-01..2026-12-31`
    #[arg(long, value_name = "FROM..TO")]
    pub(super) audit: Option<String>,
    /// The time zone of dates that name none, by its IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    pub(super) timezone: TimeZone,
    /// How it is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// End with exit 8 when a receipt was altered or left out, or an audit has a gap
    #[arg(long)]
    pub(super) exit_code: bool,
    /// Read receipts from this folder, such as that of downloaded artifacts, in place of the notes
    #[arg(long, value_name = "DIR")]
    pub(super) receipts: Option<PathBuf>,
    /// The repository on this machine; when not given, the one here
    #[arg(long, value_name = "DIR")]
    pub(super) repository: Option<PathBuf>,
    /// Do not fetch the notes from `origin`: what is here counts
    #[arg(long)]
    pub(super) offline: bool,
    /// The stage file, for an audit; when not given, stages.toml here or in a folder above
    #[arg(long, value_name = "FILE")]
    pub(super) stages: Option<PathBuf>,
    /// Certificates.
    #[command(flatten)]
    pub(super) tls: TlsFlags,
    /// How long one request of an audit may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) request_timeout: Duration,
}
