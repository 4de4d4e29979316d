//! One run of one workflow: its jobs one after the other, each once those it needs are through.
//!
//! GitHub runs independent jobs side by side; here they take turns, which no job can tell.

use std::path::PathBuf;

use super::artifacts::Artifacts;
use super::console::Look;
use super::github::Run;
use super::job;
use super::order;
use super::report::Outcome;
use super::runner::Runner;
use github_workflow::evaluate::Status;
use github_workflow::read::{Job, Workflow};
use github_workflow::value::Value;

/// A workflow that runs.
pub struct Pipeline<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// What GitHub says about this run.
    pub run: Run,
    /// What its jobs hand to one another.
    pub artifacts: Artifacts,
    /// The jobs that are through, and what became of them.
    pub done: Vec<(String, Done)>,
}

/// A job that is through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub result: &'static str,
    /// What it hands on.
    pub outputs: Vec<(String, String)>,
}

impl Done {
    /// A job that did not run.
    pub fn skipped() -> Self {
        Self {
            result: "skipped",
            outputs: Vec::new(),
        }
    }
}

/// Runs a workflow.
///
/// # Errors
/// When this machine does not let it: a folder that cannot be made. What fails in a job is no error here.
pub fn run(
    runner: &Runner,
    workflow: &Workflow,
    run: Run,
    artifacts: PathBuf,
) -> anyhow::Result<Vec<(String, Done)>> {
    runner.console.blank();
    runner.console.line(
        Look::Bold,
        &format!(
            "━━ {} ({}), run {} by {}",
            run.workflow,
            workflow.file,
            run.id,
            runner.github.event_name()
        ),
    );
    let mut pipeline = Pipeline {
        workflow,
        run,
        artifacts: Artifacts::new(artifacts),
        done: Vec::new(),
    };
    let order = order::of(&workflow.jobs).map_err(anyhow::Error::msg)?;
    for at in order {
        let job = &workflow.jobs[at];
        let done = job::run(runner, &mut pipeline, job)?;
        pipeline.done.push((job.id.clone(), done));
    }
    Ok(pipeline.done)
}

/// Notes a workflow that an interrupt kept from beginning, so that the rehearsal does not end as a success.
pub fn not_begun(runner: &Runner, workflow: &Workflow) {
    for job in &workflow.jobs {
        job::add_row(runner, workflow, job, Outcome::Cancelled);
    }
}

impl Pipeline<'_> {
    /// What became of a job.
    pub fn result(&self, job: &str) -> &'static str {
        self.done
            .iter()
            .find(|(id, _)| id == job)
            .map_or("skipped", |(_, done)| done.result)
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
        let direct = self.done.iter().filter(|(id, _)| job.needs.contains(id));
        Value::object(direct.map(|(id, done)| {
            let entries = [
                ("result", Value::String(done.result.into())),
                ("outputs", Value::strings(done.outputs.iter().cloned())),
            ];
            (id.clone(), Value::object(entries))
        }))
    }
}
