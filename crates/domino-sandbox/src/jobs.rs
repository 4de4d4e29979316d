//! Jobs. What one is and reports stands in `job`, how it gets to its end in `run`, and how the APIs spell it in `v4`,
//! `public` and `legacy`.

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
