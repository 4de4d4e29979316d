//! One job: what was requested, its status, and what it reports when a fault makes it misreport.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::cluster::ClusterSpec;
use crate::clock::Moment;
use crate::environments::{Environment, Revision, RevisionSpec};
use crate::external_volumes::ExternalVolume;
use crate::faults::JobFault;
use crate::git_ref::GitRef;
use crate::hardware_tiers::HardwareTier;
use crate::id;
use crate::locked::Locked;
use crate::log::{Kind, LineFilter, Log, LogPage};
use crate::projects::Project;
use crate::reply::Failure;
use crate::run_status::{RunHistory, RunStatus};
use crate::users::User;

pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) number: usize,
    pub(crate) project: Arc<Project>,
    pub(crate) started_by: Arc<User>,
    pub(crate) hardware_tier: Arc<HardwareTier>,
    pub(crate) environment: Arc<Environment>,
    pub(crate) revision: Revision,
    pub(crate) volumes: Vec<Arc<ExternalVolume>>,
    pub(crate) spec: JobSpec,
    pub(crate) log: Arc<Log>,
    submitted: Moment,
    fault: JobFault,
    /// The title, which people may change.
    title: Locked<Option<String>>,
    progress: Locked<JobProgress>,
    pub(super) stopping: Notify,
}

/// The job as it was requested.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobSpec {
    pub(crate) command: String,
    pub(crate) title: Option<String>,
    pub(crate) git_ref: Option<GitRef>,
    /// A commit of Domino's own file system, which holds no code here.
    pub(crate) commit_id: Option<String>,
    pub(crate) hardware_tier_id: Option<String>,
    pub(crate) environment_id: Option<String>,
    pub(crate) revision_spec: Option<RevisionSpec>,
    pub(crate) snapshot_datasets: bool,
    pub(crate) snapshot_net_app_volumes: bool,
    pub(crate) external_volume_ids: Vec<String>,
    pub(crate) net_app_volume_ids: Vec<String>,
    pub(crate) capacity_type: Option<String>,
    pub(crate) volume_size: Option<u64>,
    pub(crate) cluster: Option<ClusterSpec>,
    /// The very commit to use, when the job repeats another.
    pub(super) same_commit: Option<String>,
}

/// The tier, environment and other things that a job runs on.
pub(super) struct JobAssets {
    pub(super) hardware_tier: Arc<HardwareTier>,
    pub(super) environment: Arc<Environment>,
    pub(super) revision: Revision,
    pub(super) volumes: Vec<Arc<ExternalVolume>>,
}

/// The part of a job that changes while it runs.
#[derive(Clone, Debug)]
struct JobProgress {
    history: RunHistory,
    started: Option<Moment>,
    completed: Option<Moment>,
    /// The commit of the code, once it is known.
    commit: Option<String>,
    output_commit_id: Option<String>,
    stats: Vec<(String, String)>,
    /// The reason and the message of a failure.
    failure: Option<(String, String)>,
    is_stopping: bool,
    reads: Reads,
}

/// How often a job was read, for faults that last a number of reads.
#[derive(Clone, Copy, Debug, Default)]
struct Reads {
    status: usize,
    status_after_end: usize,
    log_after_end: usize,
}

/// What a job shows of itself in one reply.
#[derive(Clone, Debug)]
pub(crate) struct JobReport {
    pub(crate) status: String,
    pub(crate) is_completed: bool,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
    pub(crate) commit: Option<String>,
    pub(crate) output_commit_id: Option<String>,
    pub(crate) stats: Vec<(String, String)>,
    pub(crate) failure: Option<(String, String)>,
}

/// One page of a job's log, as it is report.
pub(crate) struct ReportedLog {
    pub(crate) page: LogPage,
    pub(crate) is_complete: bool,
    /// The moment to ask after for the next page.
    pub(crate) latest: Option<u64>,
}

impl Job {
    /// A job in the queue.
    pub(super) fn new(
        number: usize,
        project: &Arc<Project>,
        user: &Arc<User>,
        spec: JobSpec,
        assets: JobAssets,
        fault: JobFault,
        submitted: Moment,
    ) -> Self {
        Job {
            id: id::object_id(),
            number,
            project: project.clone(),
            started_by: user.clone(),
            hardware_tier: assets.hardware_tier,
            environment: assets.environment,
            revision: assets.revision,
            volumes: assets.volumes,
            fault,
            title: Locked::new(spec.title.clone()),
            spec,
            log: Arc::default(),
            submitted,
            progress: Locked::new(JobProgress {
                history: RunHistory::queued(),
                started: None,
                completed: None,
                commit: None,
                output_commit_id: None,
                stats: Vec::new(),
                failure: None,
                is_stopping: false,
                reads: Reads::default(),
            }),
            stopping: Notify::new(),
        }
    }

    /// The page on which a person reads the job's log, as a path.
    pub(crate) fn page(&self) -> String {
        format!(
            "/jobs/{}/{}/{}/logs",
            self.project.owner,
            self.project.name(),
            self.id
        )
    }

    pub(crate) fn title(&self) -> Option<String> {
        self.title.lock().clone()
    }

    /// Changes the job's title; allowed in every status.
    pub(super) fn rename(&self, title: String) {
        *self.title.lock() = Some(title);
    }

    pub(crate) fn submitted(&self) -> Moment {
        self.submitted
    }

    /// The true status, whatever replies report.
    pub(crate) fn status(&self) -> RunStatus {
        self.progress.lock().history.current()
    }

    /// What a reply says about the job. Each call counts as one read, for faults that last a number of reads.
    pub(crate) fn report(&self) -> JobReport {
        let mut progress = self.progress.lock();
        let ended = progress.history.current().is_terminal();
        let look = progress.reads.status;
        progress.reads.status += 1;
        if ended {
            progress.reads.status_after_end += 1;
        }
        let mut report = JobReport {
            status: progress.history.current().word().to_owned(),
            is_completed: ended && progress.reads.status_after_end > self.fault.completed_lag,
            started: progress.started,
            completed: progress.completed,
            commit: progress.commit.clone(),
            output_commit_id: progress.output_commit_id.clone(),
            stats: progress.stats.clone(),
            failure: progress.failure.clone(),
        };
        let stuck = self
            .fault
            .stuck_at
            .as_deref()
            .filter(|stuck| progress.history.has_reached(stuck));
        if let Some(word) = self.fault.statuses.get(look).map(String::as_str).or(stuck) {
            report.status = word.to_owned();
            report.is_completed = false;
            report.completed = None;
            report.failure = None;
        }
        report
    }

    /// One page of the log. Each call counts as one read, as with the status.
    pub(crate) fn log_page(
        &self,
        wanted: LineFilter,
        after: u64,
        offset: usize,
        limit: usize,
    ) -> ReportedLog {
        const LATE_LINES: usize = 10;
        let mut progress = self.progress.lock();
        let ended = progress.history.current().is_terminal();
        let is_late = ended && progress.reads.log_after_end < self.fault.log_late;
        if ended {
            progress.reads.log_after_end += 1;
        }
        drop(progress);
        let from = match self.fault.log_repeats {
            0 => after,
            lines => self.log.back(after, lines),
        };
        if self.fault.log_never_pauses && !ended {
            self.log.say(Kind::Stdout, "and so on", Moment::now(0));
        }
        let withheld = if is_late { LATE_LINES } else { 0 };
        let page = self.log.page(wanted, from, offset, limit, withheld);
        let last = page.lines.last().map(|line| line.at.nanoseconds());
        ReportedLog {
            is_complete: ended && (page.is_last || self.fault.log_complete_early),
            latest: last.max((after > 0).then_some(after)),
            page,
        }
    }

    /// What the log route suggests about a failure: the program's last error line, or the reason why there was no
    /// program.
    pub(crate) fn problem(&self) -> Option<String> {
        let (_, message) = self.progress.lock().failure.clone()?;
        Some(self.log.last(Kind::Stderr).unwrap_or(message))
    }

    /// Asks the job to stop.
    pub(crate) fn stop(&self, commit_results: bool) -> Result<(), Failure> {
        let mut progress = self.progress.lock();
        if progress.history.current().is_terminal() {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                format!("Job {} has already completed", self.id),
            ));
        }
        if !progress.is_stopping {
            progress.is_stopping = true;
            progress.history.enter(if commit_results {
                RunStatus::StopRequested
            } else {
                RunStatus::StopAndDiscardRequested
            });
            self.stopping.notify_one();
        }
        Ok(())
    }

    /// Enters `status`, unless the job is being stopped and `status` is not part of that.
    pub(super) fn enter(&self, status: RunStatus) {
        let mut progress = self.progress.lock();
        if !progress.is_stopping || status == RunStatus::Stopping {
            progress.history.enter(status);
        }
    }

    /// Ends the job in `status`, with the reason and the message when it failed.
    pub(super) fn end(&self, status: RunStatus, failure: Option<(String, String)>, now: Moment) {
        let mut progress = self.progress.lock();
        progress.completed = Some(now);
        progress.failure = failure;
        // What a failed or stopped run left behind is kept as well.
        if status != RunStatus::Error {
            progress.output_commit_id = Some(id::commit_id());
        }
        progress.history.enter(status);
    }

    /// The commit of the code, once it is known.
    pub(crate) fn commit(&self) -> Option<String> {
        self.progress.lock().commit.clone()
    }

    pub(super) fn has_commit(&self, commit: &str) {
        self.progress.lock().commit = Some(commit.to_owned());
    }

    pub(super) fn has_started(&self, now: Moment) {
        self.progress.lock().started = Some(now);
    }

    pub(super) fn has_stats(&self, stats: Vec<(String, String)>) {
        self.progress.lock().stats = stats;
    }

    pub(super) fn state(&self) -> Value {
        let progress = self.progress.lock().clone();
        json!({
            "id": self.id,
            "number": self.number,
            "project": format!("{}/{}", self.project.owner, self.project.name()),
            "startedBy": self.started_by.name,
            "title": self.title(),
            "command": self.spec.command,
            "gitRef": self.spec.git_ref.as_ref().map(GitRef::v4),
            "commit": progress.commit,
            "hardwareTierId": self.hardware_tier.id,
            "hardwareTierName": self.hardware_tier.name,
            "dataPlane": self.hardware_tier.data_plane.name,
            "environmentId": self.environment.id,
            "environmentName": self.environment.name,
            "environmentRevisionId": self.revision.id,
            "externalVolumes": self.volumes.iter().map(|volume| &volume.name).collect::<Vec<_>>(),
            "netAppVolumeIds": self.spec.net_app_volume_ids,
            "volumeSizeGiB": self.spec.volume_size,
            "capacityType": self.spec.capacity_type,
            "computeCluster": self.spec.cluster.as_ref().map(ClusterSpec::v4),
            "snapshotDatasets": self.spec.snapshot_datasets,
            "status": progress.history.current().word(),
            "statuses": progress.history.words(),
            "isCompleted": progress.history.current().is_terminal(),
            "failure": progress.failure.map(|(_, message)| message),
            "stats": progress.stats.into_iter().collect::<Value>(),
            "logLines": self.log.len(),
            "page": self.page(),
        })
    }
}
