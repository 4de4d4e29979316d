//! What a rehearsal prints at its end: the table of steps, the annotations, one sentence, and the exit code.

mod table;

use std::time::Duration;

use self::table::Line;
use crate::console::{Console, Look};
use crate::workflow_command::{Annotation, Level};

/// A row of the table: a step, or a job none of whose steps is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in the order: the position of its workflow, and of its job in that.
    pub at: (usize, usize),
    /// The workflow, by its file's name without the ending.
    pub workflow: String,
    /// The job's key in its file.
    pub job: String,
    /// The step's name; empty in the row of a job.
    pub step: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, if it ran.
    pub took: Option<Duration>,
    /// The page where its result can be seen.
    pub link: Option<String>,
}

impl Row {
    fn line(&self) -> Line {
        let (result, look) = self.outcome.show();
        let cells = [
            self.workflow.clone(),
            self.job.clone(),
            self.step.clone(),
            result,
            self.took.map(duration).unwrap_or_default(),
            self.link.clone().unwrap_or_default(),
        ];
        Line {
            cells: cells.map(|cell| one_line(&cell)),
            look,
        }
    }
}

/// How a step or a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed, with this exit code if there was one.
    Failure(Option<i32>),
    /// It failed, and the workflow says `continue-on-error`.
    Tolerated(Option<i32>),
    /// Its condition was not met.
    Skipped,
    /// The rehearsal, the run or the job was cancelled, or the job exceeded its time limit.
    Cancelled,
    /// A later step ended it, as the workflow says.
    Stopped,
    /// It cannot be run here as on GitHub.
    NotRun,
    /// Nobody approved it.
    NotApproved,
    /// An action was emulated; the table only counts these.
    Emulated,
    /// It was not run again: this earlier attempt ended with this word.
    Earlier(u64, &'static str),
}

impl Outcome {
    fn show(self) -> (String, Look) {
        let with = |word: &str, code: Option<i32>| {
            code.map_or_else(|| word.to_owned(), |code| format!("{word} (exit {code})"))
        };
        match self {
            Self::Success | Self::Emulated => ("✓ success".into(), Look::Good),
            Self::Failure(code) => (format!("✗ {}", with("failed", code)), Look::Bad),
            Self::Tolerated(code) => (
                format!("! {}, tolerated", with("failed", code)),
                Look::Warning,
            ),
            Self::Skipped => ("- skipped".into(), Look::Dim),
            Self::Cancelled => ("✗ cancelled".into(), Look::Bad),
            Self::Stopped => ("- ended by a later step".into(), Look::Dim),
            Self::NotRun => ("! not run here".into(), Look::Warning),
            Self::NotApproved => ("✗ not approved".into(), Look::Bad),
            Self::Earlier(attempt, result) => {
                (format!("- {result} in attempt {attempt}"), Look::Dim)
            }
        }
    }

    fn is_failure(self) -> bool {
        matches!(self, Self::Failure(_) | Self::Cancelled)
    }
}

/// Everything that is printed at the end.
#[derive(Debug, Default)]
pub struct Report {
    /// The rows in the order of the workflows and their jobs, and within a job in the order of time.
    pub rows: Vec<Row>,
    /// What steps annotated, in the same order.
    pub annotations: Vec<Annotated>,
    /// What turned out while running that it cannot be rehearsed truthfully.
    pub unsupported: Vec<String>,
}

/// An annotation, with the job that it is from.
#[derive(Debug)]
pub struct Annotated {
    /// Where its job stands, as in its row.
    pub at: (usize, usize),
    /// The job with its workflow, such as `build / test`.
    pub job: String,
    /// The annotation itself.
    pub annotation: Annotation,
}

/// The exit code when a step failed: what was to be deployed failed.
pub const FAILED: u8 = 5;
/// The exit code when something in a workflow file cannot be rehearsed.
pub const CANNOT: u8 = 2;
/// The exit code when an approval was missing.
const NOT_APPROVED: u8 = 7;

impl Report {
    /// Adds a row in its place. Jobs run side by side, but the rows have one order.
    pub fn add(&mut self, row: Row) {
        let place = self.rows.partition_point(|other| other.at <= row.at);
        self.rows.insert(place, row);
    }

    /// Adds an annotation in its place.
    pub fn annotate(&mut self, said: Annotated) {
        let place = self
            .annotations
            .partition_point(|other| other.at <= said.at);
        self.annotations.insert(place, said);
    }

    /// The exit code that the rows amount to: that of the first failure.
    pub fn exit_code(&self) -> u8 {
        if !self.unsupported.is_empty() {
            return CANNOT;
        }
        let wrong = self.rows.iter().find_map(|row| match row.outcome {
            Outcome::NotApproved | Outcome::Failure(Some(7)) => Some(NOT_APPROVED),
            Outcome::Failure(_) | Outcome::Cancelled => Some(FAILED),
            _ => None,
        });
        wrong.unwrap_or(0)
    }

    /// Prints the annotations and the table, the latter in this many columns.
    pub fn show(&self, console: &Console, width: usize) {
        let shown: Vec<&Annotated> = self
            .annotations
            .iter()
            .filter(|said| said.annotation.level != Level::Notice)
            .collect();
        if !shown.is_empty() {
            console.blank();
            console.line(Look::Bold, "Annotations");
            for Annotated {
                job, annotation, ..
            } in shown
            {
                let look = if annotation.level == Level::Error {
                    Look::Bad
                } else {
                    Look::Warning
                };
                console.line(look, &format!("   {job}: {annotation}"));
            }
        }
        console.blank();
        let rows = self.rows.iter();
        let lines: Vec<Line> = rows
            .filter(|row| row.outcome != Outcome::Emulated)
            .map(Row::line)
            .collect();
        table::show(&lines, console, width);
    }

    /// One sentence on the result.
    pub fn verdict(&self, took: Duration) -> (Look, String) {
        let took = duration(took);
        let count =
            |wanted: &dyn Fn(&Row) -> bool| self.rows.iter().filter(|row| wanted(row)).count();
        let succeeded = count(&|row| row.outcome == Outcome::Success);
        let first = |wanted: &dyn Fn(&&Row) -> bool| {
            let row = self.rows.iter().find(wanted)?;
            Some(match one_line(&row.step).as_str() {
                "" => format!("{} / {}", row.workflow, row.job),
                step => format!("`{step}` of {} / {}", row.workflow, row.job),
            })
        };
        if !self.unsupported.is_empty() {
            return (
                Look::Bad,
                format!("cannot rehearse: {} ({took})", self.unsupported.join("; ")),
            );
        }
        let failed = count(&|row| row.outcome.is_failure());
        let refused = self
            .rows
            .iter()
            .find(|row| row.outcome == Outcome::NotApproved);
        if failed > 0 {
            let first = first(&|row| row.outcome.is_failure()).unwrap_or_default();
            let others = match failed - 1 {
                0 => String::new(),
                1 => " and 1 other step".into(),
                others => format!(" and {others} other steps"),
            };
            let count = |outcome| count(&|row| row.outcome == outcome);
            let how = if failed == count(Outcome::Cancelled) {
                "cancelled"
            } else {
                "failed"
            };
            return (
                Look::Bad,
                format!("rehearsal {how} after {took}: {first}{others}"),
            );
        }
        if let Some(row) = refused {
            return (
                Look::Bad,
                format!(
                    "rehearsal stopped after {took}: {} / {} was not approved; {succeeded} steps ran before",
                    row.workflow, row.job
                ),
            );
        }
        let mut text = format!("rehearsal succeeded: {succeeded} steps in {took}");
        if let Some(row) = first(&|row| row.outcome == Outcome::NotRun) {
            text.push_str(&format!("; not run here: {row}"));
        }
        (Look::Good, text)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A duration for people: `120 ms`, `4.2 s`, `2 min 3 s`.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::captured;

    fn row(step: &str, outcome: Outcome) -> Row {
        Row {
            at: (0, 0),
            workflow: "deploy-jobs".into(),
            job: "dev".into(),
            step: step.into(),
            outcome,
            took: Some(Duration::from_millis(4210)),
            link: Some("http://127.0.0.1/x".into()),
        }
    }

    fn report(outcomes: &[Outcome]) -> Report {
        let rows = outcomes
            .iter()
            .map(|&outcome| row("train", outcome))
            .collect();
        Report {
            rows,
            ..Report::default()
        }
    }

    #[test]
    fn the_exit_code_is_that_of_the_first_thing_that_went_wrong() {
        use Outcome::*;
        for (outcomes, code) in [
            (
                vec![Success, Skipped, NotRun, Tolerated(Some(1)), Emulated],
                0,
            ),
            (vec![Success, NotApproved, Skipped], 7),
            (vec![Failure(Some(7))], 7),
            (vec![Failure(Some(3)), NotApproved], 5),
            (vec![Failure(None)], 5),
            (vec![Cancelled], 5),
        ] {
            assert_eq!(report(&outcomes).exit_code(), code, "{outcomes:?}");
        }
        let unsupported = Report {
            unsupported: vec!["x".into()],
            ..report(&[Success])
        };
        assert_eq!(unsupported.exit_code(), 2);
    }

    #[test]
    fn rows_stand_in_the_order_of_the_files_whenever_they_came() {
        let mut report = Report::default();
        for (at, step) in [((1, 0), "a"), ((0, 1), "b"), ((0, 0), "c"), ((0, 1), "d")] {
            report.add(Row {
                at,
                ..row(step, Outcome::Success)
            });
        }
        let steps: Vec<&str> = report.rows.iter().map(|row| row.step.as_str()).collect();
        assert_eq!(steps, ["c", "b", "d", "a"]);
    }

    #[test]
    fn the_table_is_aligned_and_the_sentence_says_how_it_went() {
        let (console, text) = captured();
        let mut report = report(&[
            Outcome::Success,
            Outcome::Emulated,
            Outcome::Failure(Some(3)),
        ]);
        report.rows[2].step = "deploy\nthe app".into();
        report.rows[2].link = None;
        report.show(&console, 120);
        assert_eq!(
            String::from_utf8(text.lock().unwrap().clone()).unwrap(),
            "\n\
             workflow     job  step            result             duration  link\n\
             deploy-jobs  dev  train           ✓ success          4.2 s     http://127.0.0.1/x\n\
             deploy-jobs  dev  deploy the app  ✗ failed (exit 3)  4.2 s\n"
        );
        let (_, verdict) = report.verdict(Duration::from_secs(63));
        assert_eq!(
            verdict,
            "rehearsal failed after 1 min 3 s: `deploy the app` of deploy-jobs / dev"
        );
        report.rows[2].outcome = Outcome::Cancelled;
        let (_, verdict) = report.verdict(Duration::from_millis(900));
        assert!(
            verdict.starts_with("rehearsal cancelled after 900 ms"),
            "{verdict}"
        );
    }
}
