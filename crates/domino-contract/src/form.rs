//! A form that sends files, as the object whose properties a spec describes: each field with its content.

use serde_json::{Map, Value};

/// The fields of a body that begins like such a form; nothing where it is something else.
pub(crate) fn fields(body: &Value) -> Option<Value> {
    let text = body.as_str()?;
    let (line, _) = text.split_once("\r\n")?;
    let boundary = line.strip_prefix("--").filter(|rest| !rest.is_empty())?;
    let mut fields = Map::new();
    for part in text.split(&format!("--{boundary}")) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let (_, rest) = head.split_once("; name=\"")?;
        let name = rest.split('"').next()?;
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        fields.insert(name.to_owned(), content.into());
    }
    (!fields.is_empty()).then_some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_is_an_object_of_its_fields_and_a_text_is_none() {
        let form = "--x\r\nContent-Disposition: form-data; name=\"upfile\"; filename=\"a\"\r\n\r\n# A\n\r\n--x--\r\n";
        assert_eq!(fields(&json!(form)), Some(json!({"upfile": "# A\n"})));
        for other in [json!("--x"), json!("a\r\nb"), json!({"a": 1})] {
            assert_eq!(fields(&other), None, "{other}");
        }
    }
}
