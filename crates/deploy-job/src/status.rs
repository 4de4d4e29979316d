//! `deploy-job status`: the status of the newest run, and when a scheduled job runs next. The exit code says it too.

use domino_core::api::jobs::{ExecutionStatus, Job as Run};
use domino_core::api::projects::Project;
use domino_core::api::schedules::ScheduledJob;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::job_run::{describe, is_over};
use domino_core::step::{Step, StepContext, StepFlags, StepResult};
use stage_file::{Job, Schedule};

use crate::own_schedule::Ours;
use crate::plan_schedule::fires;
use crate::run::{Which, find, no_run};

/// `deploy-job status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    pub(crate) job: String,
    /// One run by its id in Domino, in place of the newest and of the schedule
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Shows the schedule, if the job has one, and the newest run. The exit code is that of the run's status.
pub(crate) async fn status(
    step: &mut Step,
    context: &StepContext,
    args: &StatusArgs,
) -> Result<StepResult> {
    let (project, run) = find(context, &args.job, args.id.as_deref(), Which::Newest).await?;
    let job = context.file.job(&args.job)?;
    let text = match &job.schedule {
        Some(schedule) if args.id.is_none() => {
            let scheduled = scheduled(context, job, &project).await?;
            Some(describe_schedule(
                step, context, job, schedule, &scheduled, &project,
            ))
        }
        _ => None,
    };
    match (run, text) {
        (Some(run), text) => evaluate(step, context, args, &project, &run, text),
        (None, Some(text)) => Ok(StepResult::unchanged(format!("{text}; it has no run yet"))),
        (None, None) => Err(no_run(context, &args.job)),
    }
}

/// The scheduled job in Domino that is ours.
async fn scheduled(context: &StepContext, job: &Job, project: &Project) -> Result<ScheduledJob> {
    let (file, stage) = (&context.file, &context.stage);
    let reader = context.connection.reader();
    let (all, user) = tokio::try_join!(reader.scheduled_jobs(&project.id), reader.own_user())?;
    let ours = Ours {
        file,
        stage,
        marker: &EntityMarker::new(&stage.name, &job.name),
        job: Some(job),
        user: Some(&user.id),
        beside: false,
    };
    ours.among(&all, project)?.ok_or_else(|| {
        let (job, stage) = (&job.name, &stage.name);
        CommandError::refused(format!("job `{job}` has no schedule in stage `{stage}`"))
            .hint(format!(
                "create it: deploy-job schedule {job} --stage {stage}"
            ))
            .at(file, &["job", job, "schedule"])
    })
}

/// Adds what Domino has of the schedule to the report, and returns it in one sentence.
fn describe_schedule(
    step: &mut Step,
    context: &StepContext,
    job: &Job,
    schedule: &Schedule,
    scheduled: &ScheduledJob,
    project: &Project,
) -> String {
    let definition = &scheduled.definition;
    let (cron, timezone) = (&definition.schedule.cron_string, &definition.timezone_id);
    let report = &mut step.report;
    report
        .fact("project", project.name.to_string())
        .fact(
            "scheduled job",
            format!("{} ({})", definition.title, scheduled.id),
        )
        .fact("schedule", format!("{cron} ({timezone})"));
    if let Some(git_ref) = &definition.main_repo_git_ref {
        report.fact("commit of its runs", git_ref.to_string());
    }
    let what = format!(
        "the schedule of job `{}` in stage `{}`",
        job.name, context.stage.name
    );
    if definition.is_paused {
        report.fact("next run", "none: it is paused");
        return format!("{what} is paused");
    }
    let next = fires(&Schedule {
        cron: cron.clone(),
        timezone: timezone.clone(),
        ..schedule.clone()
    });
    match next.first() {
        Some(first) => {
            report.fact("next runs", next.join(", "));
            format!("{what} fires next on {first}")
        }
        None => {
            report.fact("next run", "not known here");
            format!("{what} is `{cron}`, and when it fires next is not known here")
        }
    }
}

fn evaluate(
    step: &mut Step,
    context: &StepContext,
    args: &StatusArgs,
    project: &Project,
    run: &Run,
    schedule: Option<String>,
) -> Result<StepResult> {
    describe(&mut step.report, context, project, run);
    if let Some(git_ref) = &run.main_repo_git_ref {
        step.report.fact("commit", git_ref.to_string());
    }
    let word = run.statuses.execution_status.word();
    let before = schedule.map_or_else(String::new, |schedule| format!("{schedule}; "));
    let text = format!(
        "{before}run {} of job `{}` in stage `{}` is `{word}`",
        run.number, args.job, context.stage.name
    );
    if !is_over(run) {
        return Err(CommandError::new(Exit::Unsettled, text));
    }
    match run.statuses.execution_status {
        ExecutionStatus::Succeeded => Ok(StepResult::unchanged(text)),
        _ => Err(CommandError::failed(text)),
    }
}
