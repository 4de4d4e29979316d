//! The history as a table for a spreadsheet. A cell that a spreadsheet would take for a formula is made text.

use super::row::{Report, Row};
use crate::error::{Result, VerbError};

const HEAD: [&str; 15] = [
    "at",
    "stage",
    "kind",
    "entity",
    "commit",
    "version",
    "outcome",
    "author",
    "started by",
    "approved by",
    "data plane",
    "workflow run",
    "remarks",
    "source",
    "receipt",
];

/// The whole table; what is wrong with the receipts stands in rows of its own at the end.
pub(super) fn csv(report: &Report) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: &[String]| {
        let cells = cells.iter().map(|cell| safe(cell));
        writer.write_record(cells).map_err(cannot)
    };
    write(&HEAD.map(str::to_owned))?;
    for row in &report.rows {
        write(&cells(row))?;
    }
    for flaw in &report.flaws {
        let mut cells = [const { String::new() }; HEAD.len()];
        cells[6] = "not as it was".into();
        cells[12].clone_from(flaw);
        write(&cells)?;
    }
    for why in &report.not_asked {
        let mut cells = [const { String::new() }; HEAD.len()];
        cells[6] = "not asked".into();
        cells[12].clone_from(why);
        write(&cells)?;
    }
    let bytes = writer.into_inner().map_err(cannot)?;
    String::from_utf8(bytes).map_err(cannot)
}

fn cannot(problem: impl std::fmt::Display) -> VerbError {
    VerbError::new(format!("the table cannot be written: {problem}"))
}

fn cells(row: &Row) -> [String; HEAD.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        row.at.map(|at| at.to_string()).unwrap_or_default(),
        row.stage.clone(),
        row.kind.to_owned(),
        row.entity.clone(),
        row.commit.clone(),
        text(&row.version),
        row.outcome.clone(),
        text(&row.author),
        text(&row.started_by),
        row.approved_by.join("; "),
        text(&row.data_plane),
        text(&row.workflow_run),
        row.remarks().join("; "),
        row.source.to_owned(),
        text(&row.receipt),
    ]
}

/// One line, and no formula: an apostrophe before it makes it text.
fn safe(cell: &str) -> String {
    let cell = cell.replace(['\n', '\r', '\t'], " ");
    match cell.trim_start().starts_with(['=', '+', '-', '@']) {
        true => format!("'{cell}"),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::View;
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text_and_what_would_end_a_cell_is_quoted() {
        let mut row = Row::without("GitHub", "prod", "abc");
        row.author = Some("=HYPERLINK(\"http://example.com\")".into());
        row.started_by = Some(" @SUM(1)".into());
        row.approved_by = vec!["ann, \"the\nboss\"".into()];
        let report = Report {
            rows: vec![row],
            flaws: vec!["-1".into()],
            ..Report::of(View::All)
        };
        let text = csv(&report).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("at,stage,kind,entity,commit"));
        assert!(
            lines[1].contains(",\"'=HYPERLINK(\"\"http://example.com\"\")\",' @SUM(1),"),
            "{text}"
        );
        assert!(lines[1].contains(",\"ann, \"\"the boss\"\"\","), "{text}");
        assert!(lines[2].contains(",'-1,"), "{text}");
    }
}
