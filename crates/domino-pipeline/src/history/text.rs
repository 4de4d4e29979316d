//! The history as a table for people, and as Markdown.

use domino_core::step::markdown as literal;

use super::row::{Report, Row, View};

const COLUMNS: [&str; 7] = [
    "when (UTC)",
    "stage",
    "what",
    "commit",
    "by",
    "approved by",
    "",
];

/// The table, and below it what is missing.
pub(super) fn text(report: &Report) -> String {
    let mut text = format!("{}\n\n", report.title());
    if report.rows.is_empty() {
        text += "no receipt tells of anything\n";
    } else {
        let head = COLUMNS.map(str::to_owned);
        let lines: Vec<[String; 7]> = std::iter::once(head)
            .chain(report.rows.iter().map(cells))
            .collect();
        let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max();
        let widths: Vec<usize> = (0..COLUMNS.len())
            .map(|at| width(at).unwrap_or(0))
            .collect();
        for line in &lines {
            let cells = line.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            text += cells.join("  ").trim_end();
            text.push('\n');
        }
    }
    for (title, lines) in below(report) {
        text += &format!("\n{title}:\n");
        for line in lines {
            text += &format!("  {}\n", one_line(&line));
        }
    }
    text
}

/// The same in Markdown.
pub(super) fn markdown(report: &Report) -> String {
    let mut text = format!("### {}\n\n", literal(&report.title()));
    if report.rows.is_empty() {
        text += "no receipt tells of anything\n";
    } else {
        text += &format!(
            "| {} |\n|{}\n",
            COLUMNS.join(" | "),
            " --- |".repeat(COLUMNS.len())
        );
        for row in &report.rows {
            let cells = cells(row).map(|cell| literal(&cell));
            text += &format!("| {} |\n", cells.join(" | "));
        }
    }
    for (title, lines) in below(report) {
        text += &format!("\n**{title}**\n\n");
        for line in lines {
            text += &format!("- {}\n", literal(&one_line(&line)));
        }
    }
    text
}

/// What stands below the table, each with its title.
pub(super) fn below(report: &Report) -> Vec<(&'static str, Vec<String>)> {
    let mut parts = vec![
        ("Receipts that are not as they were", report.flaws.clone()),
        ("Deployed without a receipt", report.gaps().collect()),
        ("Not asked", report.not_asked.clone()),
    ];
    if !report.is_linked && matches!(report.view, View::Audit(_)) {
        let why = "these receipts do not name each other, so that one that is missing is not seen"
            .to_owned();
        parts.push(("Not checked", vec![why]));
    }
    parts.retain(|(_, lines)| !lines.is_empty());
    parts
}

fn cells(row: &Row) -> [String; 7] {
    let mut last = row.remarks();
    if row.outcome == "removed" {
        last.insert(0, row.outcome.clone());
    }
    [
        row.when(),
        row.stage.clone(),
        row.thing(),
        row.what(),
        row.by().to_owned(),
        row.approved_by.join(", "),
        last.join("; "),
    ]
    .map(|cell| one_line(&cell))
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
