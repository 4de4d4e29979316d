//! Runs: what a training recorded of itself, its metrics, parameters and tags. Their files are
//! kept by `artifacts`.

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::experiment::Experiments;
use super::filter::{self, Actual, Key};
use super::input::{Input, Limits, missing};
use super::logged_model::{self, LoggedModel};
use super::order;
use super::page::page;
use super::refusal::Refusal;
use super::tags;
use crate::id;
use crate::reply::Put;

pub(super) struct Run {
    pub(super) id: String,
    pub(super) experiment_id: String,
    name: String,
    user: String,
    status: String,
    started: i64,
    ended: Option<i64>,
    is_deleted: bool,
    /// Every value that was ever logged.
    metrics: Vec<Metric>,
    parameters: Vec<(String, String)>,
    pub(super) tags: Vec<(String, String)>,
    /// The data sets that it read, each once, with what they were used as.
    pub(super) data_sets: Vec<Value>,
    /// The logged models that it read, and those that it made.
    pub(super) models_read: Vec<Value>,
    pub(super) models_made: Vec<Value>,
}

/// Every experiment, and every run in them, oldest first.
pub(super) struct Tracking {
    pub(super) experiments: Experiments,
    pub(super) logged_models: Vec<LoggedModel>,
    runs: Vec<Run>,
}

#[derive(Clone)]
struct Metric {
    key: String,
    /// A number, or a text such as `NaN` for which JSON has no number.
    value: Value,
    timestamp: i64,
    step: i64,
}

pub(super) const ROUTES: &[Route<Tracking>] = &[
    ("runs/create", &[Method::POST], create),
    ("runs/get", &[Method::GET], get),
    ("runs/update", &[Method::POST], update),
    ("runs/delete", &[Method::POST], delete),
    ("runs/restore", &[Method::POST], undelete),
    ("runs/log-metric", &[Method::POST], log_metric),
    ("runs/log-parameter", &[Method::POST], log_parameter),
    ("runs/log-batch", &[Method::POST], log_batch),
    ("runs/set-tag", &[Method::POST], set_tag),
    ("runs/delete-tag", &[Method::POST], delete_tag),
    ("runs/search", &[Method::POST], search),
    ("metrics/get-history", &[Method::GET], history),
];

const STATUSES: [&str; 5] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

const PAGES: Limits = Limits {
    otherwise: 1000,
    most: 50_000,
};

impl Metric {
    fn of(input: &Input) -> Result<Self, Refusal> {
        Ok(Metric {
            key: input.text("key")?.to_owned(),
            value: input.number("value")?,
            timestamp: input
                .whole_number("timestamp")?
                .ok_or_else(|| missing("timestamp"))?,
            step: input.whole_number("step")?.unwrap_or(0),
        })
    }

    fn json(&self) -> Value {
        json!({
            "key": self.key,
            "value": self.value,
            "timestamp": self.timestamp,
            "step": self.step,
        })
    }
}

impl Run {
    /// The folder of the run's files, below the place of all artifacts.
    pub(super) fn artifacts(&self) -> String {
        format!("{}/{}/artifacts", self.experiment_id, self.id)
    }

    fn info(&self) -> Value {
        let mut info = json!({
            "run_id": self.id,
            "run_uuid": self.id,
            "experiment_id": self.experiment_id,
            "run_name": self.name,
            "user_id": self.user,
            "status": self.status,
            "start_time": self.started,
            "artifact_uri": format!("mlflow-artifacts:/{}", self.artifacts()),
            "lifecycle_stage": if self.is_deleted { "deleted" } else { "active" },
        });
        info.put("end_time", self.ended);
        info
    }

    fn json(&self) -> Value {
        let mut data = json!({});
        let metrics = self.latest_metrics();
        if !metrics.is_empty() {
            data["metrics"] = metrics.into_iter().map(Metric::json).collect();
        }
        if !self.parameters.is_empty() {
            data["params"] = tags::pairs(&self.parameters);
        }
        tags::put(&mut data, &self.tags);
        let list = |key: &str, items: &[Value], into: &mut Value| {
            if !items.is_empty() {
                into[key] = items.into();
            }
        };
        let mut run = json!({ "info": self.info(), "data": data, "inputs": {} });
        list("dataset_inputs", &self.data_sets, &mut run["inputs"]);
        list("model_inputs", &self.models_read, &mut run["inputs"]);
        if !self.models_made.is_empty() {
            run["outputs"] = json!({ "model_outputs": self.models_made });
        }
        run
    }

    /// One value of each metric: that of the highest step, of those the newest, of those the greatest.
    fn latest_metrics(&self) -> Vec<&Metric> {
        let mut latest: Vec<&Metric> = Vec::new();
        for metric in &self.metrics {
            match latest.iter_mut().find(|known| known.key == metric.key) {
                None => latest.push(metric),
                Some(known) => {
                    let place = (metric.step, metric.timestamp);
                    let before = (known.step, known.timestamp);
                    let is_greater = metric.value.as_f64() >= known.value.as_f64();
                    if place > before || (place == before && is_greater) {
                        *known = metric;
                    }
                }
            }
        }
        latest
    }

    fn log_parameter(&mut self, key: &str, value: &str) -> Result<(), Refusal> {
        match tags::value(&self.parameters, key) {
            None => self.parameters.push((key.to_owned(), value.to_owned())),
            Some(known) if known == value => {}
            Some(known) => {
                return Err(Refusal::invalid(format!(
                    "Changing param values is not allowed. Param with key='{key}' was already \
                     logged with value='{known}' for run ID='{}'. Attempted logging new value \
                     '{value}'.",
                    self.id
                )));
            }
        }
        Ok(())
    }

    pub(super) fn set_tag(&mut self, key: String, value: String) {
        if key == "mlflow.runName" {
            self.name = value.clone();
        }
        tags::set(&mut self.tags, key, value);
    }

    fn actual(&self, key: &Key) -> Option<Actual> {
        match key {
            Key::Attribute(name) => match self.info()[attribute(name)].take() {
                Value::String(text) => Some(Actual::Text(text)),
                value => value.as_f64().map(Actual::Number),
            },
            Key::Tag(key) => tags::value(&self.tags, key).map(Actual::Text),
            Key::Parameter(key) => tags::value(&self.parameters, key).map(Actual::Text),
            Key::Metric(key) => {
                let metrics = self.latest_metrics();
                let metric = metrics.into_iter().find(|metric| metric.key == *key)?;
                metric.value.as_f64().map(Actual::Number)
            }
        }
    }
}

impl Tracking {
    pub(super) fn new(now: i64) -> Self {
        Tracking {
            experiments: Experiments::new(now),
            logged_models: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// The run with this id.
    pub(super) fn run(&mut self, id: &str) -> Result<&mut Run, Refusal> {
        let mut runs = self.runs.iter_mut();
        runs.find(|run| run.id == id)
            .ok_or_else(|| Refusal::missing(format!("Run with id={id} not found")))
    }

    pub(super) fn active_run(&mut self, id: &str) -> Result<&mut Run, Refusal> {
        let run = self.run(id)?;
        if run.is_deleted {
            return Err(Refusal::invalid(format!(
                "The run {id} must be in the 'active' state. Current state is deleted."
            )));
        }
        Ok(run)
    }
}

/// The id of the run that a call is about; old clients name it `run_uuid`.
pub(super) fn run_id(input: &Input) -> Result<&str, Refusal> {
    match input.optional_text("run_id")? {
        Some(id) if !id.is_empty() => Ok(id),
        _ => match input.optional_text("run_uuid")? {
            Some(id) if !id.is_empty() => Ok(id),
            _ => Err(missing("run_id")),
        },
    }
}

fn create(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let experiment = tracking.experiments.with_id(input.text("experiment_id")?)?;
    if experiment.is_deleted {
        return Err(Refusal::invalid(format!(
            "The experiment {} must be in the 'active' state. Current state is deleted.",
            experiment.id
        )));
    }
    let experiment_id = experiment.id.clone();
    let id = id::run_id();
    let tags = input.tags("tags")?;
    let name = match input.optional_text("run_name")? {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => tags::value(&tags, "mlflow.runName").unwrap_or_else(|| format!("run-{}", &id[..8])),
    };
    let mut run = Run {
        id,
        experiment_id,
        name: name.clone(),
        user: match input.optional_text("user_id")? {
            Some(user) if !user.is_empty() => user.to_owned(),
            _ => call.user.to_owned(),
        },
        status: "RUNNING".to_owned(),
        started: input.whole_number("start_time")?.unwrap_or(0),
        ended: None,
        is_deleted: false,
        metrics: Vec::new(),
        parameters: Vec::new(),
        tags,
        data_sets: Vec::new(),
        models_read: Vec::new(),
        models_made: Vec::new(),
    };
    run.set_tag("mlflow.runName".to_owned(), name);
    let json = run.json();
    tracking.runs.push(run);
    Ok(json!({ "run": json }))
}

fn get(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let run = tracking.run(run_id(&call.input)?)?;
    Ok(json!({ "run": run.json() }))
}

/// An unknown status is ignored, as in MLflow.
fn update(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let run = tracking.active_run(run_id(input)?)?;
    if let Some(status) = input.optional_text("status")?
        && STATUSES.contains(&status)
    {
        run.status = status.to_owned();
    }
    if let Some(ended) = input.whole_number("end_time")? {
        run.ended = Some(ended);
    }
    if let Some(name) = input.optional_text("run_name")? {
        run.set_tag("mlflow.runName".to_owned(), name.to_owned());
    }
    Ok(json!({ "run_info": run.info() }))
}

fn delete(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    tracking.run(run_id(&call.input)?)?.is_deleted = true;
    Ok(json!({}))
}

fn undelete(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    tracking.run(run_id(&call.input)?)?.is_deleted = false;
    Ok(json!({}))
}

fn log_metric(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let metric = Metric::of(&call.input)?;
    let id = run_id(&call.input)?;
    tracking.active_run(id)?;
    logged_model::measure(&mut tracking.logged_models, id, &call.input)?;
    tracking.run(id)?.metrics.push(metric);
    Ok(json!({}))
}

fn log_parameter(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let value = call.input.text_or_empty("value")?;
    let run = tracking.active_run(run_id(&call.input)?)?;
    run.log_parameter(call.input.text("key")?, &value)?;
    Ok(json!({}))
}

/// All of the batch, or nothing of it.
fn log_batch(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let measured = input.objects("metrics")?;
    let metrics: Vec<Metric> = measured.iter().map(Metric::of).collect::<Result<_, _>>()?;
    let parameters = input.tags("params")?;
    let tags = input.tags("tags")?;
    for metric in &measured {
        logged_model::measured(&mut tracking.logged_models, metric)?;
    }
    let run = tracking.active_run(run_id(input)?)?;
    for (key, value) in &parameters {
        run.log_parameter(key, value)?;
    }
    run.metrics.extend(metrics);
    for (key, value) in tags {
        run.set_tag(key, value);
    }
    for metric in &measured {
        logged_model::measure(&mut tracking.logged_models, run_id(input)?, metric)?;
    }
    Ok(json!({}))
}

fn set_tag(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let (key, value) = tags::of(&call.input)?;
    tracking
        .active_run(run_id(&call.input)?)?
        .set_tag(key, value);
    Ok(json!({}))
}

fn delete_tag(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let key = call.input.text("key")?;
    let run = tracking.active_run(run_id(&call.input)?)?;
    let Some(at) = run.tags.iter().position(|(known, _)| known == key) else {
        let message = format!("No tag with name: {key} in run with id {}", run.id);
        return Err(Refusal::missing(message));
    };
    run.tags.remove(at);
    Ok(json!({}))
}

/// The name of an attribute in a run's `info`; some have an older one.
fn attribute(name: &str) -> &str {
    match name {
        "created" | "Created" => "start_time",
        name => name,
    }
}

fn search(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    const GRAMMAR: filter::Grammar = filter::Grammar {
        texts: &["run_id", "run_name", "user_id", "status", "artifact_uri"],
        numbers: &["start_time", "end_time", "created", "Created"],
        listed: &["run_id"],
        has_measurements: true,
        lists_tags: false,
        quotes_numbers: false,
    };
    let input = &call.input;
    let experiments = input.texts("experiment_ids")?;
    let filter = filter::parse(&input.text_or_empty("filter")?, &GRAMMAR)?;
    let orders = order::parse_order(
        &input.texts("order_by")?,
        &[GRAMMAR.texts, GRAMMAR.numbers].concat(),
    )?;
    let view_type = input.optional_text("run_view_type")?;
    let mut found: Vec<&Run> = tracking
        .runs
        .iter()
        .filter(|run| experiments.contains(&run.experiment_id))
        .filter(|run| filter::shows(view_type, run.is_deleted))
        .filter(|run| filter::all_hold(&filter, |key| run.actual(key)))
        .collect();
    found.sort_by(|one, other| {
        order::ordering(&orders, |key| (one.actual(key), other.actual(key)))
            .then(other.started.cmp(&one.started))
            .then(one.id.cmp(&other.id))
    });
    let results = found.into_iter().map(Run::json).collect();
    page(input, "runs", PAGES, results)
}

fn history(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let key = call.input.text("metric_key")?;
    let run = tracking.run(run_id(&call.input)?)?;
    let metrics = run.metrics.iter().filter(|metric| metric.key == key);
    let metrics: Vec<Value> = metrics.map(Metric::json).collect();
    if metrics.is_empty() {
        return Ok(json!({}));
    }
    Ok(json!({ "metrics": metrics }))
}
