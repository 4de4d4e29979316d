//! The words, quoted texts, lists and operators of a filter expression.

use super::refusal::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    CaselessLike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Operator(Operator),
    List(Vec<String>),
}

/// Reads the operator that comes next.
pub(super) fn operator(tokens: &mut impl Iterator<Item = Token>) -> Option<Operator> {
    let word = match tokens.next()? {
        Token::Operator(operator) => return Some(operator),
        Token::Word(word) => word.to_ascii_lowercase(),
        Token::Quoted(_) | Token::List(_) => return None,
    };
    match word.as_str() {
        "like" => Some(Operator::Like),
        "ilike" => Some(Operator::CaselessLike),
        "in" => Some(Operator::In),
        "is" => match word_of(tokens.next()?)?.as_str() {
            "null" => Some(Operator::IsNull),
            "not" => (word_of(tokens.next()?)? == "null").then_some(Operator::IsNotNull),
            _ => None,
        },
        "not" => match tokens.next()? {
            Token::Word(word) if word.eq_ignore_ascii_case("in") => Some(Operator::NotIn),
            _ => None,
        },
        _ => None,
    }
}

fn word_of(token: Token) -> Option<String> {
    match token {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        _ => None,
    }
}

pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, Refusal> {
    let invalid = || Refusal::invalid(format!("Invalid clause(s) in filter string: '{filter}'"));
    let mut tokens = Vec::new();
    let mut rest = filter.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' | '"' if !(first == '"' && begins_comparison(&tokens)) => {
                let text = quoted(rest).ok_or_else(invalid)?;
                (Token::Quoted(text.to_owned()), text.len() + 2)
            }
            '(' => {
                let end = rest.find(')').ok_or_else(invalid)?;
                let texts = rest[1..end].split(',').map(str::trim);
                let texts = texts.filter(|text| !text.is_empty());
                let texts: Option<_> = texts.map(|text| quoted(text).map(str::to_owned)).collect();
                (Token::List(texts.ok_or_else(invalid)?), end + 1)
            }
            '=' => (Token::Operator(Operator::Equal), 1),
            '!' if rest.starts_with("!=") => (Token::Operator(Operator::Unequal), 2),
            '<' if rest.starts_with("<=") => (Token::Operator(Operator::LessOrEqual), 2),
            '<' => (Token::Operator(Operator::Less), 1),
            '>' if rest.starts_with(">=") => (Token::Operator(Operator::GreaterOrEqual), 2),
            '>' => (Token::Operator(Operator::Greater), 1),
            _ => {
                let length = word_length(rest).ok_or_else(invalid)?;
                (Token::Word(rest[..length].to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Whether the next token is what is compared, which double quotes make one word.
fn begins_comparison(tokens: &[Token]) -> bool {
    match tokens.last() {
        None => true,
        Some(Token::Word(word)) => word.eq_ignore_ascii_case("and"),
        Some(_) => false,
    }
}

/// What stands between the quotes `text` starts with. A quote that is doubled or comes after a backslash does not end
/// it; both stay as they are.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|quote| "'\"".contains(*quote))?;
    let inner = &text[1..];
    let mut letters = inner.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let is_doubled = letters.peek().is_some_and(|(_, next)| *next == quote);
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == quote && is_doubled => drop(letters.next()),
            _ if letter == quote => return Some(&inner[..at]),
            _ => {}
        }
    }
    None
}

/// How long the word is that `text` starts with; a part in backticks or quotes may hold anything.
fn word_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if "`\"".contains(letter) => quote = Some(letter),
            None if letter.is_whitespace() || "=!<>'(),;".contains(letter) => {
                return (at > 0).then_some(at);
            }
            None => {}
        }
    }
    quote.is_none().then_some(text.len())
}
