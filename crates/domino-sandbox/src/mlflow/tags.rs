//! Tags, which every noun of MLflow has: a list of keys and values, in the order of their setting.

use serde_json::{Value, json};

use super::input::Input;
use super::refusal::Refusal;

/// The longest key and the longest value; servers differ in the latter, and this is the least.
const LONGEST_KEY: usize = 250;
const LONGEST_VALUE: usize = 5000;

/// The tag that a call is to set.
pub(super) fn of(input: &Input) -> Result<(String, String), Refusal> {
    let key = input.text("key")?;
    let value = input.text_or_empty("value")?;
    check(key, &value)?;
    Ok((key.to_owned(), value))
}

/// Whether MLflow would take this tag.
pub(super) fn check(key: &str, value: &str) -> Result<(), Refusal> {
    let plain = |letter: char| letter.is_alphanumeric() || "_-. :/".contains(letter);
    if !key.chars().all(plain) {
        return Err(Refusal::invalid(format!(
            "Invalid value \"{key}\" for parameter 'key' supplied: Names may only contain \
             alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and \
             slashes (/)."
        )));
    }
    for (name, text, most) in [("key", key, LONGEST_KEY), ("value", value, LONGEST_VALUE)] {
        if text.chars().count() > most {
            return Err(Refusal::invalid(format!(
                "'{name}' exceeds the maximum length of {most} characters"
            )));
        }
    }
    Ok(())
}

/// Sets `key` to `value`, whatever it was.
pub(super) fn set(tags: &mut Vec<(String, String)>, key: String, value: String) {
    match tags.iter_mut().find(|(known, _)| *known == key) {
        Some((_, old)) => *old = value,
        None => tags.push((key, value)),
    }
}

pub(super) fn value(tags: &[(String, String)], key: &str) -> Option<String> {
    let (_, value) = tags.iter().find(|(known, _)| known == key)?;
    Some(value.clone())
}

/// Puts the tags into `json`; no key at all when there are none.
pub(super) fn put(json: &mut Value, tags: &[(String, String)]) {
    if !tags.is_empty() {
        json["tags"] = pairs(tags);
    }
}

/// MLflow's form of a map.
pub(super) fn pairs(tags: &[(String, String)]) -> Value {
    tags.iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

/// The tags as a plain object.
pub(super) fn object(tags: &[(String, String)]) -> Value {
    let pairs = tags.iter();
    pairs
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
