//! What a rehearsal leaves for one that runs it again: a folder with its runs, the results of their jobs, the
//! artifacts and the workflow files.
//!
//! The folder exists as long as the rehearsal that created it keeps its sandbox running.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use github_workflow::read::Workflow;
use jiff::{SignedDuration, Timestamp};
use rehearsal::again::{self, Again};
use rehearsal::approval::{Approval, Approvals};
use rehearsal::artifacts::{self, Artifact};
use rehearsal::github::Event;
use rehearsal::github_api::{Start, Told};
use rehearsal::job_records::{JobRecord, JobRecords};
use serde::{Deserialize, Serialize};

use super::kept_domino::KeptDomino;
use super::settings::{APPROVER, AUTHOR};
use super::subject::Subject;
use crate::repository;

const FILE: &str = "rehearsal.json";

/// The folder of a rehearsal, which later attempts share.
pub struct KeptFolder {
    /// Where it is.
    pub path: PathBuf,
    is_own: bool,
    /// Held while the rehearsal is run again.
    _lock: Option<File>,
}

/// What a later attempt needs to know about a rehearsal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The top folder of the rehearsed repository.
    pub repository: PathBuf,
    /// The SHA of the rehearsed commit.
    pub commit: String,
    /// What started its runs.
    pub event: Event,
    /// Who did.
    pub actor: String,
    /// When its runs were created.
    pub created_at: Timestamp,
    /// How many days have passed since, on GitHub's side.
    pub day: u32,
    /// The most days that artifacts are kept.
    pub artifact_days: u32,
    /// Its sandbox, once it is running.
    pub domino: Option<KeptDomino>,
    /// One run for each workflow.
    pub runs: Vec<KeptRun>,
    /// How their jobs ended, in every attempt.
    pub jobs: Vec<JobRecord>,
    /// The approvals that were given.
    pub approvals: Vec<Approval>,
}

/// The run of one workflow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptRun {
    /// Its workflow's file.
    pub file: String,
    /// The id in `GITHUB_RUN_ID`.
    pub id: u64,
    /// The number of its last attempt.
    pub attempt: u64,
    /// The artifacts that its jobs uploaded.
    pub artifacts: Vec<Artifact>,
}

impl KeptFolder {
    /// The path of a rehearsal's folder below this one.
    pub fn below(base: &Path) -> PathBuf {
        base.join("run")
    }

    /// The repository that stands in for the one on GitHub.
    pub fn origin(&self) -> PathBuf {
        self.path.join("origin.git")
    }

    /// Creates an empty folder below this one. It is removed when the returned value is dropped.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(base: &Path) -> anyhow::Result<Self> {
        let path = Self::below(base);
        if path.exists() {
            std::fs::remove_dir_all(&path)
                .with_context(|| format!("cannot empty {}", path.display()))?;
        }
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self {
            path,
            is_own: true,
            _lock: None,
        })
    }

    /// Opens the folder of a running rehearsal, and reads its content.
    ///
    /// # Errors
    /// When there is none, somebody else is running it again, or its sandbox has ended.
    pub fn open(path: &Path) -> anyhow::Result<(Self, Kept)> {
        let place = path.display();
        let how = format!(
            "`{} rehearse --keep` keeps a rehearsal until Ctrl-C, and prints its folder",
            repository::called_as()
        );
        let file = path.join(FILE);
        if !file.is_file() {
            bail!("no rehearsal is kept in {place}: {how}");
        }
        let lock =
            File::create(path.join("lock")).with_context(|| format!("cannot write to {place}"))?;
        ensure!(
            lock.try_lock().is_ok(),
            "the rehearsal kept in {place} is being run again by somebody else"
        );
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let kept: Kept = serde_json::from_str(&text)
            .with_context(|| format!("{} is not of this version", file.display()))?;
        let domino = kept.reach()?;
        domino.waiting_requests(APPROVER).with_context(|| {
            format!(
                "the sandbox of the rehearsal kept in {place} no longer answers at {}: {how}",
                domino.url
            )
        })?;
        let folder = Self {
            path: path.to_owned(),
            is_own: false,
            _lock: Some(lock),
        };
        Ok((folder, kept))
    }

    /// Where the artifacts of a run are.
    pub fn artifacts_of(&self, run_id: u64) -> PathBuf {
        self.path.join("artifacts").join(run_id.to_string())
    }

    /// Where the workflow files are.
    pub fn workflows(&self) -> PathBuf {
        self.path.join("workflows")
    }

    /// Writes what a later attempt needs, readable only by this user.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, kept: &Kept, texts: &[(String, String)]) -> anyhow::Result<()> {
        let write = || -> anyhow::Result<()> {
            std::fs::create_dir_all(self.workflows())?;
            for (name, text) in texts {
                std::fs::write(self.workflows().join(name), text)?;
            }
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(self.path.join(FILE))?;
            file.write_all(serde_json::to_string_pretty(kept)?.as_bytes())?;
            Ok(())
        };
        write().with_context(|| format!("cannot write to {}", self.path.display()))
    }
}

impl Drop for KeptFolder {
    fn drop(&mut self) {
        if self.is_own {
            // The next rehearsal empties the folder first, so what cannot be removed now does no harm.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Kept {
    /// The state of a rehearsal that begins now, without any run.
    pub fn first(
        subject: &Subject,
        event: Event,
        actor: String,
        artifact_days: Option<u32>,
    ) -> Self {
        Self {
            repository: subject.repository.root.clone(),
            commit: subject.commit.sha.clone(),
            event,
            actor,
            created_at: Timestamp::now(),
            day: 0,
            artifact_days: artifact_days.unwrap_or(artifacts::MOST_DAYS),
            domino: None,
            runs: Vec::new(),
            jobs: Vec::new(),
            approvals: Vec::new(),
        }
    }

    /// How its sandbox is reached.
    ///
    /// # Errors
    /// When none was started.
    pub fn reach(&self) -> anyhow::Result<&KeptDomino> {
        self.domino.as_ref().context("it has no sandbox")
    }

    /// When its runs were created from GitHub's point of view, as many days ago as have passed.
    ///
    /// # Errors
    /// When there is no such time.
    fn created_at_by_now(&self) -> anyhow::Result<String> {
        let passed = SignedDuration::from_hours(24 * i64::from(self.day));
        let made = self.created_at.checked_sub(passed)?;
        Ok(format!("{made:.0}"))
    }

    /// What GitHub's API answers about its runs, by these approvals and records; `started_by` started this attempt.
    ///
    /// # Errors
    /// When there is no time at which they were created.
    pub fn told(
        &self,
        approvals: &Approvals,
        records: &JobRecords,
        started_by: &str,
    ) -> anyhow::Result<Told> {
        Ok(Told {
            given: approvals.given(),
            records: records.clone(),
            created_at: self.created_at_by_now()?,
            start: Start {
                event: self.event.name(),
                commit: self.commit.clone(),
                author: AUTHOR.into(),
                actor: self.actor.clone(),
                triggering_actor: started_by.to_owned(),
            },
        })
    }

    /// Refuses to run again if no job would run.
    ///
    /// # Errors
    /// When no job would run.
    pub fn has_something_to_run(&self, workflows: &[Workflow], again: Again) -> anyhow::Result<()> {
        let records = JobRecords::of_earlier(self.jobs.clone());
        let runs = |workflow: &Workflow| {
            let run = self.runs.iter().find(|run| run.file == workflow.file);
            run.is_some_and(|run| {
                let stays = again::results_that_stay(workflow, run.id, &records, again);
                stays.len() < workflow.jobs.len()
            })
        };
        ensure!(
            workflows.iter().any(runs),
            "no job failed, so none is run again: `--rerun all` runs all of them"
        );
        Ok(())
    }

    /// Lets days pass before the next attempt.
    ///
    /// # Errors
    /// When GitHub would not run it again so late, or so often.
    pub fn pass(&mut self, days: u32) -> anyhow::Result<()> {
        self.day = self.day.saturating_add(days);
        ensure!(
            self.day <= again::MOST_DAYS,
            "GitHub runs a run again for {} days, and this would be {} days after the first attempt",
            again::MOST_DAYS,
            self.day
        );
        let times = self.runs.iter().map(|run| run.attempt).max();
        ensure!(
            times.unwrap_or(1) <= again::MOST_TIMES,
            "GitHub runs a run again {} times at most",
            again::MOST_TIMES
        );
        Ok(())
    }
}
