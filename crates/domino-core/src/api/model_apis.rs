//! Model APIs, which people call endpoints: list, read, create, change, a new version, their logs.
//!
//! A handle uses one of two generations of routes: `/api/modelServing/v1`, or if a deployment does not have those,
//! the older `/v1/models` together with v4. What a generation does not tell is `None`.

mod carried;
mod generation;
mod log;
mod made;
mod model_api;
mod models;
mod role;
mod serving;
mod source;
mod status;
mod variables;

pub use self::carried::{Carried, words as carried_words};
pub use self::generation::{Capabilities, Generation};
pub use self::log::BuildLog;
pub use self::made::MadeEndpoint;
pub use self::model_api::{
    ActiveVersion, DEFAULT_REPLICAS, DesiredModelApi, ModelApi, ModelApiVersion, PROD,
};
pub use self::role::EndpointRole;
pub use self::source::ModelApiSource;
pub use self::status::{Deployment, DeploymentStatus};
pub use super::ids::{ModelApiId, ModelApiVersionId};
use super::logs::LogPage;
use super::projects::Project;
use crate::client::{ApiError, Reader, Writer, segment};

/// The model APIs of a deployment, read and changed by the routes of one generation.
#[derive(Debug, Clone)]
pub struct ModelApis<C> {
    client: C,
    generation: Generation,
}

/// The model APIs of a project.
#[derive(Debug, Clone)]
pub struct ListedModelApis {
    /// The client that listed them, for reading more.
    pub apis: ModelApis<Reader>,
    /// All that are not archived and that this account may see.
    pub all: Vec<ModelApi>,
    /// Those that were created from a registered model, in every project, including ones that this account may not
    /// see; `None` if that was not asked or is not told.
    pub made: Option<Vec<MadeEndpoint>>,
}

impl ListedModelApis {
    /// Reads which of them were created from a registered model, unless that is known already.
    pub async fn ask_made(&mut self, registered_model: Option<&str>) -> Result<(), ApiError> {
        if let Some(name) = registered_model {
            self.made = made::made_of(self.apis.reader(), name).await?;
        }
        Ok(())
    }
}

/// Calls the routes of the handle's generation.
macro_rules! by_generation {
    ($apis:ident.$request:ident($($argument:expr),*)) => {
        match $apis.generation {
            Generation::ModelServing => serving::$request(&$apis.client, $($argument),*).await,
            Generation::Models => models::$request(&$apis.client, $($argument),*).await,
        }
    };
}

impl<C> ModelApis<C> {
    /// The generation whose routes it uses.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// What that generation can do.
    pub fn capabilities(&self) -> Capabilities {
        self.generation.capabilities()
    }
}

impl Reader {
    /// Model APIs by the routes of this generation.
    pub fn model_apis(&self, generation: Generation) -> ModelApis<Self> {
        ModelApis {
            client: self.clone(),
            generation,
        }
    }

    /// The model APIs of a project, by the routes that exist: an unknown route on the newer list means that the
    /// deployment does not have those, and nothing else does.
    pub async fn find_model_apis(&self, project: &Project) -> Result<ListedModelApis, ApiError> {
        let mut apis = self.model_apis(Generation::ModelServing);
        let all = match serving::list(self, project).await {
            Err(error) if error.is_unknown_route() => {
                apis.generation = Generation::Models;
                models::list(self, project).await?
            }
            all => all?,
        };
        Ok(ListedModelApis {
            apis,
            all,
            made: None,
        })
    }

    /// The model APIs of a project by the routes of this generation alone.
    async fn model_apis_of(
        &self,
        project: &Project,
        generation: Generation,
    ) -> Result<ListedModelApis, ApiError> {
        let apis = self.model_apis(generation);
        let all = by_generation!(apis.list(project))?;
        Ok(ListedModelApis {
            apis,
            all,
            made: None,
        })
    }

    /// The same by the routes of `generation`, if given, and at the same time the endpoints that a registered model
    /// lists.
    pub async fn find_model_apis_of(
        &self,
        project: &Project,
        registered_model: Option<&str>,
        generation: Option<Generation>,
    ) -> Result<ListedModelApis, ApiError> {
        let listed = async {
            match generation {
                Some(generation) => self.model_apis_of(project, generation).await,
                None => self.find_model_apis(project).await,
            }
        };
        let (mut found, made) = tokio::try_join!(listed, async {
            match registered_model {
                Some(name) => made::made_of(self, name).await,
                None => Ok(None),
            }
        })?;
        found.made = made;
        Ok(found)
    }

    /// `GET /v4/modelManager/{id}/getModelReproductionDetails`: the commit of the project's main repository that a
    /// version was built from, if the deployment tells it. Contract: v4.
    pub async fn model_git_commit(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<Option<String>, ApiError> {
        models::git_commit(self, id, version).await
    }
}

impl Writer {
    /// Model APIs by the routes of this generation.
    pub fn model_apis(&self, generation: Generation) -> ModelApis<Self> {
        ModelApis {
            client: self.clone(),
            generation,
        }
    }
}

impl ModelApis<Reader> {
    /// The client that it reads with.
    pub fn reader(&self) -> &Reader {
        &self.client
    }

    /// The model APIs of a project that have this name.
    pub async fn named(&self, project: &Project, name: &str) -> Result<Vec<ModelApi>, ApiError> {
        let mut all = by_generation!(self.list(project))?;
        all.retain(|api| api.name == name);
        Ok(all)
    }

    /// One model API of a project.
    pub async fn model_api(
        &self,
        project: &Project,
        id: &ModelApiId,
    ) -> Result<Option<ModelApi>, ApiError> {
        by_generation!(self.one(project, id))
    }

    /// All versions of a model API, newest first.
    pub async fn versions(&self, id: &ModelApiId) -> Result<Vec<ModelApiVersion>, ApiError> {
        let mut versions = by_generation!(self.versions(id))?;
        versions.sort_by_key(|version| std::cmp::Reverse((version.number, version.created)));
        Ok(versions)
    }

    /// One version of a model API, with its status.
    pub async fn version(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<Option<ModelApiVersion>, ApiError> {
        by_generation!(self.version(id, version))
    }

    /// The log of a version's build from `position` on.
    pub async fn build_log(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
        position: &str,
    ) -> Result<BuildLog, ApiError> {
        by_generation!(self.build_log(id, version, position))
    }

    /// At most `most` lines of the log of a version's instances from `position` on. It never says that it is
    /// complete.
    pub async fn instance_log(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
        position: &str,
        most: usize,
    ) -> Result<LogPage, ApiError> {
        by_generation!(self.instance_log(id, version, position, most))
    }
}

impl ModelApis<Writer> {
    /// Creates a model API with its first version, and deploys it.
    pub async fn create(&self, desired: &DesiredModelApi) -> Result<ModelApiId, ApiError> {
        by_generation!(self.create(desired))
    }

    /// Changes what belongs to the model API itself: description, environment, hardware tier, replicas. The older
    /// routes take those with the next version, so nothing is sent there.
    pub async fn update(&self, id: &ModelApiId, desired: &DesiredModelApi) -> Result<(), ApiError> {
        match self.capabilities().tells_settings {
            true => serving::update(&self.client, id, desired).await,
            false => Ok(()),
        }
    }

    /// Creates a new version and deploys it. `None` if the reply does not say which one it is: it is then found in
    /// the list by its description.
    pub async fn create_version(
        &self,
        id: &ModelApiId,
        desired: &DesiredModelApi,
    ) -> Result<Option<ModelApiVersion>, ApiError> {
        by_generation!(self.create_version(id, desired))
    }

    /// `PUT /api/modelServing/v1/modelApis/{id}/versions/{version}/productionLabel`: whether the label `prod` leads to a
    /// version. Contract: the public API has the body, `ModelApiVersionProductionLabel`, and names no route that takes
    /// it: this one is inferred. Where it is unknown nothing happens, and a person moves the label.
    pub async fn label_for_production(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
        is_prod: bool,
    ) -> Result<(), ApiError> {
        serving::label_for_production(&self.client, id, version, is_prod).await
    }

    /// Archives a model API, and stops its versions; see [`Capabilities::archives`].
    pub async fn archive(&self, id: &ModelApiId) -> Result<(), ApiError> {
        serving::archive(&self.client, id).await
    }

    /// `POST /v4/models/{id}/{version}/stopModelDeployment`: stops a version. The result must be read afterwards.
    /// Contract: v4, the only family that has such a route.
    pub async fn stop_version(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<(), ApiError> {
        self.deployment("stopModelDeployment", id, version).await
    }

    /// `POST /v4/models/{id}/{version}/startModelDeployment`: starts a version that was built before. The result must
    /// be read afterwards. Contract: v4, the only family that has such a route.
    pub async fn start_version(
        &self,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<(), ApiError> {
        self.deployment("startModelDeployment", id, version).await
    }

    async fn deployment(
        &self,
        what: &str,
        id: &ModelApiId,
        version: &ModelApiVersionId,
    ) -> Result<(), ApiError> {
        let (id, version) = (segment(id.as_str()), segment(version.as_str()));
        let path = format!("/v4/models/{id}/{version}/{what}");
        self.client
            .write_only::<()>(reqwest::Method::POST, &path, None)
            .await
    }
}

#[cfg(test)]
mod tests;
