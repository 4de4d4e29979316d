//! Jobs. `job` defines what one is and reports, `run` runs it to its end, and `v4`, `public` and `legacy` spell it
//! for the APIs.

mod cluster;
mod job;
mod legacy;
mod list;
mod logs;
mod parts;
mod public;
mod run;
mod store;
mod v4;

use std::sync::Arc;

use axum::Router;

pub(crate) use job::Job;
pub(crate) use store::Jobs;

pub(crate) fn routes(jobs: Arc<Jobs>) -> Router {
    v4::routes()
        .merge(public::routes())
        .merge(legacy::routes())
        .merge(logs::routes())
        .with_state(jobs)
}
