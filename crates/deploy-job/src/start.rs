//! `deploy-job start`: one run of the job at one commit, unless there is one already.

use std::collections::HashSet;
use std::time::Duration;

use domino_core::api::jobs::{ExecutionStatus, Job as Run, JobId};
use domino_core::api::projects::Project;
use domino_core::approval::{Approval, Ask};
use domino_core::client::Writer;
use domino_core::commit::Commit;
use domino_core::deployment::Deployment;
use domino_core::deployment_marker::{DeploymentMarker, EntityMarker};
use domino_core::error::{Context as _, Result};
use domino_core::job_run::{
    Follow, Interruption, NewRun, OwnRuns, Requested, Search, describe, link,
};
use domino_core::older_commit::OrderNotes;
use domino_core::place::ResolvedPlacement;
use domino_core::receipt::ReceiptKind;
use domino_core::receipt_before::{ReceiptBefore, WantedBefore};
use domino_core::revision::{RevisionBefore, hand_on};
use domino_core::step::{
    ChangeKind, Interrupts, Plan, Step, StepContext, StepFlags, StepResult, duration, ticked,
};
use stage_file::{Job, Kind};

use crate::again::Again;
use crate::ended::result_of;
use crate::left::{LeftRun, earlier_runs, left_among};
use crate::own_run::{Reusable, Reuse};
use crate::run::{cannot, deployed_here, words};

/// `deploy-job start`.
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    pub(crate) job: String,
    /// The commit to run: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Leave a run alone that goes on and may be ours, and start one beside it
    #[arg(long)]
    pub(crate) beside: bool,
    /// Run a commit again although a newer one has been run since; asked only when a workflow run is run again
    #[arg(long, env = "DEPLOY_BACK", value_parser = ticked)]
    pub(crate) back: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait for the run to end, as with `wait = false` in stages.toml: its commit is checked where the reply tells it, its hardware tier, its
    /// compute environment and how it ends are not
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait for the run to end [default: the job's `timeout` in stages.toml, else 1h]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Leave the run going when this program is interrupted
    #[arg(long)]
    pub(crate) keep_running: bool,
    #[command(flatten)]
    pub(crate) revision: RevisionBefore,
    #[command(flatten)]
    pub(crate) receipt: ReceiptBefore,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// What will be done.
struct StartPlan<'a> {
    job: &'a Job,
    marker: DeploymentMarker,
    project: Project,
    place: ResolvedPlacement,
    order: OrderNotes,
    /// What to say if another revision of the environment runs than in the stage before.
    other_revision: Option<String>,
    reusable: Option<Reusable>,
    /// The earlier runs with this marker, which this start cannot have started.
    earlier: HashSet<JobId>,
    /// The newest of them, if somebody stopped it.
    stopped: Option<u64>,
    /// Earlier runs that no step followed to their end.
    left: Vec<LeftRun<'a>>,
    /// The number of the newest run of the project.
    newest: u64,
    context: &'a StepContext,
}

/// Starts the run and follows it, or follows one that already runs.
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
    let before = WantedBefore {
        of: (Kind::Job, &args.job),
        commit: planned.marker.commit.as_str(),
        version: None,
    };
    let passed = args.receipt.passed(context, before).await?;
    let mut view = planned.view(context);
    approval.describe(&mut view);
    passed.describe(&mut view);
    step.show(&view);
    for warning in planned.order.warning.iter().chain(&planned.other_revision) {
        step.warn(warning, None);
    }
    planned
        .left
        .iter()
        .for_each(|left| left.warn(step, context));
    let deployment = Deployment {
        context,
        kind: ReceiptKind::Job,
        commit: planned.marker.commit.as_str(),
        place: Some(&planned.place),
        version: None,
    };
    step.deploys(deployment.draft(&approval, &passed));
    // A step that fails before there is a run has no commit to report.
    if args.dry_run || planned.reusable.is_some() {
        step.report.output("commit", planned.marker.commit.as_str());
    }
    if let Some(Reusable { run, .. }) = &planned.reusable {
        describe(&mut step.report, context, &planned.project, run);
        if run.statuses.is_completed {
            // The next stage is told what the job ran in; if Domino does not tell, the job still succeeded.
            if let Ok(got) = context.connection.reader().job_runtime(&run.id).await {
                hand_on(
                    &mut step.report,
                    got.environment.environment_revision_id.as_deref(),
                );
            }
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
        approved
            .and_then(|()| passed.require(step))
            .with_context(|| cannot("start", &args.job, &context.stage))?;
    }
    let writer = context.connection.writer();
    planned
        .apply(step, &mut interrupts, context, args, &writer)
        .await
}

/// Reads what is needed to decide: three requests side by side after the one that finds the project.
async fn plan<'a>(context: &'a StepContext, args: &StartArgs) -> Result<StartPlan<'a>> {
    let job = deployed_here(context, &args.job)?;
    let commit = Commit::wanted(args.commit.as_deref())?;
    let of = EntityMarker::new(&context.stage.name, &job.name);
    let marker = DeploymentMarker::new(of, &commit);
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, &context.file, &context.stage).await?;
    let target = context.file.target(Kind::Job, &job.name, &context.stage);
    let search = Search {
        context,
        command: &job.command,
        marker: &marker,
        project: &project,
    };
    let (mut place, mut found, again, left) = tokio::try_join!(
        ResolvedPlacement::find(
            &reader,
            &context.file,
            &context.stage,
            Kind::Job,
            &project,
            &target
        ),
        async { Ok(search.find(&reader).await?) },
        Again::ask(context, &project, &marker),
        earlier_runs(context, &project, job),
    )?;
    let StepContext { file, stage, .. } = context;
    let of = (Kind::Job, job.name.as_str());
    let other_revision = args.revision.settle(&mut place, file, stage, of)?;
    let reusable = Reuse { job, search }
        .reusable(&reader, &found, &place, args.beside)
        .await?;
    let (reusable, order) = again
        .reusable_run(context, &marker, reusable, args.back)
        .await?;
    let earlier = found.marked.iter().map(|run| run.id.clone()).collect();
    let (stopped, newest) = (stopped(&found), found.newest);
    let known = found.marked.drain(..).chain(found.alike.drain(..));
    let known = known.chain(found.others.drain(..)).chain(left);
    let is_reused = |run: &Run| {
        let reused = reusable.as_ref();
        reused.is_some_and(|reusable| reusable.run.id == run.id)
    };
    let known = known.filter(|run| !is_reused(run));
    let left = left_among(known, job, stage, reader.now());
    Ok(StartPlan {
        job,
        project: project.clone(),
        place,
        order,
        other_revision,
        reusable,
        earlier,
        stopped,
        left,
        newest,
        context,
        marker,
    })
}

/// The newest run with the marker, if somebody stopped it.
fn stopped(found: &OwnRuns) -> Option<u64> {
    let newest = found.marked.iter().max_by_key(|run| run.number)?;
    let stopped = newest.statuses.execution_status == ExecutionStatus::Stopped;
    stopped.then_some(newest.number)
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
        let stage = &context.stage;
        let words = words("start", &args.job, stage);
        let interruption = Interruption {
            context,
            project: &self.project,
            writer,
            words: &words,
            keep_running: args.keep_running,
        };
        let requested = Requested {
            writer,
            project: &self.project,
            place: &self.place,
            commit: &self.marker.commit,
        };
        let run = match &self.reusable {
            Some(reusable) => reusable.run.clone(),
            None => {
                let new = NewRun {
                    search: self.search(),
                    title: &self.job.title,
                    place: &self.place,
                    earlier: &self.earlier,
                    newest: self.newest,
                    beside: args.beside,
                };
                new.start(step, interrupts, &interruption).await?
            }
        };
        step.report.output("commit", self.marker.commit.as_str());
        describe(&mut step.report, context, &self.project, &run);
        step.say(&format!(
            "run {} of job `{}`: {}",
            run.number,
            args.job,
            link(context, &self.project, &run.id)
        ));
        if args.no_wait || !self.job.waits(stage) {
            requested.verify_commit(&run).await?;
            let (job, number) = (&args.job, run.number);
            let stage = &stage.name;
            step.report.next = Some(format!("deploy-job follow {job} --stage {stage}"));
            return Ok(match self.reusable {
                None => StepResult::done(format!(
                    "started job `{job}` as run {number}; it is not waited for"
                )),
                Some(_) => StepResult::unchanged(format!(
                    "run {number} of job `{job}` goes on; it is not waited for"
                )),
            });
        }
        let follow = Follow {
            context,
            project: &self.project,
            words: &words,
            requested: Some(requested),
            interruption: Some(interruption),
            timeout: args
                .timeout
                .unwrap_or_else(|| self.job.timeout(&context.stage)),
        };
        let followed = follow.to_its_end(step, interrupts, run).await?;
        result_of(step, context, &args.job, &followed)
    }

    fn search(&self) -> Search<'_> {
        Search {
            context: self.context,
            command: &self.job.command,
            marker: &self.marker,
            project: &self.project,
        }
    }

    fn view(&self, context: &StepContext) -> Plan {
        let stage = &context.stage.name;
        let name = &self.job.name;
        let mut plan = match self.reusable.as_ref().map(|reusable| &reusable.run) {
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
        if let Some(order) = &self.order.fact {
            plan.fact("order", order);
        }
        plan.fact("command", &self.job.command);
        self.place.describe(&mut plan);
        plan.fact("key", self.marker.to_string());
        for left in self.left.iter().filter(|left| left.is_well()) {
            plan.fact("earlier run", left.in_words());
        }
        if let (None, Some(number)) = (&self.reusable, self.stopped) {
            plan.fact("before", format!("run {number} ended as `Stopped`"));
        }
        match &self.reusable {
            None => plan.change(
                ChangeKind::Create,
                format!("a run of `{}`", self.job.command),
            ),
            Some(Reusable { run, because }) => {
                let because = because
                    .as_ref()
                    .map_or_else(String::new, |why| format!(", {why}"));
                plan.change(ChangeKind::Keep, format!("run {}{because}", run.number))
            }
        };
        plan
    }
}
