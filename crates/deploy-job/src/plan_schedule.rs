//! What `deploy-job schedule` is asked to do, and what decides about it: read and compared, with nothing written.

use domino_core::api::GitRef;
use domino_core::api::hardware_tiers::HardwareTierId;
use domino_core::api::projects::Project;
use domino_core::api::schedules::{ScheduleDefinition, ScheduledJob};
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Exit, Result};
use domino_core::hold::{Hold, HoldFlags, Moving};
use domino_core::older_commit::{OrderNotes, Running};
use domino_core::place::ResolvedPlacement;
use domino_core::receipt_before::ReceiptBefore;
use domino_core::revision::RevisionBefore;
use domino_core::step::{StepContext, StepFlags, ticked};
use stage_file::{Job, Kind, Schedule, StageFile};

use crate::own_schedule::Ours;
use crate::run::deployed_here;
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

/// Reads what is needed to decide: the project; then the place, the scheduled jobs and the account side by side.
pub(crate) async fn plan(context: &StepContext, args: &ScheduleArgs) -> Result<SchedulePlan> {
    let (file, stage) = (&context.file, &context.stage);
    let reader = context.connection.reader();
    if args.delete {
        return plan_deletion(context, args).await;
    }
    let job = deployed_here(context, &args.job)?;
    let marker = EntityMarker::new(&stage.name, &job.name);
    let schedule = written_schedule(file, job)?;
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
    let order = order(context, args, existing.as_ref(), &marker, &commit).await?;
    let asked = Asked {
        file,
        stage,
        job,
        schedule,
        marker: &marker,
        place: &place,
        default_tier: default_tier(&reader, &project, &place, existing.as_ref()).await?,
        commit: &commit,
        user: &user.id,
        existing: existing.as_ref(),
        as_file_says: args.as_file_says,
        hold: hold.as_ref(),
    };
    let Definition {
        definition,
        carried,
        warning,
    } = asked
        .definition()
        .ok_or_else(|| CommandError::new(Exit::Bug, "a scheduled job without a tier"))?;
    let warnings = warning.into_iter().chain(order.warning.clone());
    let warnings = warnings.chain(other_revision).collect();
    let wanted = Wanted {
        fires: fires_of(&definition, schedule),
        definition,
        place,
        commit,
        carried,
        order,
        hold,
        is_paused_by_file: schedule.paused.contains(&stage.name),
    };
    Ok(SchedulePlan {
        project,
        marker,
        existing,
        wanted: Some(wanted),
        warnings,
    })
}

/// The schedule that the stage file gives the job.
fn written_schedule<'a>(file: &StageFile, job: &'a Job) -> Result<&'a Schedule> {
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

/// How the commit relates to the one that is scheduled.
async fn order(
    context: &StepContext,
    args: &ScheduleArgs,
    existing: Option<&ScheduledJob>,
    marker: &EntityMarker,
    commit: &Commit,
) -> Result<OrderNotes> {
    let Some(existing) = existing else {
        return Ok(OrderNotes::default());
    };
    let running = Running {
        what: &format!("the schedule of job `{}`", marker.entity),
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

/// A scheduled job must name its tier, even if a started job may leave it out. One that exists keeps its own.
async fn default_tier(
    reader: &Reader,
    project: &Project,
    place: &ResolvedPlacement,
    existing: Option<&ScheduledJob>,
) -> Result<Option<HardwareTierId>> {
    if place.tier.is_some() || existing.is_some() {
        return Ok(None);
    }
    let settings = reader.project_settings(&project.id).await?;
    let tier = settings.default_hardware_tier_id.ok_or_else(|| {
        CommandError::refused(format!(
            "project `{}` has no default hardware tier",
            project.name
        ))
        .hint("write `hardware-tier` for the stage into stages.toml")
    })?;
    Ok(Some(tier))
}

/// The next start times of what Domino is to have, which may keep a time zone that somebody set.
fn fires_of(definition: &ScheduleDefinition, schedule: &Schedule) -> Vec<String> {
    fires(&Schedule {
        timezone: definition.timezone_id.clone(),
        ..schedule.clone()
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
