//! One model API, which Domino's pages call an endpoint: its settings, its versions, and which of them answers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::prediction::Prediction;
use super::role::Role;
use super::settings::Settings;
use super::status::Status;
use super::version::{ModelApiVersion, VersionSpec};
use crate::clock::Moment;
use crate::id;
use crate::locked::Locked;
use crate::projects::Project;
use crate::reply::Failure;
use crate::request::object_id;
use crate::store::Store;
use crate::users::User;

/// The label of the version that was promoted.
const PROD: &str = "prod";

pub(crate) struct ModelApi {
    pub(crate) id: String,
    pub(crate) project: Arc<Project>,
    pub(super) created: Moment,
    pub(super) created_by: Arc<User>,
    pub(super) is_async: bool,
    pub(super) strict_node_anti_affinity: bool,
    /// No route changes them once the endpoint has been created.
    pub(super) environment_variables: Vec<(String, String)>,
    /// The model access token, which no reply contains, and the id under which it is listed.
    pub(super) token: String,
    pub(super) token_id: String,
    /// What was left at the address of an asynchronous one.
    pub(super) predictions: Store<Prediction>,
    pub(super) details: Locked<ModelApiDetails>,
}

/// The part of a model API that changes.
pub(super) struct ModelApiDetails {
    pub(super) settings: Settings,
    pub(super) modified: Moment,
    pub(super) is_archived: bool,
    pub(super) bundle_id: Option<String>,
    /// `basic`, where the active version answers everybody, or `advanced`, where callers choose it by a label or
    /// number.
    pub(super) routing_mode: String,
    /// The number of the version behind the label `prod`.
    pub(super) promoted: Option<usize>,
    /// The id of each with their role; if the endpoint is not private, the project's members may do everything.
    pub(super) collaborators: Vec<(String, Role)>,
    pub(super) is_private: bool,
    pub(super) versions: Vec<Arc<ModelApiVersion>>,
    /// How often a version was deployed.
    pub(super) turns: usize,
    /// The version that answers as `latest`: the last one that got to run.
    pub(super) active: Option<Arc<ModelApiVersion>>,
}

/// The model API as it was requested.
pub(crate) struct ModelApiSpec {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) environment_id: Option<String>,
    pub(crate) environment_variables: Vec<(String, String)>,
    pub(crate) hardware_tier_id: Option<String>,
    pub(crate) replicas: u64,
    pub(crate) is_async: bool,
    pub(crate) strict_node_anti_affinity: bool,
    pub(crate) bundle_id: Option<String>,
    /// What a person makes of it at once; no route says it.
    pub(crate) routing_mode: &'static str,
    pub(crate) version: VersionSpec,
}

impl ModelApi {
    /// A model API without a version.
    pub(super) fn new(
        project: &Arc<Project>,
        user: &Arc<User>,
        spec: &ModelApiSpec,
        settings: Settings,
        now: Moment,
    ) -> Self {
        ModelApi {
            id: id::object_id(),
            project: project.clone(),
            created: now,
            created_by: user.clone(),
            is_async: spec.is_async,
            strict_node_anti_affinity: spec.strict_node_anti_affinity,
            environment_variables: spec.environment_variables.clone(),
            token: id::secret(),
            token_id: id::object_id(),
            predictions: Store::default(),
            details: Locked::new(ModelApiDetails {
                settings,
                modified: now,
                is_archived: false,
                bundle_id: spec.bundle_id.clone(),
                routing_mode: spec.routing_mode.to_owned(),
                promoted: None,
                collaborators: vec![(user.id.clone(), Role::Owner)],
                is_private: false,
                versions: Vec::new(),
                turns: 0,
                active: None,
            }),
        }
    }

    /// The page of the endpoint, as a path.
    pub(crate) fn page(&self) -> String {
        format!("/models/{}/overview", self.id)
    }

    /// Fails if the model API is archived, and so accepts nothing new.
    pub(super) fn check_not_archived(&self) -> Result<(), Failure> {
        match self.details.lock().is_archived {
            true => Err(Failure::bad_request(format!(
                "Model API {} is archived",
                self.id
            ))),
            false => Ok(()),
        }
    }

    /// Whether this user may see it.
    pub(super) fn is_seen_by(&self, user: &User) -> bool {
        let details = self.details.lock();
        let mut collaborators = details.collaborators.iter();
        !details.is_private || collaborators.any(|(id, _)| *id == user.id)
    }

    /// Whether this user may see a version of it in detail, and change it.
    pub(super) fn is_edited_by(&self, user: &User) -> bool {
        let details = self.details.lock();
        let may = |(id, role): &(String, Role)| *id == user.id && *role != Role::Viewer;
        !details.is_private || details.collaborators.iter().any(may)
    }

    /// The labels of a version.
    pub(super) fn labels(&self, version: &ModelApiVersion) -> Vec<&'static str> {
        let is_promoted = self.details.lock().promoted == Some(version.number);
        is_promoted.then_some(PROD).into_iter().collect()
    }

    /// The version behind a label.
    pub(super) fn labelled(&self, label: &str) -> Option<Arc<ModelApiVersion>> {
        let details = self.details.lock();
        let promoted = details.promoted.filter(|_| label == PROD)?;
        let mut versions = details.versions.iter();
        versions.find(|version| version.number == promoted).cloned()
    }

    /// Gives the label `prod` to a version, or takes it away. What neither has it nor is active is stopped.
    pub(super) fn promote(&self, version: &ModelApiVersion, is_prod: bool, now: Moment) {
        let mut details = self.details.lock();
        let before = details.promoted;
        match is_prod {
            true => details.promoted = Some(version.number),
            false if before == Some(version.number) => details.promoted = None,
            false => {}
        }
        details.modified = now;
        let active = details.active.as_ref().map(|active| active.number);
        for left in &details.versions {
            let number = Some(left.number);
            if number == before && number != details.promoted && number != active {
                left.stop();
            }
        }
    }

    /// Gives `version` its number and its turn, and keeps it.
    pub(super) fn add(&self, mut version: ModelApiVersion, now: Moment) -> Arc<ModelApiVersion> {
        let mut details = self.details.lock();
        version.number = details.versions.len() + 1;
        let version = Arc::new(version);
        details.versions.push(version.clone());
        details.turns += 1;
        version.set_turn(details.turns);
        details.modified = now;
        version
    }

    /// Starts another deployment of a version that has ended; false if it has not ended, and so continues.
    pub(super) fn restart(&self, version: &ModelApiVersion) -> bool {
        if !version.has_ended() {
            return false;
        }
        let mut details = self.details.lock();
        version.enter(Status::Starting);
        details.turns += 1;
        version.set_turn(details.turns);
        true
    }

    pub(crate) fn settings(&self) -> Settings {
        self.details.lock().settings.clone()
    }

    /// The model access token that a person would copy from Domino's pages.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The versions, oldest first.
    pub(crate) fn versions(&self) -> Vec<Arc<ModelApiVersion>> {
        self.details.lock().versions.clone()
    }

    pub(crate) fn modified(&self) -> Moment {
        self.details.lock().modified
    }

    pub(crate) fn active(&self) -> Option<Arc<ModelApiVersion>> {
        self.details.lock().active.clone()
    }

    pub(super) fn version_with_id(&self, id: &str) -> Result<Arc<ModelApiVersion>, Failure> {
        object_id("modelApiVersionId", id)?;
        let versions = self.versions();
        let mut versions = versions.into_iter();
        versions
            .find(|version| version.id == id)
            .ok_or_else(|| Failure::not_found(format!("Model API version {id} was not found")))
    }

    /// Makes `version` the one that answers, unless one that was deployed later already does. The version that
    /// answered until now stops.
    pub(super) fn activate(&self, version: &Arc<ModelApiVersion>) -> bool {
        let mut details = self.details.lock();
        let before = details.active.clone();
        if let Some(before) = &before {
            if before.turn() > version.turn() && before.is_running() {
                return false;
            }
            let is_called =
                details.routing_mode == "advanced" && details.promoted == Some(before.number);
            if before.id != version.id && !is_called {
                before.stop();
            }
        }
        details.active = Some(version.clone());
        true
    }

    pub(super) fn change(&self, settings: Settings, now: Moment) {
        let mut details = self.details.lock();
        details.settings = settings;
        details.modified = now;
    }

    pub(super) fn archive(&self) {
        let mut details = self.details.lock();
        details.is_archived = true;
        for version in &details.versions {
            version.stop();
        }
    }

    pub(super) fn state(&self) -> Value {
        let details = self.details.lock();
        let active = details.active.as_ref().map(|version| version.number);
        let versions: Vec<Value> = details
            .versions
            .iter()
            .map(|version| {
                let mut state = version.state(Some(version.number) == active);
                state["isPromoted"] = (details.promoted == Some(version.number)).into();
                state
            })
            .collect();
        let tier = details.settings.hardware_tier.as_ref();
        let variables = self.environment_variables.iter();
        let variables: serde_json::Map<String, Value> = variables
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        json!({
            "id": self.id,
            "name": details.settings.name,
            "description": details.settings.description,
            "project": format!("{}/{}", self.project.owner, self.project.name()),
            "createdBy": self.created_by.name,
            "environmentId": details.settings.environment.id,
            "environmentName": details.settings.environment.name,
            "hardwareTierId": tier.map(|tier| tier.id.as_str()),
            "hardwareTierName": tier.map(|tier| tier.name.as_str()),
            "dataPlane": tier.map(|tier| tier.data_plane.name.as_str()),
            "replicas": details.settings.replicas,
            "environmentVariables": variables,
            "bundleId": details.bundle_id,
            "resourceQuotaId": details.settings.resource_quota_id,
            "routingMode": details.routing_mode,
            "isAsync": self.is_async,
            "asyncRequests": self.predictions.map::<_, Vec<()>>(|_| ()).len(),
            "isArchived": details.is_archived,
            "activeVersion": active,
            "versions": versions,
            "invocation": format!("/models/{}/latest/model", self.id),
        })
    }
}
