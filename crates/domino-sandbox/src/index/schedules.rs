//! The part of the index with every scheduled job: when it fires, and which commit its runs take.

use serde_json::Value;

use crate::html::{commit, escaped};
use crate::scheduled_jobs::ScheduledJobs;

/// The scheduled jobs as a part of the index.
pub(super) fn section(schedules: &ScheduledJobs) -> String {
    let state = schedules.state();
    let all = state.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "<p>None so far.</p>".to_owned();
    }
    let rows: String = all.iter().map(row).collect();
    format!(
        "<table id=\"schedules\"><tr><th>schedule</th><th>when</th><th></th><th>commit</th><th>hardware tier</th>\
         <th>runs as</th></tr>\n{rows}</table>"
    )
}

fn row(one: &Value) -> String {
    let text = |pointer: &str| {
        let value = one.pointer(pointer).and_then(Value::as_str);
        escaped(value.unwrap_or_default())
    };
    let stands = match one["isPaused"].as_bool() {
        Some(true) => "<span class=\"staging\">paused</span>",
        _ => "<span class=\"yes\">fires</span>",
    };
    format!(
        "<tr><td>{}</td><td>{} ({})</td><td>{stands}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        text("/title"),
        text("/schedule/cronString"),
        text("/timezoneId"),
        commit(one.pointer("/mainRepoGitRef/value").and_then(Value::as_str)),
        text("/hardwareTierName"),
        text("/scheduledByUserName"),
    )
}
