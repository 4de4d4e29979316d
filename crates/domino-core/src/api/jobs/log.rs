//! The log of a job, by v4's route, or the public API's if a deployment does not have v4's.

use serde::Deserialize;

use super::JobId;
use crate::api::logs::{LogEntry, LogPage, LogPosition};
use crate::client::{ApiError, Reader, segment};

#[derive(Deserialize)]
struct V4Log {
    logset: LogPage,
}

#[derive(Deserialize)]
struct PublicLog {
    logs: PublicPage,
    metadata: PublicMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicPage {
    log_content: Vec<PublicEntry>,
    #[serde(default)]
    is_complete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicEntry {
    timestamp: String,
    log_type: String,
    log: String,
}

#[derive(Deserialize)]
struct PublicMetadata {
    #[serde(default)]
    pagination: LogPosition,
}

impl Reader {
    /// `GET /v4/jobs/{id}/logsWithProblemSuggestions`, and on a deployment that does not have it `GET
    /// /api/jobs/beta/jobs/{id}/logs`: one page of the log from `position` on, at most `limit` lines (10000 is
    /// Domino's own limit). Contract: v4 and the public API.
    pub async fn job_log(
        &self,
        id: &JobId,
        position: &str,
        limit: usize,
    ) -> Result<LogPage, ApiError> {
        let id = segment(id.as_str());
        let limit = limit.to_string();
        let query = [
            ("logType", "console"),
            ("limit", limit.as_str()),
            ("offset", "0"),
            ("latestTimeNano", position),
        ];
        let path = format!("/v4/jobs/{id}/logsWithProblemSuggestions");
        let missing = match self.read::<V4Log>(&path, &query).await {
            Err(error) if error.is_unknown_route() => error,
            reply => return reply.map(|reply| reply.logset),
        };
        let query = [
            ("logType", "complete"),
            ("limit", limit.as_str()),
            ("latestTimeNano", position),
        ];
        let path = format!("/api/jobs/beta/jobs/{id}/logs");
        match self.read::<PublicLog>(&path, &query).await {
            Err(error) if error.is_unknown_route() => Err(missing),
            reply => reply.map(LogPage::from),
        }
    }
}

impl From<PublicLog> for LogPage {
    fn from(reply: PublicLog) -> Self {
        Self {
            entries: reply.logs.log_content.into_iter().map(Into::into).collect(),
            is_complete: reply.logs.is_complete,
            pagination: reply.metadata.pagination,
        }
    }
}

/// The public API writes times in RFC 3339 and `stdOut`; v4 writes milliseconds and `stdout`.
impl From<PublicEntry> for LogEntry {
    fn from(entry: PublicEntry) -> Self {
        let time = entry.timestamp.parse::<jiff::Timestamp>();
        Self {
            timestamp: time.map_or(0, jiff::Timestamp::as_millisecond),
            log_type: entry.log_type.to_ascii_lowercase(),
            log: entry.log,
        }
    }
}
