//! What a call of MLflow carries, read as MLflow reads it: from JSON with strict types, or from a
//! query in which everything is text. Unknown fields are ignored.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The fields of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    fields: Map<String, Value>,
    /// Whether numbers and flags come as text, since they stood in a query.
    is_query: bool,
}

/// The place and the length of a page that a search asks for.
pub(super) struct Limits {
    pub(super) otherwise: u64,
    pub(super) most: u64,
}

impl Input {
    /// A body. One that is no JSON object carries nothing, and so lacks what is required.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        Input::of(serde_json::from_slice(body).unwrap_or_default())
    }

    /// A JSON object.
    pub(crate) fn of(value: Value) -> Self {
        let fields = match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Input {
            fields,
            is_query: false,
        }
    }

    /// A query; a name that is repeated makes a list.
    pub(crate) fn of_query(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut fields = Map::new();
        for (name, value) in pairs {
            match fields.get_mut(&name) {
                None => {
                    fields.insert(name, Value::String(value));
                }
                Some(Value::Array(values)) => values.push(Value::String(value)),
                Some(first) => *first = Value::Array(vec![first.clone(), Value::String(value)]),
            }
        }
        Input {
            fields,
            is_query: true,
        }
    }

    /// Every field with its values as text, for a query.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut pairs = Vec::new();
        for (name, value) in &self.fields {
            match value {
                Value::Array(values) => {
                    pairs.extend(values.iter().map(|value| (name.clone(), text(value))));
                }
                value => pairs.push((name.clone(), text(value))),
            }
        }
        pairs
    }

    pub(crate) fn into_json(self) -> Value {
        Value::Object(self.fields)
    }

    /// With a text that stood in the path.
    pub(super) fn with(mut self, name: &str, text: &str) -> Self {
        self.fields.insert(name.to_owned(), text.into());
        self
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A text that is required and not empty.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refusal> {
        match self.optional_text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(missing(name)),
        }
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(mistyped(name, other)),
        }
    }

    /// A text that may be missing, which is the same as empty.
    pub(super) fn text_or_empty(&self, name: &str) -> Result<String, Refusal> {
        Ok(self.optional_text(name)?.unwrap_or_default().to_owned())
    }

    /// A list of texts; one text in a query is a list of one.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let one = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(mistyped(name, other)),
        };
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(one).collect(),
            Some(value) if self.is_query => Ok(vec![one(value)?]),
            Some(other) => Err(mistyped(name, other)),
        }
    }

    pub(super) fn whole_number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => whole(value).map(Some).ok_or_else(|| mistyped(name, value)),
        }
    }

    /// A number that is required; MLflow takes `"NaN"` and `"Infinity"` for numbers too.
    pub(super) fn number(&self, name: &str) -> Result<Value, Refusal> {
        match self.value(name) {
            None => Err(missing(name)),
            Some(value @ Value::Number(_)) => Ok(value.as_f64().into()),
            Some(Value::String(text)) if is_no_json_number(text) => Ok(text.as_str().into()),
            Some(value) => Err(mistyped(name, value)),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.optional_flag(name)?.unwrap_or(false))
    }

    pub(super) fn optional_flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if self.is_query => match text.to_lowercase().as_str() {
                "true" => Ok(Some(true)),
                "false" => Ok(Some(false)),
                _ => Err(mistyped(name, &Value::String(text.clone()))),
            },
            Some(other) => Err(mistyped(name, other)),
        }
    }

    /// The objects of a list, each as a call of its own.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Input>, Refusal> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| match value {
                    Value::Object(_) => Ok(Input::of(value.clone())),
                    other => Err(mistyped(name, other)),
                })
                .collect(),
            Some(other) => Err(mistyped(name, other)),
        }
    }

    /// An object as a call of its own; one that is missing carries nothing.
    pub(super) fn object(&self, name: &str) -> Result<Input, Refusal> {
        match self.value(name) {
            None => Ok(Input::default()),
            Some(value @ Value::Object(_)) => Ok(Input::of(value.clone())),
            Some(other) => Err(mistyped(name, other)),
        }
    }

    /// The pairs of `key` and `value` under `name`.
    pub(super) fn tags(&self, name: &str) -> Result<Vec<(String, String)>, Refusal> {
        self.objects(name)?
            .iter()
            .map(|tag| Ok((tag.text("key")?.to_owned(), tag.text_or_empty("value")?)))
            .collect()
    }

    /// How many results a page is to have.
    pub(super) fn max_results(&self, limits: Limits) -> Result<usize, Refusal> {
        let number = match self.whole_number("max_results")? {
            None => limits.otherwise,
            Some(number) if number < 1 => {
                return Err(Refusal::invalid(format!(
                    "Invalid value for max_results. It must be a positive integer, but got {number}"
                )));
            }
            Some(number) if number.unsigned_abs() > limits.most => {
                let message = format!(
                    "Invalid value {number} for parameter 'max_results' supplied. It must be at \
                     most {}",
                    limits.most
                );
                return Err(Refusal::invalid(message));
            }
            Some(number) => number.unsigned_abs(),
        };
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        // 64-bit numbers may come as text in MLflow's JSON.
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn is_no_json_number(text: &str) -> bool {
    ["NaN", "Infinity", "-Infinity"].contains(&text)
}

pub(super) fn missing(name: &str) -> Refusal {
    Refusal::invalid(format!(
        "Missing value for required parameter '{name}'. See the API docs for more information \
         about request parameters."
    ))
}

fn mistyped(name: &str, value: &Value) -> Refusal {
    let kind = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    Refusal::invalid(format!(
        "Invalid value {value} for parameter '{name}' supplied:  Hint: Value was of type '{kind}'. \
         See the API docs for more information about request parameters."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_where_a_text_belongs_is_refused() {
        let input = Input::of(json!({ "version": 3, "name": "" }));
        let refusal = input.text("version").unwrap_err();
        assert!(refusal.message().contains("of type 'int'"), "{refusal:?}");
        let refusal = input.text("name").unwrap_err();
        assert!(
            refusal.message().starts_with("Missing value"),
            "{refusal:?}"
        );
    }

    #[test]
    fn a_query_has_lists_and_numbers_as_text() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let input = Input::of_query([
            pair("stages", "Staging"),
            pair("stages", "Production"),
            pair("max_results", "7"),
            pair("one", "x"),
        ]);
        assert_eq!(input.texts("stages").unwrap(), ["Staging", "Production"]);
        assert_eq!(input.texts("one").unwrap(), ["x"]);
        let limits = Limits {
            otherwise: 1,
            most: 10,
        };
        assert_eq!(input.max_results(limits).unwrap(), 7);
        let limits = Limits {
            otherwise: 1,
            most: 6,
        };
        assert!(input.max_results(limits).is_err());
    }

    #[test]
    fn a_body_that_is_no_object_lacks_everything() {
        assert!(Input::of_body(b"{bad").text("name").is_err());
    }
}
