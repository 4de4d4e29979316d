//! A version of an app: which code, environment and hardware tier its instances get. The content
//! never changes; its deployment and its description can.

use std::sync::Arc;

use serde_json::{Value, json};

use super::instance::Instance;
use crate::clock::Moment;
use crate::environments::{Environment, Revision};
use crate::git_ref::GitRef;
use crate::hardware_tiers::HardwareTiers;
use crate::id;
use crate::locked::Locked;
use crate::reply::Failure;
use crate::request::Fields;
use crate::users::User;

pub(super) struct AppVersion {
    pub(super) id: String,
    pub(super) number: usize,
    pub(super) created: Moment,
    pub(super) publisher: Arc<User>,
    pub(super) environment: Arc<Environment>,
    pub(super) revision: Revision,
    /// The content, as it was requested.
    pub(super) spec: AppVersionSpec,
    details: Locked<AppVersionDetails>,
}

/// The part of a version that can change.
#[derive(Clone)]
pub(super) struct AppVersionDetails {
    pub(super) updated: Moment,
    pub(super) hardware_tier_id: String,
    pub(super) autoscaling: Option<Value>,
    pub(super) vanity_url: Option<String>,
    pub(super) bundle_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<Value>,
    /// Oldest first.
    instances: Vec<Arc<Instance>>,
}

/// The version as it was requested.
#[derive(Clone, Debug, Default)]
pub(super) struct AppVersionSpec {
    pub(super) environment_id: Option<String>,
    pub(super) environment_revision_id: Option<String>,
    pub(super) hardware_tier_id: Option<String>,
    pub(super) git_ref: Option<GitRef>,
    pub(super) dfs_commit_id: Option<String>,
    /// A script given in full, which is run instead of the entry point.
    pub(super) entry_script: Option<String>,
    pub(super) external_volume_mount_ids: Vec<String>,
    pub(super) net_app_volume_ids: Vec<String>,
    pub(super) propagates_identity: bool,
    pub(super) autoscaling: Option<Value>,
    pub(super) vanity_url: Option<String>,
    pub(super) bundle_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<Value>,
}

impl AppVersionSpec {
    /// Reads the content of a version, which beta and v1 spell alike.
    pub(super) fn read_content(&mut self, fields: &mut Fields) {
        self.environment_id = fields.optional_text("environmentId");
        self.environment_revision_id = fields.optional_text("environmentRevisionId");
        self.git_ref = GitRef::v4_field(fields, "gitRef");
        self.dfs_commit_id = fields.optional_text("dfsCommitId");
        self.entry_script = fields.optional_text("entryScript");
        let volumes = fields.optional_texts("externalVolumeMountIds");
        self.external_volume_mount_ids = volumes.unwrap_or_default();
        self.net_app_volume_ids = fields.texts_if_any("netAppVolumeIds");
        let propagates = fields.optional_flag("extendedIdentityPropagationToAppsEnabled");
        self.propagates_identity = propagates.unwrap_or(false);
    }

    /// Reads the settings for running a version, which beta and v1 spell alike.
    pub(super) fn read_deployment(&mut self, fields: &mut Fields) {
        self.hardware_tier_id = fields.optional_text("hardwareTierId");
        // Only the form is checked: one machine has no replicas.
        const AUTOSCALING: &str = "autoscalingSpecification";
        let form = fields.optional_object(AUTOSCALING, |inner| inner.flag("enabled"));
        self.autoscaling = fields
            .optional_value(AUTOSCALING)
            .filter(|_| form.is_some());
        self.vanity_url = fields.optional_text("vanityUrl");
    }

    /// Reads the description of a version, which beta and v1 spell alike.
    pub(super) fn read_words(&mut self, fields: &mut Fields) {
        self.bundle_id = fields.optional_text("bundleId");
        self.tags = tags(fields).unwrap_or_default();
    }
}

/// The list of tags, if there is one.
pub(super) fn tags(fields: &mut Fields) -> Option<Vec<Value>> {
    let value = fields.optional_value("tags")?;
    let is_tag = |tag: &Value| tag["key"].is_string() && tag["value"].is_string();
    match value {
        Value::Array(tags) if tags.iter().all(is_tag) => Some(tags),
        _ => {
            fields.complain("tags", "error.expected.jsarray");
            None
        }
    }
}

impl AppVersion {
    pub(super) fn new(
        user: &Arc<User>,
        number: usize,
        environment: Arc<Environment>,
        revision: Revision,
        hardware_tier_id: String,
        mut spec: AppVersionSpec,
        now: Moment,
    ) -> Self {
        AppVersion {
            id: id::object_id(),
            number,
            created: now,
            publisher: user.clone(),
            environment,
            revision,
            details: Locked::new(AppVersionDetails {
                updated: now,
                hardware_tier_id,
                autoscaling: spec.autoscaling.take(),
                vanity_url: spec.vanity_url.take(),
                bundle_id: spec.bundle_id.take(),
                description: spec.description.take(),
                tags: std::mem::take(&mut spec.tags),
                instances: Vec::new(),
            }),
            spec,
        }
    }

    pub(super) fn details(&self) -> AppVersionDetails {
        self.details.lock().clone()
    }

    /// Changes the part of the version that can change.
    pub(super) fn change(&self, now: Moment, change: impl FnOnce(&mut AppVersionDetails)) {
        let mut details = self.details.lock();
        change(&mut details);
        details.updated = now;
    }

    pub(super) fn hardware_tier_id(&self) -> String {
        self.details.lock().hardware_tier_id.clone()
    }

    pub(super) fn vanity_url(&self) -> Option<String> {
        self.details.lock().vanity_url.clone()
    }

    /// Oldest first.
    pub(super) fn instances(&self) -> Vec<Arc<Instance>> {
        self.details.lock().instances.clone()
    }

    pub(super) fn instance(&self, id: &str) -> Result<Arc<Instance>, Failure> {
        let instances = self.instances();
        let instance = instances.into_iter().find(|instance| instance.id == id);
        instance.ok_or_else(|| Failure::not_found(format!("App instance {id} was not found")))
    }

    pub(super) fn current_instance(&self) -> Option<Arc<Instance>> {
        self.instances().pop()
    }

    pub(super) fn push(&self, instance: Arc<Instance>) {
        self.details.lock().instances.push(instance);
    }

    pub(super) fn state(&self, tiers: &HardwareTiers) -> Value {
        let details = self.details();
        let tier = tiers.with_id(&details.hardware_tier_id);
        let instances: Vec<Value> = details
            .instances
            .iter()
            .map(|instance| instance.state())
            .collect();
        json!({
            "id": self.id,
            "number": self.number,
            "publisher": self.publisher.name,
            "gitRef": self.spec.git_ref.as_ref().map(GitRef::v4),
            "entryScript": self.spec.entry_script,
            "environmentId": self.environment.id,
            "environmentName": self.environment.name,
            "environmentRevisionId": self.revision.id,
            "hardwareTierId": details.hardware_tier_id,
            "hardwareTierName": tier.map(|tier| tier.name.as_str()),
            "dataPlane": tier.map(|tier| tier.data_plane.name.as_str()),
            "bundleId": details.bundle_id,
            "externalVolumeMountIds": self.spec.external_volume_mount_ids,
            "netAppVolumeIds": self.spec.net_app_volume_ids,
            "extendedIdentityPropagationToAppsEnabled": self.spec.propagates_identity,
            "autoscalingSpecification": details.autoscaling,
            "tags": details.tags,
            "instances": instances,
        })
    }
}
