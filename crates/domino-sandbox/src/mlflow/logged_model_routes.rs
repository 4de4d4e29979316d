//! The routes of MLflow 3 to logged models. How a metric gets to one is the business of `run`.

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::logged_model::{LoggedModel, find};
use super::refusal::Refusal;
use super::run::Tracking;
use crate::id;

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
