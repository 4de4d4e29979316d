//! Generated expressions, and our answer to one.
//!
//! Known differences are left out: where GitHub's runner answers differently from its library, we follow the runner.
//! That concerns numbers of more than 15 digits or from 1E+15 on, hexadecimal ones of more than 31 bits, binary ones,
//! `toJSON` of NaN and infinities, a comma after the last argument, `{0` with more than digits in it. In a string
//! with several doubled quotes the library halves only the first pair.

use github_workflow::evaluate::Scope;
use github_workflow::expression::Expression;
use github_workflow::functions::check_arguments;
use github_workflow::value::Value;

/// The contexts that the expressions see.
pub const CONTEXTS: &str = r#"{
  "github": {"sha": "abc", "Ref": "refs/heads/main", "event": {"inputs": {"stage": "dev"}, "commits": [{"id": "1"}, {"id": "2"}]}},
  "needs": {"dev": {"result": "success", "outputs": {"version": "7"}}, "prod": {"result": "failure", "outputs": {}}},
  "list": ["Dev", 1, true, null, ["x", "y"], {"id": 3}],
  "nested": [[1, 2], [3], [], {"0": "zero", "true": "yes", "": "none"}],
  "nothing": null,
  "empty": {},
  "text": "Text",
  "number": 2.5
}"#;

const LITERALS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2.5",
    ".5",
    "+1",
    "0xff",
    "0o17",
    "1e3",
    "1E-3",
    "-0",
    "12345.678",
    "1.",
    "NaN",
    "Infinity",
    "-Infinity",
    "+Infinity",
    "true",
    "false",
    "null",
];
const TEXTS: &[&str] = &[
    "''",
    "'a'",
    "'A'",
    "'Dev'",
    "'it''s'",
    "'1'",
    "'0x10'",
    "' 2.5 '",
    "'true'",
    "'ß'",
    "'SS'",
    "'ı'",
    "'I'",
    "'i'",
    "'İ'",
    "'é'",
    "'É'",
    "'😀'",
    "'\u{e000}'",
    "'refs/heads/'",
    "'id'",
    "'-Infinity'",
    "'infinity'",
    "'}}'",
    "'{0}'",
    "'{{{0}}}'",
    "'{0} of {1}'",
    "'{'",
    "'{ 0 }'",
    "'}{0'",
    "'a b'",
];
const JSON: &[&str] = &[
    "'[]'",
    "'{}'",
    "'[1,[2,3]]'",
    "'{\"b\":1,\"a\":{\"x\":null}}'",
    "'{\"a\":1,\"A\":2}'",
    "' true '",
    "'\"x\"'",
    "'-1.50'",
    "'{'",
    "'nope'",
    "' '",
];
const CHAINS: &[&str] = &[
    "github", "needs", "list", "nested", "nothing", "empty", "text", "number", "GITHUB", "unknown",
    "True",
];
const NAMES: &[&str] = &[
    "sha", "REF", "event", "inputs", "stage", "commits", "id", "dev", "prod", "result", "outputs",
    "version", "true", "null", "x-y", "_1",
];

struct MadeUp {
    state: u64,
}

impl MadeUp {
    fn below(&mut self, end: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        usize::try_from(self.state >> 33).unwrap() % end
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        texts[self.below(texts.len())].to_owned()
    }

    fn chain(&mut self, depth: usize) -> String {
        let mut text = if depth > 0 && self.below(8) == 0 {
            format!("({})", self.expression(depth - 1))
        } else if self.below(8) == 0 {
            format!("fromJSON({})", self.one_of(JSON))
        } else {
            self.one_of(CHAINS)
        };
        for _ in 0..self.below(4) {
            match self.below(8) {
                0 => text += ".*",
                1 => text += "[*]",
                2 => text += &format!("[{}]", self.below(3)),
                3 => text += &format!("[{}]", self.one_of(TEXTS)),
                4 if depth > 0 => text += &format!("[{}]", self.expression(depth - 1)),
                _ => text += &format!(".{}", self.one_of(NAMES)),
            }
        }
        text
    }

    fn call(&mut self, depth: usize) -> String {
        if self.below(6) == 0 {
            // No numbers here: the two write some of them differently.
            return match self.below(3) {
                0 => format!("toJSON({})", self.one_of(TEXTS)),
                1 => format!("toJSON(fromJSON({}))", self.one_of(JSON)),
                _ => format!("toJSON({})", self.chain(0)),
            };
        }
        let (name, most) = [
            ("contains", 2),
            ("startsWith", 2),
            ("ENDSWITH", 2),
            ("format", 3),
            ("join", 2),
            ("fromJson", 1),
            ("case", 5),
            ("nope", 1),
        ][self.below(8)];
        let count = if self.below(8) == 0 {
            self.below(6)
        } else {
            most
        };
        let arguments: Vec<String> = (0..count)
            .map(|_| match name {
                "fromJson" if self.below(4) > 0 => self.one_of(JSON),
                "case" if self.below(2) == 0 => self.one_of(&["true", "false"]),
                "join" if self.below(2) == 0 => self.chain(0),
                _ => self.expression(depth.saturating_sub(1)),
            })
            .collect();
        format!("{name}({})", arguments.join(", "))
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(4) {
                0 => self.one_of(LITERALS),
                1 => self.one_of(TEXTS),
                _ => self.chain(0),
            };
        }
        match self.below(8) {
            0 => format!("!{}", self.expression(depth - 1)),
            1 => format!("({})", self.expression(depth - 1)),
            2 | 3 => self.call(depth),
            4 => self.chain(depth),
            _ => {
                let operator = self.one_of(&["==", "!=", "<", "<=", ">", ">=", "&&", "||"]);
                let space = self.one_of(&[" ", "", "\n  ", "\t"]);
                format!(
                    "{}{space}{operator}{space}{}",
                    self.expression(depth - 1),
                    self.expression(depth - 1)
                )
            }
        }
    }

    /// A mistyped expression: a letter too few, too many or in another's place.
    fn mistyped(&mut self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        let at = self.below(letters.len());
        match self.below(3) {
            0 => drop(letters.remove(at)),
            1 => letters.swap(at, text.chars().count() - 1),
            _ => letters.insert(
                at,
                ['*', '.', '(', ']', '!', '=', '&', '@', '\u{a0}', 'x'][self.below(10)],
            ),
        }
        letters.into_iter().collect()
    }
}

/// The same expressions in every run.
pub fn made_up(count: usize) -> Vec<String> {
    let mut made_up = MadeUp { state: 11 };
    let mut texts = Vec::with_capacity(count);
    while texts.len() < count {
        let depth = made_up.below(4);
        let text = made_up.expression(depth);
        let text = if made_up.below(5) == 0 {
            made_up.mistyped(&text)
        } else {
            text
        };
        if !text.trim().is_empty() && !is_left_out(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Mistyping may produce one of the known differences.
fn is_left_out(text: &str) -> bool {
    let compact: String = text.split_whitespace().collect();
    let lower = compact.to_lowercase();
    compact.contains(",)")
        || compact.matches("''").count() > 1
        || ["0x", "0b", "0o"].iter().any(|prefix| {
            lower.match_indices(prefix).any(|(at, _)| {
                !["0xff", "0x10", "0o17"]
                    .iter()
                    .any(|known| compact[at..].starts_with(known))
            })
        })
        || (lower.contains("tojson") && (compact.contains("NaN") || compact.contains("nfinity")))
        || ["{0", "{1"].iter().any(|open| {
            compact
                .match_indices(open)
                .any(|(at, _)| !compact[at + 2..].starts_with('}'))
        })
}

/// Our answer: a value with its kind, `refused` if the text is no expression, `error` if it has no value.
pub fn answer(text: &str) -> String {
    let contexts = Value::from_json(CONTEXTS).unwrap();
    let Value::Object(contexts) = contexts else {
        unreachable!("CONTEXTS is an object")
    };
    let Ok(expression) = Expression::parse(text) else {
        return "refused".into();
    };
    let mut refused = false;
    expression.walk(&mut |part| match part {
        Expression::Context(name) => refused |= contexts.property(name).is_none(),
        Expression::Call(name, arguments) => {
            refused |= check_arguments(name, arguments.len()).is_err();
        }
        _ => {}
    });
    if refused {
        return "refused".into();
    }
    let scope = Scope {
        contexts: contexts
            .entries
            .iter()
            .map(|(name, value)| (&*name.clone().leak(), value.clone()))
            .collect(),
        ..Scope::default()
    };
    match scope.value(&expression) {
        Err(_) => "error".into(),
        Ok(value @ (Value::Array(_) | Value::Filtered(_) | Value::Object(_))) => value.to_json(),
        Ok(Value::Null) => "null".into(),
        Ok(value @ Value::Bool(_)) => format!("boolean {}", value.to_text()),
        Ok(value @ Value::Number(_)) => format!("number {}", value.to_text()),
        Ok(Value::String(text)) => format!("string {text}"),
    }
}
