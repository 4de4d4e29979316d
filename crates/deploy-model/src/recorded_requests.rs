//! The file of recorded requests: JSON Lines, each line a request, what is expected of the answer, how near a number
//! must be and how long it may take. It reads and compares, and sends nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domino_core::api::async_endpoints::named_arguments;
use domino_core::error::CommandError;
use serde::Deserialize;
use serde_json::Value;

/// The recorded requests of a model.
#[derive(Debug, Clone)]
pub(crate) struct RecordedRequests {
    /// The path of the file, as it was given.
    pub(crate) file: PathBuf,
    /// The requests, in the order of the file; at least one.
    pub(crate) cases: Vec<RecordedRequest>,
}

/// A request to send in the smoke test, with what its answer must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RecordedRequest {
    /// Its name; the number of its line if it has none.
    #[serde(default)]
    pub(crate) name: String,
    /// The request: `{"data": {…}}` or `{"parameters": […]}`.
    pub(crate) input: Value,
    /// What the answer must contain; it may contain more.
    expect: Value,
    /// How far a number may differ.
    #[serde(default)]
    tolerance: f64,
    /// The longest that the answer may take, in milliseconds.
    max_latency_ms: Option<u64>,
}

impl RecordedRequests {
    /// Reads a file; one error names every problem in it.
    pub(crate) fn read(path: &Path, named: &Path) -> Result<Self, CommandError> {
        let text = std::fs::read_to_string(path).map_err(|problem| {
            CommandError::usage(format!(
                "cannot read the smoke test `{}`: {problem}",
                named.display()
            ))
            .hint("`smoke-test` in stages.toml names a file from the folder of stages.toml, `--smoke` one from here")
        })?;
        Self::parse(&text, named)
    }

    /// The number of requests, in words.
    pub(crate) fn count(&self) -> String {
        match self.cases.len() {
            1 => "1 request".into(),
            count => format!("{count} requests"),
        }
    }

    /// The first request whose arguments have no names, by its name.
    pub(crate) fn without_names(&self) -> Option<&str> {
        let mut cases = self.cases.iter();
        let case = cases.find(|case| named_arguments(&case.input).is_none())?;
        Some(&case.name)
    }

    fn parse(text: &str, named: &Path) -> Result<Self, CommandError> {
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            if line.trim().is_empty() {
                continue;
            }
            match case(line, number) {
                Ok(case) => cases.push(case),
                Err(problem) => problems.push(format!("{}:{number}: {problem}", named.display())),
            }
        }
        if cases.is_empty() && problems.is_empty() {
            problems.push(format!("{} holds no request", named.display()));
        }
        if problems.is_empty() {
            return Ok(Self {
                file: named.to_owned(),
                cases,
            });
        }
        Err(CommandError::usage(format!(
            "the smoke test cannot be used:\n{}",
            problems.join("\n")
        ))
        .hint(
            "each line is an object like {\"name\": …, \"input\": {\"data\": {…}}, \"expect\": {\"result\": 5.6}, \
             \"tolerance\": 0.05, \"max-latency-ms\": 2000}",
        ))
    }
}

fn case(line: &str, number: usize) -> Result<RecordedRequest, String> {
    let mut case: RecordedRequest = serde_json::from_str(line).map_err(|problem| {
        // We count the lines ourselves; the parser's column is useful.
        let problem = problem.to_string();
        problem.replace(" at line 1 column ", " at column ")
    })?;
    let is_request = case
        .input
        .as_object()
        .is_some_and(|input| input.contains_key("data") || input.contains_key("parameters"));
    if !is_request {
        return Err("`input` must be an object with `data` or `parameters`".into());
    }
    if case
        .expect
        .as_object()
        .is_none_or(serde_json::Map::is_empty)
    {
        return Err("`expect` must be an object that expects something".into());
    }
    if !case.tolerance.is_finite() || case.tolerance < 0.0 {
        return Err("`tolerance` must be a number from 0 on".into());
    }
    if case.name.trim().is_empty() {
        case.name = format!("line {number}");
    }
    Ok(case)
}

impl RecordedRequest {
    /// What is wrong with an answer; absent if it is as expected.
    pub(crate) fn difference(&self, answer: &Value) -> Option<String> {
        difference(&self.expect, answer, self.tolerance, "")
    }

    /// What is wrong with the time that an answer took; absent if it was fast enough.
    pub(crate) fn lateness(&self, took: Duration) -> Option<String> {
        let most = Duration::from_millis(self.max_latency_ms?);
        (took > most).then(|| {
            format!(
                "the answer took {} ms, more than {} ms",
                took.as_millis(),
                most.as_millis()
            )
        })
    }
}

/// The first difference between what is expected and what came. Objects may contain more than expected; lists must
/// have the same length.
fn difference(expected: &Value, got: &Value, tolerance: f64, at: &str) -> Option<String> {
    let place = if at.is_empty() { "the answer" } else { at };
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().find_map(|(key, expected)| {
                let at = if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                };
                match got.get(key) {
                    None => Some(format!("`{at}` is missing")),
                    Some(got) => difference(expected, got, tolerance, &at),
                }
            })
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => expected
            .iter()
            .zip(got)
            .enumerate()
            .find_map(|(index, (expected, got))| {
                difference(expected, got, tolerance, &format!("{at}[{index}]"))
            }),
        (Value::Array(expected), Value::Array(got)) => Some(format!(
            "`{place}` has {} elements, expected {}",
            got.len(),
            expected.len()
        )),
        (Value::Number(expected_number), Value::Number(got_number)) => {
            let (expected, got) = (
                expected_number.as_f64().unwrap_or(f64::NAN),
                got_number.as_f64().unwrap_or(f64::NAN),
            );
            let near = (expected - got).abs() <= tolerance || expected_number == got_number;
            (!near).then(|| match tolerance {
                0.0 => format!("`{place}` is {got_number}, expected {expected_number}"),
                _ => format!("`{place}` is {got_number}, expected {expected_number} ± {tolerance}"),
            })
        }
        (expected, got) if expected == got => None,
        (expected, got) => Some(format!(
            "`{place}` is {}, expected {}",
            shortened(got),
            shortened(expected)
        )),
    }
}

/// A value of the answer, cut to what a person reads.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Result<RecordedRequests, String> {
        RecordedRequests::parse(text, Path::new("smoke.jsonl"))
            .map_err(|failure| failure.to_string())
    }

    fn difference_of(expect: Value, tolerance: f64, answer: &Value) -> Option<String> {
        let case = RecordedRequest {
            name: "a".into(),
            input: json!({"data": {}}),
            expect,
            tolerance,
            max_latency_ms: None,
        };
        case.difference(answer)
    }

    #[test]
    fn each_line_is_a_request_and_empty_ones_are_nothing() {
        let text = "{\"name\": \"a\", \"input\": {\"data\": {\"x\": 1}}, \"expect\": {\"result\": 1}, \"tolerance\": 0.1, \"max-latency-ms\": 5}\n\n\
                    {\"input\": {\"parameters\": [1]}, \"expect\": {\"result\": \"b\"}}\n";
        let smoke = parsed(text).unwrap();
        let names: Vec<&str> = smoke.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["a", "line 3"]);
    }

    #[test]
    fn all_problems_of_a_file_come_at_once_with_their_lines() {
        let text = "{\"input\": {\"data\": {}}, \"expect\": {}}\n{\"input\": [], \"expect\": {\"result\": 1}}\n\
                    {\"input\": {\"data\": {}}, \"expect\": {\"result\": 1}, \"tolerance\": -1}\n\
                    {\"input\": {\"data\": {}}, \"expected\": 1}\nnonsense\n";
        let problem = parsed(text).unwrap_err();
        for (line, reason) in [
            (1, "`expect` must be an object"),
            (2, "`input` must be an object"),
            (3, "`tolerance` must be"),
            (4, "unknown field `expected`"),
            (5, "at column 2"),
        ] {
            let line = problem
                .lines()
                .find(|text| text.starts_with(&format!("smoke.jsonl:{line}: ")))
                .unwrap();
            assert!(line.contains(reason), "{line}");
        }
        assert!(parsed("\n").unwrap_err().contains("holds no request"));
    }

    #[test]
    fn a_number_may_be_off_by_its_tolerance() {
        let answer = json!({"result": 5.65, "model_time_in_ms": 3});
        assert_eq!(difference_of(json!({"result": 5.63}), 0.05, &answer), None);
        assert_eq!(
            difference_of(json!({"result": 5.5}), 0.05, &answer).unwrap(),
            "`result` is 5.65, expected 5.5 ± 0.05"
        );
        assert_eq!(
            difference_of(json!({"result": 5.5}), 0.0, &answer).unwrap(),
            "`result` is 5.65, expected 5.5"
        );
        assert_eq!(
            difference_of(json!({"result": 1}), 0.0, &json!({"result": 1.0})),
            None
        );
    }

    #[test]
    fn an_answer_may_hold_more_than_is_expected_and_nothing_less() {
        let answer = json!({"result": {"label": "good", "scores": [0.1, 0.9]}, "release": "x"});
        assert_eq!(
            difference_of(json!({"result": {"label": "good"}}), 0.0, &answer),
            None
        );
        for (expect, reason) in [
            (json!({"missing": 1}), "`missing` is missing"),
            (
                json!({"result": {"label": "bad"}}),
                "`result.label` is \"good\", expected \"bad\"",
            ),
            (
                json!({"result": {"scores": [0.1, 0.5]}}),
                "`result.scores[1]` is 0.9, expected 0.5",
            ),
            (
                json!({"result": {"scores": [0.1]}}),
                "`result.scores` has 2 elements, expected 1",
            ),
            (
                json!({"result": 1}),
                "`result` is {\"label\":\"good\",\"scores\":[0.1,0.9]}, expected 1",
            ),
        ] {
            assert_eq!(difference_of(expect, 0.0, &answer).unwrap(), reason);
        }
    }

    #[test]
    fn an_answer_that_takes_too_long_is_late() {
        let smoke = parsed(
            "{\"input\": {\"data\": {}}, \"expect\": {\"result\": 1}, \"max-latency-ms\": 2000}",
        )
        .unwrap();
        let case = &smoke.cases[0];
        assert_eq!(case.lateness(Duration::from_millis(2000)), None);
        assert_eq!(
            case.lateness(Duration::from_millis(2600)).unwrap(),
            "the answer took 2600 ms, more than 2000 ms"
        );
    }
}
