//! Experiments: named places for runs. Names are unique in the whole deployment, deleted
//! experiments included.

use axum::http::Method;
use serde_json::{Value, json};

use super::filter::{self, Actual, Key};
use super::input::{Input, Limits};
use super::page::page;
use super::{Call, Kept, Refusal, Route, tags};

/// One experiment.
pub(super) struct Experiment {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_deleted: bool,
    created: i64,
    updated: i64,
    tags: Vec<(String, String)>,
}

pub(super) const ROUTES: &[Route] = &[
    ("experiments/create", &[Method::POST], create),
    ("experiments/get", &[Method::GET], get),
    ("experiments/get-by-name", &[Method::GET], get_by_name),
    ("experiments/search", &[Method::POST, Method::GET], search),
    ("experiments/update", &[Method::POST], update),
    ("experiments/set-experiment-tag", &[Method::POST], set_tag),
    ("experiments/delete", &[Method::POST], delete),
    ("experiments/restore", &[Method::POST], restore),
];

const PAGES: Limits = Limits {
    otherwise: 1000,
    most: 50_000,
};

impl Experiment {
    /// The one that every server has from the start.
    pub(super) fn default_one(now: i64) -> Self {
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
                "creation_time" => Some(Actual::Number(self.created as f64)),
                "last_update_time" => Some(Actual::Number(self.updated as f64)),
                _ => None,
            },
            Key::Tag(key) => tags::value(&self.tags, key).map(Actual::Text),
            Key::Parameter(_) | Key::Metric(_) => None,
        }
    }
}

impl Kept {
    /// The experiment with this id.
    pub(super) fn experiment(&mut self, id: &str) -> Result<&mut Experiment, Refusal> {
        if id.parse::<u64>().is_err() {
            return Err(Refusal::invalid(format!(
                "Invalid experiment ID '{id}'. Experiment ID must be a valid integer."
            )));
        }
        let mut experiments = self.experiments.iter_mut();
        experiments
            .find(|experiment| experiment.id == id)
            .ok_or_else(|| Refusal::missing(format!("No Experiment with id={id} exists")))
    }
}

fn create(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    let tags = call.input.tags("tags")?;
    if kept.experiments.iter().any(|known| known.name == name) {
        return Err(Refusal::exists(format!(
            "Experiment(name={name}) already exists."
        )));
    }
    let id = kept.experiments.len().to_string();
    kept.experiments.push(Experiment {
        id: id.clone(),
        name: name.to_owned(),
        is_deleted: false,
        created: call.now,
        updated: call.now,
        tags,
    });
    Ok(json!({ "experiment_id": id }))
}

fn get(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let experiment = kept.experiment(call.input.text("experiment_id")?)?;
    Ok(json!({ "experiment": experiment.json() }))
}

fn get_by_name(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("experiment_name")?;
    let found = kept.experiments.iter().find(|known| known.name == name);
    let found = found
        .ok_or_else(|| Refusal::missing(format!("Could not find experiment with name '{name}'")))?;
    Ok(json!({ "experiment": found.json() }))
}

fn search(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let input: &Input = &call.input;
    // The one search in which the number of results has no default.
    if input.whole_number("max_results")?.is_none() {
        return Err(Refusal::invalid(
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer",
        ));
    }
    let attributes = ["name", "creation_time", "last_update_time"];
    let filter = filter::parse(&input.text_or_empty("filter")?, &attributes)?;
    let deleted = match input.optional_text("view_type")?.unwrap_or("ACTIVE_ONLY") {
        "DELETED_ONLY" => Some(true),
        "ALL" => None,
        _ => Some(false),
    };
    let newest_first = kept.experiments.iter().rev();
    let found = newest_first
        .filter(|experiment| deleted.is_none_or(|deleted| experiment.is_deleted == deleted))
        .filter(|experiment| {
            let mut comparisons = filter.iter();
            comparisons.all(|one| one.holds(experiment.actual(&one.key).as_ref()))
        });
    let results = found.map(Experiment::json).collect();
    page(input, "experiments", PAGES, results)
}

fn update(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let experiment = kept.experiment(call.input.text("experiment_id")?)?;
    experiment.name = call.input.text("new_name")?.to_owned();
    experiment.updated = call.now;
    Ok(json!({}))
}

fn set_tag(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let (key, value) = tags::of(&call.input)?;
    let experiment = kept.experiment(call.input.text("experiment_id")?)?;
    tags::set(&mut experiment.tags, key, value);
    Ok(json!({}))
}

fn delete(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    kept.experiment(call.input.text("experiment_id")?)?
        .is_deleted = true;
    Ok(json!({}))
}

fn restore(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    kept.experiment(call.input.text("experiment_id")?)?
        .is_deleted = false;
    Ok(json!({}))
}
