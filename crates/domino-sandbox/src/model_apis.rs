//! Model APIs, which Domino's pages call endpoints. What one is stands in `model_api` and `version`; how a version comes
//! to serve in `deployment`; how the APIs spell it in `public`, `v4` and `legacy`; who may call it in `invocation`,
//! and in `predictions` where it is asynchronous.

mod build;
mod by_people;
mod deployment;
mod invocation;
mod legacy;
mod logs;
mod model_api;
mod of_registered;
mod page;
mod prediction;
mod predictions;
mod public;
mod role;
mod serving;
mod settings;
mod status;
mod store;
mod v4;
mod version;

use std::sync::Arc;

use axum::Router;

use crate::version::Version;
pub use by_people::EndpointChange;
pub(crate) use model_api::ModelApi;
pub use role::Role;
pub(crate) use status::Status;
pub(crate) use store::ModelApis;

/// The routes that need a credential of Domino's API.
pub(crate) fn routes(apis: Arc<ModelApis>, domino: Version) -> Router {
    let mut routes = legacy::routes()
        .merge(v4::routes())
        .merge(of_registered::routes());
    if domino != Version::V5_9 {
        routes = routes.merge(public::routes()).merge(logs::routes());
    }
    routes.with_state(apis)
}

/// The routes that take no such credential: calls of models, and pages.
pub(crate) fn open_routes(apis: Arc<ModelApis>) -> Router {
    invocation::routes()
        .merge(predictions::routes())
        .merge(page::routes())
        .with_state(apis)
}
