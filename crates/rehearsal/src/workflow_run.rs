//! One run of one workflow, as its jobs see it: which jobs finished before them, and what those handed on.
//!
//! It runs nothing; `workflow.rs` does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::artifacts::Artifacts;
use crate::console::Console;
use crate::github::Run;
use crate::interrupt::Interrupt;
use crate::order;
use github_workflow::evaluate::Status;
use github_workflow::read::{Job, Workflow};
use github_workflow::value::Value;

/// The state of a workflow while its jobs run.
pub struct WorkflowRun<'a> {
    /// Its position among the workflows that are rehearsed.
    pub at: usize,
    /// The workflow as its file has it.
    pub workflow: &'a Workflow,
    /// What GitHub says about this run.
    pub run: Run,
    /// What its jobs hand to one another.
    pub artifacts: Artifacts,
    /// What cancels this run, and no other.
    pub interrupt: Interrupt,
    /// The concurrency group that it holds, if any.
    pub group: Option<String>,
    finished: Mutex<Vec<(String, JobResult)>>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub result: &'static str,
    /// The outputs that it hands on.
    pub outputs: Vec<(String, String)>,
}

impl<'a> WorkflowRun<'a> {
    /// A run in which no job has finished except these, in an earlier attempt.
    pub fn new(
        at: usize,
        workflow: &'a Workflow,
        run: Run,
        artifacts: Artifacts,
        interrupt: Interrupt,
        finished: Vec<(String, JobResult)>,
    ) -> Self {
        Self {
            at,
            workflow,
            run,
            artifacts,
            interrupt,
            group: None,
            finished: Mutex::new(finished),
        }
    }

    fn finished(&self) -> MutexGuard<'_, Vec<(String, JobResult)>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records how a job ended.
    pub fn finish(&self, job: &Job, result: JobResult) {
        self.finished().push((job.id.clone(), result));
    }

    /// Whether a job has finished.
    pub fn has_finished(&self, job: &str) -> bool {
        self.finished().iter().any(|(id, _)| id == job)
    }

    /// Whether no job is left to run.
    pub fn is_over(&self) -> bool {
        let mut jobs = self.workflow.jobs.iter();
        jobs.all(|job| self.has_finished(&job.id))
    }

    /// The jobs that have finished, and what became of them, in the order of the file.
    pub fn results(&self) -> Vec<(String, JobResult)> {
        let jobs = &self.workflow.jobs;
        let mut finished = self.finished().clone();
        finished.sort_by_key(|(id, _)| jobs.iter().position(|job| job.id == *id));
        finished
    }

    /// Where a job stands in the order of everything that is rehearsed.
    pub fn place_of(&self, job: &Job) -> (usize, usize) {
        let mut jobs = self.workflow.jobs.iter();
        let at = jobs.position(|known| known.id == job.id);
        (self.at, at.unwrap_or_default())
    }

    /// One of its jobs as a rehearsal prints it: the workflow's file name and the job's key, such as `build/test`.
    pub fn name_of(&self, job: &Job) -> String {
        format!("{}/{}", self.workflow.stem(), job.id)
    }

    /// Where one of its jobs prints.
    pub fn console_of(&self, job: &Job, console: &Console, width: usize) -> Console {
        console.of(&self.name_of(job), width)
    }

    /// How a job ended, in GitHub's word.
    pub fn result(&self, job: &str) -> &'static str {
        self.finished()
            .iter()
            .find(|(id, _)| id == job)
            .map_or("skipped", |(_, job)| job.result)
    }

    /// What the status functions of a job's `if:` return. GitHub considers every job before this one, not only the
    /// ones that it needs itself: a job that was skipped long before makes `success()` false.
    pub fn status(&self, job: &Job, cancelled: bool) -> Status {
        let results: Vec<&str> = order::ancestors(&self.workflow.jobs, job)
            .into_iter()
            .map(|ancestor| self.result(ancestor))
            .collect();
        Status {
            success: !cancelled && results.iter().all(|result| *result == "success"),
            failure: !cancelled && results.contains(&"failure"),
            cancelled,
        }
    }

    /// The `needs` context of a job: the jobs it names itself.
    pub fn needs(&self, job: &Job) -> Value {
        let finished = self.finished();
        let direct = finished.iter().filter(|(id, _)| job.needs.contains(id));
        Value::object(direct.map(|(id, job)| {
            let entries = [
                ("result", Value::String(job.result.into())),
                ("outputs", Value::strings(job.outputs.iter().cloned())),
            ];
            (id.clone(), Value::object(entries))
        }))
    }
}
