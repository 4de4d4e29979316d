//! A page of a remote log, in the shape that jobs, apps and builds share.

use serde::Deserialize;

/// One page of a log, and whether more follows.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPage {
    /// The entries, oldest first.
    #[serde(rename = "logContent")]
    pub entries: Vec<LogEntry>,
    /// Whether nothing more will come.
    #[serde(default)]
    pub is_complete: bool,
    /// Where the next page begins.
    #[serde(default)]
    pub pagination: LogPosition,
}

/// One entry of a log, usually one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// When it was written, in epoch milliseconds.
    #[serde(default)]
    pub timestamp: i64,
    /// `stdout`, `stderr`, `prepareoutput` or `complete`.
    #[serde(default)]
    pub log_type: String,
    /// The text, with or without a line break at its end.
    pub log: String,
}

/// How far a log has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPosition {
    /// Epoch nanoseconds of the last entry, as a string. Apps call it `latestTime`.
    #[serde(default, alias = "latestTime")]
    pub latest_time_nano: Option<String>,
}
