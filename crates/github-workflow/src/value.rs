//! The values of GitHub's expressions, and their conversions: numbers, strings, truth, equality, order.
//!
//! It follows GitHub's own library (npm `@actions/expressions` 0.3.61), and GitHub's runner where the two differ: how
//! numbers of 1E+15 and more are written, what 0xFFFFFFFF is, and `NaN` in `toJSON`. It knows no context.

use std::cmp::Ordering;
use std::sync::Arc;

use self::number::number_text;

mod json;
mod number;

pub use self::number::parse_number;

/// A value of an expression. Arrays and objects are equal only to themselves, as on GitHub.
#[derive(Debug, Clone)]
pub enum Value {
    /// Null, which is also the value of a property that does not exist.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; GitHub has only one kind.
    Number(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Arc<Vec<Value>>),
    /// The list that `.*` made: a look-up applies to each of its items; otherwise it is an ordinary list.
    Filtered(Arc<Vec<Value>>),
    /// Named values, in order.
    Object(Arc<Object>),
}

/// An object's properties.
#[derive(Debug, Default)]
pub struct Object {
    /// Names and values, in the order they were added.
    pub entries: Vec<(String, Value)>,
    /// Whether `FOO` and `foo` are two names, as only in the `env` context on Linux.
    pub case_sensitive: bool,
}

impl Object {
    /// The value of a property, if it exists. Of two names that differ only in case, the first counts.
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
        Self::Object(Arc::new(Object {
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

    /// The items of a list.
    pub fn items(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) | Self::Filtered(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is neither an array nor an object.
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Filtered(_) | Self::Object(_))
    }

    /// Whether a condition with this value holds: everything except null, false, zero, NaN and the empty string.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::String(value) => !value.is_empty(),
            Self::Array(_) | Self::Filtered(_) | Self::Object(_) => true,
        }
    }

    /// The value as a number; NaN if it has none.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(value) => *value,
            Self::String(value) => parse_number(value),
            Self::Array(_) | Self::Filtered(_) | Self::Object(_) => f64::NAN,
        }
    }

    /// The value as text; for arrays and objects the name of their kind.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => number_text(*value),
            Self::String(value) => value.clone(),
            Self::Array(_) | Self::Filtered(_) => "Array".into(),
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
            (
                Self::Array(left) | Self::Filtered(left),
                Self::Array(right) | Self::Filtered(right),
            ) => Arc::ptr_eq(left, right),
            (Self::Object(left), Self::Object(right)) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }

    /// `<` and `>`; absent if the two cannot be ordered, and then both are false.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = coerce(self, other);
        match (&left, &right) {
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Number(left), Self::Number(right)) => left.partial_cmp(right),
            (Self::String(left), Self::String(right)) => {
                Some(upper(left).encode_utf16().cmp(upper(right).encode_utf16()))
            }
            _ => None,
        }
    }

    /// The property or item that `name` selects; null if it does not exist, as on GitHub.
    pub fn index(&self, name: &Self) -> Self {
        match self {
            Self::Object(object) if name.is_primitive() => object
                .property(&name.to_text())
                .cloned()
                .unwrap_or(Self::Null),
            Self::Array(items) => name
                .position()
                .and_then(|position| items.get(position).cloned())
                .unwrap_or(Self::Null),
            Self::Filtered(items) => Self::Filtered(Arc::new(
                items
                    .iter()
                    .filter_map(|item| item.selected(name))
                    .collect(),
            )),
            _ => Self::Null,
        }
    }

    /// The result of `.*`: the values of a list or an object, and of each of them after another `.*`.
    pub fn filter(&self) -> Self {
        let values = match self {
            Self::Array(items) => items.to_vec(),
            Self::Filtered(items) => items.iter().flat_map(Self::values).collect(),
            _ => self.values(),
        };
        Self::Filtered(Arc::new(values))
    }

    /// The values of a list or an object; empty for anything else.
    fn values(&self) -> Vec<Self> {
        match self {
            Self::Array(items) | Self::Filtered(items) => items.to_vec(),
            Self::Object(object) => object
                .entries
                .iter()
                .map(|(_, value)| value.clone())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// What `name` selects of this item of a filtered list, if it exists.
    fn selected(&self, name: &Self) -> Option<Self> {
        match self {
            Self::Object(object) if name.is_primitive() => {
                object.property(&name.to_text()).cloned()
            }
            Self::Array(items) | Self::Filtered(items) => items.get(name.position()?).cloned(),
            _ => None,
        }
    }

    /// The list position that this value means.
    fn position(&self) -> Option<usize> {
        let number = self.to_number();
        // A position past the end of any list selects nothing, so saturation is right.
        (number >= 0.0 && number.is_finite()).then_some(number.floor() as usize)
    }
}

/// Whether two strings are the same, ignoring case.
pub fn same_ignoring_case(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right) || upper(left) == upper(right)
}

/// A text in capitals, as GitHub compares texts. A dotless i stays: its capital belongs to another letter.
pub fn upper(text: &str) -> String {
    if !text.contains('ı') {
        return text.to_uppercase();
    }
    let parts: Vec<String> = text.split('ı').map(str::to_uppercase).collect();
    parts.join("ı")
}

/// Two values converted so that they compare: a number and a string by number, null and booleans by number.
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
