//! What a rehearsal says when it is over: the table of steps, the annotations, one sentence, and the exit code.

mod table;

use std::time::Duration;

use self::table::Line;
use crate::console::{Console, Look};
use crate::workflow_command::{Annotation, Level};

/// A step, or a job that has none to show, in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands: the place of its workflow, and of its job in that.
    pub at: (usize, usize),
    /// The workflow, by its file's name without the ending.
    pub workflow: String,
    /// The job.
    pub job: String,
    /// The step.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, if it ran.
    pub took: Option<Duration>,
    /// Where what it made can be seen.
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

/// What became of a step or a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it should.
    Success,
    /// It failed, with this exit code if there was one.
    Failure(Option<i32>),
    /// It failed, and the workflow says that this does not matter.
    Tolerated(Option<i32>),
    /// Its condition was not met.
    Skipped,
    /// The rehearsal was ended, or the job took longer than it may.
    Cancelled,
    /// A later step ended it, as the workflow says.
    Stopped,
    /// There is no truthful way to run it here.
    NotRun,
    /// Nobody approved it.
    NotApproved,
    /// An action that brought what it brings; the table only counts these.
    Emulated,
    /// It was not run again: an earlier attempt, this one, ended with this word.
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

/// Everything there is to say at the end.
#[derive(Debug, Default)]
pub struct Report {
    /// The rows, in the order of the workflows and their jobs, and of a job as things happened.
    pub rows: Vec<Row>,
    /// What steps annotated, with the job, in that order.
    pub annotations: Vec<Annotated>,
    /// What came up while running that could not be rehearsed truthfully.
    pub unsupported: Vec<String>,
}

/// What a step annotated.
#[derive(Debug)]
pub struct Annotated {
    /// Where its job stands, as in its row.
    pub at: (usize, usize),
    /// The job.
    pub job: String,
    /// What it said.
    pub annotation: Annotation,
}

/// What a failed step in a rehearsal exits with: what was to be deployed failed.
const FAILED: u8 = 5;
/// Something in a workflow file cannot be rehearsed.
pub const CANNOT: u8 = 2;
/// An approval was missing.
const NOT_APPROVED: u8 = 7;

impl Report {
    /// Adds a row in its place. Jobs go on side by side; what they did stands in one order all the same.
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

    /// The exit code that the rows amount to: of the first thing that went wrong.
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

    /// Shows annotations and table, the latter in this many columns.
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

    /// One sentence on how it went.
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
