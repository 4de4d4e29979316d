//! Expressions as text: from `needs.dev.outputs.version || 'latest'` to a tree.
//!
//! It reads the grammar GitHub documents, but for object filters (`.*`), which are refused by name. It evaluates nothing.

use crate::value::{Value, parse_number, same_ignoring_case};

/// A parsed expression.
#[derive(Debug, Clone)]
pub enum Expression {
    /// `'text'`, `1`, `true`, `null`.
    Literal(Value),
    /// A context by name: `github`, `env`, `needs`, …
    Context(String),
    /// `left.name` or `left[name]`.
    Index(Box<Expression>, Box<Expression>),
    /// A call by the function's name as it was written.
    Call(String, Vec<Expression>),
    /// `!operand`.
    Not(Box<Expression>),
    /// Two operands and what stands between them.
    Binary(Operator, Box<Expression>, Box<Expression>),
}

/// What stands between two operands.
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
    const ALL: [(&'static str, Self, u8); 8] = [
        ("||", Self::Or, 1),
        ("&&", Self::And, 2),
        ("==", Self::Equal, 3),
        ("!=", Self::NotEqual, 3),
        // The longer ones come first, for `<` is the beginning of `<=`.
        ("<=", Self::LessOrEqual, 4),
        (">=", Self::GreaterOrEqual, 4),
        ("<", Self::Less, 4),
        (">", Self::Greater, 4),
    ];
}

/// Words after which an `if:` no longer gets GitHub's own `success() &&` in front.
const STATUS_FUNCTIONS: [&str; 4] = ["success", "failure", "cancelled", "always"];

impl Expression {
    /// Reads one expression, without its `${{ }}`.
    ///
    /// # Errors
    /// A sentence on what GitHub's grammar, or this reader of it, does not know.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        parser.space();
        if parser.rest().is_empty() {
            return Err("an expression is empty".into());
        }
        let expression = parser.binary(0)?;
        if parser.rest().is_empty() {
            Ok(expression)
        } else {
            Err(format!(
                "`{}` is not expected in expression `{}`",
                parser.rest().trim(),
                text.trim()
            ))
        }
    }

    /// Calls `visit` for this expression and everything in it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::Literal(_) | Self::Context(_) => {}
            Self::Not(operand) => operand.walk(visit),
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

    /// Whether it asks for the status of what ran before, so that GitHub adds no `success() &&`.
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

    /// `["steps", "train", "outputs", "url"]` for `steps.train.outputs.url`; nothing for anything but such a chain.
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
    at: usize,
    depth: usize,
}

/// GitHub refuses deeper nesting too, and this reader must not run out of stack.
const DEEPEST: usize = 50;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
            self.space();
        }
        found
    }

    fn binary(&mut self, loosest: u8) -> Result<Expression, String> {
        self.deeper()?;
        let mut left = self.unary()?;
        while let Some((token, operator, binding)) = Operator::ALL
            .into_iter()
            .find(|(token, _, binding)| *binding > loosest && self.rest().starts_with(token))
        {
            self.eat(token);
            let right = self.binary(binding)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
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
        if !self.rest().starts_with("!=") && self.eat("!") {
            self.deeper()?;
            let operand = self.unary()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(operand)));
        }
        let mut operand = self.operand()?;
        loop {
            if self.eat(".") {
                if self.rest().starts_with('*') {
                    return Err(self.object_filter());
                }
                let name = self.word();
                if name.is_empty() {
                    return Err(format!(
                        "a name is missing after `.` in expression `{}`",
                        self.text.trim()
                    ));
                }
                let name = Expression::Literal(Value::String(name.to_owned()));
                operand = Expression::Index(Box::new(operand), Box::new(name));
            } else if self.eat("[") {
                if self.rest().starts_with('*') {
                    return Err(self.object_filter());
                }
                let index = self.binary(0)?;
                self.expect("]")?;
                operand = Expression::Index(Box::new(operand), Box::new(index));
            } else {
                return Ok(operand);
            }
        }
    }

    fn operand(&mut self) -> Result<Expression, String> {
        if self.eat("(") {
            let inner = self.binary(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err(format!("expression `{}` ends too early", self.text.trim()));
        };
        match first {
            '\'' => self.string(),
            '0'..='9' | '-' | '+' | '.' => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || "()[],!=<>&|".contains(c))
                    .unwrap_or(rest.len());
                let number = parse_number(&rest[..end]);
                if number.is_nan() {
                    return Err(format!("`{}` is not a number", &rest[..end]));
                }
                self.at += end;
                self.space();
                Ok(Expression::Literal(Value::Number(number)))
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let word = self.word();
                if self.eat("(") {
                    return Ok(Expression::Call(word.to_owned(), self.arguments()?));
                }
                Ok(match word {
                    "true" => Expression::Literal(Value::Bool(true)),
                    "false" => Expression::Literal(Value::Bool(false)),
                    "null" => Expression::Literal(Value::Null),
                    "NaN" => Expression::Literal(Value::Number(f64::NAN)),
                    "Infinity" => Expression::Literal(Value::Number(f64::INFINITY)),
                    _ => Expression::Context(word.to_owned()),
                })
            }
            '"' => Err("GitHub's expressions take single quotes only".into()),
            _ => Err(format!(
                "`{first}` is not expected in expression `{}`",
                self.text.trim()
            )),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, String> {
        let mut arguments = Vec::new();
        if self.eat(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.binary(0)?);
            if self.eat(")") {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    fn string(&mut self) -> Result<Expression, String> {
        let mut value = String::new();
        let mut rest = self.rest().strip_prefix('\'').unwrap_or_default();
        loop {
            let Some(quote) = rest.find('\'') else {
                return Err(format!(
                    "a string is not closed in expression `{}`",
                    self.text.trim()
                ));
            };
            value.push_str(&rest[..quote]);
            rest = &rest[quote + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        self.at = self.text.len() - rest.len();
        self.space();
        Ok(Expression::Literal(Value::String(value)))
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        self.at += end;
        self.space();
        &rest[..end]
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(format!(
                "`{token}` is missing in expression `{}`",
                self.text.trim()
            ))
        }
    }

    fn object_filter(&self) -> String {
        format!(
            "object filters (`*`) are not rehearsed: expression `{}`",
            self.text.trim()
        )
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
            ("a.", "a name is missing"),
            ("a ==", "ends too early"),
            ("needs.*.result", "object filters"),
            ("needs[*].result", "object filters"),
            ("a = b", "`= b` is not expected"),
            ("a @ b", "`@ b` is not expected"),
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
