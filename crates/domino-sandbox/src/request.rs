//! Reads what a request carries, as strict and as lenient as Domino: unknown JSON fields and
//! query parameters are ignored, missing and mistyped ones are all named in one 400.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde_json::{Map, Value, json};

use crate::id;
use crate::reply::{Answer, Failure, Slice, page};

/// The noun that a route answers from.
pub(crate) type Of<T> = State<Arc<T>>;

/// The one id, or name, in a path.
pub(crate) type Id = Path<String>;

/// The two ids, or names, in a path.
pub(crate) type Ids = Path<(String, String)>;

/// The query parameters of a request.
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(pairs) = Query::from_request_parts(parts, state)
            .await
            .map_err(|problem| Failure::bad_request(problem.body_text()))?;
        Ok(Parameters(pairs))
    }
}

impl Parameters {
    /// The value of `name`; an empty one counts as missing, as in Play.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let (_, value) = pairs.find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Every value of `name`.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.text(name)
            .ok_or_else(|| Failure::bad_request(format!("Missing parameter: {name}")))
    }

    /// A number that is not negative, or `otherwise` when it is not given.
    pub(crate) fn number(&self, name: &str, otherwise: u64) -> Result<u64, Failure> {
        match self.text(name) {
            None => Ok(otherwise),
            Some(text) => text.parse().map_err(|_| cannot_parse(name, text, "Int")),
        }
    }

    /// `number` for the places and sizes of pages.
    pub(crate) fn size(&self, name: &str, otherwise: usize) -> Result<usize, Failure> {
        self.number(name, otherwise as u64)
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    /// The page of `things` that is asked for, each in the words of `json`; `limit` long when no length is given.
    pub(crate) fn page<T>(
        &self,
        key: &str,
        limit: usize,
        things: Vec<T>,
        json: impl Fn(&T) -> Value,
    ) -> Answer {
        let slice = self.slice(limit, things.len())?;
        Ok(page(key, slice.cut(&things).map(json).collect(), slice))
    }

    /// The part that is asked for of a list of `total`.
    pub(crate) fn slice(&self, limit: usize, total: usize) -> Result<Slice, Failure> {
        let offset = self.size("offset", 0)?;
        Ok(Slice::of(offset, self.size("limit", limit)?, total))
    }

    /// A boolean, false when it is not given.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.text(name) {
            None => Ok(false),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(text) => Err(cannot_parse(name, text, "Boolean")),
        }
    }
}

/// The failure of a parameter that has not the form it should.
fn cannot_parse(name: &str, text: &str, kind: &str) -> Failure {
    Failure::bad_request(format!(
        "Cannot parse parameter {name} as {kind}: For input string: \"{text}\""
    ))
}

/// `text`, if it has the form of the object id that `name` should be.
pub(crate) fn object_id<'a>(name: &str, text: &'a str) -> Result<&'a str, Failure> {
    if id::is_object_id(text) {
        Ok(text)
    } else {
        Err(cannot_parse(name, text, "DominoId"))
    }
}

/// The JSON object of a request's body. Ask it for each field, then [`Fields::finish`]: so that
/// every problem is reported at once, missing fields are empty until then.
pub(crate) struct Fields {
    fields: Map<String, Value>,
    /// The path of this object within the body, `obj` for the whole.
    path: String,
    problems: Map<String, Value>,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value.starts_with("application/json") || value.starts_with("text/json")
            });
        if !is_json {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Expecting text/json or application/json body",
            ));
        }
        let Json(body) = Json::<Value>::from_request(request, state)
            .await
            .map_err(|problem| {
                Failure::bad_request(format!("Invalid Json: {}", problem.body_text()))
            })?;
        Fields::of(body)
    }
}

impl Fields {
    fn of(body: Value) -> Result<Self, Failure> {
        match body {
            Value::Object(fields) => Ok(Fields {
                fields,
                path: "obj".to_owned(),
                problems: Map::new(),
            }),
            _ => Err(invalid(
                &json!({ "obj": problem("error.expected.jsobject") }),
            )),
        }
    }

    /// A string that is required.
    pub(crate) fn text(&mut self, name: &str) -> String {
        self.required(name, "error.expected.jsstring", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A string that may be missing or null.
    pub(crate) fn optional_text(&mut self, name: &str) -> Option<String> {
        self.optional(name, "error.expected.jsstring", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A boolean that is required.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        self.required(name, "error.expected.jsboolean", Value::as_bool)
    }

    /// A boolean that may be missing or null.
    pub(crate) fn optional_flag(&mut self, name: &str) -> Option<bool> {
        self.optional(name, "error.expected.jsboolean", Value::as_bool)
    }

    /// A boolean that may be missing or null, and is false then.
    pub(crate) fn is_set(&mut self, name: &str) -> bool {
        self.optional_flag(name).unwrap_or(false)
    }

    /// A whole number that is not negative and is required.
    pub(crate) fn number(&mut self, name: &str) -> u64 {
        self.required(name, "error.expected.jsnumber", Value::as_u64)
    }

    /// A whole number that is not negative and may be missing or null.
    pub(crate) fn optional_number(&mut self, name: &str) -> Option<u64> {
        self.optional(name, "error.expected.jsnumber", Value::as_u64)
    }

    /// A list of strings that is required.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        self.required(name, "error.expected.jsarray", texts)
    }

    /// A list of strings that may be missing or null.
    pub(crate) fn optional_texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.optional(name, "error.expected.jsarray", texts)
    }

    /// A list of strings that may be missing or null, and is empty then.
    pub(crate) fn texts_if_any(&mut self, name: &str) -> Vec<String> {
        self.optional_texts(name).unwrap_or_default()
    }

    /// Any value but null, as it is.
    pub(crate) fn optional_value(&mut self, name: &str) -> Option<Value> {
        self.fields
            .get(name)
            .filter(|value| !value.is_null())
            .cloned()
    }

    /// What the object holds beyond the fields of these names.
    pub(crate) fn beyond(&self, known: &[&str]) -> Map<String, Value> {
        let beyond = self.fields.iter();
        beyond
            .filter(|(name, value)| !known.contains(&name.as_str()) && !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The objects of a list that may be missing or null, each read by `read`.
    pub(crate) fn objects<T>(&mut self, name: &str, read: impl Fn(&mut Fields) -> T) -> Vec<T> {
        let Some(value) = self.optional_value(name) else {
            return Vec::new();
        };
        let Value::Array(values) = value else {
            self.complain(name, "error.expected.jsarray");
            return Vec::new();
        };
        let mut items = Vec::new();
        for (at, value) in values.into_iter().enumerate() {
            let Value::Object(fields) = value else {
                self.complain(&format!("{name}[{at}]"), "error.expected.jsobject");
                continue;
            };
            let mut inner = Fields {
                fields,
                path: format!("{}.{name}[{at}]", self.path),
                problems: Map::new(),
            };
            items.push(read(&mut inner));
            self.problems.append(&mut inner.problems);
        }
        items
    }

    /// An object that is required, read by `read`.
    pub(crate) fn object<T: Default>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields) -> T,
    ) -> T {
        if self.optional_value(name).is_none() {
            self.complain(name, "error.path.missing");
            return T::default();
        }
        self.optional_object(name, read).unwrap_or_default()
    }

    /// An object that may be missing or null, read by `read`.
    pub(crate) fn optional_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields) -> T,
    ) -> Option<T> {
        let Value::Object(fields) = self.optional_value(name)? else {
            self.complain(name, "error.expected.jsobject");
            return None;
        };
        let mut inner = Fields {
            fields,
            path: format!("{}.{name}", self.path),
            problems: Map::new(),
        };
        let value = read(&mut inner);
        self.problems.append(&mut inner.problems);
        Some(value)
    }

    /// Notes a problem with `name` in the code words of Play's JSON library.
    pub(crate) fn complain(&mut self, name: &str, code: &str) {
        self.problems
            .insert(format!("{}.{name}", self.path), problem(code));
    }

    /// Fails if any field was missing or had the wrong type.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(invalid(&Value::Object(self.problems)))
        }
    }

    fn required<T: Default>(
        &mut self,
        name: &str,
        code: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> T {
        if self.optional_value(name).is_none() {
            self.complain(name, "error.path.missing");
            return T::default();
        }
        self.optional(name, code, read).unwrap_or_default()
    }

    fn optional<T>(
        &mut self,
        name: &str,
        code: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.optional_value(name)?;
        let read = read(&value);
        if read.is_none() {
            self.complain(name, code);
        }
        read
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let texts = value.as_array()?.iter();
    texts.map(|text| text.as_str().map(str::to_owned)).collect()
}

fn problem(code: &str) -> Value {
    json!([{ "msg": [code], "args": [] }])
}

fn invalid(problems: &Value) -> Failure {
    Failure::bad_request(format!("Invalid Json: {problems}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_a_body_is_told_at_once() {
        let mut fields = Fields::of(json!({ "commandToRun": 4, "ref": { "value": "x" } })).unwrap();
        fields.text("projectId");
        fields.text("commandToRun");
        fields.optional_object("ref", |inner| inner.text("type"));
        let failure = fields.finish().unwrap_err();
        assert_eq!(failure.status, StatusCode::BAD_REQUEST);
        for part in [
            "\"obj.projectId\":[{\"args\":[],\"msg\":[\"error.path.missing\"]}]",
            "obj.commandToRun",
            "error.expected.jsstring",
            "obj.ref.type",
        ] {
            assert!(
                failure.message.contains(part),
                "{part} in {}",
                failure.message
            );
        }
    }

    #[test]
    fn null_counts_as_missing_and_unknown_fields_are_ignored() {
        let mut fields = Fields::of(json!({ "title": null, "wobble": 1, "a": ["b"] })).unwrap();
        assert_eq!(fields.optional_text("title"), None);
        assert_eq!(fields.texts("a"), ["b"]);
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let failure = Fields::of(json!([])).err().unwrap();
        assert!(failure.message.contains("error.expected.jsobject"));
    }
}
