//! What concerns the pipeline as a whole: what starts it and what its steps run on.

use serde::{Deserialize, Serialize};

use super::runner::Runner;

/// `[pipeline]`: what starts the pipeline and what its steps run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pipeline {
    /// The production branch: a push to it starts the pipeline.
    pub branch: String,
    /// The GitHub runners of what belongs to no stage, and of the stages that name none.
    pub runner: Runner,
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
    /// When a workflow looks whether Domino is still as the file says, as GitHub's cron; never without it.
    pub drift: Option<String>,
    /// The IANA time zone of `drift`; UTC without it.
    pub drift_timezone: Option<String>,
    /// When a workflow follows the runs that no step waits for, as GitHub's cron; never without it.
    pub follow: Option<String>,
    /// The IANA time zone of `follow`; UTC without it.
    pub follow_timezone: Option<String>,
    /// Which of the commits that wait for a stage are deployed.
    pub queue: Queue,
    /// Files, and folders with a `/` at their end, whose change deploys everything.
    pub paths: Vec<String>,
    /// Who writes to the experiment manager.
    pub promote: Promote,
    /// How much of a run's, app's or build's own log a step shows.
    pub remote_logs: RemoteLogs,
    /// Where the receipts of deployments are kept.
    pub receipts: Receipts,
    /// Whether there is a workflow by which a person goes back to what ran before.
    pub back: bool,
    /// Whether the jobs, apps and models of a stage are deployed side by side.
    pub side_by_side: bool,
    /// Whether the next stage gets nothing unless everything passed.
    pub together: bool,
    /// Warnings that this file accepts, by their names.
    pub accept: Vec<String>,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            branch: "main".into(),
            runner: Runner::default(),
            install: Install::Build,
            release: None,
            release_repository: None,
            release_token_secret: None,
            wheel_sha256: Vec::new(),
            drift: None,
            drift_timezone: None,
            follow: None,
            follow_timezone: None,
            queue: Queue::Single,
            paths: Vec::new(),
            promote: Promote::Outside,
            remote_logs: RemoteLogs::Stream,
            receipts: Receipts::Artifact,
            back: false,
            side_by_side: true,
            together: false,
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

/// Which of the commits are deployed that wait while another one is on its way to a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// The newest: GitHub cancels the others.
    #[default]
    Single,
    /// Every one, in their order, up to GitHub's hundred.
    Max,
}

/// Who writes to the experiment manager for a step that promotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promote {
    /// The step itself, from outside of Domino.
    #[default]
    Outside,
    /// A run that the step starts in the stage's project.
    Inside,
}

/// How much of a log that Domino keeps a step shows, where no person watches at a terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemoteLogs {
    /// Each line as it comes.
    #[default]
    Stream,
    /// The last lines, when it failed.
    OnFailure,
    /// No line.
    Never,
}

/// Where the receipts of deployments are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Receipts {
    /// In the repository, as git notes on the deployed commits, and in the run as an artifact.
    Notes,
    /// In the run, as an artifact.
    #[default]
    Artifact,
    /// Nowhere.
    None,
}
