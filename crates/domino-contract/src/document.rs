//! One spec document: its routes, found by method and path.

use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value};

/// A spec document.
pub(crate) struct Document {
    /// The file's name, for messages.
    pub(crate) name: String,
    root: Value,
    base: String,
}

/// What the document says about one route.
pub(crate) struct Operation<'a> {
    /// The path with its placeholders.
    pub(crate) template: String,
    /// How many segments of the template are not placeholders: the more, the better it matches.
    pub(crate) literal_segments: usize,
    pub(crate) query_parameters: Vec<String>,
    pub(crate) required_query: Vec<String>,
    pub(crate) body: Option<&'a Value>,
    pub(crate) body_required: bool,
    responses: &'a Map<String, Value>,
}

impl Document {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the spec `{}`", path.display()))?;
        let root: Value = serde_json::from_str(&text)
            .with_context(|| format!("the spec `{}` is no JSON", path.display()))?;
        anyhow::ensure!(
            root["paths"].is_object(),
            "`{}` is no OpenAPI document: it has no `paths`",
            path.display()
        );
        let server = root["servers"][0]["url"].as_str().unwrap_or_default();
        // A server may be a whole address; only its path is in front of the routes.
        let server = server.split_once("://").map_or(server, |(_, rest)| {
            rest.find('/').map_or("", |at| &rest[at..])
        });
        let base = root["basePath"]
            .as_str()
            .unwrap_or(server)
            .trim_end_matches('/')
            .to_owned();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self { name, root, base })
    }

    /// The named schemas of the document.
    pub(crate) fn schemas(&self) -> Option<&Map<String, Value>> {
        self.root["components"]["schemas"]
            .as_object()
            .or_else(|| self.root["definitions"].as_object())
    }

    /// The route that matches a request.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let path = path.strip_prefix(self.base.as_str())?;
        let method = method.to_ascii_lowercase();
        let paths = self.root["paths"].as_object()?;
        let (template, item) = paths
            .iter()
            .filter(|(template, item)| item.get(&method).is_some() && fits(template, path))
            .max_by_key(|(template, _)| literal_segments(template))?;
        let operation = &item[&method];
        let shared = item["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<&Value> = shared
            .chain(operation["parameters"].as_array().into_iter().flatten())
            .filter_map(|parameter| self.resolved(parameter))
            .collect();
        let named = |required: bool| -> Vec<String> {
            parameters
                .iter()
                .filter(|parameter| {
                    parameter["in"] == "query" && (!required || parameter["required"] == true)
                })
                .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
                .collect()
        };
        let in_body = parameters
            .iter()
            .find(|parameter| parameter["in"] == "body");
        let request_body = self.resolved(&operation["requestBody"]);
        let body = request_body
            .and_then(|body| body["content"].as_object()?.values().next()?.get("schema"))
            .or_else(|| in_body.and_then(|parameter| parameter.get("schema")));
        let body_required = request_body.is_some_and(|body| body["required"] == true)
            || in_body.is_some_and(|parameter| parameter["required"] == true);
        Some(Operation {
            template: format!("{}{template}", self.base),
            literal_segments: literal_segments(template) + literal_segments(&self.base),
            query_parameters: named(false),
            required_query: named(true),
            body,
            body_required,
            responses: operation["responses"].as_object()?,
        })
    }

    /// Whether the document describes any route of a family, `/api/governance/`.
    pub(crate) fn knows_family(&self, family: &str) -> bool {
        self.root["paths"].as_object().is_some_and(|paths| {
            paths
                .keys()
                .any(|template| format!("{}{template}", self.base).starts_with(family))
        })
    }

    /// Follows a reference to a shared parameter or body.
    fn resolved<'a>(&'a self, value: &'a Value) -> Option<&'a Value> {
        match value["$ref"].as_str() {
            Some(reference) => self.root.pointer(reference.strip_prefix('#')?),
            None if value.is_null() => None,
            None => Some(value),
        }
    }
}

impl<'a> Operation<'a> {
    /// What the route says about a status: `None` if it does not list it, `Some(None)` if it says nothing about the
    /// body.
    pub(crate) fn reply(&self, status: u16) -> Option<Option<&'a Value>> {
        let response = self
            .responses
            .get(&status.to_string())
            .or_else(|| self.responses.get("default"))?;
        let content = response["content"]
            .as_object()
            .and_then(|content| content.values().next());
        Some(
            content
                .and_then(|content| content.get("schema"))
                .or_else(|| response.get("schema")),
        )
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (segments(template).peekable(), segments(path));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            // The path of a file has segments of its own, which a template cannot say.
            (Some("{path}"), Some(_)) if template.peek().is_none() => return true,
            (Some(expected), Some(got)) if expected.starts_with('{') || expected == got => {}
            _ => return false,
        }
    }
}

fn literal_segments(template: &str) -> usize {
    segments(template)
        .filter(|segment| !segment.starts_with('{'))
        .count()
}
