//! Model APIs, which Domino's pages call endpoints: what each one is, its versions, and which of
//! them answers. How a version gets there is `deployment`'s business; how the APIs spell it that
//! of `public` and `legacy`; who may call it that of `invocation`.

mod build;
mod deployment;
mod invocation;
mod legacy;
mod logs;
mod page;
mod public;
mod serving;
mod settings;
mod status;
mod v4;
mod version;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use serde_json::{Value, json};

use crate::checkout;
use crate::clock::Moment;
use crate::domino::Domino;
use crate::git_ref::GitRef;
use crate::id;
use crate::projects::Project;
use crate::registered_models;
use crate::reply::Failure;
use crate::request::object_id;
use crate::users::User;
use crate::version::Version as Release;
pub(crate) use settings::Settings;
use status::Status;
pub(crate) use version::{Source, Version, VersionWish};

/// One model API.
pub(crate) struct ModelApi {
    pub(crate) id: String,
    pub(crate) project: Arc<Project>,
    created: Moment,
    created_by: Arc<User>,
    is_async: bool,
    strict_node_anti_affinity: bool,
    /// No route changes them once the endpoint is made.
    environment_variables: Vec<(String, String)>,
    bundle_id: Option<String>,
    /// The model access token, which no reply ever holds, and the id under which it is listed.
    token: String,
    token_id: String,
    kept: Mutex<Kept>,
}

/// What of a model API changes.
struct Kept {
    settings: Settings,
    modified: Moment,
    is_archived: bool,
    versions: Vec<Arc<Version>>,
    /// How often a version was deployed.
    turns: usize,
    /// The version that answers as `latest`: the last one that got to run.
    active: Option<Arc<Version>>,
}

/// What a model API was asked to be.
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) environment_id: Option<String>,
    pub(crate) environment_variables: Vec<(String, String)>,
    pub(crate) hardware_tier_id: Option<String>,
    pub(crate) replicas: u64,
    pub(crate) is_async: bool,
    pub(crate) strict_node_anti_affinity: bool,
    pub(crate) bundle_id: Option<String>,
    pub(crate) version: VersionWish,
}

/// Every model API of the sandbox, oldest first.
#[derive(Default)]
pub(crate) struct ModelApis {
    all: Mutex<Vec<Arc<ModelApi>>>,
    /// How many processes were started, by which their sockets are named.
    processes: AtomicUsize,
    /// A token that every endpoint takes besides its own.
    common_token: Option<String>,
}

/// The routes that need a credential of Domino's API.
pub(crate) fn routes(domino: Release) -> Router<Arc<Domino>> {
    let routes = legacy::routes().merge(v4::routes());
    if domino == Release::V5_9 {
        return routes;
    }
    routes.merge(public::routes()).merge(logs::routes())
}

/// The routes that take no such credential: calls of models, and pages.
pub(crate) fn open_routes() -> Router<Arc<Domino>> {
    invocation::routes().merge(page::routes())
}

impl ModelApis {
    pub(crate) fn new(common_token: Option<String>) -> Self {
        ModelApis {
            common_token,
            ..ModelApis::default()
        }
    }

    /// Makes a model API of `wish` with its first version, which is built at once.
    pub(crate) async fn create(
        domino: &Arc<Domino>,
        user: &Arc<User>,
        wish: Wish,
    ) -> Result<Arc<ModelApi>, Failure> {
        if wish.name.trim().is_empty() {
            return Err(Failure::bad_request("The name of the model API is empty"));
        }
        let project = domino.projects.seen_by(user, &wish.version.project_id)?;
        let settings = Settings::of(
            domino,
            &wish.name,
            &wish.description,
            wish.environment_id.as_deref(),
            wish.hardware_tier_id.as_deref(),
            wish.replicas,
        )?;
        if let Some(bundle_id) = &wish.bundle_id {
            domino.governance.closed_gate(bundle_id, "CreateEndpoint")?;
        }
        let commit = check_source(domino, user, &wish.version.source).await?;
        let now = domino.now();
        let api = Arc::new(ModelApi {
            id: id::object_id(),
            project: project.clone(),
            created: now,
            created_by: user.clone(),
            is_async: wish.is_async,
            strict_node_anti_affinity: wish.strict_node_anti_affinity,
            environment_variables: wish.environment_variables,
            bundle_id: wish.bundle_id,
            token: id::secret(),
            token_id: id::object_id(),
            kept: Mutex::new(Kept {
                settings,
                modified: now,
                is_archived: false,
                versions: Vec::new(),
                turns: 0,
                active: None,
            }),
        });
        let version = Version::new(domino, user, &api, project, wish.version, commit)?;
        domino.model_apis.lock().push(api.clone());
        api.add(domino, version);
        Ok(api)
    }

    /// The model API with this id, if it is there and `user` may see it.
    pub(crate) fn seen_by(
        domino: &Domino,
        user: &User,
        id: &str,
    ) -> Result<Arc<ModelApi>, Failure> {
        object_id("modelApiId", id)?;
        let api = domino.model_apis.with_id(id);
        let api = api.ok_or_else(|| Failure::not_found(format!("Model API {id} was not found")))?;
        domino.projects.seen_by(user, &api.project.id)?;
        Ok(api)
    }

    fn with_id(&self, id: &str) -> Option<Arc<ModelApi>> {
        self.lock().iter().find(|api| api.id == id).cloned()
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
            versions.any(|made| match &made.wish.source {
                Source::Registered {
                    model: of,
                    version: number,
                } => of == model && version.is_none_or(|wanted| wanted == *number),
                Source::File { .. } => false,
            })
        });
        apis
    }

    /// Every model API that is not archived, oldest first.
    pub(crate) fn unarchived(&self) -> Vec<Arc<ModelApi>> {
        let mut apis = self.lock().clone();
        apis.retain(|api| !api.lock().is_archived);
        apis
    }

    /// A number for the next process, which no other has.
    fn next_process(&self) -> usize {
        self.processes.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> Value {
        self.lock().iter().map(|api| api.state()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<ModelApi>>> {
        self.all
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether what a version is to be made of is there. Files are looked for by the build only, in the
/// commit that is the newest one now and that this gives.
async fn check_source(
    domino: &Domino,
    user: &User,
    source: &Source,
) -> Result<Option<String>, Failure> {
    let Source::Registered { model, version } = source else {
        let head = checkout::resolve(&domino.repository, &GitRef::head()).await;
        return Ok(head.ok());
    };
    match registered_models::version(domino, user, model, *version).await {
        Ok(_) => Ok(None),
        Err(refusal) if refusal.is_missing() => Err(Failure::bad_request(format!(
            "Version {version} of registered model {model} does not exist"
        ))),
        Err(refusal) => Err(refusal.into()),
    }
}

impl ModelApi {
    pub(crate) fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// The model access token that a person would copy from Domino's pages.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether `token` opens this endpoint.
    fn takes(&self, domino: &Domino, token: &str) -> bool {
        token == self.token || Some(token) == domino.model_apis.common_token.as_deref()
    }

    /// The versions, oldest first.
    pub(crate) fn versions(&self) -> Vec<Arc<Version>> {
        self.lock().versions.clone()
    }

    pub(crate) fn modified(&self) -> Moment {
        self.lock().modified
    }

    pub(crate) fn active(&self) -> Option<Arc<Version>> {
        self.lock().active.clone()
    }

    fn version_with_id(&self, id: &str) -> Result<Arc<Version>, Failure> {
        object_id("modelApiVersionId", id)?;
        let versions = self.versions();
        let mut versions = versions.into_iter();
        versions
            .find(|version| version.id == id)
            .ok_or_else(|| Failure::not_found(format!("Model API version {id} was not found")))
    }

    /// Makes another version, which is built at once.
    pub(crate) async fn create_version(
        self: &Arc<Self>,
        domino: &Arc<Domino>,
        user: &Arc<User>,
        wish: VersionWish,
    ) -> Result<Arc<Version>, Failure> {
        if self.lock().is_archived {
            return Err(Failure::bad_request(format!(
                "Model API {} is archived",
                self.id
            )));
        }
        let project = domino.projects.seen_by(user, &wish.project_id)?;
        let commit = check_source(domino, user, &wish.source).await?;
        let version = Version::new(domino, user, self, project, wish, commit)?;
        Ok(self.add(domino, version))
    }

    fn add(self: &Arc<Self>, domino: &Arc<Domino>, mut version: Version) -> Arc<Version> {
        let mut kept = self.lock();
        version.number = kept.versions.len() + 1;
        let version = Arc::new(version);
        kept.versions.push(version.clone());
        kept.turns += 1;
        version.set_turn(kept.turns);
        kept.modified = domino.now();
        drop(kept);
        let deployment = deployment::run(domino.clone(), self.clone(), version.clone());
        tokio::spawn(deployment);
        version
    }

    /// Starts a version again that was built and has ended. One that has not ended goes on.
    fn start(
        self: &Arc<Self>,
        domino: &Arc<Domino>,
        version: &Arc<Version>,
    ) -> Result<(), Failure> {
        let Some(folder) = version.folder() else {
            return Err(Failure::bad_request(format!(
                "Version {} of model API {} was not built",
                version.number, self.id
            )));
        };
        let mut kept = self.lock();
        if kept.is_archived {
            return Err(Failure::bad_request(format!(
                "Model API {} is archived",
                self.id
            )));
        }
        if !version.has_ended() {
            return Ok(());
        }
        version.enter(Status::Starting);
        kept.turns += 1;
        version.set_turn(kept.turns);
        drop(kept);
        let deployment = deployment::again(domino.clone(), self.clone(), version.clone(), folder);
        tokio::spawn(deployment);
        Ok(())
    }

    /// Takes `version` as the one that answers, unless one that was deployed later does already. The
    /// version that answered until now stops.
    fn activate(&self, version: &Arc<Version>) -> bool {
        let mut kept = self.lock();
        let before = kept.active.clone();
        if let Some(before) = &before {
            if before.turn() > version.turn() && before.is_running() {
                return false;
            }
            if before.id != version.id {
                before.stop();
            }
        }
        kept.active = Some(version.clone());
        true
    }

    fn change(&self, domino: &Domino, settings: Settings) {
        let mut kept = self.lock();
        kept.settings = settings;
        kept.modified = domino.now();
    }

    fn archive(&self) {
        let mut kept = self.lock();
        kept.is_archived = true;
        for version in &kept.versions {
            version.stop();
        }
    }

    fn state(&self) -> Value {
        let kept = self.lock();
        let active = kept.active.as_ref().map(|version| version.number);
        let versions: Vec<Value> = kept
            .versions
            .iter()
            .map(|version| version.state(Some(version.number) == active))
            .collect();
        let tier = kept.settings.hardware_tier.as_ref();
        let variables = self.environment_variables.iter();
        let variables: serde_json::Map<String, Value> = variables
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        json!({
            "id": self.id,
            "name": kept.settings.name,
            "description": kept.settings.description,
            "project": format!("{}/{}", self.project.owner, self.project.name),
            "createdBy": self.created_by.name,
            "environmentId": kept.settings.environment.id,
            "environmentName": kept.settings.environment.name,
            "hardwareTierId": tier.map(|tier| tier.id.as_str()),
            "hardwareTierName": tier.map(|tier| tier.name.as_str()),
            "dataPlane": tier.map(|tier| tier.data_plane.name.as_str()),
            "replicas": kept.settings.replicas,
            "environmentVariables": variables,
            "bundleId": self.bundle_id,
            "isArchived": kept.is_archived,
            "activeVersion": active,
            "versions": versions,
            "invocation": format!("/models/{}/latest/model", self.id),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
