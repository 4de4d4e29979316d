//! A model API and its versions, and the desired state of one: the same for both generations.

use std::collections::BTreeMap;

use super::carried::Carried;
use super::source::ModelApiSource;
use super::status::Deployment;
use crate::api::ids::{EnvironmentId, HardwareTierId, ModelApiId, ModelApiVersionId, ProjectId};
use crate::api::named::Named;

/// A model API, which people call an endpoint. What a generation does not tell is `None`.
#[derive(Debug, Clone)]
pub struct ModelApi {
    /// The id, which is also in the address that callers use.
    pub id: ModelApiId,
    /// The name, which need not be unique.
    pub name: String,
    /// The description that people read.
    pub description: String,
    /// Its compute environment.
    pub environment_id: Option<EnvironmentId>,
    /// The id of the hardware tier that its instances run on.
    pub hardware_tier_id: Option<HardwareTierId>,
    /// How many replicas serve it.
    pub replicas: Option<u32>,
    /// Whether everybody may call it, without a token.
    pub is_public: Option<bool>,
    /// Whether callers leave a request there and fetch the answer later.
    pub is_async: Option<bool>,
    /// How callers are routed: `basic`, or `advanced`, where they choose a version by its label or number.
    pub routing_mode: Option<String>,
    /// The id of the governance bundle that it belongs to.
    pub bundle: Option<String>,
    /// The id of the user who created it.
    pub created_by: Option<String>,
    /// Its other settings, which are sent back with every change.
    pub carried: Carried,
    /// The version that answers, according to Domino; it lags behind while a new one is being deployed.
    pub active: Option<ActiveVersion>,
}

/// The version of a model API that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveVersion {
    /// The same id as in the list of versions.
    pub id: ModelApiVersionId,
    /// The number that people see.
    pub number: Option<u64>,
    /// Its status.
    pub deployment: Option<Deployment>,
}

/// A version of a model API: what is built once and then started and stopped.
#[derive(Debug, Clone)]
pub struct ModelApiVersion {
    /// The id that the version's routes name.
    pub id: ModelApiVersionId,
    /// The number that people see.
    pub number: Option<u64>,
    /// The description that people read; it also holds a deploy program's marker.
    pub description: String,
    /// What it serves.
    pub source: Option<ModelApiSource>,
    /// The commit that it was built from. For a git-based project this may be one of Domino's own files.
    pub commit_id: Option<String>,
    /// The revision of the compute environment that it was built on.
    pub environment_revision_id: Option<String>,
    /// The id of the data plane that it runs on.
    pub data_plane_id: Option<String>,
    /// Whether Domino logs requests and replies.
    pub logs_requests: Option<bool>,
    /// Its status; absent until it is being deployed.
    pub deployment: Option<Deployment>,
    /// When it was created, in epoch milliseconds.
    pub created: Option<i64>,
    /// The id of the user who created it.
    pub created_by: Option<String>,
    /// Its labels, by which callers of an endpoint with advanced routing choose it.
    pub labels: Vec<String>,
    /// Its other settings, which the next version takes over.
    pub carried: Carried,
}

/// The desired state of a model API. It is sent whole, by either generation of routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredModelApi {
    /// The name that it is created with.
    pub name: String,
    /// The description that people read.
    pub description: String,
    /// The id of the project that it is created in.
    pub project_id: ProjectId,
    /// The compute environment.
    pub environment_id: EnvironmentId,
    /// The hardware tier; `None` is Domino's own choice.
    pub hardware_tier_id: Option<HardwareTierId>,
    /// How many replicas serve it; `None` keeps the present number.
    pub replicas: Option<u32>,
    /// Its environment variables. Domino accepts them only when a model API is created.
    pub environment_variables: BTreeMap<String, String>,
    /// What the version serves.
    pub source: ModelApiSource,
    /// The description of the version that people read.
    pub version_description: String,
    /// Whether Domino logs requests and replies of the version.
    pub logs_requests: bool,
    /// The endpoint's other settings, as they were read.
    pub carried: Carried,
    /// The settings that the version takes over from the previous one.
    pub carried_version: Carried,
}

/// How many replicas Domino gives an endpoint that asks for none, where no administrator changed that. Contract:
/// Domino's documentation.
pub const DEFAULT_REPLICAS: u32 = 2;

/// The label of the version that callers of an endpoint with advanced routing are meant to get.
pub const PROD: &str = "prod";

impl ModelApiVersion {
    /// When it was created, to the second, if Domino tells.
    pub fn created_at(&self) -> Option<String> {
        let at = jiff::Timestamp::from_second(self.created?.div_euclid(1000)).ok()?;
        Some(at.to_string())
    }

    /// Whether the label `prod` points to it.
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

    /// The compute environment, even if only the older routes tell it.
    pub fn told_environment(&self) -> Option<EnvironmentId> {
        let told = self.carried.get("environmentId").and_then(|id| id.as_str());
        self.environment_id
            .clone()
            .or_else(|| told.map(EnvironmentId::new))
    }

    /// Whether this version is the active one according to Domino, and `Running`.
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
