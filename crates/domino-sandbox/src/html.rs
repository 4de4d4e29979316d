//! The parts that every page for a person is made of. Each noun writes its own content.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::log::{Kind, LineFilter, Log};

/// The most lines of a log that a page shows; the API has the rest.
const LINES: usize = 5000;

/// `text` as it may stand in HTML.
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

/// A whole page; one about something that still goes on looks again by itself.
pub(crate) fn page(title: &str, is_settled: bool, content: &str) -> Html<String> {
    let refresh = if is_settled {
        ""
    } else {
        "<meta http-equiv=\"refresh\" content=\"2\">"
    };
    let title = escaped(title);
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>{refresh}\
         <link rel=\"icon\" href=\"data:,\">\
         <style>\
         body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}}\
         table{{border-collapse:collapse}}td,th{{padding:.2rem 1rem .2rem 0;text-align:left}}\
         pre{{background:#f5f5f5;padding:1rem;overflow:auto}}\
         .prepare{{color:#777}}.stderr{{color:#a00}}\
         form{{margin:0}}button{{font:inherit;padding:.1rem .8rem}}.yes{{color:#060}}.no{{color:#a00}}\
         .production{{color:#060;font-weight:bold}}.staging{{color:#850}}.archived{{color:#777}}\
         </style></head><body><h1>{title}</h1>\n{content}</body></html>\n"
    ))
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
