//! Schemas of OpenAPI 3.0 and Swagger 2.0, converted to JSON Schema 2020-12.
//!
//! OpenAPI has `nullable`, even beside a `$ref`. A request's body is closed: a field that the schema does not name is
//! a finding, because Domino ignores it silently. Replies stay open, and so does what is below the parts of an
//! `allOf`. `format` is not checked: JSON Schema does not know most formats of the specs, such as `int32` and
//! `epoch`.

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::document::Document;

/// A validator for one schema of a document.
pub(crate) fn validator(
    document: &Document,
    schema: &Value,
    closed: bool,
) -> anyhow::Result<Validator> {
    let mut root = translated(schema, closed);
    let mut definitions = Map::new();
    gather(document, &root, &mut definitions);
    if let Some(object) = root.as_object_mut() {
        object.insert("$defs".into(), Value::Object(definitions));
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .build(&root)
        .map_err(|problem| anyhow::anyhow!(problem.to_string()))
}

/// Adds every definition that a schema refers to.
fn gather(document: &Document, schema: &Value, definitions: &mut Map<String, Value>) {
    let mut wanted = Vec::new();
    references(schema, &mut wanted);
    while let Some(name) = wanted.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let (closed, original) = match name.strip_prefix("closed-") {
            Some(original) => (true, original),
            None => (false, name.strip_prefix("open-").unwrap_or(&name)),
        };
        let found = document.schemas().and_then(|schemas| schemas.get(original));
        // A name that the document does not define is the document's mistake; anything is allowed there.
        let schema = found.map_or(Value::Bool(true), |schema| translated(schema, closed));
        references(&schema, &mut wanted);
        definitions.insert(name, schema);
    }
}

fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(name) = object
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix("#/$defs/"))
            {
                names.push(name.to_owned());
            }
            object.values().for_each(|value| references(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

fn translated(schema: &Value, closed: bool) -> Value {
    let Some(object) = schema.as_object() else {
        return schema.clone();
    };
    if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let reference =
            json!({"$ref": format!("#/$defs/{}-{name}", if closed { "closed" } else { "open" })});
        return if is_nullable(object) {
            json!({"anyOf": [reference, {"type": "null"}]})
        } else {
            reference
        };
    }
    let mut result = Map::new();
    for (key, value) in object {
        let translation = match key.as_str() {
            // Annotations, and keywords that have no meaning in JSON Schema.
            "nullable" | "example" | "description" | "format" | "discriminator" | "readOnly"
            | "xml" | "title" | "default" | "externalDocs" | "deprecated" => continue,
            "properties" => Value::Object(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| (name.clone(), translated(schema, closed)))
                    .collect(),
            ),
            "items" | "not" => translated(value, closed),
            "additionalProperties" if value.is_object() => translated(value, closed),
            // The parts are open; the whole is closed.
            "allOf" => each(value, false),
            "oneOf" | "anyOf" => each(value, closed),
            _ => value.clone(),
        };
        // `oneOf` is used where the alternatives overlap.
        result.insert(
            if key == "oneOf" {
                "anyOf".into()
            } else {
                key.clone()
            },
            translation,
        );
    }
    if closed && result.contains_key("allOf") {
        result.insert("unevaluatedProperties".into(), Value::Bool(false));
    } else if closed
        && result.contains_key("properties")
        && !result.contains_key("additionalProperties")
    {
        result.insert("additionalProperties".into(), Value::Bool(false));
    }
    let result = Value::Object(result);
    if is_nullable(object) {
        json!({"anyOf": [result, {"type": "null"}]})
    } else {
        result
    }
}

fn each(schemas: &Value, closed: bool) -> Value {
    Value::Array(
        schemas
            .as_array()
            .into_iter()
            .flatten()
            .map(|schema| translated(schema, closed))
            .collect(),
    )
}

fn is_nullable(object: &Map<String, Value>) -> bool {
    object.get("nullable") == Some(&Value::Bool(true))
}
