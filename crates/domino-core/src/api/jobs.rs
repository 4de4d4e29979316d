//! Jobs: start, read, find, stop, and their logs.

mod list;
mod log;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::environments::{EnvironmentId, RevisionSpec};
use super::git_ref::GitRef;
use super::hardware_tiers::{DataPlane, HardwareTierId};
pub use super::ids::JobId;
use super::projects::ProjectId;
use super::run_settings::JobSettings;
use super::users::UserId;
use crate::client::{ApiError, Reader, Writer, segment};

/// A job, as far as a deployment needs it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// The id that the job's routes name.
    pub id: JobId,
    /// The number that people see.
    #[serde(default)]
    pub number: u64,
    /// The title that people see; deploy programs find their own jobs by it.
    pub title: Option<String>,
    /// The command that it runs; `None` if Domino does not tell.
    pub job_run_command: Option<String>,
    /// Who started it.
    pub started_by: Option<StartedBy>,
    /// Its status, as a word and as flags.
    pub statuses: JobStatuses,
    /// When it was submitted, started and ended.
    pub stage_time: StageTime,
    /// The branch, tag or commit of the main repository that it runs.
    pub main_repo_git_ref: Option<GitRef>,
    /// Why it failed.
    pub abnormal_status: Option<AbnormalStatus>,
    /// Why it is queued.
    pub queued_job_history_details: Option<QueueDetails>,
    /// The data plane that it ran on.
    pub data_plane: Option<DataPlane>,
    /// The cluster that came with it, as Domino writes it.
    pub compute_cluster: Option<Value>,
    /// Volumes from outside of Domino that it mounts, as Domino writes them.
    #[serde(default)]
    pub dependent_external_volume_mounts: Vec<Value>,
    /// The numbers that the run itself wrote to `dominostats.json`.
    #[serde(default)]
    pub domino_stats: Vec<DominoStat>,
}

impl Job {
    /// The names of the external volumes that it mounts.
    pub fn mounted_volumes(&self) -> impl Iterator<Item = &str> {
        let mounts = self.dependent_external_volume_mounts.iter();
        mounts.filter_map(|mount| mount["name"].as_str())
    }
}

/// The status of a job in several fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobStatuses {
    /// Whether it has ended.
    pub is_completed: bool,
    /// The status word.
    pub execution_status: ExecutionStatus,
    /// Whether a scheduled job started it.
    pub is_scheduled: Option<bool>,
}

/// Who started a job.
#[derive(Debug, Clone, Deserialize)]
pub struct StartedBy {
    /// The user's id.
    pub id: UserId,
    /// The sign-in name.
    #[serde(default)]
    pub username: String,
}

/// Domino's words for the status of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ExecutionStatus {
    /// Its command succeeded.
    Succeeded,
    /// Its command failed.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// Domino could not run it.
    Error,
    /// One of the words for a run that has not ended.
    OnItsWay(String),
    /// A word that we do not know.
    Unknown(String),
}

/// The words for runs that have not ended, from v4's enumeration of run states.
const ON_ITS_WAY: &[&str] = &[
    "Pending",
    "Queued",
    "Scheduled",
    "Preparing",
    "Building",
    "Pulling",
    "Running",
    "Serving",
    "StopRequested",
    "StopAndDiscardRequested",
    "Stopping",
    "Finishing",
    "Faulty",
];

impl From<String> for ExecutionStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Stopped" => Self::Stopped,
            "Error" => Self::Error,
            known if ON_ITS_WAY.contains(&known) => Self::OnItsWay(word),
            _ => Self::Unknown(word),
        }
    }
}

impl ExecutionStatus {
    /// The word, as Domino writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
            Self::Error => "Error",
            Self::OnItsWay(word) | Self::Unknown(word) => word,
        }
    }

    /// Whether it is one of the four words for a run that has ended.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Stopped | Self::Error
        )
    }
}

/// Times of a job, in epoch milliseconds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageTime {
    /// When it was submitted.
    #[serde(default)]
    pub submission_time: i64,
    /// When the command began.
    pub run_start_time: Option<i64>,
    /// When it ended.
    pub completed_time: Option<i64>,
}

/// Why a job failed, in Domino's words.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbnormalStatus {
    /// The kind of failure.
    #[serde(default)]
    pub run_failure_reason: String,
    /// The explanation.
    #[serde(default)]
    pub run_failure_message: String,
}

/// Why a job is queued.
#[derive(Debug, Clone, Deserialize)]
pub struct QueueDetails {
    /// Domino's explanation.
    pub explanation: Option<String>,
}

/// A number that the run reported.
#[derive(Debug, Clone, Deserialize)]
pub struct DominoStat {
    /// The number's name, as the run chose it.
    pub name: String,
    /// Its value: a number or text.
    pub value: Value,
}

/// What a job really runs on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeDetails {
    /// The tier, to be compared with the requested one.
    pub hardware_tier: RuntimeTier,
    /// The environment, to be compared with the requested one.
    pub environment: RuntimeEnvironment,
}

/// The hardware tier that a job really runs on.
#[derive(Debug, Clone, Deserialize)]
pub struct RuntimeTier {
    /// The id, to be compared with the one that was requested.
    pub id: HardwareTierId,
    /// The name that people see.
    #[serde(default)]
    pub name: String,
}

/// The compute environment that a job really runs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeEnvironment {
    /// The id, to be compared with the one that was requested.
    pub environment_id: EnvironmentId,
    /// The revision's id.
    pub environment_revision_id: Option<String>,
}

/// Which status words mean what on this deployment.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StatusGroups {
    /// Words for jobs that have ended.
    #[serde(default)]
    pub completed: Vec<String>,
    /// Words for jobs that have not ended.
    #[serde(default)]
    pub active: Vec<String>,
}

/// The request that starts a job. A field that is `None` is not sent and takes the project's default.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewJob {
    /// The id of the project to run in.
    pub project_id: ProjectId,
    /// The command line to run.
    pub command_to_run: String,
    /// The title that people see.
    pub title: String,
    /// The commit to run. The field `commitId` would choose a commit of Domino's own file system instead.
    pub main_repo_git_ref: GitRef,
    /// The hardware tier's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_hardware_tier_id: Option<HardwareTierId>,
    /// The compute environment's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<EnvironmentId>,
    /// The revision of that environment to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_revision_spec: Option<RevisionSpec>,
    /// What else it has.
    #[serde(flatten)]
    pub settings: JobSettings,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stop<'a> {
    job_id: &'a JobId,
    project_id: &'a ProjectId,
    commit_results: bool,
}

impl Reader {
    /// `GET /v4/jobs/{id}`. Contract: v4.
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, ApiError> {
        self.read_if_there(&format!("/v4/jobs/{}", segment(id.as_str())), &[])
            .await
    }

    /// `GET /v4/jobs/{id}/runtimeExecutionDetails`: the tier and environment that the job really runs on. Contract:
    /// v4.
    pub async fn job_runtime(&self, id: &JobId) -> Result<RuntimeDetails, ApiError> {
        self.read(
            &format!("/v4/jobs/{}/runtimeExecutionDetails", segment(id.as_str())),
            &[],
        )
        .await
    }

    /// `GET /v4/jobs/getStatus/values`: which status words mean what on this deployment. Contract: v4.
    pub async fn job_status_groups(&self) -> Result<StatusGroups, ApiError> {
        self.read("/v4/jobs/getStatus/values", &[]).await
    }
}

impl Writer {
    /// `POST /v4/jobs/start`: starts a job, 200 with the whole job. Contract: v4.
    pub async fn start_job(&self, job: &NewJob) -> Result<Job, ApiError> {
        self.write(reqwest::Method::POST, "/v4/jobs/start", Some(job))
            .await
    }

    /// `POST /v4/jobs/stop`: asks a job to stop. Its results are kept as they are. Some versions require the project
    /// as well, which the others ignore. Contract: v4 and the official Python client.
    pub async fn stop_job(&self, project: &ProjectId, id: &JobId) -> Result<(), ApiError> {
        let stop = Stop {
            job_id: id,
            project_id: project,
            commit_results: true,
        };
        self.write_only(reqwest::Method::POST, "/v4/jobs/stop", Some(&stop))
            .await
    }
}

#[cfg(test)]
mod tests;
