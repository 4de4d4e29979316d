//! What every run needs of the machine it runs on: where the sandbox is reached, which Domino it is, where code comes
//! from and where files go, how fast statuses change, and which processes are alive.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use tempfile::TempDir;

use crate::account::Accounts;
use crate::apps_v1::AppsV1;
use crate::checkout::{self, NoCode};
use crate::clock::{Clock, Moment};
use crate::delays::Pace;
use crate::faults::Faults;
use crate::git_ref::GitRef;
use crate::mlflow_context::MlflowContext;
use crate::process::Processes;
use crate::run_tags::RunTags;
use crate::version::Version;

/// The machine of one sandbox.
pub(crate) struct Host {
    /// The address, without a final slash.
    pub(crate) url: String,
    pub(crate) version: Version,
    pub(crate) apps_v1: AppsV1,
    pub(crate) mlflow_context: MlflowContext,
    pub(crate) delays: Pace,
    /// The git repository whose commits the runs use.
    pub(crate) repository: PathBuf,
    /// Where the program writes the credentials of all users, if it does.
    pub(crate) credentials_file: Option<PathBuf>,
    /// The commit that a run without a reference takes, if it is not the repository's `HEAD`.
    pub(crate) head: Option<String>,
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) processes: Arc<Processes>,
    /// The tags that are written to what the runs register.
    pub(crate) run_tags: Arc<RunTags>,
    /// Where runs have their code and leave their files, as long as the sandbox runs.
    pub(crate) folder: TempDir,
    /// How many sockets were named so far.
    pub(crate) sockets: AtomicUsize,
}

impl Host {
    /// The full id of the commit that `git_ref` means.
    pub(crate) async fn resolve(&self, git_ref: &GitRef) -> Result<String, NoCode> {
        match &self.head {
            Some(head) if git_ref.kind == "head" => Ok(head.clone()),
            _ => checkout::resolve(&self.repository, git_ref).await,
        }
    }

    /// A new temporary folder for the code and the files of runs.
    pub(crate) fn new_folder() -> anyhow::Result<TempDir> {
        let folder = tempfile::Builder::new()
            .prefix("domino-sandbox-")
            .tempdir()
            .context("there is no place for a temporary folder")?;
        std::fs::create_dir(folder.path().join("runs"))?;
        Ok(folder)
    }

    /// The time on the sandbox's clock.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// A new empty folder for the run with this id, removed when it is dropped.
    pub(crate) fn run_folder(&self, id: &str) -> std::io::Result<TempDir> {
        tempfile::Builder::new()
            .prefix(&format!("{id}-"))
            .tempdir_in(self.folder.path().join("runs"))
    }

    /// A path for a new socket. It is short, because the path of a socket is limited.
    pub(crate) fn new_socket(&self) -> std::io::Result<PathBuf> {
        let sockets = self.folder.path().join("s");
        std::fs::create_dir_all(&sockets)?;
        let number = self.sockets.fetch_add(1, Ordering::Relaxed);
        Ok(sockets.join(number.to_string()))
    }
}
