//! Expressions as text: from `needs.dev.outputs.version || 'latest'` to a tree.
//!
//! It accepts what GitHub's own library accepts (npm `@actions/expressions` 0.3.61), except a comma after the last
//! argument: nothing says that the runner accepts that as well. It evaluates nothing.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::token::{Token, tokens};
use crate::value::{Value, same_ignoring_case};

pub use crate::token::Operator;

/// A parsed expression.
#[derive(Debug, Clone)]
pub enum Expression {
    /// `'text'`, `1`, `true`, `null`.
    Literal(Value),
    /// A context by name: `github`, `env`, `needs`, …
    Context(String),
    /// `left.name` or `left[name]`.
    Index(Box<Expression>, Box<Expression>),
    /// `left.*` or `left[*]`: all values of a list or an object, as a list; each further look-up applies to every
    /// item.
    Filter(Box<Expression>),
    /// A call, with the function's name as it was written.
    Call(String, Vec<Expression>),
    /// `!operand`.
    Not(Box<Expression>),
    /// Two operands and the operator between them.
    Binary(Operator, Box<Expression>, Box<Expression>),
}

/// Functions that keep GitHub from adding its own `success() &&` in front of an `if:`.
const STATUS_FUNCTIONS: [&str; 4] = ["success", "failure", "cancelled", "always"];

impl Expression {
    /// Reads one expression, without its `${{ }}`.
    ///
    /// # Errors
    /// A sentence on what GitHub's grammar, or this reader of it, does not support.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            text: text.trim(),
            tokens: tokens(text.trim())?.into_iter().peekable(),
            depth: 0,
        };
        if parser.tokens.peek().is_none() {
            return Err("an expression is empty".into());
        }
        let expression = parser.expression()?;
        match parser.tokens.next() {
            None => Ok(expression),
            Some(token) => Err(parser.unexpected(&token)),
        }
    }

    /// Calls `visit` for this expression and everything in it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::Literal(_) | Self::Context(_) => {}
            Self::Not(operand) | Self::Filter(operand) => operand.walk(visit),
            Self::Index(left, right) | Self::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            Self::Call(_, arguments) => {
                for argument in arguments {
                    argument.walk(visit);
                }
            }
        }
    }

    /// Whether it uses the status of what ran before, so that GitHub adds no `success() &&`.
    pub fn asks_for_status(&self) -> bool {
        let mut found = false;
        self.walk(&mut |part| {
            if let Self::Call(name, _) = part {
                found |= STATUS_FUNCTIONS
                    .iter()
                    .any(|status| same_ignoring_case(status, name));
            }
        });
        found
    }

    /// `["steps", "train", "outputs", "url"]` for `steps.train.outputs.url`; absent for anything but such a chain.
    pub fn chain(&self) -> Option<Vec<&str>> {
        match self {
            Self::Context(name) => Some(vec![name]),
            Self::Index(left, name) => match name.as_ref() {
                Self::Literal(Value::String(name)) => {
                    let mut chain = left.chain()?;
                    chain.push(name);
                    Some(chain)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
}

/// The deepest nesting that GitHub accepts. Each call, bracket, look-up, `!`, `&&` and `||` around a word counts.
const DEEPEST: usize = 50;

impl Parser<'_> {
    fn expression(&mut self) -> Result<Expression, String> {
        self.deeper()?;
        let expression = self.binary(0)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn binary(&mut self, loosest: u8) -> Result<Expression, String> {
        let mut left = self.unary()?;
        while let Some(Token::Operator(operator)) = self.tokens.peek() {
            let operator = *operator;
            if operator.binding() <= loosest {
                break;
            }
            self.tokens.next();
            let counts = matches!(operator, Operator::Or | Operator::And);
            if counts {
                self.deeper()?;
            }
            let right = self.binary(operator.binding())?;
            if counts {
                self.depth -= 1;
            }
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("an expression is nested deeper than {DEEPEST}"));
        }
        Ok(())
    }

    fn unary(&mut self) -> Result<Expression, String> {
        if !self.eat(&Token::Not) {
            return self.with_look_ups();
        }
        self.deeper()?;
        let operand = self.unary()?;
        self.depth -= 1;
        Ok(Expression::Not(Box::new(operand)))
    }

    /// An operand with its look-ups. A literal has none.
    fn with_look_ups(&mut self) -> Result<Expression, String> {
        let is_group = self.tokens.peek() == Some(&Token::OpenParen);
        let mut operand = self.operand()?;
        if matches!(operand, Expression::Literal(_)) && !is_group {
            return Ok(operand);
        }
        let depth = self.depth;
        loop {
            let look_up = if self.eat(&Token::Dot) {
                match self.next()? {
                    Token::Star => None,
                    Token::Name(name) => Some(Expression::Literal(Value::String(name))),
                    other => return Err(self.unexpected(&other)),
                }
            } else if self.eat(&Token::OpenBracket) {
                let index = if self.eat(&Token::Star) {
                    None
                } else {
                    Some(self.expression()?)
                };
                self.expect(&Token::CloseBracket)?;
                index
            } else {
                self.depth = depth;
                return Ok(operand);
            };
            self.deeper()?;
            operand = match look_up {
                Some(name) => Expression::Index(Box::new(operand), Box::new(name)),
                None => Expression::Filter(Box::new(operand)),
            };
        }
    }

    fn operand(&mut self) -> Result<Expression, String> {
        Ok(match self.next()? {
            Token::OpenParen => {
                let inner = self.expression()?;
                self.expect(&Token::CloseParen)?;
                inner
            }
            Token::Number(number, _) => Expression::Literal(Value::Number(number)),
            Token::String(text) => Expression::Literal(Value::String(text)),
            Token::Name(name) => match name.as_str() {
                "true" => Expression::Literal(Value::Bool(true)),
                "false" => Expression::Literal(Value::Bool(false)),
                "null" => Expression::Literal(Value::Null),
                "NaN" => Expression::Literal(Value::Number(f64::NAN)),
                "Infinity" => Expression::Literal(Value::Number(f64::INFINITY)),
                _ if self.eat(&Token::OpenParen) => Expression::Call(name, self.arguments()?),
                _ => Expression::Context(name),
            },
            other => return Err(self.unexpected(&other)),
        })
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, String> {
        let mut arguments = Vec::new();
        if self.eat(&Token::CloseParen) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if self.eat(&Token::CloseParen) {
                return Ok(arguments);
            }
            self.expect(&Token::Comma)?;
        }
    }

    fn next(&mut self) -> Result<Token, String> {
        self.tokens
            .next()
            .ok_or_else(|| format!("expression `{}` ends too early", self.text))
    }

    fn eat(&mut self, token: &Token) -> bool {
        self.tokens.next_if_eq(token).is_some()
    }

    fn expect(&mut self, token: &Token) -> Result<(), String> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(format!(
                "`{token}` is missing in expression `{}`",
                self.text
            ))
        }
    }

    fn unexpected(&self, token: &Token) -> String {
        format!("`{token}` is not expected in expression `{}`", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_names_is_read_as_one() {
        let expression = Expression::parse("steps.train.outputs['url']").unwrap();
        assert_eq!(
            expression.chain().unwrap(),
            ["steps", "train", "outputs", "url"]
        );
        assert!(
            Expression::parse("steps[github.job]")
                .unwrap()
                .chain()
                .is_none()
        );
    }

    #[test]
    fn what_github_does_not_read_is_named() {
        for (text, why) in [
            ("", "empty"),
            ("  ", "empty"),
            ("'open", "not closed"),
            ("\"double\"", "single quotes"),
            ("a b", "`b` is not expected"),
            ("1x", "`1x` is not a number"),
            ("format('a'", "`,` is missing"),
            ("(true", "`)` is missing"),
            ("format('a',)", "`)` is not expected"),
            ("a.", "ends too early"),
            ("a.1", "`1` is not expected"),
            ("'abc'[0]", "`[` is not expected"),
            ("1.x", "`1.x` is not a number"),
            ("-0xff", "`-0xff` is not a number"),
            ("a*", "`a*` is not a word"),
            ("a\u{a0}b", "`\u{a0}b` is not a word"),
            ("a ==", "ends too early"),
            ("needs.**", "`*` is not expected"),
            ("needs[*.x]", "`]` is missing"),
            ("a = b", "`=` is not a word"),
            ("a @ b", "`@` is not a word"),
        ] {
            let error = Expression::parse(text).expect_err(text);
            assert!(error.contains(why), "{text:?}: {error}");
        }
        for deep in [
            "(".repeat(9999),
            "!".repeat(9999),
            "a[".repeat(9999),
            "f(".repeat(9999),
        ] {
            assert!(
                Expression::parse(&deep)
                    .unwrap_err()
                    .contains("nested deeper")
            );
        }
    }

    #[test]
    fn status_functions_are_found_wherever_they_stand() {
        assert!(
            Expression::parse("a && (b || !Always())")
                .unwrap()
                .asks_for_status()
        );
        assert!(
            !Expression::parse("contains('success()', 'x')")
                .unwrap()
                .asks_for_status()
        );
    }
}
