//! Every model API of the sandbox: how one is created, gets another version, and is found again.

use std::sync::Arc;

use serde_json::Value;

use super::deployment::Deployment;
use super::model_api::{ModelApi, ModelApiSpec};
use super::settings::{MOST_REPLICAS, Settings};
use super::version::{ModelApiVersion, Source, VersionAssets, VersionSpec};
use crate::catalog::Catalog;
use crate::environments::RevisionSpec;
use crate::git_ref::GitRef;
use crate::governance::Governance;
use crate::host::Host;
use crate::projects::Project;
use crate::registered_models::RegisteredModels;
use crate::reply::Failure;
use crate::request::object_id;
use crate::store::Store;
use crate::users::User;

/// Every model API of the sandbox, oldest first.
pub(crate) struct ModelApis {
    all: Store<Arc<ModelApi>>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) registered_models: Arc<RegisteredModels>,
    governance: Arc<Governance>,
    pub(super) host: Arc<Host>,
    /// A token that every endpoint takes besides its own.
    common_token: Option<String>,
    /// The names of the endpoints that a person switches to routing by labels as soon as they are made.
    routed_by_label: Vec<String>,
}

impl ModelApis {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        registered_models: Arc<RegisteredModels>,
        governance: Arc<Governance>,
        host: Arc<Host>,
        common_token: Option<String>,
        routed_by_label: Vec<String>,
    ) -> Self {
        ModelApis {
            all: Store::default(),
            catalog,
            registered_models,
            governance,
            host,
            common_token,
            routed_by_label,
        }
    }

    /// Creates a model API from `spec` with its first version, which is built at once.
    pub(crate) async fn create(
        &self,
        user: &Arc<User>,
        spec: ModelApiSpec,
    ) -> Result<Arc<ModelApi>, Failure> {
        if spec.name.trim().is_empty() {
            return Err(Failure::bad_request("The name of the model API is empty"));
        }
        let project = self
            .catalog
            .projects
            .seen_by(user, &spec.version.project_id)?;
        let settings = self.settings(
            &spec.name,
            &spec.description,
            spec.environment_id.as_deref(),
            spec.hardware_tier_id.as_deref(),
            spec.replicas,
        )?;
        if let Some(bundle_id) = &spec.bundle_id {
            self.governance.closed_gate(bundle_id, "CreateEndpoint")?;
        }
        let commit = self.check_source(user, &spec.version.source).await?;
        let now = self.host.now();
        let api = Arc::new(ModelApi::new(&project, user, &spec, settings, now));
        let version = self.new_version(user, &api, &project, spec.version, commit)?;
        self.all.push(&api.id, api.clone());
        self.add(&api, version);
        Ok(api)
    }

    /// Settings with the environment and the hardware tier of these ids.
    pub(super) fn settings(
        &self,
        name: &str,
        description: &str,
        environment_id: Option<&str>,
        hardware_tier_id: Option<&str>,
        replicas: u64,
    ) -> Result<Settings, Failure> {
        if !(1..=MOST_REPLICAS).contains(&replicas) {
            return Err(Failure::bad_request(format!(
                "A model API has from 1 to {MOST_REPLICAS} replicas"
            )));
        }
        let hardware_tier = self
            .catalog
            .hardware_tiers
            .for_model_api(hardware_tier_id)?;
        let environment = self.catalog.environments.for_run(environment_id)?;
        Ok(Settings {
            name: name.to_owned(),
            description: description.to_owned(),
            environment: environment.clone(),
            hardware_tier: hardware_tier.cloned(),
            replicas,
            resource_quota_id: None,
        })
    }

    /// How callers of a new endpoint of this name are routed.
    pub(super) fn routing_of(&self, name: &str) -> &'static str {
        match self.routed_by_label.iter().any(|known| known == name) {
            true => "advanced",
            false => "basic",
        }
    }

    /// The model API with this id, or the only one of this name that is not archived.
    pub(crate) fn named(&self, id_or_name: &str) -> Option<Arc<ModelApi>> {
        self.with_id(id_or_name).or_else(|| {
            let mut named = self.unarchived();
            named.retain(|api| api.settings().name == id_or_name);
            match named.as_slice() {
                [api] => Some(api.clone()),
                _ => None,
            }
        })
    }

    /// Every model API that is not archived and has a version made of this registered model, of
    /// this version of it if one is named.
    pub(crate) fn made_of(&self, model: &str, version: Option<u64>) -> Vec<Arc<ModelApi>> {
        let mut apis = self.unarchived();
        apis.retain(|api| {
            let mut versions = api.versions().into_iter();
            versions.any(|made| match &made.spec.source {
                Source::Registered {
                    model: of,
                    version: number,
                } => of == model && version.is_none_or(|wanted| wanted == *number),
                Source::File { .. } => false,
            })
        });
        apis
    }

    /// Checks that the source of a version exists. Only the build looks for files, in the newest commit, which is
    /// returned.
    async fn check_source(&self, user: &User, source: &Source) -> Result<Option<String>, Failure> {
        let Source::Registered { model, version } = source else {
            let head = self.host.resolve(&GitRef::head()).await;
            return Ok(head.ok());
        };
        match self.registered_models.version(user, model, *version).await {
            Ok(_) => Ok(None),
            Err(refusal) if refusal.is_missing() => Err(Failure::bad_request(format!(
                "Version {version} of registered model {model} does not exist"
            ))),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Makes another version of `api`, which is built at once.
    pub(crate) async fn create_version(
        &self,
        user: &Arc<User>,
        api: &Arc<ModelApi>,
        spec: VersionSpec,
    ) -> Result<Arc<ModelApiVersion>, Failure> {
        api.check_not_archived()?;
        let project = self.catalog.projects.seen_by(user, &spec.project_id)?;
        let commit = self.check_source(user, &spec.source).await?;
        let version = self.new_version(user, api, &project, spec, commit)?;
        Ok(self.add(api, version))
    }

    fn new_version(
        &self,
        user: &Arc<User>,
        api: &ModelApi,
        project: &Arc<Project>,
        spec: VersionSpec,
        commit: Option<String>,
    ) -> Result<ModelApiVersion, Failure> {
        let settings = api.settings();
        let environment = match &spec.environment_id {
            Some(id) => self.catalog.environments.for_run(Some(id))?.clone(),
            None => settings.environment,
        };
        let data_plane = match &settings.hardware_tier {
            Some(tier) => tier.data_plane.clone(),
            None => self.catalog.data_planes.named(None).clone(),
        };
        let assets = VersionAssets {
            revision: environment.revision(&RevisionSpec::Active)?.clone(),
            environment,
            data_plane,
            fault: self.host.faults.of_model(&settings.name),
        };
        let now = self.host.now();
        let id = &api.id;
        Ok(ModelApiVersion::new(
            id, project, user, spec, commit, assets, now,
        ))
    }

    fn add(&self, api: &Arc<ModelApi>, version: ModelApiVersion) -> Arc<ModelApiVersion> {
        let version = api.add(version, self.host.now());
        tokio::spawn(self.deployment(api, &version).run());
        version
    }

    /// Starts a version again that was built and has ended. One that has not ended continues.
    pub(super) fn start(
        &self,
        api: &Arc<ModelApi>,
        version: &Arc<ModelApiVersion>,
    ) -> Result<(), Failure> {
        let Some(folder) = version.folder() else {
            return Err(Failure::bad_request(format!(
                "Version {} of model API {} was not built",
                version.number, api.id
            )));
        };
        api.check_not_archived()?;
        if api.restart(version) {
            tokio::spawn(self.deployment(api, version).again(folder));
        }
        Ok(())
    }

    fn deployment(&self, api: &Arc<ModelApi>, version: &Arc<ModelApiVersion>) -> Deployment {
        Deployment {
            host: self.host.clone(),
            models: self.registered_models.clone(),
            api: api.clone(),
            version: version.clone(),
        }
    }

    /// The model API with this id, if it exists and `user` may see it.
    pub(crate) fn seen_by(&self, user: &User, id: &str) -> Result<Arc<ModelApi>, Failure> {
        object_id("modelApiId", id)?;
        let api = self.all.with_id(id);
        let api = api.ok_or_else(|| Failure::not_found(format!("Model API {id} was not found")))?;
        self.catalog.projects.seen_by(user, &api.project.id)?;
        match api.is_seen_by(user) {
            true => Ok(api),
            false => Err(Failure::forbidden(format!(
                "You are not a collaborator of model API {id}"
            ))),
        }
    }

    /// The same for a user who is to change it, or to see a version of it in detail: a viewer may not.
    pub(super) fn edited_by(&self, user: &User, id: &str) -> Result<Arc<ModelApi>, Failure> {
        let api = self.seen_by(user, id)?;
        match api.is_edited_by(user) {
            true => Ok(api),
            false => Err(Failure::forbidden(format!(
                "A viewer of model API {id} may not do this"
            ))),
        }
    }

    /// The version of a model API that `user` may see.
    pub(super) fn version_seen_by(
        &self,
        user: &User,
        id: &str,
        version_id: &str,
    ) -> Result<Arc<ModelApiVersion>, Failure> {
        self.edited_by(user, id)?.version_with_id(version_id)
    }

    pub(super) fn with_id(&self, id: &str) -> Option<Arc<ModelApi>> {
        self.all.with_id(id)
    }

    /// Whether `token` opens the endpoint `api`.
    pub(super) fn takes(&self, api: &ModelApi, token: &str) -> bool {
        token == api.token() || Some(token) == self.common_token.as_deref()
    }

    /// Every model API that is not archived, oldest first.
    pub(crate) fn unarchived(&self) -> Vec<Arc<ModelApi>> {
        self.all.filter(|api| !api.details.lock().is_archived)
    }

    pub(crate) fn state(&self) -> Value {
        self.all.map(|api| api.state())
    }
}
