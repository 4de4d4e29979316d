//! What GitHub refuses in a workflow file that is otherwise valid.
//!
//! No parser, linter or runner outside GitHub checks this: a file that exceeds one of these limits is refused as a
//! whole, on GitHub only.

use std::fmt;

use crate::write::{Input, Step, Variable, Workflow};

/// The most characters of an expression. A text with `${{ }}` in it becomes one expression, of its whole length.
pub const LONGEST_EXPRESSION: usize = 21_000;
/// The most bytes of a workflow file.
pub const LARGEST_FILE: usize = 500_000;
/// The most characters of the id of a step.
pub const LONGEST_ID: usize = 99;
/// The most summaries of a job's steps that GitHub shows.
pub const MOST_SUMMARIES: usize = 20;

/// A limit that a workflow exceeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverLimit {
    /// GitHub would make an expression from a text that is too long.
    Expression {
        /// The job's key and the step's name.
        place: String,
        /// How many characters it would have.
        length: usize,
    },
    /// The id of a step is too long.
    Id {
        /// The id, as it was written.
        id: String,
    },
    /// The file is too large.
    File {
        /// How many bytes it would have.
        size: usize,
    },
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression { place, length } => write!(
                f,
                "GitHub would make an expression of {length} characters of {place}, and takes at most {LONGEST_EXPRESSION}"
            ),
            Self::Id { id } => write!(
                f,
                "the step `{id}` would have an id of {} characters, and GitHub takes at most {LONGEST_ID}",
                id.len()
            ),
            Self::File { size } => write!(
                f,
                "it would have {size} bytes, and GitHub takes at most {LARGEST_FILE}"
            ),
        }
    }
}

impl std::error::Error for OverLimit {}

/// Checks a workflow and its YAML.
///
/// # Errors
/// The first limit that it exceeds.
pub fn check(workflow: &Workflow, yaml: &str) -> Result<(), OverLimit> {
    if yaml.len() > LARGEST_FILE {
        return Err(OverLimit::File { size: yaml.len() });
    }
    for job in &workflow.jobs {
        for step in job.every_step() {
            if let Some(id) = step.id.as_ref().filter(|id| id.len() > LONGEST_ID) {
                return Err(OverLimit::Id { id: id.clone() });
            }
            let longest = texts(step).map(expression_length).max();
            if let Some(length) = longest.filter(|length| *length > LONGEST_EXPRESSION) {
                let place = format!("step `{}` of job `{}`", step.name, job.id);
                return Err(OverLimit::Expression { place, length });
            }
        }
    }
    Ok(())
}

/// Roughly how many bytes a step takes in a file.
pub fn rough_size(step: &Step) -> usize {
    /// A line's indentation, its colon and its end.
    const LINE: usize = 16;
    let keys = step.env.keys().map(|key| key.len() + LINE);
    let keys = keys.chain(step.with.keys().map(|key| key.len() + LINE));
    let named = step.name.len() + step.id.as_ref().map_or(0, String::len);
    let own = ["name", "id", "if", "run", "env", "timeout-minutes"].map(|key| key.len() + LINE);
    let texts = texts(step).map(str::len);
    named + keys.chain(own).chain(texts).sum::<usize>()
}

fn texts(step: &Step) -> impl Iterator<Item = &str> {
    let env = step.env.values().map(|value| match value {
        Variable::Plain(text) => text.as_str(),
        Variable::WithReason(text) => text.0.as_str(),
    });
    let with = step.with.values().filter_map(|value| match value {
        Input::Text(text) => Some(text.as_str()),
        Input::Switch(_) | Input::Number(_) => None,
    });
    let own = [step.run.as_deref(), step.r#if.as_deref()];
    env.chain(with).chain(own.into_iter().flatten())
}

/// The length of the expression that GitHub makes from a text, in characters; zero for a text without `${{ }}`. A
/// text that is nothing but one expression is that one; any other becomes a call of `format`.
pub fn expression_length(text: &str) -> usize {
    let (mut plain, mut arguments, mut expressions) = (0, 0, 0);
    let mut rest = text;
    while let Some((before, inner, after)) = next_expression(rest) {
        plain += quoted_length(before) + format!("{{{expressions}}}").len();
        arguments += ", ".len() + inner.trim().chars().count();
        expressions += 1;
        rest = after;
    }
    match expressions {
        0 => 0,
        1 if plain == "{0}".len() && rest.is_empty() => arguments - ", ".len(),
        _ => "format('')".len() + plain + quoted_length(rest) + arguments,
    }
}

/// The text before the first `${{ }}`, in it, and after it.
fn next_expression(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${{")?;
    let end = closing(rest)?;
    Some((before, &rest[..end], &rest[end + 2..]))
}

/// The position of the `}}` of an expression; those within its strings do not count.
pub(crate) fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && text.as_bytes().get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
    }
    None
}

/// Quotes and braces are doubled in the text of a `format`.
fn quoted_length(text: &str) -> usize {
    let doubled = text.matches(['\'', '{', '}']).count();
    text.chars().count() + doubled
}

/// Why a text cannot be the id of a job or a step, if it cannot.
pub fn id_objection(id: &str) -> Option<String> {
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.starts_with(begins) || !id.chars().all(goes_on) {
        return Some(
            "it is made of letters, digits, `_` and `-`, and begins with a letter or `_`"
                .to_owned(),
        );
    }
    if id.starts_with("__") {
        return Some("those with `__` are GitHub's own".to_owned());
    }
    (id.len() > LONGEST_ID).then(|| format!("it has more than {LONGEST_ID} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_expressions_becomes_one_format() {
        assert_eq!(expression_length("no ${ x } here"), 0);
        assert_eq!(expression_length("${{ github.sha }}"), "github.sha".len());
        let format = "format('a{0}''b''{{{1}', github.sha, '}}')";
        assert_eq!(
            expression_length("a${{ github.sha }}'b'{${{ '}}' }}"),
            format.len()
        );
    }

    #[test]
    fn a_text_is_too_long_with_an_expression_only() {
        let long = "é".repeat(LONGEST_EXPRESSION);
        assert_eq!(expression_length(&long), 0);
        assert!(expression_length(&format!("{long}${{{{ a }}}}")) > LONGEST_EXPRESSION);
    }
}
