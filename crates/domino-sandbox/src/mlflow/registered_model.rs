//! Registered models: a name with versions, tags and aliases. The routes to versions stand in `version_routes`.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::call::{Call, Route};
use super::filter::{self, Actual, Key};
use super::input::{Input, Limits};
use super::model_version::{ModelStage, ModelVersion};
use super::order::{self, Sortable};
use super::page::page;
use super::refusal::Refusal;
use super::tags;
use crate::reply::Put;

pub(super) struct RegisteredModel {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) tags: Vec<(String, String)>,
    /// Which version each alias means; an alias keeps its case.
    pub(super) aliases: BTreeMap<String, u64>,
    /// Oldest first; numbers of deleted versions are not given again.
    pub(super) versions: Vec<ModelVersion>,
    pub(super) last_number: u64,
}

/// Every registered model by its name.
#[derive(Default)]
pub(super) struct Models(pub(super) BTreeMap<String, RegisteredModel>);

pub(super) const ROUTES: &[Route<Models>] = &[
    ("registered-models/create", &[Method::POST], create),
    ("registered-models/get", &[Method::GET], get),
    ("registered-models/search", &[Method::GET], search),
    ("registered-models/update", &[Method::PATCH], update),
    ("registered-models/rename", &[Method::POST], rename),
    ("registered-models/delete", &[Method::DELETE], delete),
    (
        "registered-models/get-latest-versions",
        &[Method::POST, Method::GET],
        latest_versions,
    ),
    ("registered-models/set-tag", &[Method::POST], set_tag),
    (
        "registered-models/delete-tag",
        &[Method::DELETE],
        delete_tag,
    ),
    ("registered-models/alias", &[Method::POST], set_alias),
    ("registered-models/alias", &[Method::GET], alias),
    ("registered-models/alias", &[Method::DELETE], delete_alias),
];

const IS_PROMPT: &str = "mlflow.prompt.is_prompt";

const PAGES: Limits = Limits {
    otherwise: 100,
    most: 1000,
};

impl RegisteredModel {
    fn json(&self) -> Value {
        let mut json = json!({
            "name": self.name,
            "creation_timestamp": self.created,
            "last_updated_timestamp": self.updated,
        });
        json.put("description", self.description.as_deref());
        let latest = self.latest(&ModelStage::ALL);
        if !latest.is_empty() {
            json["latest_versions"] = latest.into_iter().map(ModelVersion::json).collect();
        }
        tags::put(&mut json, &self.tags);
        if !self.aliases.is_empty() {
            let aliases = self.aliases.iter();
            json["aliases"] = aliases
                .map(|(alias, version)| json!({ "alias": alias, "version": version.to_string() }))
                .collect();
        }
        json
    }

    /// The newest version in each of `stages`.
    fn latest(&self, stages: &[ModelStage]) -> Vec<&ModelVersion> {
        let newest = |stage: &ModelStage| {
            let mut newest_first = self.versions.iter().rev();
            newest_first.find(|version| version.stage == *stage)
        };
        stages.iter().filter_map(newest).collect()
    }

    /// The aliases of a version.
    pub(super) fn aliases_of(&self, number: u64) -> Vec<&str> {
        let aliases = self.aliases.iter();
        aliases
            .filter(|(_, version)| **version == number)
            .map(|(alias, _)| alias.as_str())
            .collect()
    }

    /// Prompts are kept among the models. They have a tag that models do not have.
    fn is_prompt(&self) -> bool {
        tags::value(&self.tags, IS_PROMPT).as_deref() == Some("true")
    }

    fn state(&self) -> Value {
        let versions: Vec<Value> = self
            .versions
            .iter()
            .map(|version| version.state(&self.aliases_of(version.number)))
            .collect();
        json!({
            "name": self.name,
            "description": self.description,
            "tags": tags::object(&self.tags),
            "aliases": self.aliases,
            "versions": versions,
        })
    }

    fn actual(&self, key: &Key) -> Option<Actual> {
        match key {
            Key::Attribute(name) => match name.as_str() {
                "name" => Some(Actual::Text(self.name.clone())),
                "timestamp" | "last_updated_timestamp" => Some(Actual::Number(self.updated as f64)),
                _ => None,
            },
            Key::Tag(key) if key == IS_PROMPT => Some(Actual::Text(self.is_prompt().to_string())),
            Key::Tag(key) => tags::value(&self.tags, key).map(Actual::Text),
            Key::Parameter(_) | Key::Metric(_) | Key::DataSet(_) => None,
        }
    }
}

impl Models {
    pub(super) fn state(&self) -> Value {
        self.0.values().map(RegisteredModel::state).collect()
    }

    /// The registered model of this name.
    pub(super) fn model(&mut self, name: &str) -> Result<&mut RegisteredModel, Refusal> {
        let model = self.0.get_mut(name);
        model
            .ok_or_else(|| Refusal::missing(format!("Registered Model with name={name} not found")))
    }

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
        let versions = self.0.get_mut(name).map(|model| &mut model.versions);
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

/// A name that MLflow takes for a model.
fn model_name<'a>(input: &'a Input, field: &str) -> Result<&'a str, Refusal> {
    let name = input.text(field)?;
    if name.contains(['/', ':']) {
        return Err(Refusal::invalid(format!(
            "Invalid model name '{name}'. Names cannot contain '/' or ':'."
        )));
    }
    Ok(name)
}

fn create(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let name = model_name(&call.input, "name")?;
    let tags = call.input.tags("tags")?;
    for (key, value) in &tags {
        tags::check(key, value)?;
    }
    if models.0.contains_key(name) {
        return Err(Refusal::exists(format!(
            "Registered Model (name={name}) already exists."
        )));
    }
    let model = RegisteredModel {
        name: name.to_owned(),
        description: call.input.optional_text("description")?.map(str::to_owned),
        created: call.now,
        updated: call.now,
        tags,
        aliases: BTreeMap::new(),
        versions: Vec::new(),
        last_number: 0,
    };
    let json = model.json();
    models.0.insert(name.to_owned(), model);
    Ok(json!({ "registered_model": json }))
}

fn get(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let model = models.model(call.input.text("name")?)?;
    Ok(json!({ "registered_model": model.json() }))
}

/// Only a search for prompts finds them.
fn search(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let input = &call.input;
    let attributes = filter::Grammar {
        prefixes: &["attribute"],
        texts: &["name"],
        numbers: &[],
        listed: &["name"],
        has_measurements: false,
        tests_tags: false,
        lists_tags: false,
        quotes_numbers: false,
    };
    let filter = filter::parse(&input.text_or_empty("filter")?, &attributes)?;
    let sortable = Sortable {
        attributes: &["name", "timestamp", "last_updated_timestamp"],
        prefixes: &[],
        has_measurements: false,
        repeats: false,
    };
    let orders = order::parse_order(&input.texts("order_by")?, &sortable)?;
    let wants_prompts = filter
        .iter()
        .any(|one| one.key == Key::Tag(IS_PROMPT.to_owned()));
    let mut found: Vec<&RegisteredModel> = models
        .0
        .values()
        .filter(|model| wants_prompts || !model.is_prompt())
        .filter(|model| filter::all_hold(&filter, |key| model.actual(key)))
        .collect();
    found.sort_by(|one, other| {
        order::ordering(&orders, |key| (one.actual(key), other.actual(key)))
            .then(one.name.cmp(&other.name))
    });
    let results = found.into_iter().map(RegisteredModel::json).collect();
    page(input, "registered_models", PAGES, results)
}

fn update(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let model = models.model(call.input.text("name")?)?;
    model.description = call.input.optional_text("description")?.map(str::to_owned);
    model.updated = call.now;
    Ok(json!({ "registered_model": model.json() }))
}

fn rename(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let new_name = model_name(&call.input, "new_name")?;
    let name = call.input.text("name")?;
    models.model(name)?;
    if models.0.contains_key(new_name) {
        return Err(Refusal::exists(format!(
            "Registered Model (name={new_name}) already exists."
        )));
    }
    let Some(mut model) = models.0.remove(name) else {
        return Err(Refusal::internal("the model is gone"));
    };
    model.name = new_name.to_owned();
    model.updated = call.now;
    for version in &mut model.versions {
        version.model = new_name.to_owned();
    }
    let json = model.json();
    models.0.insert(new_name.to_owned(), model);
    Ok(json!({ "registered_model": json }))
}

fn delete(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    models.model(name)?;
    models.0.remove(name);
    Ok(json!({}))
}

fn latest_versions(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let stages = call.input.texts("stages")?;
    let stages: Vec<ModelStage> = match stages.is_empty() {
        true => ModelStage::ALL.to_vec(),
        false => stages
            .iter()
            .map(|stage| ModelStage::parse(stage))
            .collect::<Result<_, _>>()?,
    };
    let model = models.model(call.input.text("name")?)?;
    let latest = model.latest(&stages);
    if latest.is_empty() {
        return Ok(json!({}));
    }
    let latest: Vec<Value> = latest.into_iter().map(ModelVersion::json).collect();
    Ok(json!({ "model_versions": latest }))
}

fn set_tag(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let (key, value) = tags::of(&call.input)?;
    let model = models.model(call.input.text("name")?)?;
    tags::set(&mut model.tags, key, value);
    Ok(json!({}))
}

fn delete_tag(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let key = call.input.text("key")?;
    let model = models.model(call.input.text("name")?)?;
    model.tags.retain(|(known, _)| known != key);
    Ok(json!({}))
}

fn set_alias(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let name = call.input.text("name")?;
    let alias = call.input.text("alias")?;
    let version = call.input.text("version")?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    if !alias.chars().all(plain) {
        return Err(Refusal::invalid(format!(
            "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores \
             (_), and dashes (-)."
        )));
    }
    if alias.eq_ignore_ascii_case("latest") {
        return Err(Refusal::invalid(
            "'latest' alias name (case insensitive) is reserved.",
        ));
    }
    let after_v = alias.strip_prefix(['v', 'V']).unwrap_or_default();
    if !after_v.is_empty() && after_v.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::invalid(format!(
            "Version alias name '{alias}' is reserved."
        )));
    }
    let number = models.version(name, version)?.number;
    let model = models.model(name)?;
    model.aliases.insert(alias.to_owned(), number);
    Ok(json!({}))
}

/// An unknown alias is 400, an unknown model 404.
fn alias(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let alias = call.input.text("alias")?;
    let model = models.model(call.input.text("name")?)?;
    let number =
        model.aliases.get(alias).copied().ok_or_else(|| {
            Refusal::invalid(format!("Registered model alias {alias} not found."))
        })?;
    let name = model.name.clone();
    let version = models.version_with_aliases(&name, &number.to_string())?;
    Ok(json!({ "model_version": version }))
}

fn delete_alias(models: &mut Models, call: &Call) -> Result<Value, Refusal> {
    let alias = call.input.text("alias")?;
    let model = models.model(call.input.text("name")?)?;
    model.aliases.remove(alias);
    Ok(json!({}))
}
