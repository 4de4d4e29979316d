//! Logged models, as MLflow 3 has them: what a run logged as a model, and what was measured of it. How a metric gets here
//! is the business of `run`.

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::input::Input;
use super::refusal::Refusal;
use super::run::Tracking;
use super::tags;
use crate::id;

/// One logged model.
pub(super) struct LoggedModel {
    id: String,
    experiment_id: String,
    name: String,
    status: String,
    run_id: String,
    created: i64,
    updated: i64,
    parameters: Vec<(String, String)>,
    metrics: Vec<Value>,
}

pub(super) const ROUTES: &[Route<Tracking>] = &[
    ("logged-models", &[Method::POST], create),
    ("logged-models/search", &[Method::POST], search),
    ("logged-models/{id}", &[Method::GET], get),
    ("logged-models/{id}", &[Method::PATCH], finalize),
];

/// The route that a path means, and the id of the logged model that stands in it.
pub(super) fn route(path: &str) -> (&str, Option<&str>) {
    match path.strip_prefix("logged-models/") {
        Some(id) if id.starts_with("m-") && !id.contains('/') => ("logged-models/{id}", Some(id)),
        _ => (path, None),
    }
}

impl LoggedModel {
    fn json(&self) -> Value {
        let mut data = json!({});
        if !self.metrics.is_empty() {
            data["metrics"] = self.metrics.iter().cloned().collect();
        }
        if !self.parameters.is_empty() {
            data["params"] = tags::pairs(&self.parameters);
        }
        json!({"model": {
            "info": {
                "model_id": self.id,
                "experiment_id": self.experiment_id,
                "name": self.name,
                "creation_timestamp_ms": self.created,
                "last_updated_timestamp_ms": self.updated,
                "artifact_uri": format!("mlflow-artifacts:/{}/models/{}/artifacts", self.experiment_id, self.id),
                "status": self.status,
                "model_type": "",
                "source_run_id": self.run_id,
            },
            "data": data,
        }})
    }
}

/// Keeps what a run measured of a logged model. Of a value that is no number MLflow keeps 0.
pub(super) fn measure(
    models: &mut [LoggedModel],
    run_id: &str,
    input: &Input,
) -> Result<(), Refusal> {
    let Some(id) = input.optional_text("model_id")? else {
        return Ok(());
    };
    let model = find(models, id)?;
    let value = input.number("value")?;
    let mut row = json!({
        "key": input.text("key")?,
        "value": if value == "NaN" { json!(0.0) } else { value },
        "timestamp": input.whole_number("timestamp")?.unwrap_or(0),
        "step": input.whole_number("step")?.unwrap_or(0),
        "model_id": id,
        "run_id": run_id,
    });
    for name in ["dataset_name", "dataset_digest"] {
        if let Some(text) = input.optional_text(name)? {
            row[name] = text.into();
        }
    }
    model.metrics.push(row);
    Ok(())
}

fn find<'a>(models: &'a mut [LoggedModel], id: &str) -> Result<&'a mut LoggedModel, Refusal> {
    let model = models.iter_mut().find(|model| model.id == id);
    model.ok_or_else(|| Refusal::missing(format!("Logged model with ID '{id}' not found.")))
}

fn create(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let experiment_id = input.text("experiment_id")?.to_owned();
    tracking.experiments.with_id(&experiment_id)?;
    let model = LoggedModel {
        id: format!("m-{}", id::run_id()),
        experiment_id,
        name: input.text_or_empty("name")?,
        status: "LOGGED_MODEL_PENDING".to_owned(),
        run_id: input.text_or_empty("source_run_id")?,
        created: call.now,
        updated: call.now,
        parameters: input.tags("params")?,
        metrics: Vec::new(),
    };
    let json = model.json();
    tracking.logged_models.push(model);
    Ok(json)
}

fn get(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let model = find(&mut tracking.logged_models, call.input.text("model_id")?)?;
    Ok(model.json())
}

fn finalize(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let model = find(&mut tracking.logged_models, call.input.text("model_id")?)?;
    call.input.text("status")?.clone_into(&mut model.status);
    model.updated = call.now;
    Ok(model.json())
}

/// The client of MLflow 3 looks for those of a run before it makes a version; it goes on without.
fn search(_: &mut Tracking, _: &Call) -> Result<Value, Refusal> {
    Ok(json!({}))
}
