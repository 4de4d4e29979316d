//! What all jobs of a rehearsal share: this machine in place of GitHub's runners.
//!
//! Nothing of the person's own environment reaches a step, except the few variables that are needed to find programs.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use github_workflow::read::Job;

use crate::approval::Approvals;
use crate::concurrency::Groups;
use crate::console::Console;
use crate::github::GitHub;
use crate::interrupt::Interrupt;
use crate::job_records::JobRecords;
use crate::process::Grace;
use crate::report::{Outcome, Report, Row};
use crate::repository::Repository;
use crate::settings::RepositorySettings;
use crate::workflow_run::WorkflowRun;
use crate::workspace::Workspaces;

/// What a rehearsal runs its jobs with.
pub struct Runner {
    /// The repository whose commit is rehearsed.
    pub repository: Repository,
    /// What GitHub says about the repository and the event.
    pub github: GitHub,
    /// The folders of the jobs that run.
    pub workspaces: Workspaces,
    /// What GitHub keeps in the repository's settings.
    pub settings: Box<dyn RepositorySettings>,
    /// Who approves deployments.
    pub approvals: Approvals,
    /// The concurrency groups of the repository.
    pub groups: Groups,
    /// How every job ended.
    pub records: JobRecords,
    /// Where everything is printed.
    pub console: Console,
    /// Whether the person asked for the end.
    pub interrupt: Interrupt,
    /// How long processes have to end.
    pub grace: Grace,
    /// The variables every process starts with.
    pub inherited: Vec<(String, String)>,
    /// The folder for the summaries of jobs, a file each.
    pub summaries: PathBuf,
    /// What is printed at the end.
    pub report: Mutex<Report>,
}

/// The variables of the person's environment that are passed to steps.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "CARGO_HOME", "RUSTUP_HOME", "TERM"];

/// The variables that every process starts with.
pub fn inherited() -> Vec<(String, String)> {
    INHERITED
        .iter()
        .filter_map(|&name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

impl Runner {
    /// The variables that a job sees, by its environment.
    pub fn vars(&self, environment: Option<&str>) -> Vec<(String, String)> {
        environment.map_or_else(Vec::new, |environment| self.settings.variables(environment))
    }

    /// The secrets that a job sees, by its environment.
    pub fn secrets(&self, environment: Option<&str>) -> Vec<(String, String)> {
        let mut secrets = vec![("GITHUB_TOKEN".to_owned(), self.github.token.clone())];
        if let Some(environment) = environment {
            secrets.extend(self.settings.secrets(environment));
        }
        secrets
    }

    /// What is to be printed at the end, so far.
    pub fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that something could not be done as on GitHub; the rehearsal fails.
    pub fn unsupported(&self, what: String) {
        self.report().unsupported.push(what);
    }

    /// Adds the row of a job none of whose steps ran.
    pub fn add_job_row(&self, workflow_run: &WorkflowRun<'_>, job: &Job, outcome: Outcome) {
        self.report().add(Row {
            at: workflow_run.place_of(job),
            workflow: workflow_run.workflow.stem().to_owned(),
            job: job.id.clone(),
            step: String::new(),
            outcome,
            took: None,
            link: None,
        });
    }
}
