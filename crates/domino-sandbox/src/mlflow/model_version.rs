//! Versions of registered models: where their files are, which stage they are in, and what is recorded of them.
//! `version_routes` creates and changes them.

use serde_json::{Value, json};

use super::filter::{Actual, Key};
use super::refusal::Refusal;
use super::tags;
use crate::reply::Put;

/// One version of a registered model.
pub(super) struct ModelVersion {
    pub(super) model: String,
    pub(super) number: u64,
    pub(super) stage: ModelStage,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) description: Option<String>,
    pub(super) source: String,
    /// Where its files are, where the source names a model.
    pub(super) storage: String,
    pub(super) run_id: String,
    pub(super) run_link: String,
    pub(super) tags: Vec<(String, String)>,
}

/// The four stages that MLflow has; it knows no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelStage {
    None,
    Staging,
    Production,
    Archived,
}

impl ModelStage {
    pub(super) const ALL: [ModelStage; 4] = [
        ModelStage::None,
        ModelStage::Staging,
        ModelStage::Production,
        ModelStage::Archived,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            ModelStage::None => "None",
            ModelStage::Staging => "Staging",
            ModelStage::Production => "Production",
            ModelStage::Archived => "Archived",
        }
    }

    /// Reads a stage without regard to case.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut stages = ModelStage::ALL.into_iter();
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
        json.put("description", self.description.as_deref());
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

    pub(super) fn actual(&self, key: &Key) -> Option<Actual> {
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
            Key::Parameter(_) | Key::Metric(_) | Key::DataSet(_) => None,
        }
    }
}
