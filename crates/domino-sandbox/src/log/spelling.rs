//! How the two newer APIs spell the lines of a log and the kinds of lines one may ask for.

use serde::Serialize;
use serde_json::Value;

use super::{Kind, LineFilter, LogPage};
use crate::reply::Failure;

/// Whose words are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Lower case, and times in epoch milliseconds.
    V4,
    /// Camel case, and times in RFC 3339.
    Public,
}

/// A line as it stands in a reply.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpeltLine<'a> {
    timestamp: Value,
    log_type: &'static str,
    log: &'a str,
    size: usize,
}

impl Spelling {
    /// The lines of `page`.
    pub(crate) fn lines(self, page: &LogPage) -> Vec<SpeltLine<'_>> {
        let lines = page.lines.iter();
        lines
            .map(|line| SpeltLine {
                timestamp: match self {
                    Spelling::V4 => line.at.milliseconds(),
                    Spelling::Public => line.at.rfc3339(),
                },
                log_type: self.kind(line.kind),
                log: &line.text,
                size: line.text.len(),
            })
            .collect()
    }

    fn kind(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Spelling::V4, Kind::Prepare) => "prepareoutput",
            (Spelling::V4, Kind::Stdout) => "stdout",
            (Spelling::V4, Kind::Stderr) => "stderr",
            (Spelling::Public, Kind::Prepare) => "prepareOutput",
            (Spelling::Public, Kind::Stdout) => "stdOut",
            (Spelling::Public, Kind::Stderr) => "stdErr",
        }
    }

    /// What a `logType` asks for, compared without case. The `console` of `/v4` is all of it:
    /// there is another word for what the program alone said.
    pub(crate) fn filter(self, log_type: Option<&str>) -> Result<LineFilter, Failure> {
        let Some(log_type) = log_type else {
            return Ok(LineFilter::All);
        };
        match (self, log_type.to_ascii_lowercase().as_str()) {
            (_, "stdout") => Ok(LineFilter::Only(Kind::Stdout)),
            (_, "stderr") => Ok(LineFilter::Only(Kind::Stderr)),
            (_, "prepareoutput") => Ok(LineFilter::Only(Kind::Prepare)),
            (Spelling::V4, "stdoutstderr") => Ok(LineFilter::Output),
            (Spelling::V4, "console") | (Spelling::Public, "complete") => Ok(LineFilter::All),
            _ => Err(Failure::bad_request(format!(
                "Unknown log type: {log_type}"
            ))),
        }
    }
}
