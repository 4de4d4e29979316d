//! Registered models as Domino's own API shows them: read from the experiment manager, wherever
//! that runs, with versions as whole numbers and a project to each model. It has no stages and no
//! aliases; those are MLflow's.

mod reading;
mod routes;
mod store;
mod version;

pub(crate) use reading::project_json;
pub(crate) use routes::{routes, version_number};
pub(crate) use store::{Overview, RegisteredModels};
