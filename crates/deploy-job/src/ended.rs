//! How a run of a job ended.

use domino_core::api::jobs::ExecutionStatus;
use domino_core::error::{CommandError, Result};
use domino_core::job_run::Followed;
use domino_core::step::{Step, StepContext, StepResult};

/// Green only if Domino says `Succeeded`.
pub(crate) fn result_of(
    step: &mut Step,
    context: &StepContext,
    job: &str,
    followed: &Followed,
) -> Result<StepResult> {
    let (run, stage) = (&followed.run, &context.stage.name);
    let status = &run.statuses.execution_status;
    if *status == ExecutionStatus::Succeeded {
        return Ok(StepResult::done(format!(
            "job `{job}` succeeded as run {}",
            run.number
        )));
    }
    step.report.next = Some(format!(
        "deploy-job logs {job} --stage {stage} --id {}",
        run.id
    ));
    let failure = CommandError::failed(format!(
        "run {} of job `{job}` ended as `{}`",
        run.number,
        status.word()
    ))
    .hint("the run's log says why; correct the code or the job and push, or run this again")
    .at(&context.file, &["job", job, "command"]);
    Err(followed.failure(step, failure))
}
