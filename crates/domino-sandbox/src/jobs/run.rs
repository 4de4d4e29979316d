//! Takes one job from its queue to its end: fetch the code, run the command, read what it left.
//! Every status on the way is one the API knows, and each is stayed in for the sandbox's pace.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{Job, Status};
use crate::checkout::{self, NoCode};
use crate::domino::Domino;
use crate::execution::Execution;
use crate::git_ref::GitRef;
use crate::id;
use crate::log::Kind;
use crate::process::{self, Running, Task};

/// How a job ended, when nobody stopped it.
enum Outcome {
    Succeeded,
    /// With the reason and the message that the API tells.
    Failed(&'static str, String),
    /// The sandbox itself could not do its part.
    Error(String),
}

/// Runs `job` to its end.
pub(super) async fn run(domino: Arc<Domino>, job: Arc<Job>) {
    let mut running = None;
    let outcome = tokio::select! {
        biased;
        () = job.stopping.notified() => None,
        outcome = walk(&domino, &job, &mut running) => Some(outcome),
    };
    match outcome {
        None => stop(&domino, &job, running).await,
        Some(Outcome::Succeeded) => job.end(&domino, Status::Succeeded, None),
        Some(Outcome::Failed(reason, message)) => {
            job.end(&domino, Status::Failed, Some((reason.to_owned(), message)));
        }
        Some(Outcome::Error(message)) => {
            job.log.say(Kind::Prepare, &message, domino.now());
            let failure = ("InfrastructureError".to_owned(), message);
            job.end(&domino, Status::Error, Some(failure));
        }
    }
}

async fn stop(domino: &Arc<Domino>, job: &Job, running: Option<Running>) {
    domino.pace.step().await;
    job.enter(Status::Stopping);
    if let Some(running) = running {
        running.stop().await;
    }
    domino.pace.step().await;
    job.log
        .say(Kind::Prepare, "The run was stopped by a user", domino.now());
    job.end(domino, Status::Stopped, None);
}

async fn walk(domino: &Arc<Domino>, job: &Job, running: &mut Option<Running>) -> Outcome {
    domino.pace.step().await;
    job.enter(Status::Scheduled);
    domino.pace.step().await;
    job.enter(Status::Preparing);
    let execution = Execution {
        id: &job.id,
        number: job.number,
        project: &job.project,
        user: &job.started_by,
        hardware_tier: &job.hardware_tier,
        environment: &job.environment,
        revision: &job.revision,
    };
    let folder = match execution.folder(domino) {
        Ok(folder) => folder,
        Err(problem) => return Outcome::Error(format!("No folder for the run: {problem}")),
    };
    let prepared = prepare(domino, job, folder.path()).await;
    domino.pace.step().await;
    if let Err(NoCode(message)) = prepared {
        job.log.say(Kind::Prepare, &message, domino.now());
        return Outcome::Failed("PreparationFailure", message);
    }
    job.enter(Status::Pulling);
    domino.pace.step().await;

    let task = execution
        .variables(domino, folder.path())
        .map(|variables| Task {
            command: &job.wish.command,
            folder: folder.path(),
            variables,
        });
    job.lock().started = Some(domino.now());
    job.enter(Status::Running);
    let started = task.and_then(|task| process::start(domino, task, job.log.clone()));
    let running = match started {
        Ok(started) => running.insert(started),
        Err(problem) => return Outcome::Error(format!("The command was not started: {problem}")),
    };
    let status = match running.ended().await {
        Ok(status) => status,
        Err(problem) => return Outcome::Error(format!("The command was lost: {problem}")),
    };
    job.enter(Status::Finishing);
    job.lock().stats = stats(folder.path());
    domino.pace.step().await;
    // Removing a large folder takes a while, in which nothing else could be answered.
    let _ = tokio::task::spawn_blocking(move || drop(folder)).await;
    if status.success() {
        Outcome::Succeeded
    } else {
        let how = match status.code() {
            Some(code) => format!("The command ended with exit code {code}"),
            None => format!("The command was killed: {status}"),
        };
        Outcome::Failed("NonZeroExitCode", how)
    }
}

/// Gets the code of the asked commit into `folder`.
async fn prepare(domino: &Domino, job: &Job, folder: &Path) -> Result<(), NoCode> {
    let say = |text: &str| job.log.say(Kind::Prepare, text, domino.now());
    say(&format!(
        "Preparing run {} on hardware tier {} in environment {}",
        job.number, job.hardware_tier.name, job.environment.name
    ));
    // A commit of the file system selects no code, and a commit of the code is not one of it.
    if let Some(commit_id) = &job.wish.commit_id
        && *commit_id != job.project.commit_id
    {
        return Err(NoCode(format!(
            "Commit {commit_id} does not exist in the file system of project {}",
            job.project.name
        )));
    }
    let head = GitRef::head();
    let git_ref = job.wish.git_ref.as_ref().unwrap_or(&head);
    let commit = match &job.wish.same_commit {
        Some(commit) => commit.clone(),
        None => checkout::resolve(&domino.repository, git_ref).await?,
    };
    job.lock().commit = Some(commit.clone());
    say(&format!(
        "Cloning {} at {commit}",
        job.project.repository.uri
    ));
    checkout::check_out(&domino.repository, &commit, folder).await?;
    say("Pulling image for the environment");
    Ok(())
}

/// What the command left in `dominostats.json`, name by name. A file that is no object of plain
/// values is passed over, as it is no concern of the run's end.
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

impl Job {
    /// Goes on to `status`, unless the job is being stopped and this is not part of it.
    fn enter(&self, status: Status) {
        let mut progress = self.lock();
        if !progress.is_stopping || status == Status::Stopping {
            progress.enter(status);
        }
    }

    fn end(&self, domino: &Domino, status: Status, failure: Option<(String, String)>) {
        let mut progress = self.lock();
        progress.completed = Some(domino.now());
        progress.failure = failure;
        if status == Status::Succeeded {
            progress.output_commit_id = Some(id::commit_id());
        }
        progress.enter(status);
    }
}
