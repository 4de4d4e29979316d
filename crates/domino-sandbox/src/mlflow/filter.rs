//! The filter and order expressions of MLflow's searches: comparisons joined by AND, over
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
}

/// One thing to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) key: Key,
    pub(super) descending: bool,
}

/// What is compared with an operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Actual {
    Text(String),
    Number(f64),
}

impl Actual {
    /// The order among values of one kind.
    pub(super) fn compare(&self, other: &Actual) -> Ordering {
        match (self, other) {
            (Actual::Text(one), Actual::Text(other)) => one.cmp(other),
            (Actual::Number(one), Actual::Number(other)) => one.total_cmp(other),
            (Actual::Number(_), Actual::Text(_)) => Ordering::Less,
            (Actual::Text(_), Actual::Number(_)) => Ordering::Greater,
        }
    }
}

/// Reads a filter whose attributes are among `attributes`.
pub(super) fn parse(filter: &str, attributes: &[&str]) -> Result<Vec<Comparison>, Refusal> {
    let mut tokens = tokens(filter)?.into_iter().peekable();
    let invalid = || Refusal::invalid(format!("Invalid clause(s) in filter string: '{filter}'"));
    let mut comparisons = Vec::new();
    while tokens.peek().is_some() {
        if !comparisons.is_empty() {
            match tokens.next() {
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("and") => {}
                _ => return Err(invalid()),
            }
        }
        let Some(Token::Word(word)) = tokens.next() else {
            return Err(invalid());
        };
        let operator = operator(&mut tokens).ok_or_else(invalid)?;
        let key = key(&word, attributes)?;
        let operand = match tokens.next().ok_or_else(invalid)? {
            Token::Quoted(text) => Operand::Text(text),
            Token::Word(word) => match word.parse() {
                Ok(number) => Operand::Number(number),
                Err(_) => {
                    return Err(Refusal::invalid(format!(
                        "Parameter value is either not quoted or unidentified quote types used \
                         for string value {word}. Use either single or double quotes."
                    )));
                }
            },
            Token::List(texts) => Operand::Texts(texts),
            Token::Operator(_) => return Err(invalid()),
        };
        comparisons.push(Comparison {
            key,
            operator,
            operand,
        });
    }
    Ok(comparisons)
}

/// Reads `order_by`, whose attributes are among `attributes`.
pub(super) fn parse_order(order_by: &[String], attributes: &[&str]) -> Result<Vec<Order>, Refusal> {
    let parts = order_by.iter().flat_map(|text| text.split(','));
    parts
        .map(|part| {
            let part = part.trim();
            let (word, direction) = part.rsplit_once(' ').unwrap_or((part, "ASC"));
            let descending = match direction.to_ascii_uppercase().as_str() {
                "ASC" => false,
                "DESC" => true,
                _ => {
                    return Err(Refusal::invalid(format!(
                        "Invalid order_by clause '{part}'"
                    )));
                }
            };
            Ok(Order {
                key: key(word.trim(), attributes)?,
                descending,
            })
        })
        .collect()
}

/// The order of two results by what `orders` name; what one of them lacks comes last.
pub(super) fn ordering(
    orders: &[Order],
    actual: impl Fn(&Key) -> (Option<Actual>, Option<Actual>),
) -> Ordering {
    let each = orders.iter().map(|order| match actual(&order.key) {
        (Some(one), Some(other)) if order.descending => other.compare(&one),
        (Some(one), Some(other)) => one.compare(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    each.fold(Ordering::Equal, Ordering::then)
}

fn key(word: &str, attributes: &[&str]) -> Result<Key, Refusal> {
    let unquoted = |text: &str| text.trim_matches(['`', '"']).to_owned();
    if let Some((entity, rest)) = word.split_once('.') {
        match entity.to_ascii_lowercase().as_str() {
            "tag" | "tags" => return Ok(Key::Tag(unquoted(rest))),
            "param" | "params" | "parameter" | "parameters" => {
                return Ok(Key::Parameter(unquoted(rest)));
            }
            "metric" | "metrics" => return Ok(Key::Metric(unquoted(rest))),
            "attribute" | "attributes" | "attr" | "run" => return attribute(rest, attributes),
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
    /// Whether the comparison holds for `actual`; a missing value compares with nothing.
    fn holds(&self, actual: Option<&Actual>) -> bool {
        let Some(actual) = actual else {
            return false;
        };
        match (&self.operand, actual) {
            (Operand::Text(wanted), Actual::Text(actual)) => self.text_holds(actual, wanted),
            (Operand::Text(wanted), Actual::Number(actual)) => match wanted.parse() {
                Ok(wanted) => self.order_holds(actual.total_cmp(&wanted)),
                Err(_) => false,
            },
            (Operand::Number(wanted), Actual::Number(actual)) => {
                self.order_holds(actual.total_cmp(wanted))
            }
            (Operand::Number(_), Actual::Text(_)) | (Operand::Texts(_), Actual::Number(_)) => false,
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
            Operator::Like | Operator::CaselessLike | Operator::In | Operator::NotIn => false,
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
mod tests {
    use super::*;

    fn holds(filter: &str, actual: Actual) -> bool {
        let comparisons = parse(filter, &["name", "version_number"]).unwrap();
        comparisons.iter().all(|one| one.holds(Some(&actual)))
    }

    #[test]
    fn texts_compare_by_equality_pattern_and_list() {
        let wine = || Actual::Text("wine quality".into());
        assert!(holds("name = 'wine quality'", wine()));
        assert!(holds("name=\"wine quality\" and name != 'x'", wine()));
        assert!(holds("name LIKE 'wine%'", wine()));
        assert!(holds("name like '%qual_ty'", wine()));
        assert!(!holds("name LIKE 'Wine%'", wine()));
        assert!(holds("name ILIKE 'Wine%'", wine()));
        assert!(holds("name IN ('a', 'wine quality')", wine()));
        assert!(!holds("name not in ('wine quality')", wine()));
    }

    #[test]
    fn numbers_compare_also_when_quoted() {
        assert!(holds("version_number >= 3", Actual::Number(3.0)));
        assert!(holds("version_number = '3'", Actual::Number(3.0)));
        assert!(!holds("version_number < 3", Actual::Number(3.0)));
    }

    #[test]
    fn keys_may_stand_in_backticks_and_quotes() {
        let key = |filter: &str| parse(filter, &[]).unwrap()[0].key.clone();
        let tag = Key::Tag("mlflow.source.git.commit".into());
        assert_eq!(key("tags.`mlflow.source.git.commit` = 'x'"), tag);
        assert_eq!(key("tags.\"mlflow.source.git.commit\"='x'"), tag);
        assert_eq!(key("tag.mlflow.source.git.commit = 'x'"), tag);
        assert_eq!(key("metrics.rmse < 1"), Key::Metric("rmse".into()));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in [
            "garbage",
            "name",
            "name =",
            "name = x",
            "name = 'x' or name = 'y'",
            "name = 'x",
            "current_stage = 'Production'",
            "NAME = 'x'",
        ] {
            assert!(parse(filter, &["name"]).is_err(), "{filter}");
        }
        assert_eq!(parse("", &[]).unwrap(), []);
    }

    #[test]
    fn an_order_is_ascending_unless_it_says_otherwise() {
        let order = parse_order(&["name".into(), "metrics.rmse DESC".into()], &["name"]).unwrap();
        assert_eq!(
            order.iter().map(|one| one.descending).collect::<Vec<_>>(),
            [false, true]
        );
        assert!(parse_order(&["wobble".into()], &["name"]).is_err());
    }
}
