//! Experiments: named places for runs. Names are unique in the whole deployment, deleted
//! experiments included.

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::filter::{self, Actual, Key};
use super::input::{Input, Limits};
use super::order::{self, Sortable};
use super::page::page;
use super::refusal::Refusal;
use super::tags;

pub(super) struct Experiment {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_deleted: bool,
    created: i64,
    updated: i64,
    tags: Vec<(String, String)>,
}

/// Every experiment, oldest first.
pub(super) struct Experiments(Vec<Experiment>);

pub(super) const ROUTES: &[Route<Experiments>] = &[
    ("experiments/create", &[Method::POST], create),
    ("experiments/get", &[Method::GET], get),
    ("experiments/get-by-name", &[Method::GET], get_by_name),
    ("experiments/search", &[Method::POST, Method::GET], search),
    ("experiments/update", &[Method::POST], update),
    ("experiments/set-experiment-tag", &[Method::POST], set_tag),
    ("experiments/delete", &[Method::POST], delete),
    ("experiments/restore", &[Method::POST], undelete),
];

const PAGES: Limits = Limits {
    otherwise: 1000,
    most: 50_000,
};

impl Experiment {
    fn default_one(now: i64) -> Self {
        Experiment {
            id: "0".to_owned(),
            name: "Default".to_owned(),
            is_deleted: false,
            created: now,
            updated: now,
            tags: Vec::new(),
        }
    }

    fn json(&self) -> Value {
        let mut json = json!({
            "experiment_id": self.id,
            "name": self.name,
            "artifact_location": format!("mlflow-artifacts:/{}", self.id),
            "lifecycle_stage": if self.is_deleted { "deleted" } else { "active" },
            "creation_time": self.created,
            "last_update_time": self.updated,
        });
        tags::put(&mut json, &self.tags);
        json
    }

    fn actual(&self, key: &Key) -> Option<Actual> {
        match key {
            Key::Attribute(name) => match name.as_str() {
                "name" => Some(Actual::Text(self.name.clone())),
                "experiment_id" => Some(Actual::Text(self.id.clone())),
                "creation_time" => Some(Actual::Number(self.created as f64)),
                "last_update_time" => Some(Actual::Number(self.updated as f64)),
                _ => None,
            },
            Key::Tag(key) => tags::value(&self.tags, key).map(Actual::Text),
            Key::Parameter(_) | Key::Metric(_) | Key::DataSet(_) => None,
        }
    }
}

impl Experiments {
    /// The experiment that every server has from the start.
    pub(super) fn new(now: i64) -> Self {
        Experiments(vec![Experiment::default_one(now)])
    }

    /// The experiment with this id.
    pub(super) fn with_id(&mut self, id: &str) -> Result<&mut Experiment, Refusal> {
        if id.parse::<u64>().is_err() {
            return Err(Refusal::invalid(format!(
                "Invalid experiment ID '{id}'. Experiment ID must be a valid integer."
            )));
        }
        let mut experiments = self.0.iter_mut();
        experiments
            .find(|experiment| experiment.id == id)
            .ok_or_else(|| Refusal::missing(format!("No Experiment with id={id} exists")))
    }
}

fn create(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    let tags = call.input.tags("tags")?;
    if experiments.0.iter().any(|known| known.name == name) {
        return Err(Refusal::exists(format!(
            "Experiment(name={name}) already exists."
        )));
    }
    let id = experiments.0.len().to_string();
    experiments.0.push(Experiment {
        id: id.clone(),
        name: name.to_owned(),
        is_deleted: false,
        created: call.now,
        updated: call.now,
        tags,
    });
    Ok(json!({ "experiment_id": id }))
}

fn get(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    let experiment = experiments.with_id(call.input.text("experiment_id")?)?;
    Ok(json!({ "experiment": experiment.json() }))
}

fn get_by_name(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("experiment_name")?;
    let found = experiments.0.iter().find(|known| known.name == name);
    let found = found
        .ok_or_else(|| Refusal::missing(format!("Could not find experiment with name '{name}'")))?;
    Ok(json!({ "experiment": found.json() }))
}

fn search(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    let input: &Input = &call.input;
    // The one search in which the number of results has no default.
    if input.whole_number("max_results")?.is_none() {
        return Err(Refusal::invalid(
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer",
        ));
    }
    let attributes = filter::Grammar {
        prefixes: &["attribute"],
        texts: &["name", "experiment_id"],
        numbers: &["creation_time", "last_update_time"],
        listed: &[],
        has_measurements: false,
        tests_tags: true,
        lists_tags: false,
        quotes_numbers: false,
    };
    let filter = filter::parse(&input.text_or_empty("filter")?, &attributes)?;
    let view_type = input.optional_text("view_type")?;
    let sortable = Sortable {
        attributes: &["name", "experiment_id", "creation_time", "last_update_time"],
        prefixes: &["attribute"],
        has_measurements: false,
        repeats: true,
    };
    let orders = order::parse_order(&input.texts("order_by")?, &sortable)?;
    let newest_first = experiments.0.iter().rev();
    let mut found: Vec<&Experiment> = newest_first
        .filter(|experiment| filter::shows(view_type, experiment.is_deleted))
        .filter(|experiment| filter::all_hold(&filter, |key| experiment.actual(key)))
        .collect();
    found
        .sort_by(|one, other| order::ordering(&orders, |key| (one.actual(key), other.actual(key))));
    let results = found.into_iter().map(Experiment::json).collect();
    page(input, "experiments", PAGES, results)
}

fn update(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    let experiment = experiments.with_id(call.input.text("experiment_id")?)?;
    experiment.name = call.input.text("new_name")?.to_owned();
    experiment.updated = call.now;
    Ok(json!({}))
}

fn set_tag(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    let (key, value) = tags::of(&call.input)?;
    let experiment = experiments.with_id(call.input.text("experiment_id")?)?;
    tags::set(&mut experiment.tags, key, value);
    Ok(json!({}))
}

fn delete(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    experiments
        .with_id(call.input.text("experiment_id")?)?
        .is_deleted = true;
    Ok(json!({}))
}

fn undelete(experiments: &mut Experiments, call: &Call) -> Result<Value, Refusal> {
    experiments
        .with_id(call.input.text("experiment_id")?)?
        .is_deleted = false;
    Ok(json!({}))
}
