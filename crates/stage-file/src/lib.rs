//! The stage definition, `stages.toml`, as types: which stages there are and what is deployed to each.
//!
//! Reading and every rule about what may stand in the file live below this module (`read.rs`, `validate.rs`).
//! It knows neither Domino's API nor GitHub's files: no HTTP, no async.

mod cron;
mod find;
mod found;
mod host;
mod load;
mod metric_rule;
mod problem;
mod project_name;
mod read;
pub mod reference;
mod schedule;
mod shape;
mod soak;
#[cfg(test)]
mod tests;
mod text;
mod time_zone;
mod tree;
mod unknown_name;
mod validate;
mod version_rule;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::host::{Host, MalformedHost};
pub use self::metric_rule::{Bound, MalformedMetricRule, MetricRule};
pub use self::problem::{Problem, Problems, Severity, StageFileError};
pub use self::project_name::{MalformedProject, ProjectName};
pub use self::schedule::Schedule;
pub use self::unknown_name::{UnknownName, nearest};
pub use self::validate::{RULES, Rule};
pub use self::version_rule::{MalformedVersion, VersionRule};

/// A whole stage file: read, checked, and with the defaults filled in.
#[derive(Debug, Clone)]
pub struct StageFile {
    /// Where it was read from, as given.
    pub path: PathBuf,
    /// The text, kept to find the line of a key when one must be named.
    pub(crate) text: String,
    /// What is doubtful in it and not accepted by it.
    pub(crate) warnings: Vec<Problem>,
    /// What concerns the pipeline as a whole.
    pub pipeline: Pipeline,
    /// The stages, in promotion order.
    pub stages: Vec<Stage>,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Job>,
    /// The apps, in the order of the file.
    pub apps: Vec<App>,
    /// The models, in the order of the file.
    pub models: Vec<Model>,
}

/// `[pipeline]`: what starts the pipeline and what its steps run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pipeline {
    /// The production branch: a push to it starts the pipeline.
    pub branch: String,
    /// The image of the GitHub runner.
    pub runner: String,
    /// Where the programs come from.
    pub install: Install,
    /// The release to install, such as `v1.2.0`; not with `install = "build"`.
    pub release: Option<String>,
    /// The `owner/name` of the GitHub repository that publishes the release; only with `install = "release"`.
    pub release_repository: Option<String>,
    /// The GitHub secret whose token reads that repository, where the job's own token may not.
    pub release_token_secret: Option<String>,
    /// The SHA-256 of each wheel of the release that may be installed; only with `install = "pip"`.
    pub wheel_sha256: Vec<String>,
    /// Warnings that this file accepts, by their names.
    pub accept: Vec<String>,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            branch: "main".into(),
            runner: "ubuntu-24.04".into(),
            install: Install::Build,
            release: None,
            release_repository: None,
            release_token_secret: None,
            wheel_sha256: Vec::new(),
            accept: Vec::new(),
        }
    }
}

/// Where the workflow gets the programs from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Install {
    /// Built once a run from the workspace in this repository.
    Build,
    /// Downloaded from a pinned release, checksum and attestation verified.
    Release,
    /// Installed in each job from a package index: one pinned wheel, by its hash.
    Pip,
}

/// `[stage.<name>]`: a GitHub environment, a Domino data plane and a stage of the experiment manager in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The name, from the table's header.
    pub name: String,
    /// The Domino host: `domino.example.com`, or a URL. Scheme and authority only.
    pub host: Host,
    /// The Domino project, `owner/name`.
    pub project: ProjectName,
    /// The compute environment and hardware tier of each kind of entity.
    pub environment: Option<ComputeEnvironment>,
    /// The hardware tier (id or name) per kind.
    pub hardware_tier: HardwareTiers,
    /// The data plane (id or name) that the hardware tiers must belong to.
    pub data_plane: Option<String>,
    /// The name of the GitHub environment that gates this stage.
    pub github_environment: String,
    /// Who must say yes on GitHub: users, or `team:<slug>`.
    pub approvers: Vec<String>,
    /// GitHub's wait timer, in minutes.
    pub wait_timer: u32,
    /// The experiment manager's stage a model version gets here: `Staging`, `Production`, …
    pub model_stage: Option<String>,
    /// What `promote-stage` asks for before a model version may enter.
    pub gates: Gates,
}

/// A compute environment by id or name, and which of its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComputeEnvironment {
    /// Id (24 hexadecimal digits) or name.
    pub id_or_name: String,
    /// Which revision runs.
    pub revision: Revision,
}

/// Which revision of a compute environment runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revision {
    /// The active one, Domino's default.
    Active,
    /// The newest one.
    Latest,
    /// One by its id.
    Id(String),
}

/// The hardware tier (id or name) of each kind of entity in a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HardwareTiers {
    /// For jobs and scheduled jobs.
    pub jobs: Option<String>,
    /// For apps.
    pub apps: Option<String>,
    /// For model endpoints.
    pub models: Option<String>,
}

impl HardwareTiers {
    /// The tier for one kind of entity.
    pub fn of(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Job => self.jobs.as_deref(),
            Kind::App => self.apps.as_deref(),
            Kind::Model => self.models.as_deref(),
        }
    }
}

/// `[stage.<name>.gates]`: what must hold before a model version may enter the stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gates {
    /// Where Domino records the approval.
    pub domino_approval: DominoApproval,
    /// The governance policy (id or name) that a bundle is made from.
    pub policy: Option<String>,
    /// Domino users who are asked to review.
    pub reviewers: Vec<String>,
    /// Whether the approval of this workflow run on GitHub is read back and checked.
    pub github_approval: bool,
    /// How long a version must have been in the stage before, such as `24h`.
    pub soak: Option<String>,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            domino_approval: DominoApproval::None,
            policy: None,
            reviewers: Vec::new(),
            github_approval: false,
            soak: None,
        }
    }
}

/// Where Domino records that a model version may enter a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DominoApproval {
    /// A governance bundle (Domino 6).
    Governance,
    /// A model review (Domino 5.8 to 5.11).
    Review,
    /// Nowhere.
    None,
}

/// The three kinds of entity that are deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A job, or a scheduled job.
    Job,
    /// An app.
    App,
    /// A model endpoint.
    Model,
}

impl Kind {
    /// The word of the table's header: `[job.train]`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::App => "app",
            Self::Model => "model",
        }
    }
}

/// `[job.<name>]`: a command that is run, once a deployment or on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// The name, from the table's header.
    pub name: String,
    /// The command as Domino runs it, such as `src/project/jobs/train.py --epochs 3`.
    pub command: String,
    /// What people read in Domino's list; the name when not given.
    pub title: String,
    /// When it runs by itself; without one it runs once a deployment.
    pub schedule: Option<Schedule>,
    /// What differs in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}

/// What one entity has of its own in one stage, in place of the stage's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// A hardware tier (id or name).
    pub hardware_tier: Option<String>,
    /// A compute environment.
    pub environment: Option<ComputeEnvironment>,
    /// The name in Domino; apps only.
    pub name: Option<String>,
    /// The number of replicas; models only.
    pub replicas: Option<u32>,
    /// The endpoint's name; models only.
    pub endpoint: Option<String>,
    /// Environment variables over the model's own, by name; models only.
    pub environment_variables: BTreeMap<String, String>,
    /// The rules on metrics in place of the model's; models only.
    pub metric_rules: Option<Vec<String>>,
}

/// `[app.<name>]`: a web app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// The name, from the table's header; in Domino it is [`StageFile::app_name`].
    pub name: String,
    /// The script that starts it, from the top of the repository.
    pub entry_point: String,
    /// What people read in Domino.
    pub description: String,
    /// Who may open it.
    pub visibility: Visibility,
    /// The path below the app's URL that must answer; `None` accepts Domino's word.
    pub health_path: Option<String>,
    /// The HTTP status expected there.
    pub health_status: u16,
    /// What differs in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}

/// Who may open an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Everybody who is signed in.
    Authenticated,
    /// Those who were granted access, and others may ask.
    GrantBased,
    /// Those who were granted access only.
    GrantBasedStrict,
}

/// `[model.<name>]`: a model that is served as an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// The name, from the table's header.
    pub name: String,
    /// What is served.
    pub source: ModelSource,
    /// What people read in Domino.
    pub description: String,
    /// How many replicas serve it.
    pub replicas: u32,
    /// Environment variables of the endpoint, by name. Never secrets: Domino shows them.
    pub environment_variables: BTreeMap<String, String>,
    /// A JSON Lines file of recorded requests, from the top of the repository.
    pub smoke_test: Option<PathBuf>,
    /// Whether Domino logs requests and replies; off unless asked for.
    pub log_requests: bool,
    /// Rules on the metrics of a version against the one it replaces, in words.
    pub metric_rules: Vec<String>,
    /// What differs in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}

/// Where a model's code and weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelSource {
    /// A version of a registered model.
    Registered {
        /// The registered model's name.
        name: String,
        /// Which version of it.
        version: VersionRule,
    },
    /// A function in a file of the project.
    Function {
        /// The file, from the top of the repository.
        file: String,
        /// The function in it.
        function: String,
    },
}

/// Where one entity runs in one stage, and which key of the file said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The hardware tier (id or name).
    pub hardware_tier: Option<String>,
    /// The compute environment.
    pub environment: Option<ComputeEnvironment>,
    /// The key path of the tier, for messages: `["stage", "prod", "hardware-tier"]`.
    pub hardware_tier_key: Vec<String>,
    /// The key path of the environment, for messages.
    pub environment_key: Vec<String>,
}
