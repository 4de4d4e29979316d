//! The routes about runs.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::call::{Call, Route};
use super::super::filter;
use super::super::input::Limits;
use super::super::logged_model;
use super::super::order::{self, Sortable};
use super::super::page::page;
use super::super::refusal::Refusal;
use super::super::tags;
use super::{Metric, Run, Tracking, run_id};
use crate::id;

pub(in super::super) const ROUTES: &[Route<Tracking>] = &[
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

fn search(tracking: &mut Tracking, call: &Call) -> Result<Value, Refusal> {
    const GRAMMAR: filter::Grammar = filter::Grammar {
        prefixes: &["attribute", "attributes", "attr", "run"],
        texts: &[
            "run_id",
            "run_name",
            "run name",
            "Run name",
            "Run Name",
            "user_id",
            "status",
            "artifact_uri",
        ],
        numbers: &["start_time", "end_time", "created", "Created"],
        listed: &["run_id"],
        has_measurements: true,
        tests_tags: true,
        lists_tags: false,
        quotes_numbers: false,
    };
    let input = &call.input;
    let experiments = input.texts("experiment_ids")?;
    let filter = filter::parse(&input.text_or_empty("filter")?, &GRAMMAR)?;
    let sortable = Sortable {
        attributes: &[
            GRAMMAR.numbers,
            &["run_id", "run_name", "user_id", "status", "artifact_uri"],
        ]
        .concat(),
        prefixes: GRAMMAR.prefixes,
        has_measurements: true,
        repeats: false,
    };
    let orders = order::parse_order(&input.texts("order_by")?, &sortable)?;
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
