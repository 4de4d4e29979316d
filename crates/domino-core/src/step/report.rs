//! What a step is about, its results so far, and how it ended.

use serde::Serialize;

use super::plan::Fact;
use crate::scrubber::Scrubber;

/// What a step is about: `deploy-job start`, job `train`, stage `dev`.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    /// The program's name, such as `deploy-job`.
    pub program: &'static str,
    /// The verb of the program that was called, such as `start`.
    pub verb: &'static str,
    /// The entity's name, as in the stage file.
    pub entity: String,
    /// The stage's name, once known.
    pub stage: String,
}

/// The results so far.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What was done: ids, versions, times.
    pub facts: Vec<Fact>,
    /// Step outputs by name.
    pub outputs: Vec<(&'static str, String)>,
    /// Remarks that a reader of the summary must not miss.
    pub notes: Vec<String>,
    /// The list that was asked for; written to stdout.
    pub table: Option<Table>,
    /// An excerpt of a remote log, with its title.
    pub excerpt: Option<Excerpt>,
    /// Markdown of our own making for the summary, in place of the table.
    #[serde(skip)]
    pub sheet: Option<String>,
    /// The same as a page of HTML.
    #[serde(skip)]
    pub html: Option<String>,
    /// The same as data, for the JSON document.
    #[serde(skip)]
    pub data: Option<serde_json::Value>,
    /// The id of the version of an app or endpoint that runs now, for the receipt.
    #[serde(skip)]
    pub version_id: Option<String>,
    /// What the smoke test said that it passed, for the receipt.
    #[serde(skip)]
    pub smoke_test: Option<String>,
    /// The command to run next.
    pub next: Option<String>,
}

/// The headings of the columns.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// The headings of the columns.
    pub columns: Vec<&'static str>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<String>>,
}

/// What the log is of.
#[derive(Debug, Clone, Serialize)]
pub struct Excerpt {
    /// What the log is of.
    pub title: String,
    /// The lines, oldest first, without line breaks.
    pub lines: Vec<String>,
    /// Whether the person has already seen them live.
    #[serde(skip)]
    pub was_live: bool,
}

/// How a step ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something was done.
    Done,
    /// Nothing had to be done.
    Unchanged,
    /// Nothing was done because only the plan was asked for.
    Planned,
}

/// How it ended.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// How it ended.
    pub outcome: Outcome,
    /// The sentence.
    pub headline: String,
}

impl StepResult {
    /// Something was done.
    pub fn done(headline: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Done,
            headline: headline.into(),
        }
    }

    /// Everything was as wanted.
    pub fn unchanged(headline: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Unchanged,
            headline: headline.into(),
        }
    }

    /// Only the plan was asked for.
    pub fn planned() -> Self {
        Self {
            outcome: Outcome::Planned,
            headline: "only planned: nothing was changed".into(),
        }
    }
}

impl Report {
    /// Adds a fact, replacing an earlier one of that name.
    pub fn fact(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        match self.facts.iter_mut().find(|fact| fact.name == name) {
            Some(fact) => fact.value = value,
            None => self.facts.push(Fact { name, value }),
        }
        self
    }

    /// Removes the facts and outputs of these names, because they are no longer true.
    pub fn forget(&mut self, names: &[&str]) {
        self.facts.retain(|fact| !names.contains(&fact.name));
        self.outputs.retain(|(name, _)| !names.contains(name));
    }

    /// Adds a step output, replacing an earlier one of that name. It is also a fact for the reader.
    pub fn output(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        match self.outputs.iter_mut().find(|(known, _)| *known == name) {
            Some(output) => output.1 = value,
            None => self.outputs.push((name, value)),
        }
        self
    }
}

/// A table as text, its columns aligned.
pub(super) fn table_as_text(table: &Table) -> String {
    let lines: Vec<Vec<&str>> = std::iter::once(table.columns.clone())
        .chain(
            table
                .rows
                .iter()
                .map(|row| row.iter().map(String::as_str).collect()),
        )
        .collect();
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    lines
        .iter()
        .map(|line| {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}", cell = cell.replace('\n', " ")))
                .collect();
            format!("{}\n", cells.join("  ").trim_end())
        })
        .collect()
}

/// The step outputs, each a single line.
pub(super) fn outputs(report: &Report, scrubber: &Scrubber) -> Vec<(String, String)> {
    report
        .outputs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), scrubber.clean(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_table_are_aligned_and_no_line_ends_in_blanks() {
        let table = Table {
            columns: vec!["endpoint", "status"],
            rows: vec![
                vec!["wine-dev".into(), "Running".into()],
                vec!["wine-staging".into(), String::new()],
            ],
        };
        assert_eq!(
            table_as_text(&table),
            "endpoint      status\nwine-dev      Running\nwine-staging\n"
        );
    }
}
