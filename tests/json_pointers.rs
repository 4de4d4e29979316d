//! The place of each value in a JSON document, for tests that change them one after the other.

use serde_json::Value;

/// The pointers to all values but the document itself.
pub fn pointers(value: &Value) -> Vec<String> {
    let below = |key: String, value: &Value| {
        let further = pointers(value)
            .into_iter()
            .map(|rest| format!("/{key}{rest}"));
        std::iter::once(format!("/{key}"))
            .chain(further)
            .collect::<Vec<_>>()
    };
    match value {
        Value::Object(table) => table
            .iter()
            .flat_map(|(key, value)| below(key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| below(index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    }
}
