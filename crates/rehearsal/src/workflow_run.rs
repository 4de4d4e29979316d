//! One run of one workflow, as its jobs see it: what finished before them, and what it handed on.
//!
//! It runs nothing; that is `workflow.rs`'s.

use crate::artifacts::Artifacts;
use crate::github::Run;
use crate::order;
use github_workflow::evaluate::Status;
use github_workflow::read::{Job, Workflow};
use github_workflow::value::Value;

/// A workflow that runs.
pub struct WorkflowRun<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// What GitHub says about this run.
    pub run: Run,
    /// What its jobs hand to one another.
    pub artifacts: Artifacts,
    /// The jobs that have finished, and what became of them.
    pub finished: Vec<(String, JobResult)>,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub result: &'static str,
    /// What it hands on.
    pub outputs: Vec<(String, String)>,
}

impl WorkflowRun<'_> {
    /// What became of a job.
    pub fn result(&self, job: &str) -> &'static str {
        self.finished
            .iter()
            .find(|(id, _)| id == job)
            .map_or("skipped", |(_, job)| job.result)
    }

    /// What the status functions of a job's `if:` answer. GitHub looks at everything before the job, not only at what
    /// it needs itself: a job that was skipped long before makes `success()` false.
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
        let direct = self
            .finished
            .iter()
            .filter(|(id, _)| job.needs.contains(id));
        Value::object(direct.map(|(id, job)| {
            let entries = [
                ("result", Value::String(job.result.into())),
                ("outputs", Value::strings(job.outputs.iter().cloned())),
            ];
            (id.clone(), Value::object(entries))
        }))
    }
}
