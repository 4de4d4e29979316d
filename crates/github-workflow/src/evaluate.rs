//! The value of an expression or template: GitHub's operators and functions over the given contexts.
//!
//! Status functions answer from the status that is given; `context.rs` decides which contexts may be used where.

use std::cmp::Ordering;
use std::fmt::Debug;

use crate::expression::{Expression, Operator};
use crate::functions::{self, check_arguments};
use crate::template::{Part, Template};
use crate::value::{Value, same_ignoring_case};

/// What an expression can see.
#[derive(Debug, Default)]
pub struct Scope<'a> {
    /// The contexts by name: `github`, `env`, …
    pub contexts: Vec<(&'static str, Value)>,
    /// The status, where status functions are allowed.
    pub status: Option<Status>,
    /// The files that `hashFiles` reads, where it is allowed.
    pub files: Option<&'a dyn Files>,
}

/// The files of a job's workspace. This crate itself reads no disk.
pub trait Files: Debug {
    /// The result of `hashFiles` for these patterns: empty if no file matches.
    ///
    /// # Errors
    /// A pattern or a file that cannot be read.
    fn hash(&self, patterns: &[String]) -> Result<String, String>;
}

/// What the status functions return.
#[derive(Debug, Clone, Copy)]
pub struct Status {
    /// Everything before succeeded.
    pub success: bool,
    /// Something before failed.
    pub failure: bool,
    /// The run is being cancelled.
    pub cancelled: bool,
}

impl Scope<'_> {
    /// The value of an expression.
    ///
    /// # Errors
    /// A sentence on what GitHub, or a rehearsal, cannot evaluate.
    pub fn value(&self, expression: &Expression) -> Result<Value, String> {
        Ok(match expression {
            Expression::Literal(value) => value.clone(),
            Expression::Context(name) => self
                .contexts
                .iter()
                .find(|(known, _)| same_ignoring_case(known, name))
                .map(|(_, value)| value.clone())
                .ok_or_else(|| format!("there is no `{name}` here"))?,
            Expression::Index(left, name) => self.value(left)?.index(&self.value(name)?),
            Expression::Filter(operand) => self.value(operand)?.filter(),
            Expression::Not(operand) => Value::Bool(!self.value(operand)?.is_truthy()),
            Expression::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            Expression::Call(name, arguments) => self.call(name, arguments)?,
        })
    }

    /// The text that a template evaluates to.
    ///
    /// # Errors
    /// As [`Scope::value`]; also when the whole text is an array or an object, which GitHub refuses here.
    pub fn text(&self, template: &Template) -> Result<String, String> {
        if let [Part::Expression(expression)] = template.parts.as_slice() {
            let value = self.value(expression)?;
            if value.is_primitive() {
                return Ok(value.to_text());
            }
            return Err(format!(
                "`{}` gives a list or an object where a text belongs",
                template.source.trim()
            ));
        }
        let mut text = String::new();
        for part in &template.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Expression(expression) => text.push_str(&self.value(expression)?.to_text()),
            }
        }
        Ok(text)
    }

    fn binary(
        &self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
    ) -> Result<Value, String> {
        let left = self.value(left)?;
        match operator {
            // The second operand is not evaluated if the first decides.
            Operator::Or if left.is_truthy() => return Ok(left),
            Operator::And if !left.is_truthy() => return Ok(left),
            Operator::Or | Operator::And => return self.value(right),
            _ => {}
        }
        let right = self.value(right)?;
        let order = left.compare(&right);
        Ok(Value::Bool(match operator {
            Operator::Equal => left.equals(&right),
            Operator::NotEqual => !left.equals(&right),
            Operator::Less => order == Some(Ordering::Less),
            Operator::Greater => order == Some(Ordering::Greater),
            Operator::LessOrEqual => order == Some(Ordering::Less) || left.equals(&right),
            Operator::GreaterOrEqual => order == Some(Ordering::Greater) || left.equals(&right),
            Operator::Or | Operator::And => unreachable!("decided above"),
        }))
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Result<Value, String> {
        let known = check_arguments(name, arguments.len())?;
        let arguments: Vec<Value> = arguments
            .iter()
            .map(|argument| self.value(argument))
            .collect::<Result<_, _>>()?;
        let status = || {
            self.status
                .ok_or_else(|| format!("`{known}()` stands in an `if:` only"))
        };
        Ok(match known {
            "success" => Value::Bool(status()?.success),
            "failure" => Value::Bool(status()?.failure),
            "cancelled" => Value::Bool(status()?.cancelled),
            "always" => status().map(|_| Value::Bool(true))?,
            "case" => functions::case(&arguments)?,
            "contains" => Value::Bool(functions::contains(&arguments[0], &arguments[1])),
            "startsWith" => Value::Bool(
                functions::folded(&arguments).is_some_and(|(text, part)| text.starts_with(&part)),
            ),
            "endsWith" => Value::Bool(
                functions::folded(&arguments).is_some_and(|(text, part)| text.ends_with(&part)),
            ),
            "format" => Value::String(functions::format(&arguments)?),
            "join" => Value::String(functions::join(&arguments)),
            "toJSON" => Value::String(arguments[0].to_json()),
            "fromJSON" => {
                let text = arguments[0].to_text();
                Value::from_json(&text).map_err(|error| format!("`fromJSON`: {error}"))?
            }
            "hashFiles" => {
                let files = self.files.ok_or("`hashFiles` stands in steps only")?;
                let patterns: Vec<String> = arguments.iter().map(Value::to_text).collect();
                Value::String(files.hash(&patterns)?)
            }
            _ => unreachable!("every name in FUNCTIONS has its arm"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope<'static> {
        let list = Value::from_json(r#"["Dev", 1, true, null]"#).unwrap();
        let env = crate::context::env([("FOO".to_owned(), "bar".to_owned())]);
        Scope {
            contexts: vec![
                (
                    "github",
                    Value::strings([("sha", "abc"), ("ref", "refs/heads/main")]),
                ),
                ("env", env),
                (
                    "inputs",
                    Value::object([("list", list), ("none", Value::Null)]),
                ),
                (
                    "needs",
                    Value::object([("build", Value::strings([("result", "success")]))]),
                ),
            ],
            status: Some(Status {
                success: true,
                failure: false,
                cancelled: false,
            }),
            files: None,
        }
    }

    fn text(expression: &str) -> String {
        scope()
            .value(&Expression::parse(expression).expect(expression))
            .expect(expression)
            .to_text()
    }

    #[test]
    fn expressions_give_what_github_gives() {
        for (expression, wanted) in [
            // Literals and look-ups.
            ("'it''s'", "it's"),
            ("-1.50", "-1.5"),
            ("0xff", "255"),
            ("null", ""),
            ("github.sha", "abc"),
            ("GITHUB['SHA']", "abc"),
            ("github.nothing.at.all", ""),
            ("github.sha.deeper", ""),
            ("env.FOO", "bar"),
            ("env.foo", ""),
            ("inputs.list[0]", "Dev"),
            ("inputs.list[0.9]", "Dev"),
            ("inputs.list['1']", "1"),
            ("inputs.list[9]", ""),
            ("inputs.list[-1]", ""),
            ("needs.build.result", "success"),
            ("needs['build']['result']", "success"),
            ("github", "Object"),
            ("inputs.list", "Array"),
            // Equality: by number when the kinds differ, without case for strings.
            ("1 == '1'", "true"),
            ("1 == ' 1.0 '", "true"),
            ("'' == 0", "true"),
            ("null == ''", "true"),
            ("null == 0", "true"),
            ("null == false", "true"),
            ("null == null", "true"),
            ("true == 1", "true"),
            ("true == '1'", "true"),
            ("true == 'true'", "false"),
            ("false == ''", "true"),
            ("'abc' == 0", "false"),
            ("'Dev' == 'dEV'", "true"),
            ("'Dev' != 'dEV'", "false"),
            ("'ı' == 'I'", "false"),
            ("'ß' == 'SS'", "true"),
            ("-0", "0"),
            ("+Infinity", "Infinity"),
            ("NaN == NaN", "false"),
            ("NaN != NaN", "true"),
            ("inputs.list == inputs.list", "true"),
            ("fromJSON('[]') == fromJSON('[]')", "false"),
            ("inputs.list == 'Array'", "false"),
            // Order.
            ("'10' > 9", "true"),
            ("'10' > '9'", "false"),
            ("'a' < 'B'", "true"),
            ("'abc' > 1", "false"),
            ("'abc' <= 1", "false"),
            ("null >= 0", "true"),
            ("true > false", "true"),
            ("2 <= 2", "true"),
            // Operators return operands and stop early; their precedence.
            ("'' || 'b'", "b"),
            ("'a' || nothere", "a"),
            ("'a' && 'b'", "b"),
            ("0 && nothere", "0"),
            ("false || true && false", "false"),
            ("1 < 2 == true", "true"),
            ("1 == 1 && 2 == 2", "true"),
            ("!'' && 'yes'", "yes"),
            ("!!'x'", "true"),
            ("!github", "false"),
            ("(1 == 2) || 'or'", "or"),
            // Functions.
            ("contains('Hello', 'ELL')", "true"),
            ("contains(inputs.list, 'dev')", "true"),
            ("contains(inputs.list, '1')", "true"),
            ("contains(inputs.list, 'x')", "false"),
            ("contains(github, 'abc')", "false"),
            ("contains('abc', null)", "true"),
            ("STARTSWITH('refs/heads/main', 'REFS/')", "true"),
            ("endsWith(github.ref, 'main')", "true"),
            ("endsWith(inputs.list, '')", "false"),
            ("format('{0}-{1}-{0}', 'a', 2)", "a-2-a"),
            ("format('{{{0}}}', 'a')", "{a}"),
            ("format('{0}', inputs.list)", "Array"),
            ("join(inputs.list)", "Dev,1,true,"),
            ("join(inputs.list, ' / ')", "Dev / 1 / true / "),
            ("join('one', '-')", "one"),
            ("join(github)", ""),
            ("toJSON('a\"b')", "\"a\\\"b\""),
            ("fromJSON('{\"a\": [1, 2]}').a[1]", "2"),
            ("fromJSON('true') && 'yes'", "yes"),
            ("fromJSON('{\"a\":1,\"A\":2}').A", "1"),
            ("case(1 == 2, 'a', true, 'b', 'c')", "b"),
            ("case(false, 'a', 'c')", "c"),
            // Object filters.
            ("join(needs.*.result)", "success"),
            ("join(inputs[*][0], '/')", "Dev"),
            ("contains(needs.*.result, 'failure')", "false"),
            ("toJSON(github.sha.*)", "[]"),
            ("needs.*", "Array"),
            // Status.
            ("success() && !failure()", "true"),
            ("always() && !cancelled()", "true"),
        ] {
            assert_eq!(text(expression), wanted, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_evaluated_is_named() {
        for (expression, why) in [
            ("nothere.x", "there is no `nothere` here"),
            ("nothere()", "function `nothere` is not known"),
            ("case(true, 1)", "does not take 2 arguments"),
            ("case(true, 1, true, 2)", "does not take 4 arguments"),
            ("case(1, 2, 3)", "it takes true or false"),
            ("format('{ 0 }', 1)", "does not understand"),
            ("contains('a')", "does not take 1 arguments"),
            ("success('build')", "does not take 1 arguments"),
            ("fromJSON('')", "fromJSON"),
            ("fromJSON('{')", "fromJSON"),
            ("format('{0}')", "no argument {0}"),
            ("format('{x}')", "does not understand"),
            ("format('}')", "does not understand"),
            ("hashFiles('a')", "stands in steps only"),
        ] {
            let error = scope()
                .value(&Expression::parse(expression).unwrap())
                .expect_err(expression);
            assert!(error.contains(why), "{expression}: {error}");
        }
        let error = Scope::default()
            .value(&Expression::parse("always()").unwrap())
            .unwrap_err();
        assert!(error.contains("`if:` only"), "{error}");
    }

    #[test]
    fn a_template_gives_text_and_undefined_gives_nothing() {
        let text = |source: &str| scope().text(&Template::parse(source).unwrap());
        assert_eq!(
            text("at ${{ github.sha }}, ${{ needs.other.outputs.x }}!").unwrap(),
            "at abc, !"
        );
        assert_eq!(text("${{ 1.0 }}").unwrap(), "1");
        assert_eq!(text("x ${{ github }}").unwrap(), "x Object");
        assert!(
            text("${{ github }}")
                .unwrap_err()
                .contains("where a text belongs")
        );
    }
}
