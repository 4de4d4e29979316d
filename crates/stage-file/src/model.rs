//! A model, and what is served of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::endpoint_settings::{EndpointApi, EndpointSettings};
use crate::placement::{self, Placement};
use crate::stage::Stage;
use crate::version_rule::VersionRule;

/// `[model.<name>]`: a model that is served as an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// The name, from the table's header.
    pub name: String,
    /// What is served.
    pub source: ModelSource,
    /// The job whose run registers the version that the first stage publishes.
    pub trained_by: Option<String>,
    /// What people read in Domino.
    pub description: String,
    /// How many replicas serve it; nothing where that is for Domino's people to say.
    pub replicas: Option<u32>,
    /// How the endpoint answers its callers.
    pub endpoint: EndpointSettings,
    /// The API of Domino's that is used; the newest that there is when not given.
    pub api: Option<EndpointApi>,
    /// Environment variables of the endpoint, by name. Never secrets: Domino shows them.
    pub environment_variables: BTreeMap<String, String>,
    /// A JSON Lines file of recorded requests, from the top of the repository.
    pub smoke_test: Option<PathBuf>,
    /// Whether Domino logs requests and replies; nothing where that is for Domino's people to say.
    pub log_requests: Option<bool>,
    /// Rules on the metrics of a version against the one it replaces, in words.
    pub metric_rules: Vec<String>,
    /// Whether the version that is replaced must have the metric that a rule compares with.
    pub baseline: Baseline,
    /// How long a new version may take until it serves, such as `2h`; 40 minutes when not given.
    pub timeout: Option<String>,
    /// The models that come before it in every stage, by name.
    pub after: Vec<String>,
    /// Files, and folders with a `/` at their end, whose change deploys it beside those that are named elsewhere;
    /// nothing where the file does not say.
    pub paths: Option<Vec<String>>,
    /// What differs in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}

impl Model {
    /// How long a version may take where the file does not say.
    const TIMEOUT: Duration = Duration::from_secs(40 * 60);

    /// How long a new version is waited for.
    pub fn timeout(&self, stage: &Stage) -> Duration {
        let timeout = placement::timeout(&self.stages, &stage.name, self.timeout.as_deref());
        timeout.unwrap_or(Self::TIMEOUT)
    }
}

/// Whether a rule that compares needs a value of the version that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// Without one it does not hold.
    Required,
    /// Without one only the new version's value must be there.
    Optional,
}

/// Where a model's code and weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelSource {
    /// A version of a registered model.
    Registered {
        /// The registered model's name.
        name: String,
        /// The rule that selects its version.
        version: VersionRule,
    },
    /// A function in a file of the project.
    Function {
        /// The file, from the top of the repository.
        file: String,
        /// The name of the function to call for each request.
        function: String,
    },
}
