//! Runs one job from its queue to its end: fetches the code, runs the command, reads what it left. Every status on
//! the way is one that the API knows, and each lasts as long as the sandbox's pace says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::job::Job;
use crate::checkout::NoCode;
use crate::execution::{Execution, check_out};
use crate::git_ref::GitRef;
use crate::host::Host;
use crate::log::Kind;
use crate::process::{self, Running, Task};
use crate::run_status::RunStatus;

/// How a job ended that was not stopped.
enum JobOutcome {
    Succeeded,
    /// With the reason and the message that the API tells.
    Failed(&'static str, String),
    /// The sandbox itself failed.
    Error(String),
}

/// Runs `job` to its end.
pub(super) async fn run(host: Arc<Host>, job: Arc<Job>) {
    let mut running = None;
    let outcome = tokio::select! {
        biased;
        () = job.stopping.notified() => None,
        outcome = walk(&host, &job, &mut running) => Some(outcome),
    };
    match outcome {
        None => stop(&host, &job, running).await,
        Some(JobOutcome::Succeeded) => job.end(RunStatus::Succeeded, None, host.now()),
        Some(JobOutcome::Failed(reason, message)) => {
            let failure = (reason.to_owned(), message);
            job.end(RunStatus::Failed, Some(failure), host.now());
        }
        Some(JobOutcome::Error(message)) => {
            job.log.say(Kind::Prepare, &message, host.now());
            let failure = ("InfrastructureError".to_owned(), message);
            job.end(RunStatus::Error, Some(failure), host.now());
        }
    }
}

async fn stop(host: &Host, job: &Job, running: Option<Running>) {
    host.delays.step().await;
    job.enter(RunStatus::Stopping);
    if let Some(running) = running {
        running.stop().await;
    }
    host.delays.step().await;
    job.log
        .say(Kind::Prepare, "The run was stopped by a user", host.now());
    job.end(RunStatus::Stopped, None, host.now());
}

async fn walk(host: &Host, job: &Job, running: &mut Option<Running>) -> JobOutcome {
    host.delays.step().await;
    job.enter(RunStatus::Scheduled);
    host.delays.step().await;
    job.enter(RunStatus::Preparing);
    let execution = Execution {
        id: &job.id,
        number: job.number,
        project: &job.project,
        user: &job.started_by,
        hardware_tier: &job.hardware_tier,
        environment: &job.environment,
        revision: &job.revision,
    };
    let folder = match host.run_folder(&job.id) {
        Ok(folder) => folder,
        Err(problem) => return JobOutcome::Error(format!("No folder for the run: {problem}")),
    };
    let prepared = prepare(host, job, folder.path()).await;
    host.delays.step().await;
    if let Err(NoCode(message)) = prepared {
        job.log.say(Kind::Prepare, &message, host.now());
        return JobOutcome::Failed("PreparationFailure", message);
    }
    job.enter(RunStatus::Pulling);
    host.delays.step().await;

    let task = execution.machine(host, folder.path()).map(|machine| Task {
        command: &job.spec.command,
        folder: folder.path(),
        variables: machine.variables,
        proxy: machine.proxy,
    });
    job.has_started(host.now());
    job.enter(RunStatus::Running);
    let started = task.and_then(|task| process::start(&host.processes, task, job.log.clone()));
    let running = match started {
        Ok(started) => running.insert(started),
        Err(problem) => {
            return JobOutcome::Error(format!("The command was not started: {problem}"));
        }
    };
    let status = match running.ended().await {
        Ok(status) => status,
        Err(problem) => return JobOutcome::Error(format!("The command was lost: {problem}")),
    };
    job.enter(RunStatus::Finishing);
    job.has_stats(stats(folder.path()));
    host.delays.step().await;
    // Removing a large folder takes a while, during which nothing else could be answered.
    let _ = tokio::task::spawn_blocking(move || drop(folder)).await;
    if status.success() {
        JobOutcome::Succeeded
    } else {
        let how = match status.code() {
            Some(code) => format!("The command ended with exit code {code}"),
            None => format!("The command was killed: {status}"),
        };
        JobOutcome::Failed("NonZeroExitCode", how)
    }
}

/// Gets the code of the asked commit into `folder`.
async fn prepare(host: &Host, job: &Job, folder: &Path) -> Result<(), NoCode> {
    let say = |text: &str| job.log.say(Kind::Prepare, text, host.now());
    say(&format!(
        "Preparing run {} on hardware tier {} in environment {}",
        job.number, job.hardware_tier.name, job.environment.name
    ));
    for volume in &job.volumes {
        say(&format!(
            "External volume {} is not mounted: this is a sandbox",
            volume.name
        ));
    }
    if let Some(cluster) = &job.spec.cluster {
        let cluster = cluster.in_words();
        say(&format!(
            "There is no {cluster}: this is a sandbox, and the command runs alone"
        ));
    }
    let resolve = async {
        let commit = match &job.spec.same_commit {
            Some(commit) => commit.clone(),
            None => {
                let git_ref = GitRef::or_head(&job.spec.git_ref);
                host.resolve(&git_ref).await?
            }
        };
        job.has_commit(&commit);
        Ok(commit)
    };
    let commit_id = job.spec.commit_id.as_ref();
    let whose = (&*job.project, &*job.started_by);
    check_out(host, whose, commit_id, resolve, folder, say).await?;
    say("Pulling image for the environment");
    Ok(())
}

/// What the command left in `dominostats.json`, name by name. A file that is not an object of plain values is
/// ignored; it does not fail the run.
fn stats(folder: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(folder.join("dominostats.json")).unwrap_or_default();
    let stats: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    stats
        .into_iter()
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            Value::Bool(flag) => Some((name, flag.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}
