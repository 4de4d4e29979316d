//! Runs: what a training recorded of itself, its metrics, parameters and tags. Their files are
//! kept by `artifacts`.

mod routes;

use serde_json::{Value, json};

pub(super) use self::routes::ROUTES;
use super::data_set;
use super::experiment::Experiments;
use super::filter::{Actual, Key};
use super::input::{Input, missing};
use super::logged_model::LoggedModel;
use super::refusal::Refusal;
use super::tags;
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
            Key::DataSet(told) => Some(Actual::Texts(data_set::told(&self.data_sets, told))),
            Key::Metric(key) => {
                let metrics = self.latest_metrics();
                let metric = metrics.into_iter().find(|metric| metric.key == *key)?;
                Some(Actual::Number(match metric.value.as_str() {
                    Some(text) => text.parse().ok()?,
                    None => metric.value.as_f64()?,
                }))
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

/// The name of an attribute in a run's `info`; some have an older one.
fn attribute(name: &str) -> &str {
    match name {
        "created" | "Created" => "start_time",
        "run name" | "Run name" | "Run Name" => "run_name",
        name => name,
    }
}
