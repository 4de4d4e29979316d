//! The log of a job on its three routes: `/v4`, the public API, and the oldest one, which returns HTML. The first two
//! page by the nanoseconds of the last line seen.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};

use super::job::{Job, ReportedLog};
use super::legacy::job_of;
use super::store::Jobs;
use crate::html::escaped;
use crate::id;
use crate::log::spelling::{Spelling, SpeltLine};
use crate::log::{Kind, LineFilter};
use crate::reply::{Answer, Failure, Put};
use crate::request::{Id, Of, Parameters};
use crate::users::Caller;

/// The most lines on one page.
const LIMIT: usize = 10_000;

pub(super) fn routes() -> Router<Arc<Jobs>> {
    let v4_path = "/v4/jobs/{job_id}/logsWithProblemSuggestions";
    Router::new()
        .route(v4_path, get(v4))
        .route("/api/jobs/beta/jobs/{job_id}/logs", get(public))
        .route(
            "/v1/projects/{owner}/{name}/run/{run_id}/stdout",
            get(legacy),
        )
}

/// One page of lines with what each API says beside it. Serialized straight from the lines, since a
/// log can be long.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    log_content: Vec<SpeltLine<'a>>,
    is_complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_link: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct V4Log<'a> {
    logset: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem_suggestion: Option<Value>,
}

#[derive(Serialize)]
struct PublicLog<'a> {
    logs: Content<'a>,
    metadata: Value,
}

/// The page that `parameters` ask for.
fn requested(
    job: &Job,
    spelling: Spelling,
    parameters: &Parameters,
) -> Result<(ReportedLog, Value), Failure> {
    let wanted = spelling.filter(parameters.text("logType"))?;
    let limit = parameters.size("limit", LIMIT)?.min(LIMIT);
    let after = parameters.number("latestTimeNano", 0)?;
    let mut pagination = json!({ "limit": limit });
    let mut offset = 0;
    if spelling == Spelling::V4 {
        offset = parameters.size("offset", 0)?;
        pagination["offset"] = offset.into();
    }
    let log = job.log_page(wanted, after, offset, limit);
    let latest = log.latest.map(|latest| latest.to_string());
    pagination.put("latestTimeNano", latest);
    Ok((log, pagination))
}

/// Where help about a problem would be.
fn help_link(jobs: &Jobs) -> String {
    format!("{}/", jobs.host.url)
}

async fn v4(
    State(jobs): Of<Jobs>,
    Caller(user): Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let job = jobs.seen_by(&user, &id)?;
    let (log, pagination) = requested(&job, Spelling::V4, &parameters)?;
    let suggestion = |problem| json!({ "problem": problem, "helpLink": help_link(&jobs) });
    let reply = V4Log {
        logset: Content {
            log_content: Spelling::V4.lines(&log.page),
            is_complete: log.is_complete,
            pagination: Some(pagination),
            problem: None,
            help_link: None,
        },
        problem_suggestion: job.problem().map(suggestion),
    };
    Ok(Json(reply).into_response())
}

async fn public(
    State(jobs): Of<Jobs>,
    Caller(user): Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let job = jobs.seen_by(&user, &id)?;
    let (log, pagination) = requested(&job, Spelling::Public, &parameters)?;
    let problem = job.problem();
    let reply = PublicLog {
        logs: Content {
            log_content: Spelling::Public.lines(&log.page),
            is_complete: log.is_complete,
            pagination: None,
            help_link: problem.as_ref().map(|_| help_link(&jobs)),
            problem,
        },
        metadata: json!({ "requestId": id::uuid(), "notices": [], "pagination": pagination }),
    };
    Ok(Json(reply).into_response())
}

async fn legacy(
    State(jobs): Of<Jobs>,
    Caller(user): Caller,
    Path((owner, name, run_id)): Path<(String, String, String)>,
) -> Answer {
    let job = job_of(&jobs, &user, &owner, &name, &run_id)?;
    Ok(Json(json!({
        "setup": html(&job, LineFilter::Only(Kind::Prepare)),
        "stdout": html(&job, LineFilter::Output),
    })))
}

fn html(job: &Job, wanted: LineFilter) -> String {
    let log = job.log_page(wanted, 0, 0, usize::MAX);
    let lines = log.page.lines.iter().map(|line| match line.kind {
        Kind::Stderr => format!(
            "<span class=\"text-danger\">{}</span>\n",
            escaped(&line.text)
        ),
        Kind::Prepare | Kind::Stdout => format!("{}\n", escaped(&line.text)),
    });
    format!("<pre>{}</pre>", lines.collect::<String>())
}
