//! `deploy-job logs`: the log of the newest run, on stdout.

use domino_core::api::jobs::Job as Run;
use domino_core::api::projects::Project;
use domino_core::error::{CommandError, Result};
use domino_core::job_run::{LOG_GRACE, is_over, link};
use domino_core::step::{Interrupts, Step, StepContext, StepFlags, StepResult};
use domino_core::wait::{LogPrint, LogTail, LogWriter};

use crate::run::{Which, find, no_run};

/// `deploy-job logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    pub(crate) job: String,
    /// One run by its id in Domino, in place of the newest
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Go on until the run is over
    #[arg(short, long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Prints the log of the newest run: what it contains now, or until the run has ended.
pub(crate) async fn logs(
    step: &mut Step,
    context: &StepContext,
    args: &LogsArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let mut tail = LogTail::default();
    let (project, run) = tokio::select! {
        printed = print_log(step, context, args, &mut tail) => printed?,
        signal = interrupts.next() => {
            let text = format!("interrupted after {} lines", tail.lines());
            return Err(CommandError::new(signal.exit(), text));
        }
    };
    Ok(StepResult::unchanged(format!(
        "{} lines of run {}: {}",
        tail.lines(),
        run.number,
        link(context, &project, &run.id)
    )))
}

async fn print_log(
    step: &mut Step,
    context: &StepContext,
    args: &LogsArgs,
    tail: &mut LogTail,
) -> Result<(Project, Run)> {
    let (project, run) = find(context, &args.job, args.id.as_deref(), Which::Newest).await?;
    let run = run.ok_or_else(|| no_run(context, &args.job))?;
    step.report.output("id", run.id.as_str());
    let reader = context.connection.reader();
    let how = LogPrint {
        reader: &reader,
        follow: args.follow,
        writer: LogWriter::over_if(is_over(&run)),
        grace: LOG_GRACE,
    };
    tail.print(
        how,
        async || {
            let now = reader.job(&run.id).await?;
            Ok(LogWriter::over_if(now.is_none_or(|now| is_over(&now))))
        },
        async |from: &str, limit: usize| reader.job_log(&run.id, from, limit).await,
        |line: &str| step.log_to_stdout(line),
    )
    .await?;
    Ok((project, run))
}
