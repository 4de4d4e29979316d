//! One app: its description, its versions, and which of them run.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::Access;
use super::instance::Instance;
use super::thumbnail::Thumbnail;
use super::version::AppVersion;
use crate::clock::Moment;
use crate::hardware_tiers::HardwareTiers;
use crate::id;
use crate::locked::Locked;
use crate::projects::Project;
use crate::reply::Failure;
use crate::users::User;

/// The default entry point.
const ENTRY_POINT: &str = "app.sh";

pub(super) struct App {
    pub(super) id: String,
    pub(super) project: Arc<Project>,
    pub(super) publisher: Arc<User>,
    pub(super) created: Moment,
    details: Locked<AppDetails>,
}

/// The part of an app that can change.
struct AppDetails {
    facts: Facts,
    updated: Moment,
    is_archived: bool,
    /// Oldest first.
    versions: Vec<Arc<AppVersion>>,
    /// In order.
    views: Vec<View>,
}

/// The description of an app.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) description: Option<String>,
    /// A path from the top of the repository.
    pub(super) entry_point: Option<String>,
    pub(super) vanity_url: Option<String>,
    pub(super) access: Access,
    pub(super) configuration_type: Option<String>,
    pub(super) render_iframe: bool,
    pub(super) mount_datasets: bool,
    pub(super) mount_net_app_volumes: bool,
    pub(super) thumbnail: Option<Thumbnail>,
    /// The settings that `/v4` creates an app with, for its first start.
    pub(super) environment_id: Option<String>,
    pub(super) hardware_tier_id: Option<String>,
}

/// One view of an app.
#[derive(Clone)]
pub(super) struct View {
    pub(super) at: Moment,
    pub(super) user_id: String,
    pub(super) version_id: String,
}

impl App {
    pub(super) fn new(
        project: &Arc<Project>,
        user: &Arc<User>,
        facts: Facts,
        created: Moment,
    ) -> Self {
        App {
            id: id::object_id(),
            project: project.clone(),
            publisher: user.clone(),
            created,
            details: Locked::new(AppDetails {
                facts,
                updated: created,
                is_archived: false,
                versions: Vec::new(),
                views: Vec::new(),
            }),
        }
    }

    pub(super) fn facts(&self) -> Facts {
        self.details.lock().facts.clone()
    }

    pub(super) fn entry_point(&self) -> String {
        let entry_point = self.facts().entry_point;
        entry_point.unwrap_or_else(|| ENTRY_POINT.to_owned())
    }

    /// Changes the description of the app.
    pub(super) fn change(&self, now: Moment, change: impl FnOnce(&mut Facts)) {
        let mut details = self.details.lock();
        change(&mut details.facts);
        details.updated = now;
    }

    pub(super) fn updated(&self) -> Moment {
        self.details.lock().updated
    }

    pub(super) fn has_vanity_url(&self, url: &str) -> bool {
        self.details.lock().facts.vanity_url.as_deref() == Some(url)
    }

    /// The path under which the app is served, without a final slash.
    pub(super) fn path(&self) -> String {
        let vanity_url = self.details.lock().facts.vanity_url.clone();
        format!("/apps/{}", vanity_url.unwrap_or_else(|| self.id.clone()))
    }

    /// The page that shows a person the state of the app, as a path.
    pub(super) fn page(&self) -> String {
        format!("/modelproducts/{}", self.id)
    }

    /// Keeps a new version, whose vanity URL becomes the app's.
    pub(super) fn add(&self, version: Arc<AppVersion>, now: Moment) {
        let mut details = self.details.lock();
        if let Some(vanity_url) = version.vanity_url() {
            details.facts.vanity_url = Some(vanity_url);
        }
        details.updated = now;
        details.versions.push(version);
    }

    /// Every view so far.
    pub(super) fn views(&self) -> Vec<View> {
        self.details.lock().views.clone()
    }

    pub(super) fn was_viewed(&self, view: View) {
        self.details.lock().views.push(view);
    }

    /// Oldest first.
    pub(super) fn versions(&self) -> Vec<Arc<AppVersion>> {
        self.details.lock().versions.clone()
    }

    pub(super) fn version(&self, id: &str) -> Result<Arc<AppVersion>, Failure> {
        let versions = self.versions();
        let version = versions.into_iter().find(|version| version.id == id);
        version.ok_or_else(|| Failure::not_found(format!("App version {id} was not found")))
    }

    /// Every instance with its version, in the order in which they were started.
    pub(super) fn instances(&self) -> Vec<(Arc<AppVersion>, Arc<Instance>)> {
        let versions = self.versions();
        let mut instances: Vec<_> = versions
            .iter()
            .flat_map(|version| {
                let instances = version.instances().into_iter();
                instances.map(|instance| (version.clone(), instance))
            })
            .collect();
        instances.sort_by_key(|(_, instance)| instance.number);
        instances
    }

    /// The version that was started last, or else the newest.
    pub(super) fn current_version(&self) -> Option<Arc<AppVersion>> {
        let started = self.instances().pop();
        let started = started.map(|(version, _)| version);
        started.or_else(|| self.versions().pop())
    }

    /// The instance that was started last.
    pub(super) fn latest_instance(&self) -> Option<Arc<Instance>> {
        let (_, instance) = self.instances().pop()?;
        Some(instance)
    }

    /// The instances that have not ended.
    pub(super) fn active(&self) -> Vec<Arc<Instance>> {
        let instances = self.instances().into_iter();
        instances
            .map(|(_, instance)| instance)
            .filter(|instance| !instance.status().is_terminal())
            .collect()
    }

    /// The instance that answers at the app's URL.
    pub(super) fn serving(&self) -> Option<Arc<Instance>> {
        let newest_first = self.instances().into_iter().rev();
        newest_first
            .map(|(_, instance)| instance)
            .find(|instance| instance.address().is_some())
    }

    pub(super) fn is_archived(&self) -> bool {
        self.details.lock().is_archived
    }

    /// Removes the app from every list and stops what runs of it.
    pub(super) fn archive(&self) {
        self.details.lock().is_archived = true;
        self.active().iter().for_each(|instance| instance.stop());
    }

    pub(super) fn state(&self, tiers: &HardwareTiers, url: &str) -> Value {
        let versions = self.versions();
        let serving = self.serving();
        let latest = self.latest_instance();
        let facts = self.facts();
        let versions: Vec<Value> = versions
            .iter()
            .map(|version| version.state(tiers))
            .collect();
        // Read from the versions, so that both are of the same moment.
        let status = latest.and_then(|latest| {
            let instances = versions
                .iter()
                .filter_map(|version| version["instances"].as_array());
            let told = instances.flatten().find(|told| told["id"] == latest.id)?;
            Some(told["status"].clone())
        });
        json!({
            "id": self.id,
            "name": facts.name,
            "project": format!("{}/{}", self.project.owner, self.project.name()),
            "publisher": self.publisher.name,
            "description": facts.description,
            "entryPoint": self.entry_point(),
            "visibility": facts.access.visibility.word(),
            "vanityUrl": facts.vanity_url,
            "thumbnail": facts.thumbnail.as_ref().map(Thumbnail::state),
            "discoverable": facts.access.is_discoverable,
            "isArchived": self.is_archived(),
            "url": format!("{url}{}", self.path()),
            "page": self.page(),
            "status": status.unwrap_or_else(|| "".into()),
            "serving": serving.map(|serving| serving.id.clone()),
            "versions": versions,
        })
    }
}
