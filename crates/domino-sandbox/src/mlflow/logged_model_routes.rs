//! The routes of MLflow 3 to logged models. `run` records their metrics.

use std::cmp::Ordering;

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::filter::{self, Key};
use super::input::{Input, Limits, missing};
use super::logged_model::{LoggedModel, find};
use super::page::page;
use super::refusal::Refusal;
use super::run::Tracking;
use super::tags;
use crate::id;

pub(super) const ROUTES: &[Route<Tracking>] = &[
    ("logged-models", &[Method::POST], create),
    ("logged-models/search", &[Method::POST], search),
    ("logged-models/{id}", &[Method::GET], get),
    ("logged-models/{id}", &[Method::PATCH], finalize),
    ("logged-models/{id}", &[Method::DELETE], delete),
    ("logged-models/{id}/tags", &[Method::PATCH], set_tags),
    (
        "logged-models/{id}/tags/{key}",
        &[Method::DELETE],
        delete_tag,
    ),
    ("logged-models/{id}/params", &[Method::POST], log_parameters),
];

/// The route to the files of a logged model, which lie elsewhere.
pub(super) const FILES: &str = "logged-models/{id}/artifacts/directories";

const PAGES: Limits = Limits {
    otherwise: 100,
    most: u64::MAX,
};

const ATTRIBUTES: filter::Grammar = filter::Grammar {
    prefixes: &["attribute", "attributes", "attr", "run"],
    texts: &["name", "model_id", "model_type", "source_run_id", "status"],
    numbers: &[
        "creation_timestamp",
        "creation_timestamp_ms",
        "last_updated_timestamp",
        "last_updated_timestamp_ms",
    ],
    listed: &["name", "model_id", "model_type", "source_run_id", "status"],
    has_measurements: true,
    tests_tags: true,
    lists_tags: true,
    quotes_numbers: false,
};

/// The route that a path means, and what stands in it: the id of a logged model, and the key of a tag.
pub(super) fn route(path: &str) -> (&str, Vec<(&'static str, String)>) {
    let Some(rest) = path.strip_prefix("logged-models/") else {
        return (path, Vec::new());
    };
    let (id, below) = rest.split_once('/').unwrap_or((rest, ""));
    if !id.starts_with("m-") {
        return (path, Vec::new());
    }
    let mut told = vec![("model_id", id.to_owned())];
    let route = match below {
        "" => "logged-models/{id}",
        "tags" => "logged-models/{id}/tags",
        "params" => "logged-models/{id}/params",
        "artifacts/directories" => FILES,
        below => match below.strip_prefix("tags/") {
            Some(key) => {
                let key = percent_encoding::percent_decode_str(key).decode_utf8_lossy();
                told.push(("key", key.into_owned()));
                "logged-models/{id}/tags/{key}"
            }
            None => return (path, Vec::new()),
        },
    };
    (route, told)
}

/// A logged model without a name gets one.
fn create(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let experiment_id = input.text("experiment_id")?.to_owned();
    tracking.experiments.with_id(&experiment_id)?;
    let id = format!("m-{}", id::run_id());
    let name = match input.text_or_empty("name")? {
        name if name.is_empty() => format!("model-{}", &id[2..10]),
        name => name,
    };
    if name.contains(['/', ':', '.', '%', '"', '\'']) {
        return Err(Refusal::invalid(format!(
            "Invalid model name ('{name}') provided. Model name must be a non-empty string and cannot contain the \
             following characters: ('/', ':', '.', '%', '\"', \"'\")"
        )));
    }
    let model = LoggedModel {
        id,
        experiment_id,
        name,
        kind: input.text_or_empty("model_type")?,
        status: "LOGGED_MODEL_PENDING".to_owned(),
        run_id: input.text_or_empty("source_run_id")?,
        created: call.now,
        updated: call.now,
        parameters: input.tags("params")?,
        tags: input.tags("tags")?,
        metrics: Vec::new(),
    };
    let json = model.json();
    tracking.logged_models.push(model);
    Ok(json!({ "model": json }))
}

fn get(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let model = find(&mut tracking.logged_models, call.input.text("model_id")?)?;
    Ok(json!({ "model": model.json() }))
}

fn finalize(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let model = find(&mut tracking.logged_models, call.input.text("model_id")?)?;
    call.input.text("status")?.clone_into(&mut model.status);
    model.updated = call.now;
    Ok(json!({ "model": model.json() }))
}

fn delete(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let id = call.input.text("model_id")?;
    find(&mut tracking.logged_models, id)?;
    tracking.logged_models.retain(|model| model.id != id);
    Ok(json!({}))
}

fn set_tags(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let model = find(&mut tracking.logged_models, call.input.text("model_id")?)?;
    for (key, value) in call.input.tags("tags")? {
        tags::set(&mut model.tags, key, value);
    }
    Ok(json!({}))
}

fn delete_tag(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let (id, key) = (call.input.text("model_id")?, call.input.text("key")?);
    let model = find(&mut tracking.logged_models, id)?;
    let Some(at) = model.tags.iter().position(|(known, _)| known == key) else {
        return Err(Refusal::missing(format!(
            "No tag with key '{key}' found for model with ID '{id}'."
        )));
    };
    model.tags.remove(at);
    Ok(json!({}))
}

fn log_parameters(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let model = find(&mut tracking.logged_models, call.input.text("model_id")?)?;
    for (key, value) in call.input.tags("params")? {
        tags::set(&mut model.parameters, key, value);
    }
    Ok(json!({}))
}

/// The newest first, unless an order is asked for.
fn search(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let experiments = input.texts("experiment_ids")?;
    if experiments.is_empty() {
        return Err(missing("experiment_ids"));
    }
    let filter = filter::parse(&input.text_or_empty("filter")?, &ATTRIBUTES)?;
    let orders: Vec<Order> = input
        .objects("order_by")?
        .iter()
        .map(Order::of)
        .collect::<Result<_, _>>()?;
    let mut found: Vec<&LoggedModel> = tracking
        .logged_models
        .iter()
        .filter(|model| experiments.contains(&model.experiment_id))
        .filter(|model| filter::all_hold(&filter, |key| model.actual(key)))
        .collect();
    found.sort_by(|one, other| {
        let asked = orders.iter().map(|order| order.compare(one, other));
        asked
            .fold(Ordering::Equal, Ordering::then)
            .then(other.created.cmp(&one.created))
            .then(one.id.cmp(&other.id))
    });
    let results = found.into_iter().map(LoggedModel::json).collect();
    page(input, "models", PAGES, results)
}

/// One thing to order by; a metric may be meant on one data set only.
struct Order {
    key: Key,
    is_descending: bool,
    data_set: [Option<String>; 2],
}

impl Order {
    fn of(input: &Input) -> Result<Self, Refusal> {
        let field = input.text_or_empty("field_name")?;
        let refuse =
            |why: &str| Refusal::invalid(format!("Invalid order by field name: {field}{why}"));
        let key = match field.split_once('.') {
            Some(("metrics", metric)) => Key::Metric(metric.to_owned()),
            Some(_) => return Err(refuse(". Only metrics are supported.")),
            None if [ATTRIBUTES.texts, ATTRIBUTES.numbers]
                .concat()
                .contains(&field.as_str()) =>
            {
                Key::Attribute(field)
            }
            None => return Err(refuse("")),
        };
        let told = |name| Ok(input.optional_text(name)?.map(str::to_owned));
        Ok(Self {
            key,
            is_descending: input.optional_flag("ascending")? == Some(false),
            data_set: [told("dataset_name")?, told("dataset_digest")?],
        })
    }

    /// A result that lacks the key comes last.
    fn compare(&self, one: &LoggedModel, other: &LoggedModel) -> Ordering {
        let value = |model: &LoggedModel| match &self.key {
            Key::Metric(key) => model
                .newest(key, |row| {
                    let names = ["dataset_name", "dataset_digest"];
                    let asked = names.iter().zip(&self.data_set);
                    asked.into_iter().all(|(name, asked)| {
                        asked.as_ref().is_none_or(|asked| row[*name] == **asked)
                    })
                })
                .map(filter::Actual::Number),
            key => model.actual(key),
        };
        match (value(one), value(other)) {
            (Some(one), Some(other)) if self.is_descending => other.compare(&one),
            (Some(one), Some(other)) => one.compare(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}
