//! JSON as values and values as JSON: names keep their order, and of two that differ only in case the first stays.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Object, Value, same_ignoring_case};

impl Value {
    /// A JSON document as a value.
    ///
    /// # Errors
    /// A text that is not JSON.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
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
            Self::Array(items) | Self::Filtered(items) if items.is_empty() => text.push_str("[]"),
            Self::Object(object) if object.entries.is_empty() => text.push_str("{}"),
            Self::Array(items) | Self::Filtered(items) => {
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

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(Arc::new(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Object::default();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            let place = object
                .entries
                .iter_mut()
                .find(|(known, _)| same_ignoring_case(known, &name));
            match place {
                // The same name twice: the later value counts, as in JSON elsewhere.
                Some((known, old)) if *known == name => *old = value,
                Some(_) => {}
                None => object.entries.push((name, value)),
            }
        }
        Ok(Value::Object(Arc::new(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_json_indents_by_two_and_keeps_the_order() {
        let value = Value::object([
            ("b", Value::Number(1.0)),
            ("a", Value::from_json(r#"["x", null, {}, []]"#).unwrap()),
        ]);
        assert_eq!(
            value.to_json(),
            "{\n  \"b\": 1,\n  \"a\": [\n    \"x\",\n    null,\n    {},\n    []\n  ]\n}"
        );
    }
}
