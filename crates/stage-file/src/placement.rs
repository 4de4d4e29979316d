//! Where entities run: hardware tiers, of a stage and of one entity in it, and what an entity has of its own there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::app_settings::AppSettings;
use crate::compute_environment::ComputeEnvironment;
use crate::endpoint_settings::EndpointSettings;
use crate::kind::Kind;
use crate::run_settings::RunSettings;
use crate::time_span::time_span;

/// The hardware tier (id or name) of each kind of entity in a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HardwareTiers {
    /// For jobs and scheduled jobs.
    pub jobs: Option<String>,
    /// For apps and their versions.
    pub apps: Option<String>,
    /// For model endpoints.
    pub models: Option<String>,
}

impl HardwareTiers {
    /// The tier for one kind of entity.
    pub fn of(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Job => self.jobs.as_deref(),
            Kind::App => self.apps.as_deref(),
            Kind::Model => self.models.as_deref(),
        }
    }
}

/// What one entity has of its own in one stage, in place of the stage's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// A hardware tier (id or name).
    pub hardware_tier: Option<String>,
    /// A compute environment.
    pub environment: Option<ComputeEnvironment>,
    /// What its runs have beside that; jobs only.
    #[serde(skip)]
    pub settings: RunSettings,
    /// What its versions have beside that; apps only.
    #[serde(skip)]
    pub app: AppSettings,
    /// How long it may take there, such as `3h`.
    pub timeout: Option<String>,
    /// Whether the step waits for the run; jobs only.
    pub wait: Option<bool>,
    /// The name in Domino; apps only.
    pub name: Option<String>,
    /// The number of replicas; models only.
    pub replicas: Option<u32>,
    /// The endpoint's name; models only.
    pub endpoint: Option<String>,
    /// How the endpoint answers its callers, over the model's own; models only.
    pub endpoint_settings: EndpointSettings,
    /// Environment variables over the model's own, by name; models only.
    pub environment_variables: BTreeMap<String, String>,
    /// The rules on metrics in place of the model's; models only.
    pub metric_rules: Option<Vec<String>>,
}

/// How long an entity may take in a stage: as its table for that stage says, else as its own does.
pub(crate) fn timeout(
    stages: &BTreeMap<String, Placement>,
    stage: &str,
    own: Option<&str>,
) -> Option<Duration> {
    let there = stages.get(stage);
    let there = there.and_then(|placement| placement.timeout.as_deref());
    there.or(own).and_then(time_span)
}

/// Where one entity runs in one stage, and which key of the file said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The entity, as the file names it.
    pub entity: String,
    /// The hardware tier (id or name).
    pub hardware_tier: Option<String>,
    /// The compute environment.
    pub environment: Option<ComputeEnvironment>,
    /// What a run has beside that.
    pub settings: RunSettings,
    /// The key path of the tier, for messages: `["stage", "prod", "hardware-tier"]`.
    pub hardware_tier_key: Vec<String>,
    /// The key path of the environment, for messages.
    pub environment_key: Vec<String>,
}
