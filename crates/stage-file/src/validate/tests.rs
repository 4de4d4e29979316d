//! What the tests of the rules share: a valid stage file, and one change to it.
//!
//! The tests of each rule are below the rule.

use std::path::Path;

use crate::{Problem, StageFile, StageFileError};

/// A Monday, so that schedules have a moment to start from.
const NOW: &str = "2026-11-23T12:00:00Z";

/// The problems of a text, errors and warnings, in the order of its lines. Missing approvers are left out: hardly one
/// of the files here names any.
pub(super) fn problems(text: &str) -> Vec<Problem> {
    let mut problems = all_problems(text);
    problems.retain(|problem| problem.name != "no-approvers");
    problems
}

/// All problems of a text.
pub(super) fn all_problems(text: &str) -> Vec<Problem> {
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

/// The problems of the file with these lines in `[defaults]`.
pub(super) fn with_defaults(lines: &str) -> Vec<String> {
    messages(&file(lines, "", ""))
}

/// The problems of the file with these lines in its last stage.
pub(super) fn with_prod(lines: &str) -> Vec<String> {
    messages(&file("", lines, ""))
}

/// The problems of the file with these tables at its end.
pub(super) fn with(tables: &str) -> Vec<String> {
    messages(&file("", "", tables))
}

/// The problems of the file with a job that has this schedule.
pub(super) fn with_schedule(keys: &str) -> Vec<String> {
    with(&format!(
        "[job.score]\ncommand = \"score.py\"\nschedule = {{ {keys} }}"
    ))
}

#[test]
fn the_file_that_the_tests_change_has_no_problem_itself() {
    assert_eq!(with(""), [""; 0]);
}

/// This many stages, each with these keys, and a job and an app. Programs write stage files, too.
fn many(stages: usize, keys: &str) -> String {
    let stages: String = (1..=stages)
        .map(|number| format!("[stage.s{number}]\n{keys}\n"))
        .collect();
    format!(
        "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n{stages}[job.j]\ncommand = \"j.py\"\n\
         [app.a]\nentry-point = \"a.sh\"\n"
    )
}

#[test]
fn what_many_stages_have_in_common_is_one_warning() {
    let shared = "share project `a/b` and hardware tier `t` for jobs and apps, so nothing keeps them apart (accept with \
                  `accept = [\"shared-tier\"]` under `[pipeline]`)";
    let tier = "hardware-tier = \"t\"";
    assert_eq!(
        messages(&many(3, tier)),
        [format!("stages `s1`, `s2` and `s3` {shared}")]
    );
    assert_eq!(
        messages(&many(2000, tier)),
        [format!(
            "stages `s1`, `s2`, `s3`, `s4`, `s5` and 1995 more {shared}"
        )]
    );
    let promotes = "hardware-tier = \"t\"\nmodel-stage = \"Staging\"";
    let said = messages(&many(30, promotes));
    assert_eq!(said.len(), 2);
    assert!(
        said[1].starts_with(
            "stages `s1`, `s2`, `s3`, `s4`, `s5` and 25 more all promote to model stage `Staging`, so the"
        ),
        "{said:?}"
    );
    let said = messages(&many(100, ""));
    assert_eq!(said.len(), 4);
    assert!(
        said[2].starts_with("`hardware-tier` in `[stage.s3]` is not given for jobs and apps, so")
    );
    assert!(said[3].starts_with(
        "`hardware-tier` is not given in stages `s4`, `s5`, `s6`, `s7`, `s8` and 92 more either, so"
    ));
}
