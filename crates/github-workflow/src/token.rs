//! Expressions as words: what GitHub's grammar has, one after the other, and where a word ends.
//!
//! It does not check the order: `expression.rs` decides whether a word may follow another.

use std::fmt;

use crate::value::parse_number;

/// A word of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `,`
    Comma,
    /// `.` before a name.
    Dot,
    /// `*`
    Star,
    /// `!`
    Not,
    /// The operator between two operands.
    Operator(Operator),
    /// A number, with its text.
    Number(f64, String),
    /// The text between single quotes.
    String(String),
    /// `true`, `false` and `null` too: after a dot they are ordinary names.
    Name(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenParen => "(",
            Self::CloseParen => ")",
            Self::OpenBracket => "[",
            Self::CloseBracket => "]",
            Self::Comma => ",",
            Self::Dot => ".",
            Self::Star => "*",
            Self::Not => "!",
            Self::Operator(operator) => operator.as_str(),
            Self::Number(_, text) | Self::Name(text) => text,
            Self::String(text) => return write!(f, "'{}'", text.replace('\'', "''")),
        })
    }
}

/// The operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `||`: the first operand that is true, or the last one.
    Or,
    /// `&&`: the first operand that is not true, or the last one.
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    const ALL: [Self; 8] = [
        Self::Or,
        Self::And,
        Self::Equal,
        Self::NotEqual,
        // The longer ones come first, because `<` is the beginning of `<=`.
        Self::LessOrEqual,
        Self::GreaterOrEqual,
        Self::Less,
        Self::Greater,
    ];

    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The operator that a text begins with.
    fn at_start_of(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| text.starts_with(operator.as_str()))
    }

    /// Its precedence; higher binds tighter.
    pub(crate) fn binding(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 4,
        }
    }
}

/// The words of an expression.
///
/// # Errors
/// A sentence on the first word that GitHub does not accept.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // GitHub accepts only these four; any other space is an error.
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            rest = &rest[1..];
            continue;
        }
        let (token, length) = match first {
            '\'' => string(rest, text)?,
            '0'..='9' | '-' | '+' => number(rest)?,
            '.' if !ends_an_operand(tokens.last()) => number(rest)?,
            _ => match punctuation(rest) {
                Some(found) => found,
                None => name(rest)?,
            },
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// Whether a dot after this word selects a property; elsewhere it begins a number.
fn ends_an_operand(token: Option<&Token>) -> bool {
    matches!(
        token,
        Some(Token::Name(_) | Token::CloseBracket | Token::CloseParen | Token::Star)
    )
}

fn punctuation(rest: &str) -> Option<(Token, usize)> {
    if let Some(operator) = Operator::at_start_of(rest) {
        return Some((Token::Operator(operator), operator.as_str().len()));
    }
    let token = match rest.as_bytes()[0] {
        b'(' => Token::OpenParen,
        b')' => Token::CloseParen,
        b'[' => Token::OpenBracket,
        b']' => Token::CloseBracket,
        b',' => Token::Comma,
        b'.' => Token::Dot,
        b'*' => Token::Star,
        b'!' => Token::Not,
        _ => return None,
    };
    Some((token, 1))
}

/// Where a number or a name ends: a star or a quote does not end one.
fn is_boundary(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}' || "()[],.!<>=&|".contains(c)
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    let end = rest
        .char_indices()
        .skip(1)
        .find(|(_, c)| *c != '.' && is_boundary(*c))
        .map_or(rest.len(), |(at, _)| at);
    let text = &rest[..end];
    let number = parse_number(text);
    if number.is_nan() {
        return Err(format!("`{text}` is not a number"));
    }
    Ok((Token::Number(number, text.to_owned()), end))
}

fn name(rest: &str) -> Result<(Token, usize), String> {
    let end = rest
        .char_indices()
        .skip(1)
        .find(|(_, c)| is_boundary(*c))
        .map_or(rest.len(), |(at, _)| at);
    let name = &rest[..end];
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    {
        return Ok((Token::Name(name.to_owned()), end));
    }
    if name.starts_with('"') {
        return Err("GitHub's expressions take single quotes only".into());
    }
    Err(format!("`{name}` is not a word of GitHub's expressions"))
}

fn string(rest: &str, whole: &str) -> Result<(Token, usize), String> {
    let mut value = String::new();
    let mut at = 1;
    loop {
        let Some(quote) = rest[at..].find('\'') else {
            return Err(format!(
                "a string is not closed in expression `{}`",
                whole.trim()
            ));
        };
        value.push_str(&rest[at..at + quote]);
        at += quote + 1;
        if !rest[at..].starts_with('\'') {
            return Ok((Token::String(value), at));
        }
        value.push('\'');
        at += 1;
    }
}
