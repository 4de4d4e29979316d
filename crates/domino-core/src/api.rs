//! Domino's REST API, one noun a file: its ids, its types, its methods, and tests of the exact requests.
//!
//! Methods on `Reader` are named by the noun, methods on `Writer` by the verb. What a deployment does not have
//! is `None`; lists are whole. Nothing here decides what to do with an answer.

pub mod apps;
pub mod async_endpoints;
pub mod environments;
pub mod external_volumes;
pub mod git_credentials;
mod git_ref;
pub mod governance;
pub mod hardware_tiers;
mod ids;
pub mod jobs;
pub mod label_route;
mod listed;
pub mod logs;
pub mod mlflow;
pub mod model_apis;
pub mod model_endpoints;
pub mod named;
pub mod project_files;
pub mod projects;
pub mod registered_models;
pub mod reviews;
pub mod run_settings;
pub mod schedules;
pub mod service_accounts;
pub mod users;
pub mod version;

pub use self::git_ref::GitRef;
