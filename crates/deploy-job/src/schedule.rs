//! `deploy-job schedule`: the scheduled job in Domino becomes what the stage file says; never a second one.

use domino_core::api::GitRef;
use domino_core::api::hardware_tiers::HardwareTierId;
use domino_core::api::projects::Project;
use domino_core::api::schedules::ScheduledJob;
use domino_core::approval::{Approval, Ask};
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::deployment::Deployment;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::hold::{Hold, HoldFlags, Moving};
use domino_core::older_commit::{OrderNotes, Running};
use domino_core::place::ResolvedPlacement;
use domino_core::receipt::ReceiptKind;
use domino_core::receipt_before::{Passed, ReceiptBefore, WantedBefore};
use domino_core::revision::RevisionBefore;
use domino_core::step::{
    Interrupts, Signal, Step, StepContext, StepFlags, StepResult, Through, ticked,
};
use stage_file::{Job, Kind, Schedule, StageFile};

use crate::apply_schedule::Applied;
use crate::own_schedule::Ours;
use crate::run::{cannot, deployed_here};
use crate::schedule_plan::{SchedulePlan, Wanted};
use crate::wanted_schedule::{Asked, Definition};

/// How many of the next start times are shown.
const FIRES: usize = 5;

/// `deploy-job schedule`.
#[derive(Debug, clap::Args)]
pub(crate) struct ScheduleArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    pub(crate) job: String,
    /// The commit that the scheduled runs use: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Delete the scheduled job; the job itself may be gone from stages.toml
    #[arg(long)]
    pub(crate) delete: bool,
    /// Deploy a commit although a newer one is deployed
    #[arg(long, env = "DEPLOY_BACK", value_parser = ticked)]
    pub(crate) back: bool,
    /// Pause it or let it fire as stages.toml says, although somebody decided otherwise in Domino
    #[arg(long = "put-back", env = "DEPLOY_PUT_BACK", value_parser = ticked)]
    pub(crate) as_file_says: bool,
    /// Leave a scheduled job alone that may be ours under another title, and go on beside it
    #[arg(long)]
    pub(crate) beside: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) hold: HoldFlags,
    #[command(flatten)]
    pub(crate) revision: RevisionBefore,
    #[command(flatten)]
    pub(crate) receipt: ReceiptBefore,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// How often a step may find that another one did the same first.
const ATTEMPTS: usize = 5;

/// Creates, updates or deletes the scheduled job, or leaves it as it is.
pub(crate) async fn schedule(
    step: &mut Step,
    context: &StepContext,
    args: &ScheduleArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    for _ in 0..ATTEMPTS {
        if let Some(result) = attempt(step, &mut interrupts, context, args).await? {
            return Ok(result);
        }
    }
    let job = &args.job;
    Err(CommandError::refused(format!(
        "another step creates the schedule of job `{job}` again and again; ours was taken back"
    ))
    .hint("run this again once the other one has ended"))
}

/// One attempt. `None` if another step did the same first, and ours was removed.
async fn attempt(
    step: &mut Step,
    interrupts: &mut Interrupts,
    context: &StepContext,
    args: &ScheduleArgs,
) -> Result<Option<StepResult>> {
    // A deletion deploys nothing that nobody has reviewed, and must not wait.
    let ask = match args.delete {
        true => Ask::Never,
        false => Ask::unless(args.dry_run),
    };
    let (planned, approval) = tokio::select! {
        planned = Approval::beside(plan(context, args), context, ask) => planned.with_context(|| cannot("schedule", &args.job, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    let passed = leave_receipt(step, context, args, &planned, &approval).await?;
    let mut view = planned.view(context, &args.job);
    approval.describe(&mut view);
    passed.describe(&mut view);
    step.show(&view);
    for warning in &planned.warnings {
        step.warn(warning, None);
    }
    planned.report_existing(step);
    let (job, stage) = (&args.job, &context.stage.name);
    if args.dry_run || planned.is_as_wanted() {
        planned.report_wanted(step);
    }
    if planned.is_as_wanted() {
        return Ok(Some(StepResult::unchanged(match planned.wanted {
            Some(_) => format!("the schedule of job `{job}` in stage `{stage}` is as wanted"),
            None if context.file.job(job).is_err() => format!(
                "job `{job}` has no schedule in stage `{stage}`, and is not in {}",
                context.file.path.display()
            ),
            None => format!("job `{job}` has no schedule in stage `{stage}`"),
        })));
    }
    if args.dry_run {
        return Ok(Some(StepResult::planned()));
    }
    let approved = approval.require(step, context);
    approved
        .and_then(|()| passed.require(step))
        .with_context(|| cannot("schedule", job, &context.stage))?;
    let applied = interrupts.finish(planned.apply(context)).await;
    let (signal, applied) = match completed(applied, job, stage) {
        Ok(completed) => completed,
        Err(error) => {
            planned.report_what_is(step, context).await;
            return Err(error);
        }
    };
    let text = tell(step, &planned, &applied, (job, stage));
    match signal {
        None if matches!(applied, Applied::Second(_)) => Ok(None),
        None => Ok(Some(StepResult::done(text))),
        Some(signal) => {
            let text = format!("interrupted after this was done: {text}");
            Err(CommandError::new(signal.exit(), text))
        }
    }
}

/// What was done, for the report and in a sentence.
fn tell(
    step: &mut Step,
    planned: &SchedulePlan,
    applied: &Applied,
    (job, stage): (&str, &str),
) -> String {
    match (applied, &planned.existing) {
        (Applied::Second(first), _) => {
            let text = format!(
                "another step was first with the same: scheduled job `{first}` stays, and ours was deleted again"
            );
            step.warn(&text, None);
            text
        }
        (Applied::Is(now), existing) => {
            planned.report_wanted(step);
            step.report.output("id", now.id.as_str());
            step.report.fact("scheduled job", now.id.as_str());
            let verb = if existing.is_some() {
                "updated"
            } else {
                "created"
            };
            format!("{verb} the schedule of job `{job}` in stage `{stage}`")
        }
        (Applied::Deleted, _) => format!("deleted the schedule of job `{job}` in stage `{stage}`"),
    }
}

/// Asks for the receipt of the stage before, and says of what there is to be one once it is done. What is taken away
/// passed nothing.
async fn leave_receipt(
    step: &mut Step,
    context: &StepContext,
    args: &ScheduleArgs,
    planned: &SchedulePlan,
    approval: &Approval,
) -> Result<Passed> {
    let of = |commit, place| Deployment {
        context,
        kind: ReceiptKind::Schedule,
        commit,
        place,
        version: None,
    };
    let Some(wanted) = &planned.wanted else {
        // What is deleted was perhaps of an older commit; that of the workflow run says who deleted it.
        if let Ok(commit) = Commit::wanted(None) {
            step.deploys(of(commit.as_str(), None).removal());
        }
        return Ok(Passed::NotAsked);
    };
    let commit = wanted.commit.as_str();
    let before = WantedBefore {
        of: (Kind::Job, &args.job),
        commit,
        version: None,
    };
    let passed = args.receipt.passed(context, before).await?;
    step.deploys(of(commit, Some(&wanted.place)).draft(approval, &passed));
    Ok(passed)
}

/// What was written, even if a signal came meanwhile; otherwise the error for it.
fn completed(
    applied: Through<Result<Applied>>,
    job: &str,
    stage: &str,
) -> Result<(Option<Signal>, Applied)> {
    let wrong = format!(
        "cannot bring the schedule of job `{job}` in stage `{stage}` to what stages.toml says"
    );
    match applied {
        Through::Completed(done) => Ok((None, done.context(wrong)?)),
        Through::Interrupted(signal, Some(Ok(done))) => Ok((Some(signal), done)),
        Through::Interrupted(signal, Some(Err(error))) => {
            let text = format!("interrupted; {wrong}");
            Err(error.context(CommandError::new(signal.exit(), text)))
        }
        Through::Interrupted(signal, None) => {
            let text = format!(
                "interrupted; whether the schedule of job `{job}` in stage `{stage}` was changed is not known"
            );
            Err(CommandError::new(signal.exit(), text)
                .hint("run this again: it finds what it left"))
        }
    }
}

async fn plan(context: &StepContext, args: &ScheduleArgs) -> Result<SchedulePlan> {
    let (file, stage) = (&context.file, &context.stage);
    let reader = context.connection.reader();
    if args.delete {
        return plan_deletion(context, args).await;
    }
    let job = deployed_here(context, &args.job)?;
    let marker = EntityMarker::new(&stage.name, &job.name);
    let schedule = schedule_of(file, job)?;
    let commit = Commit::wanted(args.commit.as_deref())?;
    let project = Project::of_stage(&reader, file, stage).await?;
    let target = file.target(Kind::Job, &job.name, stage);
    let (mut place, all, user) = tokio::try_join!(
        ResolvedPlacement::find(&reader, file, stage, Kind::Job, &project, &target),
        async { Ok(reader.scheduled_jobs(&project.id).await?) },
        async { Ok(reader.own_user().await?) },
    )?;
    let of = (Kind::Job, job.name.as_str());
    let other_revision = args.revision.settle(&mut place, file, stage, of)?;
    let ours = Ours {
        file,
        stage,
        marker: &marker,
        job: Some(job),
        user: Some(&user.id),
        beside: args.beside,
    };
    let existing = ours.among(&all, &project)?;
    let hold = hold(context, args, existing.as_ref(), &marker, &commit)?;
    let order = order(context, args, existing.as_ref(), (job, &commit)).await?;
    let default_tier = match (&place.tier, &existing) {
        (None, None) => Some(default_tier(&reader, &project).await?),
        _ => None,
    };
    let asked = Asked {
        file,
        stage,
        job,
        schedule,
        marker: &marker,
        place: &place,
        default_tier,
        commit: &commit,
        user: &user.id,
        existing: existing.as_ref(),
        as_file_says: args.as_file_says,
        hold: hold.as_ref(),
    };
    let without_tier = || CommandError::new(Exit::Bug, "a scheduled job without a tier");
    let Definition {
        definition,
        carried,
        warning,
    } = asked.definition().ok_or_else(without_tier)?;
    let fires = fires(&Schedule {
        timezone: definition.timezone_id.clone(),
        ..schedule.clone()
    });
    let warnings = warning.into_iter().chain(order.warning.clone());
    let warnings = warnings.chain(other_revision).collect();
    Ok(SchedulePlan {
        project,
        marker,
        existing,
        wanted: Some(Wanted {
            definition,
            place,
            commit,
            fires,
            carried,
            order,
            hold,
            is_paused_by_file: schedule.paused.contains(&stage.name),
        }),
        warnings,
    })
}

fn schedule_of<'a>(file: &StageFile, job: &'a Job) -> Result<&'a Schedule> {
    job.schedule.as_ref().ok_or_else(|| {
        CommandError::usage(format!(
            "job `{}` has no schedule in {}",
            job.name,
            file.path.display()
        ))
        .hint("add `schedule = { cron = … }` to it, or `--delete` what Domino still has")
        .at(file, &["job", job.name.as_str()])
    })
}

/// Whether the schedule would go back behind the commit that it has.
async fn order(
    context: &StepContext,
    args: &ScheduleArgs,
    existing: Option<&ScheduledJob>,
    (job, commit): (&Job, &Commit),
) -> Result<OrderNotes> {
    let Some(existing) = existing else {
        return Ok(OrderNotes::default());
    };
    let what = format!("the schedule of job `{}`", job.name);
    let running = Running {
        what: &what,
        git_ref: existing.definition.main_repo_git_ref.as_ref(),
        deployed: "",
    };
    running
        .check_order(commit, &context.connection, args.back)
        .await
}

/// The hold that the schedule has after this. One that is held is not moved to another commit.
fn hold(
    context: &StepContext,
    args: &ScheduleArgs,
    existing: Option<&ScheduledJob>,
    marker: &EntityMarker,
    commit: &Commit,
) -> Result<Option<Hold>> {
    let definition = existing.map(|existing| &existing.definition);
    let marked = definition.and_then(|definition| marker.schedule_in(&definition.title));
    let runs = match definition.and_then(|definition| definition.main_repo_git_ref.as_ref()) {
        Some(GitRef::Commit(runs)) => Some(runs.as_str()),
        _ => None,
    };
    let moving = Moving {
        what: &format!("the schedule of job `{}`", marker.entity),
        entity: &marker.entity,
        stage: &context.stage.name,
        runs,
        held: marked.as_ref().and_then(|marked| marked.hold.as_ref()),
        is_same: runs == Some(commit.as_str()),
        back: args.back,
    };
    args.hold.settle(moving, commit)
}

/// Deletes the scheduled job that is ours, even under another title.
async fn plan_deletion(context: &StepContext, args: &ScheduleArgs) -> Result<SchedulePlan> {
    let (file, stage) = (&context.file, &context.stage);
    let reader = context.connection.reader();
    let marker = EntityMarker::new(&stage.name, name_to_delete(file, &args.job)?);
    let project = Project::of_stage(&reader, file, stage).await?;
    let job = file.job(&args.job).ok();
    let (all, user) = tokio::try_join!(reader.scheduled_jobs(&project.id), async {
        match job {
            Some(_) => reader.own_user().await.map(Some),
            None => Ok(None),
        }
    })?;
    let ours = Ours {
        file,
        stage,
        marker: &marker,
        job,
        user: user.as_ref().map(|user| &user.id),
        beside: args.beside,
    };
    let existing = ours.among(&all, &project)?;
    Ok(SchedulePlan {
        project,
        marker,
        existing,
        wanted: None,
        warnings: Vec::new(),
    })
}

/// A job that was removed from the stage file may have left its schedule in Domino, which is found only by its name.
fn name_to_delete<'a>(file: &'a StageFile, name: &'a str) -> Result<&'a str> {
    match file.job(name) {
        Ok(job) => Ok(&job.name),
        Err(_) if StageFile::is_name(name) => Ok(name),
        Err(unknown) => Err(unknown.into()),
    }
}

/// A scheduled job must name its tier, even if a started job may leave it out.
async fn default_tier(reader: &Reader, project: &Project) -> Result<HardwareTierId> {
    let settings = reader.project_settings(&project.id).await?;
    settings.default_hardware_tier_id.ok_or_else(|| {
        CommandError::refused(format!(
            "project `{}` has no default hardware tier",
            project.name
        ))
        .hint("write `hardware-tier` for the stage into stages.toml")
    })
}

/// The next times at which it starts, in its own time zone.
pub(crate) fn fires(schedule: &Schedule) -> Vec<String> {
    schedule
        .next_fires(FIRES, jiff::Timestamp::now())
        .iter()
        .map(|at| at.strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string())
        .collect()
}
