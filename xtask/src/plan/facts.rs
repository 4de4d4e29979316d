//! What the stage file says of one entity in one stage, as flat keys and values that can be compared.

use std::collections::BTreeMap;

use domino_core::stages::{App, Job, Kind, Model, Placement, Stage, StageFile};
use serde::Serialize;
use serde_json::Value;

/// Values by key, as `stages.toml` spells the key.
pub(super) type Facts = BTreeMap<String, String>;

/// An entity of any kind.
#[derive(Clone, Copy)]
pub(super) enum Entity<'a> {
    Job(&'a Job),
    App(&'a App),
    Model(&'a Model),
}

impl<'a> Entity<'a> {
    /// Every entity of a stage file, kind by kind.
    pub(super) fn all(file: &'a StageFile) -> Vec<Self> {
        let jobs = file.jobs.iter().map(Self::Job);
        jobs.chain(file.apps.iter().map(Self::App))
            .chain(file.models.iter().map(Self::Model))
            .collect()
    }

    /// Its kind and its name, which together are unique.
    pub(super) fn key(self) -> (Kind, &'a str) {
        match self {
            Self::Job(job) => (Kind::Job, &job.name),
            Self::App(app) => (Kind::App, &app.name),
            Self::Model(model) => (Kind::Model, &model.name),
        }
    }

    /// Where it goes in this stage and how: its own settings over the stage's.
    pub(super) fn facts(self, stage: &Stage) -> Facts {
        let (kind, _) = self.key();
        let (tier, mut facts, own) = match self {
            Self::Job(job) => (
                &stage.hardware_tier.jobs,
                flat(job),
                job.stages.get(&stage.name),
            ),
            Self::App(app) => (
                &stage.hardware_tier.apps,
                flat(app),
                app.stages.get(&stage.name),
            ),
            Self::Model(model) => (
                &stage.hardware_tier.models,
                flat(model),
                model.stages.get(&stage.name),
            ),
        };
        facts.retain(|key, _| key != "name" && !key.starts_with("stages."));
        let of_stage = flat(stage);
        let shared = ["host", "project.", "environment.", "data-plane"];
        let shared = of_stage
            .into_iter()
            .filter(|(key, _)| shared.iter().any(|start| key.starts_with(start)));
        facts.extend(shared);
        facts.extend(
            tier.iter()
                .map(|tier| ("hardware-tier".to_owned(), tier.clone())),
        );
        facts.extend(own.map(flat::<Placement>).unwrap_or_default());
        if let (Kind::Model, Some(name)) = (kind, &stage.model_stage) {
            facts.insert("model-stage".to_owned(), name.clone());
        }
        facts
    }
}

/// Who lets something into this stage, and how.
pub(super) fn gate(stage: &Stage) -> Facts {
    let mut facts = flat(stage);
    let own = [
        "github-environment",
        "approvers",
        "wait-timer",
        "model-stage",
        "gates.",
    ];
    facts.retain(|key, _| own.iter().any(|start| key.starts_with(start)));
    facts
}

/// Every value of this, by the path of its key.
fn flat<T: Serialize>(value: &T) -> Facts {
    let mut facts = Facts::new();
    // These types hold text, numbers and switches only, which JSON can always write.
    let value = serde_json::to_value(value).unwrap_or_default();
    flatten("", &value, &mut facts);
    facts
}

fn flatten(key: &str, value: &Value, facts: &mut Facts) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (name, value) in map {
                // Keys are ours and kebab-case in the file; the names of variables are the user's.
                let name = if key == "environment-variables" {
                    name.clone()
                } else {
                    name.replace('_', "-")
                };
                let key = if key.is_empty() {
                    name
                } else {
                    format!("{key}.{name}")
                };
                flatten(&key, value, facts);
            }
        }
        Value::Array(list) if list.is_empty() => {}
        Value::Array(list) => {
            let words: Vec<String> = list.iter().map(text).collect();
            facts.insert(key.to_owned(), words.join(", "));
        }
        value => {
            facts.insert(key.to_owned(), text(value));
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
