//! How the result of a step is written to stdout.

use clap::ValueEnum;

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people.
    Text,
    /// Exactly one JSON document on stdout.
    Json,
}
