//! Model APIs, which people call endpoints: list, read, create, change, a new version, their logs.
//!
//! Two generations of routes are behind one face: `/api/modelServing/v1` and, where a deployment does not have
//! that, the older `/v1/models` with what v4 tells beside it. What a generation does not tell is `None`.

mod log;
mod models;
mod serving;
mod source;
mod status;

use std::collections::BTreeMap;

pub use self::log::BuildLog;
pub use self::source::ModelApiSource;
pub use self::status::{Deployment, DeploymentStatus};
use super::choice::Named;
use super::environments::EnvironmentId;
use super::hardware_tiers::HardwareTierId;
pub use super::ids::{ModelApiId, ModelApiVersionId};
use super::logs::LogPage;
use super::projects::{Project, ProjectId};
use crate::client::{ApiError, Reader, Writer, segment};

/// Which routes a deployment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// `/api/modelServing/v1`, in the public API.
    ModelServing,
    /// `/v1/models`, on older deployments.
    Models,
}

/// The model APIs of a project, and by which routes they are reached.
#[derive(Debug, Clone)]
pub struct ModelApis {
    /// The routes.
    pub generation: Generation,
    /// All that were not put away.
    pub all: Vec<ModelApi>,
}

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
    /// How many replicas serve it.
    pub replicas: u32,
    /// Its environment variables. Domino takes them when a model API is created, and not later.
    pub environment_variables: BTreeMap<String, String>,
    /// What the version serves.
    pub source: ModelApiSource,
    /// What people read about the version.
    pub version_description: String,
    /// Whether Domino logs requests and replies of the version.
    pub logs_requests: bool,
}

impl ModelApi {
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

impl Reader {
    /// The model APIs of a project, by the routes that are there: 404 or 501 on the newer list means that they
    /// are not, and nothing else does.
    pub async fn model_apis(&self, project: &Project) -> Result<ModelApis, ApiError> {
        let (generation, all) = match serving::list(self, &project.id).await {
            Ok(all) => (Generation::ModelServing, all),
            Err(error) if error.is_unknown_route() => {
                (Generation::Models, models::list(self, project).await?)
            }
            Err(error) => return Err(error),
        };
        Ok(ModelApis { generation, all })
    }

    /// One model API.
    pub async fn model_api(
        &self,
        generation: Generation,
        project: &Project,
        id: &ModelApiId,
    ) -> Result<Option<ModelApi>, ApiError> {
        match generation {
            Generation::ModelServing => serving::one(self, id).await,
            Generation::Models => {
                let all = models::list(self, project).await?;
                Ok(all.into_iter().find(|api| api.id == *id))
            }
        }
    }

    /// All versions of a model API, newest first.
    pub async fn model_api_versions(
        &self,
        generation: Generation,
        id: &ModelApiId,
    ) -> Result<Vec<ModelApiVersion>, ApiError> {
        let mut versions = match generation {
            Generation::ModelServing => serving::versions(self, id).await?,
            Generation::Models => models::versions(self, id).await?,
        };
        versions.sort_by_key(|version| std::cmp::Reverse((version.number, version.created)));
        Ok(versions)
    }

    /// One version of a model API, with how it stands.
    pub async fn model_api_version(
        &self,
        generation: Generation,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<Option<ModelApiVersion>, ApiError> {
        match generation {
            Generation::ModelServing => serving::version(self, id, version).await,
            Generation::Models => models::version(self, id, version).await,
        }
    }

    /// The log of a version's build from `position` on.
    pub async fn model_build_log(
        &self,
        generation: Generation,
        id: &ModelApiId,
        version: &ModelApiVersionId,
        position: &str,
    ) -> Result<BuildLog, ApiError> {
        match generation {
            Generation::ModelServing => serving::build_log(self, id, version, position).await,
            Generation::Models => models::build_log(self, id, version, position).await,
        }
    }

    /// At most `most` lines of the log of a version's instances from `position` on. It never says that nothing
    /// more will come.
    pub async fn model_instance_log(
        &self,
        generation: Generation,
        id: &ModelApiId,
        version: &ModelApiVersionId,
        position: &str,
        most: usize,
    ) -> Result<LogPage, ApiError> {
        let path = match generation {
            Generation::ModelServing => serving::instance_log_path(id, version),
            Generation::Models => models::instance_log_path(id, version),
        };
        let most = most.to_string();
        let mut query = log::since(position);
        query.push(("maxResults", &most));
        let log: log::Wire = self.read(&path, &query).await?;
        Ok(log.instance())
    }

    /// `GET /v4/modelManager/{id}/getModelReproductionDetails`: the commit of the project's main repository that
    /// a version was built from, where the deployment tells it. Contract: v4.
    pub async fn model_git_commit(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<Option<String>, ApiError> {
        models::git_commit(self, id, version).await
    }
}

impl Writer {
    /// Creates a model API with its first version, and has it deployed.
    pub async fn create_model_api(
        &self,
        generation: Generation,
        desired: &DesiredModelApi,
    ) -> Result<ModelApiId, ApiError> {
        match generation {
            Generation::ModelServing => serving::create(self, desired).await,
            Generation::Models => models::create(self, desired).await,
        }
    }

    /// Changes what belongs to the model API itself: description, environment, hardware tier, replicas. The
    /// older routes take those with the next version, so that nothing is sent there.
    pub async fn update_model_api(
        &self,
        generation: Generation,
        id: &ModelApiId,
        desired: &DesiredModelApi,
    ) -> Result<(), ApiError> {
        match generation {
            Generation::ModelServing => serving::update(self, id, desired).await,
            Generation::Models => Ok(()),
        }
    }

    /// Makes a new version and has it deployed. `None` where the reply does not say which one it is: it is then
    /// found in the list by its description.
    pub async fn create_model_api_version(
        &self,
        generation: Generation,
        id: &ModelApiId,
        desired: &DesiredModelApi,
    ) -> Result<Option<ModelApiVersion>, ApiError> {
        match generation {
            Generation::ModelServing => serving::create_version(self, id, desired).await.map(Some),
            Generation::Models => models::create_version(self, id, desired)
                .await
                .map(|()| None),
        }
    }

    /// `POST /v4/models/{id}/{version}/startModelDeployment`: starts a version that was built before. What
    /// becomes of it must be read. Contract: v4, which is the only family that has such a route.
    pub async fn start_model_api_version(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<(), ApiError> {
        let path = format!(
            "/v4/models/{}/{}/startModelDeployment",
            segment(id.as_str()),
            segment(version.as_str())
        );
        self.write_only::<()>(reqwest::Method::POST, &path, None)
            .await
    }
}

#[cfg(test)]
mod tests;
