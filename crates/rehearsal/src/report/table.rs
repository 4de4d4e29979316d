//! The table of steps, as wide as the console. What does not fit is cut, except links: those for which the table has
//! no room are printed below it, each on a line of its own, where a terminal can open them.

use crate::console::{Console, Look};

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Line {
    /// Workflow, job, step, result, duration and link, each on one line.
    pub cells: Cells,
    /// How it looks.
    pub look: Look,
}

/// The content of the columns.
pub type Cells = [String; 6];

const HEAD: [&str; 6] = ["workflow", "job", "step", "result", "duration", "link"];
const STEP: usize = 2;
const LINK: usize = 5;
/// The columns that may be cut, the most important one last.
const CUT: [usize; 3] = [STEP, 1, 0];
/// No column is cut to less than this.
const NARROWEST: usize = 8;
/// A step without a name shows its whole command line, so its column is limited.
const WIDEST_STEP: usize = 48;
const GAP: usize = 2;

/// Prints the table in at most `width` columns, and below it the links that did not fit.
pub fn show(lines: &[Line], console: &Console, width: usize) {
    let mut table: Vec<Cells> = lines.iter().map(|line| line.cells.clone()).collect();
    table.insert(0, HEAD.map(str::to_owned));
    for cells in &mut table {
        cells[STEP] = cut(&cells[STEP], WIDEST_STEP);
    }
    let links_below = total(&widths(&table)) > width;
    if links_below {
        for cells in &mut table {
            cells[LINK].clear();
        }
        narrow(&mut table, width);
    }
    let widths = widths(&table);
    for (at, cells) in table.iter().enumerate() {
        let look = match at {
            0 => Look::Bold,
            line => lines[line - 1].look,
        };
        console.line(look, &aligned(cells, &widths));
    }
    if links_below {
        show_links(lines, console);
    }
}

fn show_links(lines: &[Line], console: &Console) {
    let mut heading = Some("Links");
    for Line { cells, .. } in lines {
        let [workflow, job, step, _, _, link] = cells;
        if link.is_empty() {
            continue;
        }
        if let Some(heading) = heading.take() {
            console.blank();
            console.line(Look::Bold, heading);
        }
        console.line(Look::Dim, &format!("{workflow} / {job}: {step}"));
        console.line(Look::Plain, link);
    }
}

fn widths(table: &[Cells]) -> [usize; 6] {
    std::array::from_fn(|column| {
        let widths = table.iter().map(|cells| cells[column].chars().count());
        widths.max().unwrap_or(0)
    })
}

fn total(widths: &[usize; 6]) -> usize {
    let columns = widths.iter().filter(|width| **width > 0);
    columns.map(|width| width + GAP).sum::<usize>() - GAP
}

/// Cuts one column after the other until the table fits or nothing is left to cut.
fn narrow(table: &mut [Cells], width: usize) {
    for column in CUT {
        let widths = widths(table);
        let over = total(&widths).saturating_sub(width);
        // A step that is cut to nothing says less than a job or a workflow that is cut as well.
        let narrowest = if column == STEP {
            2 * NARROWEST
        } else {
            NARROWEST
        };
        let room = widths[column].saturating_sub(over).max(narrowest);
        for cells in table.iter_mut() {
            cells[column] = cut(&cells[column], room);
        }
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 1).collect();
    format!("{}…", kept.trim_end())
}

fn aligned(cells: &Cells, widths: &[usize; 6]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width - cell.chars().count() + GAP));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::captured;

    fn at_width(width: usize) -> String {
        let line = |job: &str, step: &str, result: &str| Line {
            cells: [
                "deploy-models",
                job,
                step,
                result,
                "4.2 s",
                "http://127.0.0.1:41234/models/000000000000000000000001/latest/model",
            ]
            .map(str::to_owned),
            look: Look::Plain,
        };
        let lines = [
            line("deploy-staging", "Publish model wine-quality", "✓ success"),
            line(
                "deploy-production",
                "Ask for the move of wine-quality to prod",
                "✗ failed (exit 137)",
            ),
        ];
        let (console, text) = captured();
        show(&lines, &console, width);
        String::from_utf8(text.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn the_table_fits_and_links_are_whole() {
        for width in [80, 100, 120] {
            let text = at_width(width);
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert_eq!(text.matches("/latest/model\n").count(), 2, "{text}");
            assert!(text.contains("\n\nLinks\n"), "{text}");
            assert!(text.contains("✗ failed (exit 137)  4.2 s"), "{text}");
        }
        assert!(
            at_width(80).contains("Ask for the mov…"),
            "{}",
            at_width(80)
        );
        assert!(!at_width(200).contains("Links"), "{}", at_width(200));
    }
}
