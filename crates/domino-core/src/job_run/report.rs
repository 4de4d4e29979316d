//! What a person sees of a run: its page, its status while it runs, and the report at its end.

use std::time::Duration;

use crate::api::jobs::{Job as Run, JobId};
use crate::api::projects::Project;
use crate::step::{Report, StepContext};
use crate::wait::Span;

/// The status of a run, for the progress line.
pub(super) fn status_line(run: &Run) -> String {
    let word = run.statuses.execution_status.word();
    let why = run
        .queued_job_history_details
        .as_ref()
        .and_then(|details| details.explanation.as_deref());
    match why.filter(|why| !why.is_empty() && run.stage_time.run_start_time.is_none()) {
        Some(why) => format!("run {}: {word} ({why})", run.number),
        None => format!("run {}: {word}", run.number),
    }
}

/// The page of a run, for people.
pub fn link(context: &StepContext, project: &Project, id: &JobId) -> String {
    format!(
        "{}/jobs/{}/{}/{id}/logs",
        context.connection.host().as_str(),
        project.name.owner,
        project.name.name
    )
}

/// Adds what is known about a run to the report.
pub fn describe(report: &mut Report, context: &StepContext, project: &Project, run: &Run) {
    let link = link(context, project, &run.id);
    let status = run.statuses.execution_status.word();
    report
        .output("id", run.id.as_str())
        .output("number", run.number.to_string());
    report.output("url", &link).output("status", status);
    report
        .fact("run", format!("{} ({})", run.number, run.id))
        .fact("status", status)
        .fact("link", &link);
    let times = &run.stage_time;
    if let Some(started) = times.run_start_time {
        report.fact(
            "waited",
            Span(between(times.submission_time, started)).to_string(),
        );
        if let Some(completed) = times.completed_time {
            report.fact("ran", Span(between(started, completed)).to_string());
        }
    }
    if !run.domino_stats.is_empty() {
        let stats: Vec<String> = run
            .domino_stats
            .iter()
            .map(|stat| match &stat.value {
                serde_json::Value::String(text) => format!("{} {text}", stat.name),
                other => format!("{} {other}", stat.name),
            })
            .collect();
        report.fact("reported", stats.join(", "));
    }
}

/// How long a last look may take: the step has already failed.
const LOOK: Duration = Duration::from_secs(10);

/// Reports the present state of the run in place of its last known one.
pub async fn report_what_is(
    report: &mut Report,
    context: &StepContext,
    project: &Project,
    id: &JobId,
) {
    report.forget(&["status"]);
    let reader = context.connection.reader();
    if let Ok(Ok(Some(run))) = tokio::time::timeout(LOOK, reader.job(id)).await {
        describe(report, context, project, &run);
    }
}

fn between(from: i64, to: i64) -> Duration {
    Duration::from_millis(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
}
