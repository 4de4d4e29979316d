//! The parts that every page for a person is made of. Each noun writes its own content.

pub(crate) mod card;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::clock::Moment;
use crate::log::{Kind, LineFilter, Log};

/// The most lines of a log that a page shows; the API has the rest.
const LINES: usize = 5000;

/// `text`, escaped for HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The style of every page, for a light and a dark screen.
const STYLE: &str = include_str!("html/page.css");
/// The script that reloads a page about something that has not ended. It loads nothing except the page itself.
const LIVE: &str = include_str!("html/live.js");

/// A whole page. One about something that has not ended reloads by itself, and keeps the focus.
pub(crate) fn page(title: &str, is_settled: bool, content: &str) -> Html<String> {
    let live = match is_settled {
        true => String::new(),
        false => format!("<script>\n{LIVE}</script>"),
    };
    let title = escaped(title);
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"data:,\">\
         <style>\n{STYLE}</style></head><body><h1>{title}</h1>\n<main>{content}</main>{live}</body></html>\n"
    ))
}

/// The beginning of a commit's id; the whole id is shown to a person who points at it.
pub(crate) fn commit(id: Option<&str>) -> String {
    let Some(id) = id else {
        return String::new();
    };
    let short: String = id.chars().take(7).collect();
    format!("<code title=\"{}\">{}</code>", escaped(id), escaped(&short))
}

/// A moment, to the second.
pub(crate) fn moment(at: Moment) -> String {
    let at = at.rfc3339();
    let at = at.as_str().unwrap_or_default();
    let minute = at.get(..16).unwrap_or(at).replace('T', " ");
    format!("<time datetime=\"{at}\">{minute} UTC</time>")
}

/// The end of `log`, which for most is all of it.
pub(crate) fn log_lines(log: &Log) -> String {
    let first = log.len().saturating_sub(LINES);
    let lines: String = log
        .page(LineFilter::All, 0, first, LINES, 0)
        .lines
        .iter()
        .map(|line| {
            let kind = match line.kind {
                Kind::Prepare => "prepare",
                Kind::Stdout => "stdout",
                Kind::Stderr => "stderr",
            };
            format!("<span class=\"{kind}\">{}</span>\n", escaped(&line.text))
        })
        .collect();
    let cut = match first {
        0 => String::new(),
        first => format!("<p>{first} earlier lines are left out.</p>"),
    };
    format!("{cut}<pre>{lines}</pre>")
}

pub(crate) fn nothing_here() -> Response {
    let content = "<p>There is no such page. <a href=\"/\">What there is</a></p>";
    (StatusCode::NOT_FOUND, page("Not found", true, content)).into_response()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_in_a_log_stays_text() {
        assert_eq!(
            escaped("<b a=\"'&'\">"),
            "&lt;b a=&quot;&#39;&amp;&#39;&quot;&gt;"
        );
    }
}
