//! Logs of model APIs, converted to the shape that all our logs have. Both generations write them alike.

use serde::Deserialize;

use super::super::logs::{LogEntry, LogPage, LogPosition};
use crate::client::{ApiError, Reader};

/// A page of the log of a build, and the status of the build.
#[derive(Debug, Clone)]
pub struct BuildLog {
    /// The page; complete when the build has ended.
    pub page: LogPage,
    /// Whether the build failed.
    pub failed: bool,
}

/// A log on the wire. v4's specification wraps it into a list of one; both forms are read.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Wire {
    One(Log),
    Several(Vec<Log>),
}

#[derive(Default, Deserialize)]
pub(super) struct Log {
    #[serde(default)]
    status: String,
    #[serde(default)]
    logs: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    log: String,
    #[serde(default)]
    stream_type: String,
    #[serde(default)]
    time_nano: Option<serde_json::Number>,
    #[serde(default)]
    timestamp: Option<f64>,
}

impl Wire {
    fn log(self) -> Log {
        match self {
            Self::One(log) => log,
            Self::Several(logs) => logs.into_iter().next_back().unwrap_or_default(),
        }
    }

    pub(super) fn build(self) -> BuildLog {
        let log = self.log();
        let status = log.status.to_ascii_lowercase();
        let failed = status == "failed";
        BuildLog {
            failed,
            page: log.page(failed || status == "complete"),
        }
    }
}

impl Log {
    fn page(self, is_complete: bool) -> LogPage {
        let latest = self
            .logs
            .iter()
            .filter_map(|line| nanoseconds(line.time_nano.as_ref()?))
            .max();
        LogPage {
            is_complete,
            pagination: LogPosition {
                latest_time_nano: latest.map(|latest| latest.to_string()),
            },
            entries: self
                .logs
                .into_iter()
                .map(|line| LogEntry {
                    timestamp: line.timestamp.map_or_else(
                        || {
                            let nanoseconds = line.time_nano.as_ref().and_then(nanoseconds);
                            i64::try_from(nanoseconds.unwrap_or(0) / 1_000_000).unwrap_or(i64::MAX)
                        },
                        |milliseconds| milliseconds as i64,
                    ),
                    log_type: line.stream_type,
                    log: line.log,
                })
                .collect(),
        }
    }
}

/// The public API only says that it is a number, and a JavaScript server may write it as `1.76e18`.
fn nanoseconds(number: &serde_json::Number) -> Option<u128> {
    number
        .as_u64()
        .map(u128::from)
        .or_else(|| number.as_f64().map(|number| number as u128))
}

/// At most `most` lines of the log of instances.
pub(super) async fn instance_log(
    reader: &Reader,
    path: &str,
    position: &str,
    most: usize,
) -> Result<LogPage, ApiError> {
    let most = most.to_string();
    let mut query = since(position);
    query.push(("maxResults", &most));
    let log: Wire = reader.read(path, &query).await?;
    Ok(log.log().page(false))
}

/// The query of a page; empty for the beginning of the log.
pub(super) fn since(position: &str) -> Vec<(&str, &str)> {
    match position {
        "" | "0" => Vec::new(),
        position => vec![("sinceTimeNano", position)],
    }
}
