//! `deploy-job start`: one run of the job at one commit, unless it has one already.

use std::collections::HashSet;
use std::time::Duration;

use domino_core::api::GitRef;
use domino_core::api::jobs::{ExecutionStatus, Job as Run, JobId, NewJob};
use domino_core::api::projects::Project;
use domino_core::approval::{Approval, Ask};
use domino_core::client::{ApiError, Reader, Writer, Written, write_once};
use domino_core::commit::Commit;
use domino_core::deployment_marker::{DeploymentMarker, EntityMarker};
use domino_core::error::{Context as _, Result};
use domino_core::place::ResolvedPlacement;
use domino_core::step::{
    ChangeKind, Interrupts, Plan, Step, StepContext, StepFlags, StepResult, Through, duration,
};
use stage_file::{Job, Kind};

use crate::follow::Follow;
use crate::interrupted::Interruption;
use crate::report::{describe, link};
use crate::run::cannot;
use crate::verify_run::Requested;

/// GitHub ends a workflow run after 35 days, so that no run of ours with its id is older.
const LONGEST_WORKFLOW_RUN: i64 = 36 * 24 * 3600 * 1000;

/// `deploy-job start`.
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    pub(crate) job: String,
    /// The commit to run: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait for the run to end: its commit is checked where the reply tells it, its hardware tier, its
    /// compute environment and how it ends are not
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait for the run to end
    #[arg(long, value_name = "TIME", default_value = "60m", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Leave the run going when this program is interrupted
    #[arg(long)]
    pub(crate) keep_running: bool,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// What will be done.
struct StartPlan<'a> {
    job: &'a Job,
    marker: DeploymentMarker,
    project: Project,
    place: ResolvedPlacement,
    reusable: Option<Run>,
    /// All earlier runs with this marker: none of them was started by a start whose reply was lost.
    earlier: HashSet<JobId>,
}

/// Starts the run and follows it, or follows the one that runs already.
pub(crate) async fn start(
    step: &mut Step,
    context: &StepContext,
    args: &StartArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let (planned, approval) = tokio::select! {
        planned = Approval::beside(plan(context, args), context, Ask::unless(args.dry_run)) => planned.with_context(|| cannot("start", &args.job, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let mut view = planned.view(context);
    approval.describe(&mut view);
    step.show(&view);
    step.report.output("commit", planned.marker.commit.as_str());
    if let Some(run) = &planned.reusable {
        describe(&mut step.report, context, &planned.project, run);
        if run.statuses.is_completed {
            return Ok(StepResult::unchanged(format!(
                "job `{}` succeeded already in this workflow run",
                args.job
            )));
        }
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    if planned.reusable.is_none() {
        let approved = approval.require(step, context);
        approved.with_context(|| cannot("start", &args.job, &context.stage))?;
    }
    let writer = context.connection.writer();
    planned
        .apply(step, &mut interrupts, context, args, &writer)
        .await
}

/// Reads what is needed to decide: three requests side by side after the one that finds the project.
async fn plan<'a>(context: &'a StepContext, args: &StartArgs) -> Result<StartPlan<'a>> {
    let job = context.file.job(&args.job)?;
    let commit = Commit::wanted(args.commit.as_deref())?;
    let of = EntityMarker::new(&context.stage.name, &job.name);
    let marker = DeploymentMarker::new(of, &commit);
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, &context.file, &context.stage).await?;
    let target = context.file.target(Kind::Job, &job.name, &context.stage);
    let (place, earlier) = tokio::try_join!(
        ResolvedPlacement::find(
            &reader,
            &context.file,
            &context.stage,
            Kind::Job,
            &project,
            &target
        ),
        async { Ok(earlier(&reader, &project, &marker).await?) },
    )?;
    let ids = earlier.iter().map(|run| run.id.clone()).collect();
    let reusable = reusable_run(earlier, &marker);
    Ok(StartPlan {
        job,
        marker,
        project,
        place,
        reusable,
        earlier: ids,
    })
}

/// The runs with exactly this marker that run exactly its commit.
async fn earlier(
    reader: &Reader,
    project: &Project,
    marker: &DeploymentMarker,
) -> Result<Vec<Run>, ApiError> {
    let since = jiff::Timestamp::now().as_millisecond() - LONGEST_WORKFLOW_RUN;
    let is_ours = |run: &Run| {
        let git_ref = run.main_repo_git_ref.as_ref();
        run.title.as_deref().is_some_and(|title| marker.ends(title))
            && git_ref.is_none_or(|git_ref| git_ref.is(&marker.commit))
    };
    reader.jobs(&project.id, since, is_ours).await
}

/// The run in place of a new one: one that still goes on, or one that succeeded for this workflow run.
fn reusable_run(runs: Vec<Run>, marker: &DeploymentMarker) -> Option<Run> {
    let (going, over): (Vec<Run>, Vec<Run>) =
        runs.into_iter().partition(|run| !run.statuses.is_completed);
    let succeeded = |run: &Run| run.statuses.execution_status == ExecutionStatus::Succeeded;
    going.into_iter().next().or_else(|| {
        over.into_iter()
            .find(|run| marker.workflow_run.is_some() && succeeded(run))
    })
}

impl StartPlan<'_> {
    /// Starts the run, unless one is reused, and follows it.
    async fn apply(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        context: &StepContext,
        args: &StartArgs,
        writer: &Writer,
    ) -> Result<StepResult> {
        let interruption = Interruption {
            context,
            project: &self.project,
            writer,
            job: &args.job,
            keep_running: args.keep_running,
        };
        let requested = Requested {
            writer,
            project: &self.project,
            place: &self.place,
            commit: &self.marker.commit,
        };
        let run = match &self.reusable {
            Some(run) => run.clone(),
            None => match interrupts.finish(self.launch(writer)).await {
                Through::Completed(written) => {
                    let written =
                        written.with_context(|| cannot("start", &args.job, &context.stage))?;
                    if let Written::Recovered(run) = &written {
                        let text = format!(
                            "the reply to the start was lost; Domino has started it as run {}",
                            run.number
                        );
                        step.warn(&text, None);
                    }
                    written.into_inner()
                }
                Through::Interrupted(signal, written) => {
                    let started = written.map(|written| written.map(Written::into_inner));
                    return interruption
                        .at_the_start(step, interrupts, signal, started)
                        .await;
                }
            },
        };
        describe(&mut step.report, context, &self.project, &run);
        step.say(&format!(
            "run {} of job `{}`: {}",
            run.number,
            args.job,
            link(context, &self.project, &run.id)
        ));
        if args.no_wait {
            requested.verify_commit(&run).await?;
            return Ok(StepResult::done(format!(
                "started job `{}` as run {}; it is not waited for",
                args.job, run.number
            )));
        }
        let follow = Follow {
            context,
            job: &args.job,
            requested,
            interruption,
            timeout: args.timeout,
        };
        follow.apply(step, interrupts, run).await
    }

    /// Starts the run; where the reply is lost, the run is looked for among those that did not exist before.
    async fn launch(&self, writer: &Writer) -> Result<Written<Run>, ApiError> {
        let new = self.new_job();
        let reader = writer.reader();
        write_once(
            reader.delay_scale(),
            async || writer.start_job(&new).await,
            async || {
                let runs = earlier(&reader, &self.project, &self.marker).await?;
                Ok(runs.into_iter().find(|run| !self.earlier.contains(&run.id)))
            },
        )
        .await
    }

    fn new_job(&self) -> NewJob {
        let (environment_id, environment_revision_spec) = match &self.place.environment {
            Some((environment, revision)) => (Some(environment.id.clone()), Some(revision.clone())),
            None => (None, None),
        };
        NewJob {
            project_id: self.project.id.clone(),
            command_to_run: self.job.command.clone(),
            title: format!("{} {}", self.job.title, self.marker),
            main_repo_git_ref: GitRef::commit(&self.marker.commit),
            override_hardware_tier_id: self.place.tier.as_ref().map(|tier| tier.id.clone()),
            environment_id,
            environment_revision_spec,
        }
    }

    fn view(&self, context: &StepContext) -> Plan {
        let stage = &context.stage.name;
        let name = &self.job.name;
        let mut plan = match &self.reusable {
            None => Plan::new(format!("start job `{name}` in stage `{stage}`")),
            Some(run) if run.statuses.is_completed => Plan::new(format!(
                "job `{name}` in stage `{stage}` is done: run {} succeeded",
                run.number
            )),
            Some(run) => Plan::new(format!(
                "follow run {} of job `{name}` in stage `{stage}`, which goes on",
                run.number
            )),
        };
        plan.fact(
            "project",
            format!(
                "{} on {}",
                self.project.name,
                context.connection.host().as_str()
            ),
        );
        plan.fact("commit", self.marker.commit.as_str());
        plan.fact("command", &self.job.command);
        self.place.describe(&mut plan);
        plan.fact("key", self.marker.to_string());
        match &self.reusable {
            None => plan.change(
                ChangeKind::Create,
                format!("a run of `{}`", self.job.command),
            ),
            Some(run) => plan.change(ChangeKind::Keep, format!("run {}", run.number)),
        };
        plan
    }
}
