//! `deploy-job status`: how the newest run stands. The exit code says it as well.

use domino_core::api::jobs::ExecutionStatus;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Step, StepContext, StepFlags, StepResult};

use crate::over::is_over;
use crate::report::describe;
use crate::run::{find, no_run};

/// `deploy-job status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    pub(crate) job: String,
    /// One run by its id in Domino, in place of the newest
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Shows the newest run. Its exit code says how that one stands.
pub(crate) async fn status(
    step: &mut Step,
    context: &StepContext,
    args: &StatusArgs,
) -> Result<StepResult> {
    let (project, run) = find(context, &args.job, args.id.as_deref(), |_| true).await?;
    let Some(run) = run else {
        return Err(no_run(context, &args.job));
    };
    describe(&mut step.report, context, &project, &run);
    if let Some(git_ref) = &run.main_repo_git_ref {
        step.report.fact("commit", git_ref.to_string());
    }
    let word = run.statuses.execution_status.word();
    let text = format!(
        "run {} of job `{}` in stage `{}` is `{word}`",
        run.number, args.job, context.stage.name
    );
    if !is_over(&run) {
        return Err(CommandError::new(Exit::Unsettled, text));
    }
    match run.statuses.execution_status {
        ExecutionStatus::Succeeded => Ok(StepResult::unchanged(text)),
        _ => Err(CommandError::failed(text)),
    }
}
