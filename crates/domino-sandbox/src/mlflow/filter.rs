//! The filter expressions of MLflow's searches: comparisons joined by AND, over
//! attributes, tags, parameters and metrics. Each search defines its own attributes.

use std::cmp::Ordering;

use super::refusal::Refusal;
use super::tokens::{Operator, Token, operator, tokens};

/// What an expression speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Attribute(String),
    Tag(String),
    Parameter(String),
    Metric(String),
    /// What is told of the data sets that a run read: `name`, `digest` or `context`.
    DataSet(String),
}

/// One comparison of a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    pub(super) key: Key,
    operator: Operator,
    operand: Operand,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Text(String),
    Number(f64),
    Texts(Vec<String>),
    /// With a test for nothing.
    Nothing,
}

/// What is compared with an operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Actual {
    Text(String),
    Number(f64),
    /// Of several things, of which one is enough.
    Texts(Vec<String>),
}

impl Actual {
    /// The order among values of one kind.
    pub(super) fn compare(&self, other: &Actual) -> Ordering {
        match (self, other) {
            (Actual::Text(one), Actual::Text(other)) => one.cmp(other),
            (Actual::Number(one), Actual::Number(other)) => one.total_cmp(other),
            (Actual::Number(_), _) => Ordering::Less,
            (_, Actual::Number(_)) => Ordering::Greater,
            // Nothing is sorted by what there may be several of.
            (Actual::Texts(_), _) | (_, Actual::Texts(_)) => Ordering::Equal,
        }
    }
}

/// What a search may be filtered by, each with what it may be compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// What may stand before an attribute, with a point.
    pub(super) prefixes: &'static [&'static str],
    /// The attributes that are texts.
    pub(super) texts: &'static [&'static str],
    /// Those that are numbers.
    pub(super) numbers: &'static [&'static str],
    /// Those that may be among a list of texts.
    pub(super) listed: &'static [&'static str],
    /// Whether there are metrics and parameters, and tags and parameters that may be missing.
    pub(super) has_measurements: bool,
    /// Whether it may be asked if there is a tag at all.
    pub(super) tests_tags: bool,
    /// Whether a tag may be among a list of texts.
    pub(super) lists_tags: bool,
    /// Whether a number is a whole one and may stand in quotes.
    pub(super) quotes_numbers: bool,
}

/// Reads a filter. Words that join nothing are passed over, as MLflow does.
pub(super) fn parse(filter: &str, grammar: &Grammar) -> Result<Vec<Comparison>, Refusal> {
    let attributes = [grammar.texts, grammar.numbers].concat();
    if !filter.is_empty() && filter.trim().is_empty() {
        return Err(Refusal::invalid("Invalid filter: it is blank"));
    }
    let mut tokens = tokens(filter)?.into_iter().peekable();
    let invalid = || Refusal::invalid(format!("Invalid clause(s) in filter string: '{filter}'"));
    let is_and =
        |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("and"));
    let mut comparisons = Vec::new();
    loop {
        let mut joins = 0;
        while tokens.next_if(is_and).is_some() {
            joins += 1;
        }
        if tokens.peek().is_none() {
            return Ok(comparisons);
        }
        if joins == 0 && !comparisons.is_empty() {
            return Err(invalid());
        }
        let Some(Token::Word(word)) = tokens.next() else {
            return Err(invalid());
        };
        let operator = operator(&mut tokens).ok_or_else(invalid)?;
        let key = key(&word, &attributes, grammar.prefixes)?;
        let operand = match operator {
            Operator::IsNull | Operator::IsNotNull => Operand::Nothing,
            _ => operand(tokens.next().ok_or_else(invalid)?, &invalid)?,
        };
        let comparison = Comparison {
            key,
            operator,
            operand,
        };
        comparison.check(grammar, &invalid)?;
        comparisons.push(comparison);
    }
}

fn operand(token: Token, invalid: &impl Fn() -> Refusal) -> Result<Operand, Refusal> {
    Ok(match token {
        Token::Quoted(text) => Operand::Text(text),
        Token::Word(word) => match number(&word) {
            Some(number) => Operand::Number(number),
            None => {
                return Err(Refusal::invalid(format!(
                    "Parameter value is either not quoted or unidentified quote types used for string value {word}. Use \
                     either single or double quotes."
                )));
            }
        },
        Token::List(texts) if texts.is_empty() => return Err(invalid()),
        Token::List(texts) => Operand::Texts(texts),
        Token::Operator(_) => return Err(invalid()),
    })
}

/// A number as SQL spells one: neither with a plus nor `inf`.
fn number(word: &str) -> Option<f64> {
    let is_spelt =
        word.starts_with(|letter: char| letter.is_ascii_digit() || "-.".contains(letter));
    let number: f64 = word.parse().ok()?;
    (is_spelt && !word.contains('+') && number.is_finite()).then_some(number)
}

/// What a word speaks of, whose attributes are among `attributes` and have one of `prefixes` or none.
pub(super) fn key(word: &str, attributes: &[&str], prefixes: &[&str]) -> Result<Key, Refusal> {
    let unquoted = |text: &str| text.trim_matches(['`', '"']).to_owned();
    if let Some((entity, rest)) = word.split_once('.') {
        match entity {
            "tag" | "tags" => return Ok(Key::Tag(unquoted(rest))),
            "param" | "params" | "parameter" | "parameters" => {
                return Ok(Key::Parameter(unquoted(rest)));
            }
            "metric" | "metrics" => return Ok(Key::Metric(unquoted(rest))),
            "dataset" | "datasets" => {
                return attribute(rest, &["name", "digest", "context"])
                    .map(|_| Key::DataSet(unquoted(rest)));
            }
            prefix if prefixes.contains(&prefix) => return attribute(rest, attributes),
            _ => {}
        }
    }
    attribute(word, attributes)
}

fn attribute(word: &str, attributes: &[&str]) -> Result<Key, Refusal> {
    let name = word.trim_matches(['`', '"']);
    if attributes.contains(&name) {
        return Ok(Key::Attribute(name.to_owned()));
    }
    let known = attributes
        .iter()
        .map(|known| format!("'{known}'"))
        .collect::<Vec<_>>()
        .join(", ");
    Err(Refusal::invalid(format!(
        "Invalid attribute key '{name}' specified. Valid keys are '{{{known}}}'"
    )))
}

/// Whether every comparison holds for what `actual` gives for its key.
pub(super) fn all_hold(filter: &[Comparison], actual: impl Fn(&Key) -> Option<Actual>) -> bool {
    filter
        .iter()
        .all(|one| one.holds(actual(&one.key).as_ref()))
}

/// Whether a view shows what is deleted: only that, none of it, or both.
pub(super) fn shows(view_type: Option<&str>, is_deleted: bool) -> bool {
    match view_type.unwrap_or("ACTIVE_ONLY") {
        "DELETED_ONLY" => is_deleted,
        "ALL" => true,
        _ => !is_deleted,
    }
}

impl Comparison {
    /// Refuses what MLflow does not compare.
    fn check(&self, grammar: &Grammar, invalid: &impl Fn() -> Refusal) -> Result<(), Refusal> {
        let refuse = |message: String| Err(Refusal::invalid(message));
        let wrong_operator = || refuse(format!("Invalid comparator '{:?}'", self.operator));
        let is_match = matches!(
            self.operator,
            Operator::Equal | Operator::Unequal | Operator::Like | Operator::CaselessLike
        );
        let is_list = matches!(self.operator, Operator::In | Operator::NotIn);
        let is_test = matches!(self.operator, Operator::IsNull | Operator::IsNotNull);
        let is_order = !is_list && !is_test && (!is_match || self.operand_is_ordered());
        match &self.key {
            Key::Metric(_) | Key::Parameter(_) | Key::DataSet(_) if !grammar.has_measurements => {
                refuse(
                    "Invalid entity type. Valid entity types are ('attribute', 'tag', 'tags')"
                        .to_owned(),
                )
            }
            Key::Metric(_) => match &self.operand {
                Operand::Number(_) if is_order => Ok(()),
                Operand::Number(_) => wrong_operator(),
                found => refuse(format!(
                    "Expected numeric value type for metric. Found {found:?}"
                )),
            },
            Key::DataSet(_) => match &self.operand {
                Operand::Texts(_) => Ok(()),
                Operand::Text(_) if is_match => Ok(()),
                _ => wrong_operator(),
            },
            Key::Tag(_) | Key::Parameter(_) => match &self.operand {
                Operand::Nothing if grammar.tests_tags => Ok(()),
                Operand::Nothing => Err(invalid()),
                Operand::Texts(_) if is_list && grammar.lists_tags => Ok(()),
                Operand::Text(_) if is_match => Ok(()),
                Operand::Text(_) => wrong_operator(),
                found => refuse(format!(
                    "Expected a quoted string value for tag (e.g. 'my-value'). Got value {found:?}"
                )),
            },
            Key::Attribute(name) if grammar.numbers.contains(&name.as_str()) => match &self.operand
            {
                Operand::Number(number) if grammar.quotes_numbers && number.fract() != 0.0 => {
                    wrong_operator()
                }
                Operand::Number(_) if is_order => Ok(()),
                Operand::Text(text)
                    if is_order && grammar.quotes_numbers && text.parse::<i64>().is_ok() =>
                {
                    Ok(())
                }
                Operand::Texts(_) | Operand::Number(_) => wrong_operator(),
                found => refuse(format!(
                    "Expected numeric value type for numeric attribute: {name}. Found {found:?}"
                )),
            },
            Key::Attribute(name) => match &self.operand {
                Operand::Texts(_) if is_list && grammar.listed.contains(&name.as_str()) => Ok(()),
                Operand::Texts(_) => refuse(format!(
                    "Only {:?} attributes support comparison with a list of quoted string values.",
                    grammar.listed
                )),
                Operand::Text(_) if is_match => Ok(()),
                Operand::Text(_) => wrong_operator(),
                _ => refuse(format!(
                    "Parameter value is either not quoted or unidentified quote types used for string value of {name}. \
                     Use either single or double quotes."
                )),
            },
        }
    }

    fn operand_is_ordered(&self) -> bool {
        !matches!(self.operator, Operator::Like | Operator::CaselessLike)
    }

    /// Whether the comparison holds for `actual`; a missing value compares with nothing.
    fn holds(&self, actual: Option<&Actual>) -> bool {
        match self.operator {
            Operator::IsNull => return actual.is_none(),
            Operator::IsNotNull => return actual.is_some(),
            _ => {}
        }
        let Some(actual) = actual else {
            return false;
        };
        match (&self.operand, actual) {
            (Operand::Text(wanted), Actual::Text(actual)) => self.text_holds(actual, wanted),
            (Operand::Text(wanted), Actual::Number(actual)) => match wanted.parse() {
                Ok(wanted) => self.order_holds(actual.total_cmp(&wanted)),
                Err(_) => false,
            },
            (Operand::Number(_), Actual::Number(actual)) if actual.is_nan() => {
                self.operator == Operator::Unequal
            }
            (Operand::Number(wanted), Actual::Number(actual)) => {
                self.order_holds(actual.total_cmp(wanted))
            }
            (Operand::Number(_), Actual::Text(_))
            | (Operand::Texts(_), Actual::Number(_))
            | (Operand::Nothing, _) => false,
            (_, Actual::Texts(several)) => {
                let mut each = several.iter().cloned().map(Actual::Text);
                each.any(|one| self.holds(Some(&one)))
            }
            (Operand::Texts(wanted), Actual::Text(actual)) => match self.operator {
                Operator::In => wanted.contains(actual),
                Operator::NotIn => !wanted.contains(actual),
                _ => false,
            },
        }
    }

    fn text_holds(&self, actual: &str, wanted: &str) -> bool {
        match self.operator {
            Operator::Like => is_like(actual, wanted),
            Operator::CaselessLike => is_like(&actual.to_lowercase(), &wanted.to_lowercase()),
            _ => self.order_holds(actual.cmp(wanted)),
        }
    }

    fn order_holds(&self, order: Ordering) -> bool {
        match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::Unequal => order != Ordering::Equal,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            _ => false,
        }
    }
}

/// SQL's LIKE: `%` for anything, `_` for one letter.
fn is_like(actual: &str, pattern: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => actual.is_empty(),
        Some('%') => {
            let rest = letters.as_str();
            let mut starts = actual.char_indices().map(|(at, _)| at);
            starts.any(|at| is_like(&actual[at..], rest)) || is_like("", rest)
        }
        Some(wanted) => {
            let mut actual = actual.chars();
            match actual.next() {
                Some(letter) if wanted == '_' || letter == wanted => {
                    is_like(actual.as_str(), letters.as_str())
                }
                _ => false,
            }
        }
    }
}

#[cfg(test)]
mod tests;
