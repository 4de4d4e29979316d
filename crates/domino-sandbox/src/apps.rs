//! Apps: one store behind the three generations of their API, so that an app made on one is seen
//! on the others. An app has versions, a version has instances, an instance is a process; the
//! generations differ in which of these they name and in what starts by itself.
//!
//! In Domino an app listens on 0.0.0.0:8888 in a container of its own. Here all of them share one
//! machine, so that an entry point is told where to listen: on `APP_HOST` and `APP_PORT`. One that
//! reads these with Domino's values as defaults is the same in both.

mod access;
mod app;
mod beta;
mod beta_instances;
mod instance;
mod log;
mod page;
mod port;
mod proxy;
mod run;
mod session;
mod upgrade;
mod v1;
mod v1_versions;
mod v4;
mod v4_instances;
mod version;
mod views;

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use serde_json::Value;

use crate::domino::Domino;
use crate::projects::Project;
use crate::reply::Failure;
use crate::request::object_id;
use crate::users::User;
use crate::version::Version;
use access::{Access, Visibility};
use app::{App, Facts};
use instance::Instance;
pub(crate) use page::section;
pub(crate) use proxy::Streamed;
pub(crate) use session::Sessions;
use version::AppVersion;

/// What becomes of the running instances when another one is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replacing {
    /// They stop, and only then the new one leaves the queue.
    StopFirst,
    /// They go on until the new one runs, and stay if it never does.
    Beside,
}

/// Every app of the sandbox, oldest first.
#[derive(Default)]
pub(crate) struct Apps {
    apps: Mutex<Vec<Arc<App>>>,
}

/// The routes of the API, as far as `version` has them.
pub(crate) fn routes(version: Version) -> Router<Arc<Domino>> {
    let mut routes = v4::routes().merge(v4_instances::routes());
    if version.has_apps_beta() {
        routes = routes
            .merge(beta::routes())
            .merge(beta_instances::routes())
            .merge(views::routes());
    }
    if version.has_apps_v1() {
        routes = routes.merge(v1::routes()).merge(v1_versions::routes());
    }
    routes
}

/// The apps themselves and the pages about them, which do not ask for a credential of the API.
pub(crate) fn open_routes() -> Router<Arc<Domino>> {
    proxy::routes()
        .merge(session::routes())
        .merge(page::routes())
}

impl Apps {
    /// Makes an app without a version.
    fn create(
        domino: &Domino,
        user: &Arc<User>,
        project: &Arc<Project>,
        facts: Facts,
    ) -> Result<Arc<App>, Failure> {
        if let Some(vanity_url) = &facts.vanity_url {
            domino.apps.free_vanity_url(vanity_url, None)?;
        }
        let app = Arc::new(App::new(project, user, facts, domino.now()));
        domino.apps.lock().push(app.clone());
        Ok(app)
    }

    /// The app with this id, if it is there and `user` may see it.
    fn seen_by(domino: &Domino, user: &User, id: &str) -> Result<Arc<App>, Failure> {
        object_id("appId", id)?;
        let app = domino.apps.find(|app| app.id == id);
        let app = app.ok_or_else(|| Failure::not_found(format!("App {id} was not found")))?;
        domino.projects.seen_by(user, &app.project.id)?;
        Ok(app)
    }

    /// The app with this vanity URL, if it is there and `user` may see it.
    fn at_vanity_url(domino: &Domino, user: &User, url: &str) -> Result<Arc<App>, Failure> {
        let app = domino.apps.find(|app| app.has_vanity_url(url));
        let app = app.ok_or_else(|| Failure::not_found(format!("No app has the URL {url}")))?;
        domino.projects.seen_by(user, &app.project.id)?;
        Ok(app)
    }

    /// The app that a path under `/apps/` means: by its id or by its vanity URL.
    fn at(&self, segment: &str) -> Option<Arc<App>> {
        self.find(|app| app.id == segment || app.has_vanity_url(segment))
    }

    /// The apps that `user` may see, oldest first.
    fn visible(domino: &Domino, user: &User) -> Vec<Arc<App>> {
        let mut apps = domino.apps.all();
        apps.retain(|app| domino.projects.seen_by(user, &app.project.id).is_ok());
        apps
    }

    /// Every app that is not archived, oldest first.
    fn all(&self) -> Vec<Arc<App>> {
        let apps = self.lock();
        apps.iter()
            .filter(|app| !app.is_archived())
            .cloned()
            .collect()
    }

    /// Starts an instance of `version`, and does with those that are active as `replacing` says.
    fn launch(
        domino: &Arc<Domino>,
        app: &Arc<App>,
        version: &Arc<AppVersion>,
        user: &Arc<User>,
        replacing: Replacing,
    ) -> Result<Arc<Instance>, Failure> {
        let tier_id = version.hardware_tier_id();
        let hardware_tier = domino.hardware_tiers.for_run(Some(&tier_id))?;
        let fault = domino.faults.of_app(&app.facts().name);
        let replacing = match fault.stops_first {
            true => Replacing::StopFirst,
            false => replacing,
        };
        let earlier = app.active();
        let number = app.instances().len() + 1;
        let instance = Arc::new(Instance::new(
            number,
            user,
            hardware_tier,
            fault,
            domino.now(),
        ));
        version.push(instance.clone());
        if replacing == Replacing::StopFirst {
            earlier.iter().for_each(|earlier| earlier.stop());
        }
        tokio::spawn(run::run(
            domino.clone(),
            run::Launch {
                app: app.clone(),
                version: version.clone(),
                instance: instance.clone(),
                earlier,
                replacing,
            },
        ));
        Ok(instance)
    }

    pub(crate) fn state(&self, domino: &Domino) -> Value {
        let apps = self.lock().clone();
        apps.iter().map(|app| app.state(domino)).collect()
    }

    /// Fails when `url` cannot be a vanity URL or is that of another app than `own`.
    fn free_vanity_url(&self, url: &str, own: Option<&App>) -> Result<(), Failure> {
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

    fn find(&self, wanted: impl Fn(&App) -> bool) -> Option<Arc<App>> {
        let apps = self.all();
        apps.into_iter().find(|app| wanted(app))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<App>>> {
        lock(&self.apps)
    }
}

/// What is behind a lock; a panic elsewhere cannot have left it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
