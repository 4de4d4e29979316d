//! The routes of MLflow to versions of registered models. A version is ready as soon as it is created.

use std::cmp::Ordering;

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::filter;
use super::input::Limits;
use super::model_source;
use super::model_version::{ModelStage, ModelVersion};
use super::order::{self, Sortable};
use super::page::page;
use super::refusal::Refusal;
use super::registered_model::Models;
use super::tags;

pub(super) const ROUTES: &[Route<Models>] = &[
    ("model-versions/create", &[Method::POST], create),
    ("model-versions/get", &[Method::GET], get),
    ("model-versions/search", &[Method::GET], search),
    ("model-versions/update", &[Method::PATCH], update),
    ("model-versions/delete", &[Method::DELETE], delete),
    (
        "model-versions/get-download-uri",
        &[Method::GET],
        download_uri,
    ),
    ("model-versions/set-tag", &[Method::POST], set_tag),
    ("model-versions/delete-tag", &[Method::DELETE], delete_tag),
    (
        "model-versions/transition-stage",
        &[Method::POST],
        transition,
    ),
];

const LONGEST_SOURCE: usize = 500;

const PAGES: Limits = Limits {
    otherwise: 10_000,
    most: 200_000,
};

fn create(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let name = input.text("name")?;
    let source = input.text("source")?;
    let run_id = input.text_or_empty("run_id")?;
    check_source(source, &run_id)?;
    let tags = input.tags("tags")?;
    for (key, value) in &tags {
        tags::check(key, value)?;
    }
    let description = input.text_or_empty("description")?;
    let run_link = input.text_or_empty("run_link")?;
    let model = models.model(name)?;
    model.last_number += 1;
    model.updated = call.now;
    let version = ModelVersion {
        model: name.to_owned(),
        number: model.last_number,
        stage: ModelStage::None,
        created: call.now,
        updated: call.now,
        description: Some(description),
        source: source.to_owned(),
        storage: input.text_or_empty(model_source::STORAGE)?,
        run_id,
        run_link,
        tags,
    };
    let json = version.json();
    model.versions.push(version);
    Ok(json!({ "model_version": json }))
}

/// Whether a version may have its files there. Nothing is fetched, and a run need not exist.
fn check_source(source: &str, run_id: &str) -> Result<(), Refusal> {
    let refuse = |why: &str| {
        Err(Refusal::invalid(format!(
            "Invalid model version source: '{source}'. {why}"
        )))
    };
    if source.chars().count() > LONGEST_SOURCE {
        return Err(Refusal::invalid(format!(
            "Model version source must not be longer than {LONGEST_SOURCE} characters"
        )));
    }
    let (scheme, path) = source.split_once(':').unwrap_or(("", source));
    if path.split('/').any(|segment| segment == "..") {
        return refuse(
            "If supplying a source as an http, https, local file path, ftp, objectstore, or \
             mlflow-artifacts uri, an absolute path must be provided without relative path \
             references present. Please provide an absolute path.",
        );
    }
    match scheme {
        "" | "file" => refuse(
            "To use a local path as a model version source, the run_id request parameter has to \
             be specified and the local path has to be contained within the artifact directory of \
             the run specified by the run_id.",
        ),
        "http" | "https" => Err(Refusal::invalid(format!(
            "'source' cannot use the '{scheme}' scheme: the '{scheme}' scheme addresses a host other than the tracking \
             server's configured artifact storage, so the server would connect to the host named in the URI."
        ))),
        "runs" | "mlflow-artifacts"
            if run_id.is_empty() || !path.split('/').any(|segment| segment == run_id) =>
        {
            refuse(
                "The run_id request parameter must identify the resource that contains the source.",
            )
        }
        _ => Ok(()),
    }
}

fn get(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    let version = models.version_with_aliases(name, call.input.text("version")?)?;
    Ok(json!({ "model_version": version }))
}

fn search(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    // The stage is no attribute of this search, whatever some documents show.
    let attributes = filter::Grammar {
        prefixes: &["attribute"],
        texts: &["name", "source_path", "run_id"],
        numbers: &["version_number"],
        listed: &["name", "run_id"],
        has_measurements: false,
        tests_tags: false,
        lists_tags: false,
        quotes_numbers: true,
    };
    let sortable = Sortable {
        attributes: &[
            "name",
            "last_updated_timestamp",
            "creation_timestamp",
            "version_number",
        ],
        prefixes: &["attribute"],
        has_measurements: false,
        repeats: false,
    };
    let filter = filter::parse(&input.text_or_empty("filter")?, &attributes)?;
    let orders = order::parse_order(&input.texts("order_by")?, &sortable)?;
    let mut found: Vec<&ModelVersion> = models
        .0
        .values()
        .flat_map(|model| &model.versions)
        .filter(|version| filter::all_hold(&filter, |key| version.actual(key)))
        .collect();
    found.sort_by(|one, other| {
        order::ordering(&orders, |key| (one.actual(key), other.actual(key)))
            .then(match orders.is_empty() {
                true => other.updated.cmp(&one.updated),
                false => Ordering::Equal,
            })
            .then(one.model.cmp(&other.model))
            .then(other.number.cmp(&one.number))
    });
    let results = found.into_iter().map(ModelVersion::json).collect();
    page(input, "model_versions", PAGES, results)
}

fn update(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let description = call.input.optional_text("description")?.map(str::to_owned);
    let version = models.version(call.input.text("name")?, call.input.text("version")?)?;
    version.description = description;
    version.updated = call.now;
    let (name, number) = (version.model.clone(), version.number.to_string());
    Ok(json!({ "model_version": models.version_with_aliases(&name, &number)? }))
}

/// The aliases of a deleted version go with it.
fn delete(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    let number = models.version(name, call.input.text("version")?)?.number;
    let model = models.model(name)?;
    model.versions.retain(|version| version.number != number);
    model.aliases.retain(|_, version| *version != number);
    model.updated = call.now;
    Ok(json!({}))
}

fn download_uri(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let version = models.version(call.input.text("name")?, call.input.text("version")?)?;
    Ok(json!({ "artifact_uri": version.storage }))
}

fn set_tag(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let (key, value) = tags::of(&call.input)?;
    let version = models.version(call.input.text("name")?, call.input.text("version")?)?;
    tags::set(&mut version.tags, key, value);
    Ok(json!({}))
}

fn delete_tag(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let key = call.input.text("key")?;
    let version = models.version(call.input.text("name")?, call.input.text("version")?)?;
    version.tags.retain(|(known, _)| known != key);
    Ok(json!({}))
}

/// Moves a version; with `archive_existing_versions`, what was in the stage is archived, and the
/// reply does not say so.
fn transition(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let (name, version) = (input.text("name")?, input.text("version")?);
    let stage = ModelStage::parse(input.text("stage")?)?;
    let archives = input.flag("archive_existing_versions")?;
    if archives && matches!(stage, ModelStage::None | ModelStage::Archived) {
        return Err(Refusal::internal(format!(
            "Model version transition cannot archive existing model versions because '{}' is not \
             an Active stage. Valid stages are ['Staging', 'Production']",
            stage.word()
        )));
    }
    let number = models.version(name, version)?.number;
    let model = models.model(name)?;
    model.updated = call.now;
    for other in &mut model.versions {
        if archives && other.number != number && other.stage == stage {
            other.stage = ModelStage::Archived;
            other.updated = call.now;
        }
        if other.number == number {
            other.stage = stage;
            other.updated = call.now;
        }
    }
    Ok(json!({ "model_version": models.version_with_aliases(name, version)? }))
}
