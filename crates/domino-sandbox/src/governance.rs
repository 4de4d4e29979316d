//! Governance: policies, the bundles that follow them, and who approved what. It came with Domino 6 under
//! `/api/governance/v1`, as a service of its own: UUIDs, lists under `data`, and plain messages for errors.

mod approval;
mod bundle;
mod events;
mod policy;
mod routes;
mod rpc;
mod store;
mod wording;

use std::sync::Arc;

use axum::Router;

use crate::version::Version;
pub(crate) use events::EventType;
pub(crate) use store::Governance;

/// Governance came with Domino 6.
pub(crate) fn routes(governance: Arc<Governance>, domino: Version) -> Router {
    if domino == Version::V5_9 {
        return Router::new();
    }
    routes::routes().merge(rpc::routes()).with_state(governance)
}
