//! The log of an instance, in `/v4` and beta. Both have two routes for it, one of which reads from the running
//! process instead of the stored log; here both answer alike.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::instance::Instance;
use crate::log::LineFilter;
use crate::log::spelling::{Spelling, SpeltLine};
use crate::reply::Failure;
use crate::request::Parameters;

/// The most lines on one page.
const LIMIT: usize = 10_000;

/// How a generation spells what it is asked for. Only names differ, not their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogDialect {
    V4,
    Beta,
}

/// Serialized straight from the lines, since a log can be long.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogSet<'a> {
    log_content: Vec<SpeltLine<'a>>,
    is_complete: bool,
    pagination: Value,
}

impl LogDialect {
    /// The name of the parameter with the moment after which a page begins.
    fn latest(self) -> &'static str {
        match self {
            LogDialect::V4 => "latestTimeNano",
            LogDialect::Beta => "latestTime",
        }
    }

    fn filter(self, log_type: Option<&str>) -> Result<LineFilter, Failure> {
        let lower = log_type.map(str::to_ascii_lowercase);
        match (self, lower.as_deref()) {
            (LogDialect::Beta, Some("complete")) => Ok(LineFilter::All),
            (LogDialect::Beta, Some("console" | "stdoutstderr")) => Err(Failure::bad_request(
                format!("Unknown log type: {}", log_type.unwrap_or_default()),
            )),
            _ => Spelling::V4.filter(log_type),
        }
    }

    /// The page of the log of `instance` that `parameters` ask for.
    pub(super) fn log(
        self,
        instance: &Instance,
        parameters: &Parameters,
    ) -> Result<Response, Failure> {
        let wanted = self.filter(parameters.text("logType"))?;
        let limit = parameters.size("limit", LIMIT)?.min(LIMIT);
        let offset = parameters.size("offset", 0)?;
        let after = parameters.number(self.latest(), 0)?;
        let (page, is_complete) = instance.log_page(wanted, after, offset, limit);
        let latest = page.lines.last().map(|line| line.at.nanoseconds());
        let log = LogSet {
            log_content: Spelling::V4.lines(&page),
            is_complete,
            pagination: json!({
                "limit": limit,
                "offset": offset,
                self.latest(): latest.unwrap_or(after).to_string(),
            }),
        };
        Ok(Json(log).into_response())
    }
}
