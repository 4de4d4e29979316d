//! What the stage file says of one entity in one stage, as flat keys and values that can be compared.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use stage_file::{App, ComputeEnvironment, Job, Kind, Model, Placement, Stage, StageFile};

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

    /// Its settings in this stage: its own over the stage's. Absent if it is not deployed there.
    pub(super) fn facts(self, stage: &Stage) -> Option<Facts> {
        if let Self::Job(job) = self
            && !job.is_deployed_to(stage)
        {
            return None;
        }
        let tiers = &stage.hardware_tier;
        let (mut facts, tier, own) = match self {
            Self::Job(job) => {
                let job = Job {
                    settings: job.settings_in(stage),
                    ..job.clone()
                };
                (
                    flat(&job),
                    &tiers.jobs,
                    job.stages.get(&stage.name).cloned(),
                )
            }
            Self::App(app) => {
                let app = App {
                    settings: app.settings_in(stage),
                    ..app.clone()
                };
                (
                    flat(&app),
                    &tiers.apps,
                    app.stages.get(&stage.name).cloned(),
                )
            }
            Self::Model(model) => {
                let own = model.stages.get(&stage.name).cloned();
                (flat(model), &tiers.models, own)
            }
        };
        facts.retain(|key, _| key != "name" && !key.starts_with("stages."));

        let own = own.unwrap_or_default();
        let environment = own.environment.as_ref().or(stage.environment.as_ref());
        let place = [
            ("host", Some(stage.host.as_str().to_owned())),
            ("project", Some(stage.project.to_string())),
            (
                "environment",
                environment.map(ComputeEnvironment::to_string),
            ),
            (
                "hardware-tier",
                own.hardware_tier.as_ref().or(tier.as_ref()).cloned(),
            ),
            ("data-plane", stage.data_plane.clone()),
        ];
        facts.extend(
            place
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?))),
        );
        facts.extend(flat(&Placement {
            hardware_tier: None,
            environment: None,
            ..own
        }));
        Some(facts)
    }
}

/// The keys that are shown for a new entity, in the order in which they are read.
pub(super) const SHOWN_WHEN_NEW: [&str; 7] = [
    "github-environment",
    "approvers",
    "wait-timer",
    "project",
    "hardware-tier",
    "data-plane",
    "environment",
];

/// Who approves entry to this stage, and how.
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

/// What starts the pipeline and what its steps run on.
pub(super) fn pipeline(file: &StageFile) -> Facts {
    flat(&file.pipeline)
}

/// Every value of this, by the path of its key.
fn flat<T: Serialize>(value: &T) -> Facts {
    let mut facts = Facts::new();
    // These types contain only text, numbers and booleans, which JSON can always write.
    let value = serde_json::to_value(value).unwrap_or_default();
    flatten("", &value, &mut facts);
    facts
}

fn flatten(key: &str, value: &Value, facts: &mut Facts) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (name, value) in map {
                // The keys are ours, and kebab-case in the file; the names of variables are the user's.
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
