//! The history as one page that stands by itself: no script, nothing from elsewhere, and whatever comes from others is
//! text in it.

use super::row::{Report, Row};
use super::text::below;
use crate::status::page::escaped;

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let title = escaped(&report.title());
    let rows: String = report.rows.iter().map(row).collect();
    let head = [
        "When (UTC)",
        "Stage",
        "What",
        "Commit",
        "By",
        "Approved by",
        "Remarks",
    ]
    .map(|name| format!("<th scope=\"col\">{name}</th>"))
    .concat();
    let parts: String = below(report)
        .into_iter()
        .map(|(title, lines)| {
            let lines: String = lines
                .iter()
                .map(|line| format!("<li>{}</li>\n", escaped(line)))
                .collect();
            format!(
                "<section class=\"missing\">\n<h2>{title}</h2>\n<ul>\n{lines}</ul>\n</section>\n"
            )
        })
        .collect();
    let count = report.rows.len();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p>{count} deployments</p>\n{parts}\
         <div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Deployments\">\n<table>\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n</div>\n</body>\n</html>\n"
    )
}

fn row(row: &Row) -> String {
    let class = match row.receipt {
        Some(_) => "",
        None => " class=\"gap\"",
    };
    let what = match row
        .workflow_run
        .as_deref()
        .filter(|url| url.starts_with("https://"))
    {
        Some(url) => format!("<a href=\"{}\">{}</a>", escaped(url), escaped(&row.what())),
        None => escaped(&row.what()),
    };
    let cells = [
        escaped(&row.when()),
        escaped(&row.stage),
        escaped(&row.thing()),
        what,
        escaped(row.by()),
        escaped(&row.approved_by.join(", ")),
        escaped(&row.remarks().join("; ")),
    ];
    let cells = cells.map(|cell| format!("<td>{cell}</td>")).concat();
    format!("<tr{class}>{cells}</tr>\n")
}

#[cfg(test)]
mod tests {
    use super::super::row::View;
    use super::*;

    #[test]
    fn what_others_wrote_is_text_and_no_script_address_is_a_link() {
        let mut hostile = Row::without("GitHub", "<b>", "abc");
        hostile.author = Some("<script>x</script>".into());
        hostile.workflow_run = Some("javascript:alert(1)".into());
        let report = Report {
            rows: vec![hostile],
            ..Report::of(View::All)
        };
        let page = page(&report);
        assert!(page.contains("&lt;script&gt;x&lt;/script&gt;"));
        assert!(!page.contains("<script") && !page.contains("javascript:"));
        assert!(page.contains("<tr class=\"gap\">"));
        assert!(page.contains("Deployed without a receipt"));
    }
}
