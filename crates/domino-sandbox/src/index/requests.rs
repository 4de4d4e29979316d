//! The part of the index with every request that waits, each with a button to approve and one to reject it.

use axum::http::HeaderMap;

use crate::decisions::{Decisions, Waiting};
use crate::html::escaped;

/// The requests as a part of the index. Without a token there are no buttons.
pub(super) fn section(decisions: &Decisions, headers: &HeaderMap) -> String {
    let waiting = decisions.waiting();
    if waiting.is_empty() {
        return "<p>Nothing waits for an approval.</p>".to_owned();
    }
    let token = decisions.desk.token(headers);
    let rows: String = waiting.iter().map(|request| row(request, token)).collect();
    format!(
        "<table id=\"requests\"><tr><th>request</th><th>by rule</th><th>project</th>\
         <th>asked by</th><th></th></tr>\n{rows}</table>"
    )
}

fn row(request: &Waiting, token: Option<&str>) -> String {
    let buttons = match (token, request.approvers.first()) {
        (Some(token), Some(approver)) => format!(
            "<form method=\"post\" action=\"/sandbox/decisions\">\
             <input type=\"hidden\" name=\"token\" value=\"{token}\">\
             <input type=\"hidden\" name=\"id\" value=\"{}\">\
             <input type=\"hidden\" name=\"by\" value=\"{}\">\
             <button class=\"yes\" name=\"decision\" value=\"approve\">Approve</button> \
             <button class=\"no\" name=\"decision\" value=\"reject\">Reject</button> \
             <small>as {}</small></form>",
            escaped(&request.id),
            escaped(approver),
            escaped(approver),
        ),
        _ => String::new(),
    };
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{buttons}</td></tr>\n",
        escaped(&request.what),
        escaped(&request.rule),
        escaped(&request.project),
        escaped(&request.requested_by),
    )
}
