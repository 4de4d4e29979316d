//! What the tests of the rules share: a stage file that is right, and one change to it.
//!
//! The tests of each rule stand below the rule.

use std::path::Path;

use crate::{Problem, StageFile, StageFileError};

/// A Monday, so that schedules have a moment to start from.
const NOW: &str = "2026-11-23T12:00:00Z";

/// The problems of a text, errors and warnings, in the order of its lines.
pub(super) fn problems(text: &str) -> Vec<Problem> {
    match StageFile::read_at(text, Path::new("stages.toml"), NOW.parse().unwrap()) {
        Ok(file) => file.warnings().to_vec(),
        Err(StageFileError::Problems(problems)) => problems.list,
        Err(other) => panic!("the text was not even read: {other}"),
    }
}

/// The file of two stages with these lines in `[defaults]`, in `[stage.prod]` and at its end.
fn file(defaults: &str, prod: &str, rest: &str) -> String {
    format!(
        r#"
[defaults]
host = "domino.example.com"
project = "wine-team/wine-quality"
{defaults}
[stage.dev]
hardware-tier = "dev-small"
model-stage = "Staging"
[stage.prod]
hardware-tier = "prod-small"
model-stage = "Production"
{prod}
[model.registered]
registered-model = "wine"
{rest}
"#
    )
}

fn messages(text: &str) -> Vec<String> {
    problems(text)
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

/// What is said of the file with these lines in `[defaults]`.
pub(super) fn with_defaults(lines: &str) -> Vec<String> {
    messages(&file(lines, "", ""))
}

/// What is said of the file with these lines in its last stage.
pub(super) fn with_prod(lines: &str) -> Vec<String> {
    messages(&file("", lines, ""))
}

/// What is said of the file with these tables at its end.
pub(super) fn with(tables: &str) -> Vec<String> {
    messages(&file("", "", tables))
}

/// What is said of the file with a job that has this schedule.
pub(super) fn with_schedule(keys: &str) -> Vec<String> {
    with(&format!(
        "[job.score]\ncommand = \"score.py\"\nschedule = {{ {keys} }}"
    ))
}

#[test]
fn the_file_that_the_tests_change_has_no_problem_itself() {
    assert_eq!(with(""), [""; 0]);
}
