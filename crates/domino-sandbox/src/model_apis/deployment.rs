//! Runs one version from its build to the end of its process. The version that answered before continues until this
//! one does; only then it stops.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::build;
use super::model_api::ModelApi;
use super::serving;
use super::status::{Build, Status};
use super::version::{ModelApiVersion, Process};
use crate::host::Host;
use crate::log::Kind;
use crate::process::Running;
use crate::registered_models::RegisteredModels;

/// How a deployment came to its end.
enum End {
    /// The build is everything that was requested, or a fault lets nothing more happen.
    Stays,
    Stopped,
    Failed(String),
}

/// A version that is being deployed, with what it is built from.
pub(super) struct Deployment {
    pub(super) host: Arc<Host>,
    pub(super) models: Arc<RegisteredModels>,
    pub(super) api: Arc<ModelApi>,
    pub(super) version: Arc<ModelApiVersion>,
}

impl Deployment {
    /// Builds the version and serves it until it stops or dies.
    pub(super) async fn run(self) {
        let end = self.build_and_serve().await;
        self.finish(end);
    }

    /// Serves the version again from the `folder` that it was built in.
    pub(super) async fn again(self, folder: Arc<TempDir>) {
        // A stop that comes after its end no longer matters.
        tokio::select! {
            biased;
            () = self.version.stopping.notified() => {}
            () = std::future::ready(()) => {}
        }
        let end = self.serve(folder.path()).await;
        self.finish(end);
    }

    fn finish(&self, end: End) {
        match end {
            End::Stays => {}
            End::Stopped => self.version.enter(Status::Stopped),
            End::Failed(reason) => self.version.fail(reason),
        }
    }

    async fn build_and_serve(&self) -> End {
        let folder = match self.host.run_folder(&self.version.id) {
            Ok(folder) => folder,
            Err(problem) => {
                return End::Failed(format!("No folder for the version: {problem}"));
            }
        };
        let built = tokio::select! {
            biased;
            () = self.version.stopping.notified() => return End::Stopped,
            built = self.build(folder.path()) => built,
        };
        if let Err(end) = built {
            return end;
        }
        let folder = Arc::new(folder);
        self.version.keep(folder.clone());
        self.serve(folder.path()).await
    }

    /// Enters `status`, unless a fault keeps the version where it is.
    async fn enter(&self, status: Status) -> Result<(), End> {
        let stuck = self.version.fault.stuck_at.as_deref();
        if stuck == Some(self.version.status().word()) {
            return Err(End::Stays);
        }
        self.host.delays.step().await;
        self.version.enter(status);
        Ok(())
    }

    async fn build(&self, folder: &Path) -> Result<(), End> {
        let version = &self.version;
        self.enter(Status::Building).await?;
        version.enter_build(Build::Building);
        if version.fault.stuck_at.as_deref() == Some("Building") {
            return Err(End::Stays);
        }
        let built = build::build(&self.host, &self.models, &self.api, version, folder).await;
        if let Err(reason) = built {
            let log = &version.build_log;
            log.say(Kind::Stderr, &reason, self.host.now());
            version.enter_build(Build::Failed);
            return Err(End::Failed(reason));
        }
        let done = "The build is complete";
        version.build_log.say(Kind::Stdout, done, self.host.now());
        version.enter_build(Build::Complete);
        self.enter(Status::Ready).await?;
        if !version.spec.should_deploy {
            return Err(End::Stays);
        }
        self.enter(Status::Starting).await
    }

    async fn serve(&self, folder: &Path) -> End {
        let version = &self.version;
        match version.fault.stuck_at.as_deref() {
            Some("Starting") => return self.until_stopped().await,
            // A word that is not on the way replaces the last one.
            Some(word) if word != "Running" => {
                version.enter(Status::Other(word.to_owned()));
                return self.until_stopped().await;
            }
            _ => {}
        }
        let started = serving::start(&self.host, &self.api, version, folder);
        let (mut running, process) = match started {
            Ok(started) => started,
            Err(problem) => {
                return End::Failed(format!("The model was not started: {problem}"));
            }
        };
        let socket = process.socket.clone();
        let end = match self.until_listening(&mut running, &process).await {
            Ok(()) => self.until_ended(&mut running, process).await,
            Err(end) => end,
        };
        if let End::Failed(reason) = &end {
            let log = &version.instance_log;
            log.say(Kind::Stderr, reason, self.host.now());
        }
        running.stop().await;
        // A process that never listened left no socket.
        let _ = std::fs::remove_file(socket);
        end
    }

    /// Waits until the process listens.
    async fn until_listening(&self, running: &mut Running, process: &Process) -> Result<(), End> {
        let listening = async {
            serving::listens(process).await;
            self.host.delays.step().await;
        };
        let ended = "The model ended before it served";
        tokio::select! {
            () = listening => Ok(()),
            _ = running.ended() => Err(End::Failed(ended.to_owned())),
            () = self.version.stopping.notified() => Err(End::Stopped),
        }
    }

    /// Lets the version answer until its process ends or is stopped.
    async fn until_ended(&self, running: &mut Running, process: Process) -> End {
        let version = &self.version;
        version.set_process(Some(process));
        version.enter(Status::Running);
        if version.fault.dies_after == Some(0) {
            version.dying.notify_one();
        }
        let end = match self.api.activate(version) {
            false => End::Stopped,
            true => tokio::select! {
                _ = running.ended() => End::Failed("The process of the model ended".to_owned()),
                () = version.dying.notified() => {
                    End::Failed("The process of the model was killed".to_owned())
                }
                () = version.stopping.notified() => End::Stopped,
            },
        };
        version.set_process(None);
        end
    }

    async fn until_stopped(&self) -> End {
        self.version.stopping.notified().await;
        End::Stopped
    }
}
