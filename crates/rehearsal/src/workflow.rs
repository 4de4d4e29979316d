//! A workflow from its first job to its last, one job after the other, each once those it needs are finished.
//!
//! GitHub runs independent jobs side by side; here they take turns, which no job can tell.

use std::path::PathBuf;

use github_workflow::read::Workflow;

use crate::artifacts::Artifacts;
use crate::console::Look;
use crate::github::Run;
use crate::job;
use crate::order;
use crate::report::Outcome;
use crate::runner::Runner;
use crate::workflow_run::{JobResult, WorkflowRun};

/// Runs a workflow. What comes back is each job's id and its result.
///
/// # Errors
/// When this machine does not let it: a folder that cannot be made. What fails in a job is no error here.
pub fn run(
    runner: &Runner,
    workflow: &Workflow,
    run: Run,
    artifacts: PathBuf,
) -> anyhow::Result<Vec<(String, JobResult)>> {
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
    let mut workflow_run = WorkflowRun {
        workflow,
        run,
        artifacts: Artifacts::new(artifacts),
        finished: Vec::new(),
    };
    let order = order::of(&workflow.jobs).map_err(anyhow::Error::msg)?;
    for at in order {
        let job = &workflow.jobs[at];
        let result = job::run(runner, &mut workflow_run, job)?;
        workflow_run.finished.push((job.id.clone(), result));
    }
    Ok(workflow_run.finished)
}

/// Notes a workflow that an interrupt kept from beginning, so that the rehearsal does not end as a success.
pub fn not_begun(runner: &Runner, workflow: &Workflow) {
    for job in &workflow.jobs {
        runner.add_job_row(workflow, job, Outcome::Cancelled);
    }
}
