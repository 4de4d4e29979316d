//! The stage definition, `stages.toml`, as types: which stages there are and what is deployed to each.
//!
//! Reading and every rule about what may stand in the file live below this module (`read.rs`, `validate.rs`).
//! It knows neither Domino's API nor GitHub's files: no HTTP, no async.

mod app;
mod app_settings;
mod compute_environment;
pub mod cron;
mod endpoint_settings;
mod found;
mod gates;
mod host;
mod job;
mod kind;
mod load;
mod metric_rule;
mod model;
mod named_file;
mod pipeline;
mod placement;
mod problem;
mod project_name;
mod read;
pub mod reference;
mod run_settings;
mod runner;
mod schedule;
mod shape;
mod stage;
mod stage_file;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod time_span;
pub mod time_zone;
mod tree;
mod unknown_name;
mod validate;
mod version_rule;

pub use self::app::{App, Visibility, picture_type};
pub use self::app_settings::{AppApi, AppSettings, Autoscaling};
pub use self::compute_environment::{ComputeEnvironment, Revision};
pub use self::endpoint_settings::{EndpointApi, EndpointSettings, Routing};
pub use self::gates::{DominoApproval, Evidence, Gates};
pub use self::host::{Host, MalformedHost};
pub use self::job::Job;
pub use self::kind::Kind;
pub use self::metric_rule::{Bound, MalformedMetricRule, MetricRule};
pub use self::model::{Baseline, Model, ModelSource};
pub use self::named_file::named_files;
pub use self::pipeline::{Install, Pipeline, Promote, Queue, Receipts, RemoteLogs};
pub use self::placement::{HardwareTiers, Placement, Target};
pub use self::problem::{Problem, Problems, Severity, StageFileError};
pub use self::project_name::{MalformedProject, ProjectName};
pub use self::run_settings::{Capacity, Cluster, ClusterType, RunSettings, Volumes};
pub use self::runner::Runner;
pub use self::schedule::Schedule;
pub use self::stage::{Gate, SelfApproval, Stage};
pub use self::stage_file::StageFile;
pub use self::text::is_invisible;
pub use self::unknown_name::{UnknownName, nearest};
pub use self::validate::{RULES, Rule};
pub use self::version_rule::{MalformedVersion, VersionRule};
