//! Apps: one store behind the three generations of their API, so that an app created in one appears in the others. An
//! app has versions, a version has instances, an instance is a process. The generations differ in which of these they
//! name and in what starts by itself.
//!
//! In Domino an app listens on 0.0.0.0:8888 in a container of its own. Here all of them share one machine, so each is
//! given a port of its own: `APP_HOST` and `APP_PORT` name it, and a Python program that binds Domino's gets it.

mod access;
mod app;
mod beta;
mod beta_instances;
mod generation;
mod instance;
mod listening;
mod log;
mod page;
mod port;
mod proxy;
mod run;
mod session;
mod store;
mod thumbnail;
mod thumbnail_routes;
mod upgrade;
mod v1;
mod v1_versions;
mod v4;
mod v4_instances;
mod version;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;

use crate::apps_v1::AppsV1;
use crate::reply::Failure;
pub(crate) use page::cards;
pub(crate) use proxy::Streamed;
pub(crate) use session::Sessions;
pub(crate) use store::Apps;

/// The routes of the API, as far as this Domino has them.
pub(crate) fn routes(apps: Arc<Apps>) -> Router {
    let version = apps.host.version;
    let mut routes = v4::routes().merge(v4_instances::routes());
    if version.has_apps_beta() {
        routes = routes
            .merge(beta::routes())
            .merge(beta_instances::routes())
            .merge(thumbnail_routes::routes())
            .merge(views::routes());
    }
    if version.has_apps_v1() {
        routes = match apps.host.apps_v1 {
            AppsV1::On => routes.merge(v1::routes()).merge(v1_versions::routes()),
            AppsV1::Forbidden => routes.route("/api/apps/v1/{*path}", any(switched_off)),
            AppsV1::NotFound => routes,
        };
    }
    routes.with_state(apps)
}

/// Every route of Apps v1 in a Domino whose feature `EnableAppsSDLC` is switched off.
async fn switched_off() -> Failure {
    Failure::forbidden("The feature EnableAppsSDLC is not enabled")
}

/// The apps themselves and the pages about them, which do not ask for a credential of the API.
pub(crate) fn open_routes(apps: Arc<Apps>) -> Router {
    proxy::routes().merge(page::routes()).with_state(apps)
}
