//! What a run records besides its numbers: data sets that it read, and models that it read or logged.

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::input::missing;
use super::refusal::Refusal;
use super::run::{Tracking, run_id};
use super::tags;
use crate::reply::Put;

pub(super) const ROUTES: &[Route<Tracking>] = &[
    ("runs/log-inputs", &[Method::POST], log_inputs),
    ("runs/outputs", &[Method::POST], log_outputs),
    ("runs/log-model", &[Method::POST], log_model),
];

/// A data set that a run has read already is not kept again, and neither are its new tags.
fn log_inputs(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let run = tracking.active_run(run_id(input)?)?;
    for read in input.objects("datasets")? {
        let told = read.object("dataset")?;
        let mut data_set = json!({});
        for name in ["name", "digest", "source_type", "source"] {
            data_set[name] = told.text_or_empty(name)?.into();
        }
        for name in ["schema", "profile"] {
            data_set.put(name, told.optional_text(name)?);
        }
        let is_same = |known: &Value| {
            ["name", "digest"]
                .iter()
                .all(|name| known["dataset"][*name] == data_set[*name])
        };
        if !run.data_sets.iter().any(is_same) {
            let mut kept = json!({});
            tags::put(&mut kept, &read.tags("tags")?);
            kept["dataset"] = data_set;
            run.data_sets.push(kept);
        }
    }
    for model in input.objects("models")? {
        run.models_read
            .push(json!({ "model_id": model.text_or_empty("model_id")? }));
    }
    Ok(json!({}))
}

/// Whether these models exist is not checked.
fn log_outputs(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let run = tracking.active_run(run_id(input)?)?;
    let made = input.objects("models")?;
    if made.is_empty() {
        return Err(missing("models"));
    }
    for model in made {
        let step = model.whole_number("step")?.unwrap_or(0);
        let id = model.text_or_empty("model_id")?;
        run.models_made
            .push(json!({ "model_id": id, "step": step }));
    }
    Ok(json!({}))
}

/// What the client of MLflow 2 tells of a model that it logged.
fn log_model(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    const HISTORY: &str = "mlflow.log-model.history";
    let input = &call.input;
    let text = input.text("model_json")?;
    let model: Value = serde_json::from_str(text).map_err(|_| {
        Refusal::invalid(format!(
            "Malformed model info. \n {text} \n is not a valid JSON."
        ))
    })?;
    let run = tracking.active_run(run_id(input)?)?;
    let history = tags::value(&run.tags, HISTORY).unwrap_or_default();
    let mut history: Vec<Value> = serde_json::from_str(&history).unwrap_or_default();
    history.push(model);
    run.set_tag(HISTORY.to_owned(), json!(history).to_string());
    Ok(json!({}))
}
