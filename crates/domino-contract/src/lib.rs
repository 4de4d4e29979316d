//! Checks requests and replies against Domino's machine-readable specs: is this request one that Domino knows, is
//! this reply one that Domino gives?
//!
//! It knows neither our client nor our sandbox: it is given what went over the wire. `exceptions.rs` lists what the
//! specs are known to lack, and each use of it is counted.

mod document;
mod exceptions;
mod exchange;
mod form;
mod schema;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use jsonschema::Validator;
use serde_json::Value;

use self::document::Document;
use self::exceptions::{Exception, exception_for};
pub use self::exchange::Exchange;

/// The variable that names the specs: files or folders of JSON files, separated by `:`.
pub const VARIABLE: &str = "DOMINO_OPENAPI";

/// The specs of a Domino.
pub struct Contract {
    documents: Vec<Document>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// The result of the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How many requests were compared with a spec.
    pub requests: usize,
    /// How many replies were compared with a spec.
    pub replies: usize,
    /// How often each known gap of the specs was used, by its name.
    pub exceptions: BTreeMap<&'static str, usize>,
    /// What differs from the specs.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Adds what is wrong at a place, but for what the specs are known to have wrong.
    fn tell(&mut self, exchange: &Exchange<'_>, place: &str, problems: Vec<String>) {
        for problem in problems {
            match exceptions::is_bundle_id(exchange, &problem) {
                true => *self.exceptions.entry(exceptions::BUNDLE_ID).or_default() += 1,
                false => self.findings.push(format!("{place}: {problem}")),
            }
        }
    }

    /// Adds another verdict to this one; a known finding is not repeated.
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.replies += other.replies;
        for (name, times) in other.exceptions {
            *self.exceptions.entry(name).or_default() += times;
        }
        for finding in other.findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} requests and {} replies held against the specs",
            self.requests, self.replies
        )?;
        for (name, times) in &self.exceptions {
            writeln!(f, "  {times:>5} × not in the specs: {name}")?;
        }
        for finding in &self.findings {
            writeln!(f, "  finding: {finding}")?;
        }
        write!(f, "{} findings", self.findings.len())
    }
}

impl Contract {
    /// Reads specs: OpenAPI 3.0 or Swagger 2.0 documents in JSON, as a deployment serves them.
    pub fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut documents = Vec::new();
        for path in paths {
            for file in files(path)? {
                documents.push(Document::read(&file)?);
            }
        }
        if documents.is_empty() {
            bail!("no spec was found in {paths:?}");
        }
        Ok(Self {
            documents,
            validators: Mutex::default(),
        })
    }

    /// Reads the specs that `DOMINO_OPENAPI` names; `None` if it is not set.
    pub fn from_environment() -> anyhow::Result<Option<Self>> {
        let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let paths: Vec<PathBuf> = std::env::split_paths(&value).collect();
        Self::read(&paths)
            .with_context(|| format!("cannot read the specs of {VARIABLE}"))
            .map(Some)
    }

    /// Compares one exchange with the specs.
    pub fn examine(&self, exchange: &Exchange<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        let Some((document, operation)) = self.operation(exchange) else {
            return self.without_route(exchange);
        };
        let name = format!("{} {}", exchange.method, operation.template);
        verdict.requests = 1;
        for parameter in query_names(exchange.query) {
            if !operation.query_parameters.contains(&parameter) {
                verdict.findings.push(format!(
                    "{name}: the query has `{parameter}`, which the spec does not know"
                ));
            }
        }
        for parameter in &operation.required_query {
            if !query_names(exchange.query).contains(parameter) {
                verdict
                    .findings
                    .push(format!("{name}: the query lacks `{parameter}`"));
            }
        }
        self.judge_body(document, &operation, exchange, &name, &mut verdict);
        self.judge_answer(document, &operation, exchange, &name, &mut verdict);
        verdict
    }

    /// Compares only the reply with the specs, for requests that are wrong on purpose. A 404 for a route that no spec
    /// has is right.
    pub fn judge_reply(&self, exchange: &Exchange<'_>) -> Verdict {
        let Some((document, operation)) = self.operation(exchange) else {
            return match exchange.status {
                Some(404) => Verdict::default(),
                _ => self.without_route(exchange),
            };
        };
        let mut verdict = Verdict::default();
        let name = format!("{} {}", exchange.method, operation.template);
        self.judge_answer(document, &operation, exchange, &name, &mut verdict);
        verdict
    }

    /// The route of an exchange: of several that match, the one with the fewest placeholders.
    fn operation(&self, exchange: &Exchange<'_>) -> Option<(&Document, document::Operation<'_>)> {
        self.documents
            .iter()
            .filter_map(|document| {
                Some((
                    document,
                    document.operation(exchange.method, exchange.path)?,
                ))
            })
            .max_by_key(|(_, operation)| operation.literal_segments)
    }

    fn without_route(&self, exchange: &Exchange<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        let family = exceptions::GOVERNANCE;
        let left_out = exchange.path.starts_with(family)
            && !self
                .documents
                .iter()
                .any(|document| document.knows_family(family));
        match exception_for(exchange) {
            Some(Exception::Route(gap)) => {
                verdict.exceptions.insert(gap, 1);
            }
            None if left_out => {
                verdict.exceptions.insert(exceptions::NO_GOVERNANCE, 1);
            }
            _ => verdict.findings.push(format!(
                "{} {}: no spec has this route",
                exchange.method, exchange.path
            )),
        }
        verdict
    }

    fn judge_body(
        &self,
        document: &Document,
        operation: &document::Operation<'_>,
        exchange: &Exchange<'_>,
        name: &str,
        verdict: &mut Verdict,
    ) {
        match (operation.body, exchange.body) {
            (Some(schema), Some(body)) => {
                let mut body = form::fields(body).unwrap_or_else(|| body.clone());
                if let Some(Exception::Field(gap, field)) = exception_for(exchange)
                    && let Some(object) = body.as_object_mut()
                    && object.remove(field).is_some()
                {
                    *verdict.exceptions.entry(gap).or_default() += 1;
                }
                let problems =
                    self.problems(document, &format!("{name} body"), schema, true, &body);
                verdict.tell(exchange, &format!("{name}: the body"), problems);
            }
            (None, Some(_)) => verdict
                .findings
                .push(format!("{name}: the spec knows of no body")),
            (Some(_), None) if operation.body_required => {
                verdict
                    .findings
                    .push(format!("{name}: the spec requires a body"));
            }
            _ => {}
        }
    }

    fn judge_answer(
        &self,
        document: &Document,
        operation: &document::Operation<'_>,
        exchange: &Exchange<'_>,
        name: &str,
        verdict: &mut Verdict,
    ) {
        let Some(status) = exchange.status else {
            return;
        };
        let Some(schema) = operation.reply(status) else {
            if status < 300 {
                verdict
                    .findings
                    .push(format!("{name}: the spec knows of no {status}"));
            } else {
                *verdict
                    .exceptions
                    .entry(exceptions::OTHER_STATUS)
                    .or_default() += 1;
            }
            return;
        };
        verdict.replies = 1;
        let Some(schema) = schema else {
            return;
        };
        // Errors come as text or HTML or without a body, whatever the spec says about them.
        if status >= 400 && !exchange.reply.is_some_and(Value::is_object) {
            *verdict
                .exceptions
                .entry(exceptions::OTHER_ERROR)
                .or_default() += 1;
            return;
        }
        if exceptions::is_no_project(exchange) {
            *verdict
                .exceptions
                .entry(exceptions::NO_PROJECT)
                .or_default() += 1;
            return;
        }
        let Some(reply) = exchange.reply else {
            verdict
                .findings
                .push(format!("{name}: the reply {status} has no body"));
            return;
        };
        let problems = self.problems(document, &format!("{name} {status}"), schema, false, reply);
        verdict.tell(exchange, &format!("{name}: the reply {status}"), problems);
    }

    fn known(&self, key: &str) -> Option<Arc<Validator>> {
        self.validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    fn remember(&self, key: String, validator: &Arc<Validator>) {
        self.validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, Arc::clone(validator));
    }

    fn problems(
        &self,
        document: &Document,
        key: &str,
        schema: &Value,
        closed: bool,
        value: &Value,
    ) -> Vec<String> {
        let key = format!("{key} of {}", document.name);
        let known = self.known(&key);
        let validator = match known {
            Some(validator) => validator,
            None => match schema::validator(document, schema, closed) {
                Ok(validator) => {
                    let validator = Arc::new(validator);
                    self.remember(key, &validator);
                    validator
                }
                Err(problem) => {
                    return vec![format!("the spec's own schema is unusable: {problem}")];
                }
            },
        };
        validator
            .iter_errors(value)
            .map(|error| {
                let mut text = error.to_string();
                if text.len() > 300 {
                    text = text.chars().take(300).chain(['…']).collect();
                }
                match error.instance_path().to_string() {
                    path if path.is_empty() => text,
                    path => format!("{path}: {text}"),
                }
            })
            .collect()
    }
}

fn query_names(query: Option<&str>) -> Vec<String> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

/// A file, or the JSON files of a folder in the order of their names.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)
        .with_context(|| format!("cannot read the folder `{}`", path.display()))?
    {
        let file = entry?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
