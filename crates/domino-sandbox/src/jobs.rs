//! Jobs: what each one is, where it stands, and what it shows of that when it is told to misreport.
//! How it gets there is `run`'s business; how the APIs spell it that of `v4`, `public` and `legacy`.

mod legacy;
mod list;
mod logs;
mod parts;
mod public;
mod run;
mod status;
mod v4;

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::clock::Moment;
use crate::domino::Domino;
use crate::environments::{Environment, Revision, RevisionSpec};
use crate::faults::JobFault;
use crate::git_ref::GitRef;
use crate::hardware_tiers::HardwareTier;
use crate::id;
use crate::log::{Kind, Log, Page, Wanted};
use crate::projects::Project;
use crate::reply::Failure;
use crate::request::object_id;
use crate::users::User;
pub(crate) use status::Status;

/// One job.
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) number: usize,
    pub(crate) project: Arc<Project>,
    pub(crate) started_by: Arc<User>,
    pub(crate) hardware_tier: Arc<HardwareTier>,
    pub(crate) environment: Arc<Environment>,
    pub(crate) revision: Revision,
    pub(crate) wish: Wish,
    pub(crate) log: Arc<Log>,
    submitted: Moment,
    fault: JobFault,
    progress: Mutex<Progress>,
    stopping: Notify,
}

/// What a job was asked to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
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
    /// The very commit to use, when the job repeats another.
    same_commit: Option<String>,
}

/// Where a job stands.
#[derive(Clone, Debug)]
struct Progress {
    status: Status,
    history: Vec<Status>,
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

/// How often a job was looked at, for those that misreport themselves for a number of looks.
#[derive(Clone, Copy, Debug, Default)]
struct Reads {
    status: usize,
    status_after_end: usize,
    log_after_end: usize,
}

/// What a job shows of itself in one reply.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) status: String,
    pub(crate) is_completed: bool,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
    pub(crate) commit: Option<String>,
    pub(crate) output_commit_id: Option<String>,
    pub(crate) stats: Vec<(String, String)>,
    pub(crate) failure: Option<(String, String)>,
}

/// One page of a job's log, as it is shown.
pub(crate) struct LogPage {
    pub(crate) page: Page,
    pub(crate) is_complete: bool,
    /// The moment to ask after for the next page.
    pub(crate) latest: Option<u64>,
}

/// Every job of the sandbox, oldest first.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<Vec<Arc<Job>>>);

pub(crate) fn routes() -> Router<Arc<Domino>> {
    v4::routes()
        .merge(public::routes())
        .merge(legacy::routes())
        .merge(logs::routes())
}

impl Jobs {
    /// Makes a job of `wish` and lets it run.
    pub(crate) fn start(
        domino: &Arc<Domino>,
        user: &Arc<User>,
        project: &Arc<Project>,
        wish: Wish,
    ) -> Result<Arc<Job>, Failure> {
        if wish.command.trim().is_empty() {
            return Err(Failure::bad_request("The command to run is empty"));
        }
        let hardware_tier = domino
            .hardware_tiers
            .for_run(wish.hardware_tier_id.as_deref())?;
        let environment = domino
            .environments
            .for_run(wish.environment_id.as_deref())?;
        let spec = wish.revision_spec.clone().unwrap_or_default();
        let revision = environment.revision(&spec)?;
        let mut jobs = domino.jobs.lock();
        let number = jobs
            .iter()
            .filter(|job| job.project.id == project.id)
            .count()
            + 1;
        let job = Arc::new(Job {
            id: id::object_id(),
            number,
            project: project.clone(),
            started_by: user.clone(),
            hardware_tier: hardware_tier.clone(),
            environment: environment.clone(),
            revision: revision.clone(),
            fault: domino.faults.of_job(&wish.command),
            wish,
            log: Arc::default(),
            submitted: domino.now(),
            progress: Mutex::new(Progress {
                status: Status::Queued,
                history: vec![Status::Queued],
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
        });
        jobs.push(job.clone());
        drop(jobs);
        tokio::spawn(run::run(domino.clone(), job.clone()));
        Ok(job)
    }

    /// Makes a job that repeats `job`, of the same commit or of what its reference means now.
    pub(crate) fn restart(
        domino: &Arc<Domino>,
        user: &Arc<User>,
        job: &Job,
        with_same_commit: bool,
    ) -> Result<Arc<Job>, Failure> {
        let wish = Wish {
            same_commit: job.lock().commit.clone().filter(|_| with_same_commit),
            ..job.wish.clone()
        };
        Jobs::start(domino, user, &job.project, wish)
    }

    /// The job with this id, if it is there and `user` may see it.
    pub(crate) fn seen_by(domino: &Domino, user: &User, id: &str) -> Result<Arc<Job>, Failure> {
        object_id("jobId", id)?;
        let job = domino.jobs.lock().iter().find(|job| job.id == id).cloned();
        let job = job.ok_or_else(|| Failure::not_found(format!("Job {id} was not found")))?;
        domino.projects.seen_by(user, &job.project.id)?;
        Ok(job)
    }

    /// The jobs of a project, oldest first.
    pub(crate) fn of_project(&self, project: &Project) -> Vec<Arc<Job>> {
        let jobs = self.lock();
        jobs.iter()
            .filter(|job| job.project.id == project.id)
            .cloned()
            .collect()
    }

    /// Every job, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        self.lock().clone()
    }

    pub(crate) fn state(&self) -> Value {
        self.lock().iter().map(|job| job.state()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Job>>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Job {
    /// The page on which a person reads the job's log, as a path.
    pub(crate) fn page(&self) -> String {
        format!(
            "/jobs/{}/{}/{}/logs",
            self.project.owner, self.project.name, self.id
        )
    }

    pub(crate) fn submitted(&self) -> Moment {
        self.submitted
    }

    /// Where the job really stands.
    pub(crate) fn status(&self) -> Status {
        self.lock().status
    }

    /// What a reply says about the job. Each call is one look, of which some faults count a few.
    pub(crate) fn shown(&self) -> Shown {
        let mut progress = self.lock();
        let ended = progress.status.is_terminal();
        let look = progress.reads.status;
        progress.reads.status += 1;
        if ended {
            progress.reads.status_after_end += 1;
        }
        let mut shown = Shown {
            status: progress.status.word().to_owned(),
            is_completed: ended && progress.reads.status_after_end > self.fault.completed_lag,
            started: progress.started,
            completed: progress.completed,
            commit: progress.commit.clone(),
            output_commit_id: progress.output_commit_id.clone(),
            stats: progress.stats.clone(),
            failure: progress.failure.clone(),
        };
        let stuck = self.fault.stuck_at.as_deref().filter(|stuck| {
            let mut history = progress.history.iter();
            history.any(|status| status.word() == *stuck)
        });
        if let Some(word) = self.fault.statuses.get(look).map(String::as_str).or(stuck) {
            shown.status = word.to_owned();
            shown.is_completed = false;
            shown.completed = None;
            shown.failure = None;
        }
        shown
    }

    /// One page of the log. Each call is one look, as with the status.
    pub(crate) fn log_page(
        &self,
        wanted: Wanted,
        after: u64,
        offset: usize,
        limit: usize,
    ) -> LogPage {
        const LATE_LINES: usize = 10;
        let mut progress = self.lock();
        let ended = progress.status.is_terminal();
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
        LogPage {
            is_complete: ended && (page.is_last || self.fault.log_complete_early),
            latest: last.max((after > 0).then_some(after)),
            page,
        }
    }

    /// What the log route suggests about a failure: the last complaint of the program, or the
    /// reason why there was no program.
    pub(crate) fn problem(&self) -> Option<String> {
        let (_, message) = self.lock().failure.clone()?;
        Some(self.log.last(Kind::Stderr).unwrap_or(message))
    }

    /// Asks the job to stop.
    pub(crate) fn stop(&self, commit_results: bool) -> Result<(), Failure> {
        let mut progress = self.lock();
        if progress.status.is_terminal() {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                format!("Job {} has already completed", self.id),
            ));
        }
        if !progress.is_stopping {
            progress.is_stopping = true;
            progress.enter(if commit_results {
                Status::StopRequested
            } else {
                Status::StopAndDiscardRequested
            });
            self.stopping.notify_one();
        }
        Ok(())
    }

    fn state(&self) -> Value {
        let progress = self.lock().clone();
        let history: Vec<&str> = progress
            .history
            .iter()
            .map(|status| status.word())
            .collect();
        json!({
            "id": self.id,
            "number": self.number,
            "project": format!("{}/{}", self.project.owner, self.project.name),
            "startedBy": self.started_by.name,
            "title": self.wish.title,
            "command": self.wish.command,
            "gitRef": self.wish.git_ref.as_ref().map(GitRef::v4),
            "commit": progress.commit,
            "hardwareTierId": self.hardware_tier.id,
            "hardwareTierName": self.hardware_tier.name,
            "dataPlane": self.hardware_tier.data_plane.name,
            "environmentId": self.environment.id,
            "environmentName": self.environment.name,
            "environmentRevisionId": self.revision.id,
            "status": progress.status.word(),
            "statuses": history,
            "isCompleted": progress.status.is_terminal(),
            "failure": progress.failure.map(|(_, message)| message),
            "stats": progress.stats.into_iter().collect::<Value>(),
            "logLines": self.log.len(),
            "page": self.page(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Progress {
    fn enter(&mut self, status: Status) {
        self.status = status;
        self.history.push(status);
    }
}
