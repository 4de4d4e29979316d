//! Takes one instance of an app from its queue to its end: fetch the code, start the entry point
//! on a port of its own, wait for what becomes of it. An instance runs as soon as its process
//! does, whether anything answers or not, as in Domino.
//!
//! A process that ends by itself leaves its instance `Succeeded` after exit code 0, `Failed` after
//! any other; so an app that exits at once is never `Running` for long, however it exits.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::app::App;
use super::instance::Instance;
use super::port::Port;
use super::version::AppVersion;
use crate::checkout::{self, NoCode};
use crate::execution::Execution;
use crate::git_ref::GitRef;
use crate::host::Host;
use crate::log::Kind;
use crate::process::{self, Running, Task};
use crate::run_status::RunStatus;

/// What becomes of the running instances when another one is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replacing {
    /// They stop, and only then the new one leaves the queue.
    StopFirst,
    /// They go on until the new one runs, and stay if it never does.
    Beside,
}

/// What is started, and what it takes the place of.
pub(super) struct Launch {
    pub(super) app: Arc<App>,
    pub(super) version: Arc<AppVersion>,
    pub(super) instance: Arc<Instance>,
    /// The instances that had not ended when this one was asked for.
    pub(super) earlier: Vec<Arc<Instance>>,
    pub(super) replacing: Replacing,
}

/// The process of an instance, and what goes only after it: the code it runs and the port it listens on.
struct AppProcess {
    running: Running,
    folder: TempDir,
    _port: Port,
}

/// How an instance ended, when nobody stopped it.
enum InstanceOutcome {
    Succeeded,
    Failed(String),
    /// The sandbox itself could not do its part.
    Error(String),
}

/// Runs an instance to its end.
pub(super) async fn run(host: Arc<Host>, launch: Launch) {
    let mut process = None;
    let instance = &launch.instance;
    let outcome = tokio::select! {
        biased;
        () = instance.stopping.notified() => None,
        outcome = launch.walk(&host, &mut process) => Some(outcome),
    };
    let say = |text: &str| instance.log.say(Kind::Prepare, text, host.now());
    let (status, failure) = match outcome {
        None => {
            stop(&host, instance, process).await;
            say("The app was stopped");
            (RunStatus::Stopped, None)
        }
        Some(InstanceOutcome::Succeeded) => (RunStatus::Succeeded, None),
        Some(InstanceOutcome::Failed(message)) => (RunStatus::Failed, Some(message)),
        Some(InstanceOutcome::Error(message)) => {
            say(&message);
            (RunStatus::Error, Some(message))
        }
    };
    instance.end(status, failure, host.now());
}

async fn stop(host: &Host, instance: &Instance, process: Option<AppProcess>) {
    host.pace.step().await;
    instance.enter(RunStatus::Stopping);
    if instance.fault.stop_hangs {
        instance.forced.notified().await;
    }
    if let Some(AppProcess {
        running, folder, ..
    }) = process
    {
        running.stop().await;
        instance.has_process(false);
        remove(folder).await;
    }
    host.pace.step().await;
}

/// Removing a large folder takes a while, in which nothing else could be answered.
async fn remove(folder: TempDir) {
    let _ = tokio::task::spawn_blocking(move || drop(folder)).await;
}

impl Launch {
    async fn walk(&self, host: &Host, process: &mut Option<AppProcess>) -> InstanceOutcome {
        let instance = &*self.instance;
        for earlier in &self.earlier {
            if self.replacing == Replacing::StopFirst || earlier.is_stopping() {
                earlier.ended().await;
            }
        }
        host.pace.step().await;
        instance.enter(RunStatus::Scheduled);
        host.pace.step().await;
        instance.enter(RunStatus::Preparing);
        let execution = self.execution();
        let folder = match host.run_folder(&instance.id) {
            Ok(folder) => folder,
            Err(problem) => {
                return InstanceOutcome::Error(format!("No folder for the app: {problem}"));
            }
        };
        let prepared = self.prepare(host, folder.path()).await;
        host.pace.step().await;
        let command = match prepared {
            Ok(command) => command,
            Err(NoCode(message)) => {
                instance.log.say(Kind::Prepare, &message, host.now());
                return InstanceOutcome::Failed(message);
            }
        };
        instance.enter(RunStatus::Pulling);
        host.pace.step().await;

        let port = match Port::take() {
            Ok(port) => port,
            Err(problem) => {
                return InstanceOutcome::Error(format!("No port for the app: {problem}"));
            }
        };
        instance.has_port(port.number());
        let started = self
            .variables(host, &execution, folder.path(), &port)
            .map(|variables| Task {
                command: &command,
                folder: folder.path(),
                variables,
            })
            .and_then(|task| process::start(&host.processes, task, instance.log.clone()));
        let running = match started {
            Ok(running) => {
                let process = process.insert(AppProcess {
                    running,
                    folder,
                    _port: port,
                });
                &mut process.running
            }
            Err(problem) => {
                return InstanceOutcome::Error(format!("The app was not started: {problem}"));
            }
        };
        instance.has_process(true);
        instance.enter(RunStatus::Running);
        if self.replacing == Replacing::Beside {
            self.earlier.iter().for_each(|earlier| earlier.stop());
        }
        let ended = running.ended().await;
        instance.has_process(false);
        instance.enter(RunStatus::Finishing);
        host.pace.step().await;
        if let Some(AppProcess { folder, .. }) = process.take() {
            remove(folder).await;
        }
        let message = match ended {
            Err(problem) => return InstanceOutcome::Error(format!("The app was lost: {problem}")),
            Ok(status) if status.success() => return InstanceOutcome::Succeeded,
            Ok(status) => match status.code() {
                Some(code) => format!("The app ended with exit code {code}"),
                None => format!("The app was killed: {status}"),
            },
        };
        instance.log.say(Kind::Prepare, &message, host.now());
        InstanceOutcome::Failed(message)
    }

    fn execution(&self) -> Execution<'_> {
        Execution {
            id: &self.instance.id,
            number: self.instance.number,
            project: &self.app.project,
            user: &self.instance.started_by,
            hardware_tier: &self.instance.hardware_tier,
            environment: &self.version.environment,
            revision: &self.version.revision,
        }
    }

    /// Gets the code into `folder` and gives the command that starts the app in it.
    async fn prepare(&self, host: &Host, folder: &Path) -> Result<String, NoCode> {
        let (app, version, instance) = (&self.app, &self.version, &self.instance);
        let say = |text: &str| instance.log.say(Kind::Prepare, text, host.now());
        say(&format!(
            "Preparing app {} on hardware tier {} in environment {}",
            app.facts().name,
            instance.hardware_tier.name,
            version.environment.name
        ));
        // A commit of the file system selects no code, and a commit of the code is not one of it.
        if let Some(commit_id) = &version.dfs_commit_id
            && *commit_id != app.project.commit_id
        {
            return Err(NoCode(format!(
                "Commit {commit_id} does not exist in the file system of project {}",
                app.project.name
            )));
        }
        let commit = resolve(host, version.git_ref.as_ref()).await?;
        instance.has_commit(&commit);
        say(&format!(
            "Cloning {} at {commit}",
            app.project.repository.uri
        ));
        checkout::check_out(&host.repository, &commit, folder).await?;
        if let Some(message) = &instance.fault.start_fails {
            return Err(NoCode(message.clone()));
        }
        say("Pulling image for the environment");
        if let Some(script) = &version.entry_script {
            // Beside git's own files it is no part of the code.
            let script_path = folder.join(".git").join("domino-entry-script.sh");
            std::fs::write(&script_path, script).map_err(|problem| NoCode(problem.to_string()))?;
            return Ok(run_with_bash(&script_path.to_string_lossy()));
        }
        let entry_point = app.entry_point();
        if !folder.join(&entry_point).is_file() {
            return Err(NoCode(format!(
                "bash: {entry_point}: No such file or directory"
            )));
        }
        Ok(run_with_bash(&entry_point))
    }

    /// What the process finds in its environment: a run's variables, and where it is to listen.
    fn variables(
        &self,
        host: &Host,
        execution: &Execution<'_>,
        folder: &Path,
        port: &Port,
    ) -> std::io::Result<Vec<(String, String)>> {
        let mut variables = execution.variables(host, folder)?;
        let listening = [
            ("APP_HOST", "127.0.0.1".to_owned()),
            ("APP_PORT", port.number().to_string()),
            ("DOMINO_RUN_HOST_PATH", format!("{}/", self.app.path())),
        ];
        variables.extend(listening.map(|(name, value)| (name.to_owned(), value)));
        Ok(variables)
    }
}

/// The commit that `git_ref` means, where apps know one word more than jobs: `custom` is any
/// revision that git understands by its name.
async fn resolve(host: &Host, git_ref: Option<&GitRef>) -> Result<String, NoCode> {
    let head = GitRef::head();
    let git_ref = git_ref.unwrap_or(&head);
    if git_ref.kind == "custom" {
        for kind in ["commitId", "branches", "tags"] {
            let meant = GitRef {
                kind: kind.to_owned(),
                value: git_ref.value.clone(),
            };
            if let Ok(commit) = checkout::resolve(&host.repository, &meant).await {
                return Ok(commit);
            }
        }
        let value = git_ref.value.as_deref().unwrap_or_default();
        return Err(NoCode(format!("fatal: couldn't find remote ref {value}")));
    }
    checkout::resolve(&host.repository, git_ref).await
}

/// The command that runs the script at `path`, whatever its name holds.
fn run_with_bash(path: &str) -> String {
    format!("exec bash -- '{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::run_with_bash;

    #[test]
    fn a_script_may_have_any_name() {
        assert_eq!(run_with_bash("apps/app.sh"), "exec bash -- 'apps/app.sh'");
        assert_eq!(
            run_with_bash("it's; exit 3"),
            r"exec bash -- 'it'\''s; exit 3'"
        );
    }
}
