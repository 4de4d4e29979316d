//! The values of GitHub's expressions, and how they turn into one another: numbers, strings, truth, equality, order.
//!
//! It follows the rules that GitHub documents for its expressions. It parses nothing and knows no context.

use std::cmp::Ordering;
use std::rc::Rc;

/// A value of an expression. Arrays and objects are equal only to themselves, as on GitHub.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing: also what a property that is not there gives.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// GitHub has one kind of number.
    Number(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Rc<Vec<Value>>),
    /// Named values, in order.
    Object(Rc<Object>),
}

/// An object's properties.
#[derive(Debug, Default)]
pub struct Object {
    /// Names and values, in the order they were added.
    pub entries: Vec<(String, Value)>,
    /// Whether `FOO` and `foo` are two names: so in the `env` context on Linux, nowhere else.
    pub case_sensitive: bool,
}

impl Object {
    /// The value of a property, or nothing.
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(key, _)| {
                if self.case_sensitive {
                    key == name
                } else {
                    same_ignoring_case(key, name)
                }
            })
            .map(|(_, value)| value)
    }
}

impl Value {
    /// An object whose names are compared without case.
    pub fn object<K: Into<String>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Object(Rc::new(Object {
            entries: entries
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
            case_sensitive: false,
        }))
    }

    /// An object of strings.
    pub fn strings<K: Into<String>, V: Into<String>>(
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::object(
            entries
                .into_iter()
                .map(|(key, value)| (key, Self::String(value.into()))),
        )
    }

    /// What a JSON document means as a value.
    pub fn from_json(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(value) => Self::Number(value.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(value) => Self::String(value),
            serde_json::Value::Array(items) => {
                Self::Array(Rc::new(items.into_iter().map(Self::from_json).collect()))
            }
            serde_json::Value::Object(entries) => Self::object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, Self::from_json(value))),
            ),
        }
    }

    /// Whether this is neither an array nor an object.
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// Whether a condition takes this as yes: everything but null, false, zero, NaN and the empty string.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::String(value) => !value.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// As a number; NaN where there is none.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(value) => *value,
            Self::String(value) => parse_number(value),
            Self::Array(_) | Self::Object(_) => f64::NAN,
        }
    }

    /// As text; arrays and objects give their kind's name.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => number_text(*value),
            Self::String(value) => value.clone(),
            Self::Array(_) => "Array".into(),
            Self::Object(_) => "Object".into(),
        }
    }

    /// `==`: strings without case, different kinds by their numbers, NaN equal to nothing.
    pub fn equals(&self, other: &Self) -> bool {
        let (left, right) = coerce(self, other);
        match (&left, &right) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => left == right,
            (Self::String(left), Self::String(right)) => same_ignoring_case(left, right),
            (Self::Array(left), Self::Array(right)) => Rc::ptr_eq(left, right),
            (Self::Object(left), Self::Object(right)) => Rc::ptr_eq(left, right),
            _ => false,
        }
    }

    /// `<` and `>`; nothing where the two cannot be ordered, and then both are false.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = coerce(self, other);
        match (&left, &right) {
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Number(left), Self::Number(right)) => left.partial_cmp(right),
            (Self::String(left), Self::String(right)) => {
                Some(left.to_uppercase().cmp(&right.to_uppercase()))
            }
            _ => None,
        }
    }

    /// The property or item that `name` selects; null where there is none, as on GitHub.
    pub fn index(&self, name: &Self) -> Self {
        match self {
            Self::Object(object) if name.is_primitive() => object
                .property(&name.to_text())
                .cloned()
                .unwrap_or(Self::Null),
            Self::Array(items) => {
                let position = name.to_number().floor();
                if position >= 0.0 {
                    // A position past the end of any list selects nothing, so saturation is right.
                    items.get(position as usize).cloned().unwrap_or(Self::Null)
                } else {
                    Self::Null
                }
            }
            _ => Self::Null,
        }
    }

    /// The document that `toJSON` makes, indented by two.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text, 0);
        text
    }

    fn write_json(&self, text: &mut String, depth: usize) {
        let quoted = |value: &str| serde_json::Value::from(value).to_string();
        let pad = "  ".repeat(depth + 1);
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(_) | Self::Number(_) => text.push_str(&self.to_text()),
            Self::String(value) => text.push_str(&quoted(value)),
            Self::Array(items) if items.is_empty() => text.push_str("[]"),
            Self::Object(object) if object.entries.is_empty() => text.push_str("{}"),
            Self::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    text.push_str(if position == 0 { "[\n" } else { ",\n" });
                    text.push_str(&pad);
                    item.write_json(text, depth + 1);
                }
                text.push('\n');
                text.push_str(&"  ".repeat(depth));
                text.push(']');
            }
            Self::Object(object) => {
                for (position, (name, value)) in object.entries.iter().enumerate() {
                    text.push_str(if position == 0 { "{\n" } else { ",\n" });
                    text.push_str(&pad);
                    text.push_str(&quoted(name));
                    text.push_str(": ");
                    value.write_json(text, depth + 1);
                }
                text.push('\n');
                text.push_str(&"  ".repeat(depth));
                text.push('}');
            }
        }
    }
}

/// Whether two strings are the same when case does not count.
pub fn same_ignoring_case(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right) || left.to_uppercase() == right.to_uppercase()
}

/// Two values made comparable: a number against a string by number, null and booleans by number.
fn coerce(left: &Value, right: &Value) -> (Value, Value) {
    match (left, right) {
        (Value::Null, Value::Null) | (Value::Bool(_), Value::Bool(_)) => {
            (left.clone(), right.clone())
        }
        (Value::Null | Value::Bool(_), _) => coerce(&Value::Number(left.to_number()), right),
        (_, Value::Null | Value::Bool(_)) => coerce(left, &Value::Number(right.to_number())),
        (Value::Number(_), Value::String(_)) => (left.clone(), Value::Number(right.to_number())),
        (Value::String(_), Value::Number(_)) => (Value::Number(left.to_number()), right.clone()),
        _ => (left.clone(), right.clone()),
    }
}

/// The number that a text means, as JavaScript's `Number()` would have it; NaN where there is none.
pub fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    match text {
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust also reads words such as `inf`, which GitHub does not.
        _ if text
            .chars()
            .any(|c| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')) =>
        {
            f64::NAN
        }
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

fn radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() || digits.chars().any(|c| !c.is_digit(radix)) {
        return f64::NAN;
    }
    // GitHub reads 32 bits in two's complement: 0xFFFFFFFF is -1.
    u32::from_str_radix(digits, radix).map_or(f64::NAN, |bits| f64::from(bits.cast_signed()))
}

/// A number as GitHub writes it: at most 15 significant digits, an exponent from 1E+15 and below 1E-05.
fn number_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.into();
    }
    let scientific = format!("{:.14e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("Rust writes an exponent");
    let exponent: i32 = exponent.parse().expect("Rust writes a whole exponent");
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let text = if !(-5..15).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{dot}{rest}E{sign}{:02}", exponent.abs())
    } else if exponent < 0 {
        format!(
            "0.{}{digits}",
            "0".repeat(exponent.unsigned_abs() as usize - 1)
        )
    } else {
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            format!("{digits}{}", "0".repeat(whole - digits.len()))
        } else {
            format!("{}.{}", &digits[..whole], &digits[whole..])
        }
    };
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_fifteen_digits() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.3"),
            (100.0, "100"),
            (123456789012345.0, "123456789012345"),
            (1e15, "1E+15"),
            (1.5e21, "1.5E+21"),
            (0.00001, "0.00001"),
            (0.000001, "1E-06"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(Value::Number(number).to_text(), text);
        }
    }

    #[test]
    fn texts_become_numbers_as_in_javascript() {
        for (text, number) in [
            ("", 0.0),
            ("  ", 0.0),
            (" 12 ", 12.0),
            ("-1.5e3", -1500.0),
            (".5", 0.5),
            ("0xff", 255.0),
            ("0xFFFFFFFF", -1.0),
            ("0o17", 15.0),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_number(text), number, "{text:?}");
        }
        for text in [
            "abc", "1,000", "0x", "0xZZ", "0o9", "inf", "nan", "1 2", "infinity",
        ] {
            assert!(parse_number(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn to_json_indents_by_two_and_keeps_the_order() {
        let value = Value::object([
            ("b", Value::Number(1.0)),
            (
                "a",
                Value::from_json(serde_json::json!(["x", null, {}, []])),
            ),
        ]);
        assert_eq!(
            value.to_json(),
            "{\n  \"b\": 1,\n  \"a\": [\n    \"x\",\n    null,\n    {},\n    []\n  ]\n}"
        );
    }
}
