//! Versions of registered models: where their files are, in which stage they are, what is noted of
//! them. A version is ready as soon as it is made.

use axum::http::Method;
use serde_json::{Value, json};

use super::filter::{self, Actual, Key};
use super::input::Limits;
use super::page::page;
use super::{Call, Kept, Refusal, Route, tags};

/// One version of a registered model.
pub(super) struct ModelVersion {
    pub(super) model: String,
    pub(super) number: u64,
    pub(super) stage: Stage,
    created: i64,
    updated: i64,
    description: Option<String>,
    source: String,
    run_id: String,
    run_link: String,
    tags: Vec<(String, String)>,
}

/// The four stages that MLflow has; it knows no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    None,
    Staging,
    Production,
    Archived,
}

pub(super) const ROUTES: &[Route] = &[
    ("logged-models/search", &[Method::POST], no_logged_models),
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

const PAGES: Limits = Limits {
    otherwise: 10_000,
    most: 200_000,
};

impl Stage {
    pub(super) const ALL: [Stage; 4] = [
        Stage::None,
        Stage::Staging,
        Stage::Production,
        Stage::Archived,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Stage::None => "None",
            Stage::Staging => "Staging",
            Stage::Production => "Production",
            Stage::Archived => "Archived",
        }
    }

    /// Reads a stage without regard to case.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut stages = Stage::ALL.into_iter();
        stages
            .find(|stage| stage.word().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                Refusal::invalid(format!(
                    "Invalid Model Version stage: {text}. Value must be one of None, Staging, \
                     Production, Archived."
                ))
            })
    }
}

impl ModelVersion {
    /// The version without its aliases, as searches show it.
    pub(super) fn json(&self) -> Value {
        let mut json = json!({
            "name": self.model,
            "version": self.number.to_string(),
            "creation_timestamp": self.created,
            "last_updated_timestamp": self.updated,
            "current_stage": self.stage.word(),
            "source": self.source,
            "run_id": self.run_id,
            "status": "READY",
            "run_link": self.run_link,
        });
        if let Some(description) = &self.description {
            json["description"] = description.as_str().into();
        }
        tags::put(&mut json, &self.tags);
        json
    }

    pub(super) fn state(&self, aliases: &[&str]) -> Value {
        json!({
            "version": self.number,
            "stage": self.stage.word(),
            "description": self.description,
            "source": self.source,
            "runId": self.run_id,
            "tags": tags::object(&self.tags),
            "aliases": aliases,
        })
    }

    fn actual(&self, key: &Key) -> Option<Actual> {
        match key {
            Key::Attribute(name) => match name.as_str() {
                "name" => Some(Actual::Text(self.model.clone())),
                "run_id" => Some(Actual::Text(self.run_id.clone())),
                "source_path" => Some(Actual::Text(self.source.clone())),
                "version_number" => Some(Actual::Number(self.number as f64)),
                "creation_timestamp" => Some(Actual::Number(self.created as f64)),
                "last_updated_timestamp" => Some(Actual::Number(self.updated as f64)),
                _ => None,
            },
            Key::Tag(key) => tags::value(&self.tags, key).map(Actual::Text),
            Key::Parameter(_) | Key::Metric(_) => None,
        }
    }
}

impl Kept {
    /// A version by the name of its model and its number as text.
    pub(super) fn version(
        &mut self,
        name: &str,
        version: &str,
    ) -> Result<&mut ModelVersion, Refusal> {
        let number: u64 = version.parse().map_err(|_| {
            Refusal::invalid(format!(
                "Parameter 'version' must be an integer, got '{version}'."
            ))
        })?;
        let versions = self.models.get_mut(name).map(|model| &mut model.versions);
        versions
            .into_iter()
            .flatten()
            .find(|version| version.number == number)
            .ok_or_else(|| {
                Refusal::missing(format!(
                    "Model Version (name={name}, version={version}) not found"
                ))
            })
    }

    /// A version with its aliases, as it is shown when it is asked for alone.
    pub(super) fn version_with_aliases(
        &mut self,
        name: &str,
        version: &str,
    ) -> Result<Value, Refusal> {
        let version = self.version(name, version)?;
        let number = version.number;
        let mut json = version.json();
        let aliases = self.model(name)?.aliases_of(number);
        if !aliases.is_empty() {
            json["aliases"] = aliases.into();
        }
        Ok(json)
    }
}

fn create(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
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
    let model = kept.model(name)?;
    model.last_number += 1;
    model.updated = call.now;
    let version = ModelVersion {
        model: name.to_owned(),
        number: model.last_number,
        stage: Stage::None,
        created: call.now,
        updated: call.now,
        description: Some(description),
        source: source.to_owned(),
        run_id,
        run_link,
        tags,
    };
    let json = version.json();
    model.versions.push(version);
    Ok(json!({ "model_version": json }))
}

/// The client of MLflow 3 looks for logged models before it makes a version; there are none here.
fn no_logged_models(_: &mut Kept, _: &Call) -> Result<Value, Refusal> {
    Ok(json!({}))
}

/// Whether a version may have its files there. Nothing is fetched, and a run need not exist.
fn check_source(source: &str, run_id: &str) -> Result<(), Refusal> {
    let refuse = |why: &str| {
        Err(Refusal::invalid(format!(
            "Invalid model version source: '{source}'. {why}"
        )))
    };
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

fn get(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    let version = kept.version_with_aliases(name, call.input.text("version")?)?;
    Ok(json!({ "model_version": version }))
}

fn search(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    // The stage is no attribute of this search, whatever some documents show.
    let attributes = ["name", "source_path", "run_id", "version_number"];
    let sortable = [
        "name",
        "last_updated_timestamp",
        "creation_timestamp",
        "version_number",
    ];
    let filter = filter::parse(&input.text_or_empty("filter")?, &attributes)?;
    let orders = filter::parse_order(&input.texts("order_by")?, &sortable)?;
    let mut found: Vec<&ModelVersion> = kept
        .models
        .values()
        .flat_map(|model| &model.versions)
        .filter(|version| {
            let mut comparisons = filter.iter();
            comparisons.all(|one| one.holds(version.actual(&one.key).as_ref()))
        })
        .collect();
    found.sort_by(|one, other| {
        super::by(&orders, |key| (one.actual(key), other.actual(key)))
            .then(other.updated.cmp(&one.updated))
            .then(one.model.cmp(&other.model))
            .then(other.number.cmp(&one.number))
    });
    let results = found.into_iter().map(ModelVersion::json).collect();
    page(input, "model_versions", PAGES, results)
}

fn update(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let description = call.input.optional_text("description")?.map(str::to_owned);
    let version = kept.version(call.input.text("name")?, call.input.text("version")?)?;
    version.description = description;
    version.updated = call.now;
    let (name, number) = (version.model.clone(), version.number.to_string());
    Ok(json!({ "model_version": kept.version_with_aliases(&name, &number)? }))
}

/// The aliases of a deleted version go with it.
fn delete(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    let number = kept.version(name, call.input.text("version")?)?.number;
    let model = kept.model(name)?;
    model.versions.retain(|version| version.number != number);
    model.aliases.retain(|_, version| *version != number);
    model.updated = call.now;
    Ok(json!({}))
}

fn download_uri(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let version = kept.version(call.input.text("name")?, call.input.text("version")?)?;
    Ok(json!({ "artifact_uri": version.source }))
}

fn set_tag(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let (key, value) = tags::of(&call.input)?;
    let version = kept.version(call.input.text("name")?, call.input.text("version")?)?;
    tags::set(&mut version.tags, key, value);
    Ok(json!({}))
}

fn delete_tag(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let key = call.input.text("key")?;
    let version = kept.version(call.input.text("name")?, call.input.text("version")?)?;
    version.tags.retain(|(known, _)| known != key);
    Ok(json!({}))
}

/// Moves a version; with `archive_existing_versions`, what was in the stage is archived, and the
/// reply does not say so.
fn transition(kept: &mut Kept, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let (name, version) = (input.text("name")?, input.text("version")?);
    let stage = Stage::parse(input.text("stage")?)?;
    let archives = input.flag("archive_existing_versions")?;
    if archives && matches!(stage, Stage::None | Stage::Archived) {
        return Err(Refusal::internal(format!(
            "Model version transition cannot archive existing model versions because '{}' is not \
             an Active stage. Valid stages are ['Staging', 'Production']",
            stage.word()
        )));
    }
    let number = kept.version(name, version)?.number;
    let model = kept.model(name)?;
    model.updated = call.now;
    for other in &mut model.versions {
        if archives && other.number != number && other.stage == stage {
            other.stage = Stage::Archived;
            other.updated = call.now;
        }
        if other.number == number {
            other.stage = stage;
            other.updated = call.now;
        }
    }
    Ok(json!({ "model_version": kept.version_with_aliases(name, version)? }))
}
