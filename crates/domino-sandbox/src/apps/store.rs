//! Every app of the sandbox: how one is created, gets another version, is started, and is found again.

use std::sync::Arc;

use serde_json::Value;

use super::app::{App, Facts};
use super::instance::Instance;
use super::run::{Launch, Replacing, run};
use super::session::Sessions;
use super::version::{AppVersion, AppVersionSpec};
use crate::catalog::Catalog;
use crate::environments::RevisionSpec;
use crate::governance::Governance;
use crate::host::Host;
use crate::projects::Project;
use crate::reply::Failure;
use crate::request::object_id;
use crate::store::Store;
use crate::users::User;

/// Every app of the sandbox, oldest first, with what apps are checked against and run with.
pub(crate) struct Apps {
    apps: Store<Arc<App>>,
    pub(super) sessions: Sessions,
    pub(super) catalog: Arc<Catalog>,
    governance: Arc<Governance>,
    pub(super) host: Arc<Host>,
}

impl Apps {
    pub(crate) fn new(
        sessions: Sessions,
        catalog: Arc<Catalog>,
        governance: Arc<Governance>,
        host: Arc<Host>,
    ) -> Self {
        Apps {
            apps: Store::default(),
            sessions,
            catalog,
            governance,
            host,
        }
    }

    /// Creates an app without a version.
    pub(super) fn create(
        &self,
        user: &Arc<User>,
        project: &Arc<Project>,
        facts: Facts,
    ) -> Result<Arc<App>, Failure> {
        if let Some(vanity_url) = &facts.vanity_url {
            self.free_vanity_url(vanity_url, None)?;
        }
        let app = Arc::new(App::new(project, user, facts, self.host.now()));
        self.apps.push(&app.id, app.clone());
        Ok(app)
    }

    /// Fails as creating a version of `spec` for `app` and starting it would, before anything is changed.
    pub(super) fn check(&self, app: Option<&App>, spec: &AppVersionSpec) -> Result<(), Failure> {
        self.catalog
            .hardware_tiers
            .for_run(spec.hardware_tier_id.as_deref())?;
        self.catalog
            .environments
            .for_run(spec.environment_id.as_deref())?;
        self.check_gate(spec.bundle_id.as_deref())?;
        match &spec.vanity_url {
            Some(url) => self.free_vanity_url(url, app),
            None => Ok(()),
        }
    }

    /// Fails while a gate of the bundle keeps apps closed, as each creation and each start does.
    pub(super) fn check_gate(&self, bundle_id: Option<&str>) -> Result<(), Failure> {
        match bundle_id {
            Some(id) => self.governance.refused(id, "CreateApp"),
            None => Ok(()),
        }
    }

    /// Creates a version of `spec` without starting it. Whether its hardware tier can be used is checked when it is
    /// started.
    pub(super) fn add_version(
        &self,
        app: &App,
        user: &Arc<User>,
        mut spec: AppVersionSpec,
    ) -> Result<Arc<AppVersion>, Failure> {
        if let Some(vanity_url) = &spec.vanity_url {
            self.free_vanity_url(vanity_url, Some(app))?;
        }
        let environment = self
            .catalog
            .environments
            .for_run(spec.environment_id.as_deref())?;
        let revision = match spec.environment_revision_id.take() {
            Some(id) => environment.revision(&RevisionSpec::Some(id))?,
            None => environment.active(),
        };
        let version = Arc::new(AppVersion::new(
            user,
            app.versions().len() + 1,
            environment.clone(),
            revision.clone(),
            match spec.hardware_tier_id.take() {
                Some(id) => id,
                None => self.catalog.hardware_tiers.default_tier().id.clone(),
            },
            spec,
            self.host.now(),
        ));
        app.add(version.clone(), self.host.now());
        Ok(version)
    }

    /// Creates a version and starts it beside what runs.
    pub(super) fn publish(
        &self,
        app: &Arc<App>,
        user: &Arc<User>,
        spec: AppVersionSpec,
    ) -> Result<Arc<AppVersion>, Failure> {
        self.check(Some(app), &spec)?;
        let version = self.add_version(app, user, spec)?;
        self.launch(app, &version, user, Replacing::Beside)?;
        Ok(version)
    }

    /// Gives an app and one of its versions a vanity URL that is free.
    pub(super) fn move_to(
        &self,
        app: &App,
        version: &AppVersion,
        vanity_url: String,
    ) -> Result<(), Failure> {
        self.free_vanity_url(&vanity_url, Some(app))?;
        let now = self.host.now();
        app.change(now, |facts| facts.vanity_url = Some(vanity_url.clone()));
        version.change(now, |details| details.vanity_url = Some(vanity_url));
        Ok(())
    }

    /// Starts an instance of `version`, and handles the active ones as `replacing` says.
    pub(super) fn launch(
        &self,
        app: &Arc<App>,
        version: &Arc<AppVersion>,
        user: &Arc<User>,
        replacing: Replacing,
    ) -> Result<Arc<Instance>, Failure> {
        let tier_id = version.hardware_tier_id();
        let tier = self.catalog.hardware_tiers.for_run(Some(&tier_id))?;
        self.check_gate(version.details().bundle_id.as_deref())?;
        let fault = self.host.faults.of_app(&app.facts().name);
        let replacing = match fault.stops_first {
            true => Replacing::StopFirst,
            false => replacing,
        };
        let earlier = app.active();
        let number = app.instances().len() + 1;
        let now = self.host.now();
        let instance = Arc::new(Instance::new(number, user, tier, fault, now));
        version.push(instance.clone());
        if replacing == Replacing::StopFirst {
            earlier.iter().for_each(|earlier| earlier.stop());
        }
        let launch = Launch {
            app: app.clone(),
            version: version.clone(),
            instance: instance.clone(),
            earlier,
            replacing,
        };
        tokio::spawn(run(self.host.clone(), launch));
        Ok(instance)
    }

    /// The app with this id, if it exists and `user` may see it.
    pub(super) fn seen_by(&self, user: &User, id: &str) -> Result<Arc<App>, Failure> {
        object_id("appId", id)?;
        let app = self.find(|app| app.id == id);
        let app = app.ok_or_else(|| Failure::not_found(format!("App {id} was not found")))?;
        self.catalog.projects.seen_by(user, &app.project.id)?;
        Ok(app)
    }

    /// The app with this vanity URL, if it exists and `user` may see it.
    pub(super) fn at_vanity_url(&self, user: &User, url: &str) -> Result<Arc<App>, Failure> {
        let app = self.find(|app| app.has_vanity_url(url));
        let app = app.ok_or_else(|| Failure::not_found(format!("No app has the URL {url}")))?;
        self.catalog.projects.seen_by(user, &app.project.id)?;
        Ok(app)
    }

    /// The app that a path under `/apps/` means: by its id or by its vanity URL.
    pub(super) fn at(&self, segment: &str) -> Option<Arc<App>> {
        self.find(|app| app.id == segment || app.has_vanity_url(segment))
    }

    /// The apps that `user` may see, oldest first.
    pub(super) fn visible(&self, user: &User) -> Vec<Arc<App>> {
        let mut apps = self.all();
        apps.retain(|app| self.catalog.projects.seen_by(user, &app.project.id).is_ok());
        apps
    }

    /// Every app that is not archived, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<App>> {
        self.apps.filter(|app| !app.is_archived())
    }

    pub(crate) fn state(&self) -> Value {
        let apps = self.apps.filter(|_| true);
        let state = |app: &Arc<App>| app.state(&self.catalog.hardware_tiers, &self.host.url);
        apps.iter().map(state).collect()
    }

    /// Fails when `url` cannot be a vanity URL or is that of another app than `own`.
    pub(super) fn free_vanity_url(&self, url: &str, own: Option<&App>) -> Result<(), Failure> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if url.is_empty() || url.starts_with('.') || !url.bytes().all(is_plain) {
            return Err(Failure::bad_request(format!(
                "'{url}' cannot be the URL of an app"
            )));
        }
        let other = self.find(|app| app.has_vanity_url(url) || app.id == url);
        match other {
            Some(other) if own.is_none_or(|own| own.id != other.id) => Err(Failure::bad_request(
                format!("The URL '{url}' is that of another app"),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn find(&self, wanted: impl Fn(&App) -> bool) -> Option<Arc<App>> {
        self.all().into_iter().find(|app| wanted(app))
    }
}
