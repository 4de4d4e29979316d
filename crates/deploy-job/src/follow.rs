//! `deploy-job follow`: follows the runs that no step waited for to their end. It only reads: a signal leaves the
//! runs alone, and their hardware tier and environment are not checked.

use std::time::{Duration, Instant};

use domino_core::api::GitRef;
use domino_core::api::projects::Project;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::job_run::{Follow, is_of, is_over, link};
use domino_core::step::{Interrupts, Step, StepContext, StepFlags, StepResult, Table, duration};
use stage_file::Job;

use crate::ended::result_of;
use crate::left::{LeftRun, left_among, runs_of};
use crate::run::{deployed_here, words};

/// Even if the time is up, each run is given this long for a look.
const SHORTEST: Duration = Duration::from_secs(10);

/// `deploy-job follow`.
#[derive(Debug, clap::Args)]
pub(crate) struct FollowArgs {
    /// The job, as in `[job.<name>]` of stages.toml; when not given, every job of the stage
    pub(crate) job: Option<String>,
    /// How long to follow them. A run that goes on then is fine while it has time left by its job's `timeout`
    #[arg(long, value_name = "TIME", default_value = "5h", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Follows the runs that were left, one after the other: those that end meanwhile need no more waiting.
pub(crate) async fn follow(
    step: &mut Step,
    context: &StepContext,
    args: &FollowArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let (project, left) = tokio::select! {
        found = find_left(context, args) => found?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let what = match &args.job {
        Some(job) => format!("job `{job}`"),
        None => "any job".to_owned(),
    };
    if left.is_empty() {
        return Ok(StepResult::unchanged(format!(
            "no run of {what} was left in stage `{}`",
            context.stage.name
        )));
    }
    let until = Instant::now() + args.timeout;
    let (mut well, mut errors) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    let count = left.len();
    for mut left in left {
        let followed = follow_one(step, &mut interrupts, context, &project, &mut left, until).await;
        rows.push(row(context, &project, &left));
        match followed {
            Ok(told) => well.push(told),
            Err(error) if is_interrupted(&error) => return Err(error),
            Err(error) => errors.push(error),
        }
    }
    step.report.table = Some(Table {
        columns: vec!["job", "run", "commit", "status", "link"],
        rows,
    });
    let failed = errors.len();
    let worst = errors
        .into_iter()
        .min_by_key(|error| error.exit() != Exit::Failed);
    match worst {
        None => Ok(StepResult::done(well.join("; "))),
        Some(error) if count == 1 => Err(error),
        Some(error) => {
            let text = format!("{failed} of {count} runs that were left are not well");
            let exit = error.exit();
            Err(error.context(CommandError::new(exit, text)))
        }
    }
}

/// The runs that were left and have not succeeded: of each job the newest run, and those that have not ended.
async fn find_left<'a>(
    context: &'a StepContext,
    args: &FollowArgs,
) -> Result<(Project, Vec<LeftRun<'a>>)> {
    let StepContext { file, stage, .. } = context;
    let jobs: Vec<&Job> = match &args.job {
        Some(name) => vec![deployed_here(context, name)?],
        None => file.jobs_of(stage).collect(),
    };
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, file, stage).await?;
    let runs = runs_of(&reader, &project.id, stage, &jobs).await?;
    let mut all = Vec::new();
    for job in jobs.into_iter().filter(|job| job.schedule.is_none()) {
        let marker = EntityMarker::new(&stage.name, &job.name);
        let own = runs.iter().filter(|run| is_of(run, &marker));
        let newest = own.clone().map(|run| run.number).max();
        let left = left_among(own.cloned(), job, stage, reader.now());
        all.extend(left.into_iter().filter(|left| {
            !left.succeeded() && (!is_over(&left.run) || Some(left.run.number) == newest)
        }));
    }
    // A run that has ended needs no time.
    all.sort_by_key(|left| !is_over(&left.run));
    Ok((project, all))
}

/// Follows one run, and returns its status if it is well: a run that has not ended when the time is up may be well.
async fn follow_one(
    step: &mut Step,
    interrupts: &mut Interrupts,
    context: &StepContext,
    project: &Project,
    left: &mut LeftRun<'_>,
    until: Instant,
) -> Result<String> {
    step.say(&left.in_words());
    let (job, stage) = (&left.job.name, &context.stage);
    let words = words("follow", job, stage);
    let follow = Follow {
        context,
        project,
        words: &words,
        requested: None,
        interruption: None,
        timeout: until
            .saturating_duration_since(Instant::now())
            .max(SHORTEST),
    };
    let followed = follow
        .to_its_end(step, interrupts, left.run.clone())
        .await
        .and_then(|followed| result_of(step, context, job, &followed));
    let reader = context.connection.reader();
    if let Ok(Some(now)) = reader.job(&left.run.id).await {
        left.update(now, reader.now());
    }
    match followed {
        Err(error) if error.exit() == Exit::Unsettled && left.is_well() => Ok(left.in_words()),
        followed => followed.map(|followed| followed.headline),
    }
}

fn is_interrupted(error: &CommandError) -> bool {
    matches!(error.exit(), Exit::Interrupted | Exit::Terminated)
}

fn row(context: &StepContext, project: &Project, left: &LeftRun<'_>) -> Vec<String> {
    let run = &left.run;
    let commit = match &run.main_repo_git_ref {
        Some(GitRef::Commit(commit)) => commit.clone(),
        other => other.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    vec![
        left.job.name.clone(),
        run.number.to_string(),
        commit,
        run.statuses.execution_status.word().to_owned(),
        link(context, project, &run.id),
    ]
}
