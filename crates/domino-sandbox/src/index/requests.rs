//! What the index shows of requests that wait: a card for each, with a button to approve and one to reject it.

use axum::http::HeaderMap;

use crate::decisions::{Decisions, Waiting};
use crate::html::escaped;

/// The cards of the requests. Without a token there are no buttons.
pub(super) fn section(decisions: &Decisions, headers: &HeaderMap) -> String {
    let waiting = decisions.waiting();
    if waiting.is_empty() {
        return "<p>Nothing waits for an approval.</p>".to_owned();
    }
    let token = decisions.desk.token(headers);
    waiting.iter().map(|request| card(request, token)).collect()
}

fn card(request: &Waiting, token: Option<&str>) -> String {
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
        "<article class=\"card under-way\"><h3>{}</h3><p class=\"badge\">waits</p><dl>\
         <div><dt>by rule</dt><dd>{}</dd></div><div><dt>project</dt><dd>{}</dd></div>\
         <div><dt>asked by</dt><dd>{}</dd></div></dl>{buttons}</article>\n",
        escaped(&request.what),
        escaped(&request.rule),
        escaped(&request.project),
        escaped(&request.requested_by),
    )
}
