//! Runs one instance of an app from its queue to its end: fetches the code, starts the entry point on a port of its
//! own, and waits for its end. An instance is running as soon as its process is, whether anything answers or not, as
//! in Domino.
//!
//! A process that ends by itself leaves its instance `Succeeded` after exit code 0, `Failed` after any other; so an
//! app that exits at once is never `Running` for long, however it exits.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::app::App;
use super::instance::Instance;
use super::listening;
use super::port::Port;
use super::version::AppVersion;
use crate::checkout::NoCode;
use crate::execution::{Execution, Machine, check_out};
use crate::git_ref::GitRef;
use crate::host::Host;
use crate::log::Kind;
use crate::process::{self, Running, Task};
use crate::run_status::RunStatus;

/// What happens to the running instances when another one is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replacing {
    /// They stop, and only then the new one leaves the queue.
    StopFirst,
    /// They continue until the new one runs, and stay if it never does.
    Beside,
}

/// What is started, and what it replaces.
pub(super) struct Launch {
    pub(super) app: Arc<App>,
    pub(super) version: Arc<AppVersion>,
    pub(super) instance: Arc<Instance>,
    /// The instances that had not ended when this one was requested.
    pub(super) earlier: Vec<Arc<Instance>>,
    pub(super) replacing: Replacing,
}

/// The process of an instance, and what is removed only after it: the code it runs and the port it listens on.
struct AppProcess {
    running: Running,
    folder: TempDir,
    _port: Port,
}

/// Why an instance failed.
enum AppFailure {
    Failed(String),
    /// The sandbox itself failed.
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
        Some(Ok(())) => (RunStatus::Succeeded, None),
        Some(Err(AppFailure::Failed(message))) => (RunStatus::Failed, Some(message)),
        Some(Err(AppFailure::Error(message))) => {
            say(&message);
            (RunStatus::Error, Some(message))
        }
    };
    instance.end(status, failure, host.now());
}

async fn stop(host: &Host, instance: &Instance, process: Option<AppProcess>) {
    host.delays.step().await;
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
    host.delays.step().await;
}

/// Removing a large folder takes a while, during which nothing else could be answered.
async fn remove(folder: TempDir) {
    let _ = tokio::task::spawn_blocking(move || drop(folder)).await;
}

impl Launch {
    async fn walk(&self, host: &Host, process: &mut Option<AppProcess>) -> Result<(), AppFailure> {
        let instance = &*self.instance;
        let error = |what: &'static str| {
            move |problem: io::Error| AppFailure::Error(format!("{what}: {problem}"))
        };
        for earlier in &self.earlier {
            if self.replacing == Replacing::StopFirst || earlier.is_stopping() {
                earlier.ended().await;
            }
        }
        host.delays.step().await;
        instance.enter(RunStatus::Scheduled);
        host.delays.step().await;
        instance.enter(RunStatus::Preparing);
        let folder = host.run_folder(&instance.id);
        let folder = folder.map_err(error("No folder for the app"))?;
        let prepared = self.prepare(host, folder.path()).await;
        host.delays.step().await;
        let command = prepared.map_err(|NoCode(message)| self.failure(host, message))?;
        instance.enter(RunStatus::Pulling);
        host.delays.step().await;

        let port = Port::take().map_err(error("No port for the app"))?;
        let port_number = port.number();
        instance.has_port(port_number);
        let running = self.start(host, &command, folder.path(), &port);
        let AppProcess { running, .. } = process.insert(AppProcess {
            running: running.map_err(error("The app was not started"))?,
            folder,
            _port: port,
        });
        instance.has_process(true);
        instance.enter(RunStatus::Running);
        if self.replacing == Replacing::Beside {
            self.earlier.iter().for_each(|earlier| earlier.stop());
        }
        let (group, port) = (running.id(), port_number);
        let say = |text: &str| instance.log.say(Kind::Prepare, text, host.now());
        let listening = listening::follow(group, port, |port| instance.has_port(port), say);
        let ended = tokio::select! {
            ended = running.ended() => ended,
            never = listening => match never {},
        };
        instance.has_process(false);
        instance.enter(RunStatus::Finishing);
        host.delays.step().await;
        if let Some(AppProcess { folder, .. }) = process.take() {
            remove(folder).await;
        }
        let status = ended.map_err(error("The app was lost"))?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => {
                let message = format!("The app ended with exit code {code}");
                Err(self.failure(host, message))
            }
            None => Err(self.failure(host, format!("The app was killed: {status}"))),
        }
    }

    /// A failure with `message` as the last line of the log.
    fn failure(&self, host: &Host, message: String) -> AppFailure {
        let log = &self.instance.log;
        log.say(Kind::Prepare, &message, host.now());
        AppFailure::Failed(message)
    }

    fn start(&self, host: &Host, command: &str, folder: &Path, port: &Port) -> io::Result<Running> {
        let machine = self.machine(host, &self.execution(), folder, port)?;
        let task = Task {
            command,
            folder,
            variables: machine.variables,
            proxy: machine.proxy,
        };
        process::start(&host.processes, task, self.instance.log.clone())
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

    /// Fetches the code into `folder` and returns the command that starts the app in it.
    async fn prepare(&self, host: &Host, folder: &Path) -> Result<String, NoCode> {
        let (app, version, instance) = (&self.app, &self.version, &self.instance);
        let say = |text: &str| instance.log.say(Kind::Prepare, text, host.now());
        say(&format!(
            "Preparing app {} on hardware tier {} in environment {}",
            app.facts().name,
            instance.hardware_tier.name,
            version.environment.name
        ));
        let resolve = async {
            let commit = resolve(host, &version.spec.git_ref).await?;
            instance.has_commit(&commit);
            Ok(commit)
        };
        let commit_id = version.spec.dfs_commit_id.as_ref();
        let whose = (&*app.project, &*instance.started_by);
        check_out(host, whose, commit_id, resolve, folder, say).await?;
        if let Some(message) = &instance.fault.start_fails {
            return Err(NoCode(message.clone()));
        }
        say("Pulling image for the environment");
        if let Some(script) = &version.spec.entry_script {
            // In git's own folder it is not part of the code.
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

    /// The environment of a run on its machine, and where the process should listen.
    fn machine(
        &self,
        host: &Host,
        execution: &Execution<'_>,
        folder: &Path,
        port: &Port,
    ) -> io::Result<Machine> {
        let mut machine = execution.machine(host, folder)?;
        let listening = [
            ("APP_HOST", "127.0.0.1".to_owned()),
            ("APP_PORT", port.number().to_string()),
            ("DOMINO_RUN_HOST_PATH", format!("{}/", self.app.path())),
        ];
        let listening = listening.map(|(name, value)| (name.to_owned(), value));
        machine.variables.extend(listening);
        machine.variables.push(listening::for_python(folder)?);
        Ok(machine)
    }
}

/// The commit that `git_ref` means. Apps accept one word more than jobs: `custom` is any revision that git
/// understands by its name.
async fn resolve(host: &Host, git_ref: &Option<GitRef>) -> Result<String, NoCode> {
    let git_ref = GitRef::or_head(git_ref);
    if git_ref.kind == "custom" {
        for kind in ["commitId", "branches", "tags"] {
            let meant = GitRef {
                kind: kind.to_owned(),
                value: git_ref.value.clone(),
            };
            if let Ok(commit) = host.resolve(&meant).await {
                return Ok(commit);
            }
        }
        let value = git_ref.value.as_deref().unwrap_or_default();
        return Err(NoCode(format!("fatal: couldn't find remote ref {value}")));
    }
    host.resolve(&git_ref).await
}

/// The command that runs the script at `path`, whatever characters its name contains.
fn run_with_bash(path: &str) -> String {
    format!("exec bash -- {}", process::quoted(path))
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
