//! Pages of a search: which part of the results is next, hidden in a token as MLflow hides it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::input::{Input, Limits};
use super::refusal::Refusal;

/// The page of `results` that `input` asks for, under `key`. Neither an empty list nor a token
/// that leads nowhere is named.
pub(super) fn page(
    input: &Input,
    key: &str,
    limits: Limits,
    results: Vec<Value>,
) -> Result<Value, Refusal> {
    let size = input.max_results(limits)?;
    let offset = match input.optional_text("page_token")? {
        None | Some("") => 0,
        Some(token) => offset(token)
            .ok_or_else(|| Refusal::invalid("Invalid page token, could not base64-decode"))?,
    };
    let end = offset.saturating_add(size);
    let has_more = end < results.len();
    let items: Vec<Value> = results.into_iter().skip(offset).take(size).collect();
    let mut page = json!({});
    if !items.is_empty() {
        page[key] = items.into();
    }
    if has_more {
        page["next_page_token"] = STANDARD.encode(format!("{{\"offset\": {end}}}")).into();
    }
    Ok(page)
}

fn offset(token: &str) -> Option<usize> {
    let decoded = STANDARD.decode(token).ok()?;
    let place: Value = serde_json::from_slice(&decoded).ok()?;
    usize::try_from(place["offset"].as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(input: Value) -> Result<Value, Refusal> {
        let limits = Limits {
            otherwise: 10,
            most: 10,
        };
        let numbers = (0..5).map(Value::from).collect();
        page(&Input::of(input), "numbers", limits, numbers)
    }

    #[test]
    fn tokens_lead_through_all_pages_and_end() {
        let first = results(json!({ "max_results": 2 })).unwrap();
        assert_eq!(first["numbers"], json!([0, 1]));
        let token = &first["next_page_token"];
        assert_eq!(token, "eyJvZmZzZXQiOiAyfQ==");
        let second = results(json!({ "max_results": 2, "page_token": token })).unwrap();
        let token = &second["next_page_token"];
        let third = results(json!({ "max_results": 2, "page_token": token })).unwrap();
        assert_eq!(third, json!({ "numbers": [4] }));
    }

    #[test]
    fn a_token_of_somebody_else_is_refused() {
        assert!(results(json!({ "page_token": "zzz" })).is_err());
    }
}
