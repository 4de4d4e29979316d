//! A version of a model API: what it is created from, its status, and what it reports when a fault makes it
//! misreport.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::status::{Build, Status, is_pending};
use crate::clock::Moment;
use crate::data_planes::DataPlane;
use crate::environments::{Environment, Revision};
use crate::faults::ModelFault;
use crate::id;
use crate::locked::Locked;
use crate::log::Log;
use crate::projects::Project;
use crate::reply::Put;
use crate::users::User;

/// What a version serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A function in a file of the project's repository.
    File {
        file: String,
        function: String,
        excluded: Vec<String>,
    },
    /// A version of a registered model.
    Registered { model: String, version: u64 },
}

/// The version as it was requested.
pub(crate) struct VersionSpec {
    pub(crate) project_id: String,
    pub(crate) source: Source,
    pub(crate) description: Option<String>,
    pub(crate) environment_id: Option<String>,
    /// A commit of Domino's own file system, which holds no code here.
    pub(crate) commit_id: Option<String>,
    pub(crate) should_deploy: bool,
    pub(crate) log_requests: bool,
    pub(crate) monitoring: bool,
    pub(crate) record_invocation: bool,
    pub(crate) prediction_dataset: Option<String>,
}

pub(crate) struct ModelApiVersion {
    pub(crate) id: String,
    pub(crate) number: usize,
    pub(super) api_id: String,
    pub(super) project: Arc<Project>,
    pub(super) created: Moment,
    pub(super) created_by: Arc<User>,
    pub(super) environment: Arc<Environment>,
    pub(super) revision: Revision,
    pub(super) data_plane: Arc<DataPlane>,
    pub(super) spec: VersionSpec,
    /// The commit of the code to build, when the version is made of files.
    pub(super) commit: Option<String>,
    pub(super) build_id: String,
    pub(super) build_log: Arc<Log>,
    pub(super) instance_log: Arc<Log>,
    pub(super) fault: ModelFault,
    /// Notified when the version is to stop, and when a fault kills it.
    pub(super) stopping: Notify,
    pub(super) dying: Notify,
    progress: Locked<VersionProgress>,
}

/// What a version runs on and in, and how it goes wrong.
pub(super) struct VersionAssets {
    pub(super) environment: Arc<Environment>,
    pub(super) revision: Revision,
    pub(super) data_plane: Arc<DataPlane>,
    pub(super) fault: ModelFault,
}

/// The part of a version that changes while it is deployed.
struct VersionProgress {
    status: Status,
    history: Vec<Status>,
    /// It was told to stop, and has not yet: Domino calls that pending.
    is_stopping: bool,
    build: Build,
    failure: Option<String>,
    process: Option<Process>,
    /// The result of a successful build, because a version may be started again.
    folder: Option<Arc<TempDir>>,
    /// The number of this deployment among the endpoint's; the last one to run is the one that answers.
    turn: usize,
    served: usize,
    reads: usize,
}

/// The process that serves a version.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) id: i32,
    pub(super) socket: PathBuf,
}

impl ModelApiVersion {
    /// A version to which nothing has happened yet; its number is assigned when it is added.
    pub(super) fn new(
        api_id: &str,
        project: &Arc<Project>,
        user: &Arc<User>,
        spec: VersionSpec,
        commit: Option<String>,
        assets: VersionAssets,
        created: Moment,
    ) -> Self {
        ModelApiVersion {
            id: id::object_id(),
            number: 0,
            api_id: api_id.to_owned(),
            project: project.clone(),
            created,
            created_by: user.clone(),
            environment: assets.environment,
            revision: assets.revision,
            data_plane: assets.data_plane,
            fault: assets.fault,
            spec,
            commit,
            build_id: id::object_id(),
            build_log: Arc::default(),
            instance_log: Arc::default(),
            stopping: Notify::new(),
            dying: Notify::new(),
            progress: Locked::new(VersionProgress {
                status: Status::Preparing,
                history: vec![Status::Preparing],
                is_stopping: false,
                build: Build::Preparing,
                failure: None,
                process: None,
                folder: None,
                turn: 0,
                served: 0,
                reads: 0,
            }),
        }
    }

    /// What the version serves, in words.
    pub(crate) fn served(&self) -> String {
        match &self.spec.source {
            Source::File { file, function, .. } => format!("{function} of {file}"),
            Source::Registered { model, version } => format!("{model} version {version}"),
        }
    }

    /// The true status, whatever replies report.
    pub(crate) fn status(&self) -> Status {
        self.progress.lock().status.clone()
    }

    /// Whether nothing more happens to the version by itself.
    pub(crate) fn is_settled(&self) -> bool {
        let status = self.progress.lock().status.clone();
        !is_pending(status.word()) || (status == Status::Ready && !self.spec.should_deploy)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.progress.lock().status == Status::Running
    }

    /// Whether the version came to an end, from which it can be started again.
    pub(super) fn has_ended(&self) -> bool {
        matches!(
            self.progress.lock().status,
            Status::Failed | Status::Stopped
        )
    }

    /// The status as a reply shows it. Each call counts as one read, for faults that last a number of reads.
    pub(crate) fn reported_status(&self) -> String {
        let mut progress = self.progress.lock();
        let look = progress.reads;
        progress.reads += 1;
        match self.fault.statuses.get(look) {
            Some(word) => word.clone(),
            None => progress.status.word().to_owned(),
        }
    }

    /// The deployment as a reply shows it; a version that is not to be deployed has none.
    pub(super) fn deployment(&self) -> Option<Value> {
        self.spec.should_deploy.then(|| {
            let status = self.reported_status();
            let is_pending = is_pending(&status) || self.progress.lock().is_stopping;
            json!({ "isPending": is_pending, "status": status })
        })
    }

    pub(super) fn build(&self) -> Build {
        self.progress.lock().build
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.progress.lock().failure.clone()
    }

    /// The commit as replies name it: the commit of the code for a version of files, otherwise the commit of the
    /// project's own file system, which has no meaning.
    pub(super) fn commit_id(&self) -> String {
        let commit = self.commit.as_ref();
        commit.unwrap_or(&self.project.commit_id).clone()
    }

    pub(super) fn process(&self) -> Option<Process> {
        self.progress.lock().process.clone()
    }

    pub(super) fn keep(&self, folder: Arc<TempDir>) {
        self.progress.lock().folder = Some(folder);
    }

    pub(super) fn folder(&self) -> Option<Arc<TempDir>> {
        self.progress.lock().folder.clone()
    }

    pub(super) fn turn(&self) -> usize {
        self.progress.lock().turn
    }

    pub(super) fn set_turn(&self, turn: usize) {
        self.progress.lock().turn = turn;
    }

    pub(super) fn stop(&self) {
        let mut progress = self.progress.lock();
        progress.is_stopping = !matches!(progress.status, Status::Failed | Status::Stopped);
        self.stopping.notify_one();
    }

    pub(super) fn enter(&self, status: Status) {
        let mut progress = self.progress.lock();
        progress.status = status.clone();
        progress.is_stopping = false;
        progress.history.push(status);
    }

    pub(super) fn enter_build(&self, build: Build) {
        self.progress.lock().build = build;
    }

    pub(super) fn set_process(&self, process: Option<Process>) {
        self.progress.lock().process = process;
    }

    pub(super) fn fail(&self, why: String) {
        self.progress.lock().failure = Some(why);
        self.enter(Status::Failed);
    }

    /// Counts an answered request, after which a fault may kill the process.
    pub(super) fn count(&self) {
        let mut progress = self.progress.lock();
        progress.served += 1;
        if self.fault.dies_after == Some(progress.served) {
            self.dying.notify_one();
        }
    }

    pub(super) fn state(&self, is_active: bool) -> Value {
        let progress = self.progress.lock();
        let history = progress.history.iter().map(|status| status.word());
        let mut state = json!({
            "id": self.id,
            "number": self.number,
            "description": self.spec.description,
            "source": source(&self.spec.source),
            "status": progress.status.word(),
            "statuses": history.collect::<Vec<_>>(),
            "build": progress.build.word(),
            "failure": progress.failure,
            "commit": self.commit,
            "environmentId": self.environment.id,
            "environmentRevisionId": self.revision.id,
            "dataPlane": self.data_plane.name,
            "logHttpRequestResponse": self.spec.log_requests,
            "monitoringEnabled": self.spec.monitoring,
            "recordInvocation": self.spec.record_invocation,
            "predictionDatasetResourceId": self.spec.prediction_dataset,
            "createdBy": self.created_by.name,
            "isActive": is_active,
            "isAlive": progress.process.is_some(),
            "served": progress.served,
        });
        let process = progress.process.as_ref();
        state.put("processId", process.map(|process| process.id));
        state
    }
}

/// A source as the public API spells it.
pub(super) fn source(source: &Source) -> Value {
    match source {
        Source::File {
            file,
            function,
            excluded,
        } => json!({
            "type": "File",
            "file": file,
            "function": function,
            "excludeFiles": excluded,
        }),
        Source::Registered { model, version } => json!({
            "type": "Registry",
            "registeredModelName": model,
            "registeredModelVersion": version,
        }),
    }
}
