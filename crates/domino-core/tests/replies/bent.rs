//! A valid reply, changed: values of another kind or size, missing values, repeated values.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// One change, at a place that is counted through the whole value.
#[derive(Debug, Clone)]
pub struct Change {
    place: prop::sample::Index,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// Another value replaces it.
    Becomes(Value),
    /// It is removed.
    Goes,
    /// It is repeated this often, in a list.
    Repeats(usize),
    /// It moves one level deeper.
    Sinks,
}

pub fn change() -> impl Strategy<Value = Change> {
    let what = prop_oneof![
        4 => odd_value().prop_map(What::Becomes),
        1 => any_json().prop_map(What::Becomes),
        2 => Just(What::Goes),
        1 => (2..120_usize).prop_map(What::Repeats),
        1 => Just(What::Sinks),
    ];
    (any::<prop::sample::Index>(), what).prop_map(|(place, what)| Change { place, what })
}

/// Values that a reader may fail on.
fn odd_value() -> impl Strategy<Value = Value> {
    let long = "x".repeat(5000);
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(-1e308),
        json!(""),
        json!("0"),
        json!("-1"),
        json!("18446744073709551616"),
        json!("340282366920938463463374607431768211456"),
        json!("NaN"),
        json!("../../x?y=z#"),
        json!("\u{1b}[31m\n::error::x\r\u{0}"),
        json!("\u{202e}é☁🦀"),
        json!("9999-99-99T99:99:99Z"),
        json!(long),
        json!([]),
        json!({}),
        json!([[[[]]]]),
    ])
}

/// Any JSON, a few levels deep.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "id", "name", "status", "items", "data", "metadata", "version", "jobs", "error",
            "message",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The value with every change made, one after the other.
pub fn changed(mut value: Value, changes: &[Change]) -> Value {
    for change in changes {
        let mut at = change.place.index(count(&value));
        apply(&mut value, &mut at, &change.what);
    }
    value
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Walks to the place and changes what is there; `true` if its container is to remove it.
fn apply(value: &mut Value, at: &mut usize, what: &What) -> bool {
    if *at == 0 {
        *at = usize::MAX;
        match what {
            What::Becomes(other) => *value = other.clone(),
            What::Goes => return true,
            What::Repeats(times) => *value = Value::Array(vec![value.clone(); *times]),
            What::Sinks => *value = json!({"value": value.clone()}),
        }
        return false;
    }
    *at -= 1;
    match value {
        Value::Array(items) => {
            let gone = items.iter_mut().position(|item| step(item, at, what));
            if let Some(gone) = gone {
                items.remove(gone);
            }
        }
        Value::Object(fields) => {
            let gone = fields
                .iter_mut()
                .find_map(|(name, field)| step(field, at, what).then(|| name.clone()));
            if let Some(gone) = gone {
                fields.remove(&gone);
            }
        }
        _ => {}
    }
    false
}

fn step(value: &mut Value, at: &mut usize, what: &What) -> bool {
    *at != usize::MAX && apply(value, at, what)
}
