//! A model API and its versions, and all that one shall be: the same for both generations.

use std::collections::BTreeMap;

use super::carried::Carried;
use super::source::ModelApiSource;
use super::status::Deployment;
use crate::api::ids::{EnvironmentId, HardwareTierId, ModelApiId, ModelApiVersionId, ProjectId};
use crate::api::named::Named;

/// A model API.
#[derive(Debug, Clone)]
pub struct ModelApi {
    /// The id.
    pub id: ModelApiId,
    /// The name, which need not be unique.
    pub name: String,
    /// What people read about it.
    pub description: String,
    /// Its compute environment.
    pub environment_id: Option<EnvironmentId>,
    /// Its hardware tier.
    pub hardware_tier_id: Option<HardwareTierId>,
    /// How many replicas serve it.
    pub replicas: Option<u32>,
    /// Whether everybody may call it, without a token.
    pub is_public: Option<bool>,
    /// Whether callers leave a request there and fetch the answer later.
    pub is_async: Option<bool>,
    /// How callers are routed: `basic`, or `advanced`, where they choose a version by its label or number.
    pub routing_mode: Option<String>,
    /// The id of who made it.
    pub created_by: Option<String>,
    /// What it has beyond that, which is sent back with every change.
    pub carried: Carried,
    /// The version that answers, according to Domino; it lags behind while a new one is on its way.
    pub active: Option<ActiveVersion>,
}

/// The version of a model API that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveVersion {
    /// The id.
    pub id: ModelApiVersionId,
    /// The number that people see.
    pub number: Option<u64>,
    /// How it stands.
    pub deployment: Option<Deployment>,
}

/// A version of a model API.
#[derive(Debug, Clone)]
pub struct ModelApiVersion {
    /// The id.
    pub id: ModelApiVersionId,
    /// The number that people see.
    pub number: Option<u64>,
    /// What people read about it; a deploy program's mark is here.
    pub description: String,
    /// What it serves.
    pub source: Option<ModelApiSource>,
    /// The commit that it was built from. For a git-based project this may be one of Domino's own files.
    pub commit_id: Option<String>,
    /// The revision of the compute environment that it was built on.
    pub environment_revision_id: Option<String>,
    /// The data plane that it is on.
    pub data_plane_id: Option<String>,
    /// Whether Domino logs requests and replies.
    pub logs_requests: Option<bool>,
    /// How it stands; nothing until it is being deployed.
    pub deployment: Option<Deployment>,
    /// When it was made, in epoch milliseconds.
    pub created: Option<i64>,
    /// The id of who made it.
    pub created_by: Option<String>,
    /// Its labels; callers of an endpoint of advanced routing choose it by one.
    pub labels: Vec<String>,
    /// What it has beyond that, which the next version takes over.
    pub carried: Carried,
}

/// All that a model API shall be. It is sent whole, whichever routes there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredModelApi {
    /// The name.
    pub name: String,
    /// What people read about it.
    pub description: String,
    /// The project.
    pub project_id: ProjectId,
    /// The compute environment.
    pub environment_id: EnvironmentId,
    /// The hardware tier; `None` is Domino's own choice.
    pub hardware_tier_id: Option<HardwareTierId>,
    /// How many replicas serve it; `None` is what it has.
    pub replicas: Option<u32>,
    /// Its environment variables. Domino takes them when a model API is created, and not later.
    pub environment_variables: BTreeMap<String, String>,
    /// What the version serves.
    pub source: ModelApiSource,
    /// What people read about the version.
    pub version_description: String,
    /// Whether Domino logs requests and replies of the version.
    pub logs_requests: bool,
    /// What the endpoint has beyond that.
    pub carried: Carried,
    /// What the version takes over from the one before.
    pub carried_version: Carried,
}

/// How many replicas Domino gives an endpoint that asks for none, where no administrator changed that. Contract:
/// Domino's documentation.
pub const DEFAULT_REPLICAS: u32 = 2;

/// The label of the version that callers of an endpoint of advanced routing are meant to get.
pub const PROD: &str = "prod";

impl ModelApiVersion {
    /// When it was made, to the second, where Domino tells.
    pub fn created_at(&self) -> Option<String> {
        let at = jiff::Timestamp::from_second(self.created?.div_euclid(1000)).ok()?;
        Some(at.to_string())
    }

    /// Whether the label `prod` leads to it.
    pub fn is_promoted(&self) -> bool {
        self.labels.iter().any(|label| label == PROD)
    }
}

impl ModelApi {
    /// Whether callers choose a version by its label or number.
    pub fn routes_by_label(&self) -> bool {
        self.routing_mode
            .as_ref()
            .is_some_and(|mode| mode.eq_ignore_ascii_case("advanced"))
    }

    /// The compute environment, also where only the older routes tell it.
    pub fn told_environment(&self) -> Option<EnvironmentId> {
        let told = self.carried.get("environmentId").and_then(|id| id.as_str());
        self.environment_id
            .clone()
            .or_else(|| told.map(EnvironmentId::new))
    }

    /// Whether this version of it is the one that answers, by Domino's word, and is `Running`.
    pub fn serves(&self, version: &ModelApiVersionId) -> bool {
        self.active.as_ref().is_some_and(|active| {
            active.id == *version
                && active
                    .deployment
                    .as_ref()
                    .is_none_or(Deployment::is_running)
        })
    }
}

impl Named for ModelApi {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }
}
