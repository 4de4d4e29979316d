//! `deploy-job schedule`: the scheduled job in Domino becomes what the stage file says; never a second one.

use domino_core::api::GitRef;
use domino_core::api::environments::RevisionSpec;
use domino_core::api::hardware_tiers::HardwareTierId;
use domino_core::api::projects::Project;
use domino_core::api::schedules::{Cron, ScheduleDefinition, ScheduledJob};
use domino_core::client::{Reader, write_once};
use domino_core::commit::Commit;
use domino_core::deployment_marker::EntityMarker;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::place::Place;
use domino_core::step::{
    ChangeKind, Interrupts, Plan, Signal, Step, StepContext, StepFlags, StepResult, Through,
};
use stage_file::{Kind, Schedule, StageFile};

use crate::difference::differences;
use crate::run::cannot;

/// How many of the times at which it will fire are shown.
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
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// What will be done.
struct SchedulePlan {
    project: Project,
    marker: EntityMarker,
    existing: Option<ScheduledJob>,
    wanted: Option<Wanted>,
}

/// What the stage file asks for.
struct Wanted {
    definition: ScheduleDefinition,
    place: Place,
    commit: Commit,
    fires: Vec<String>,
}

/// Creates, updates or deletes the scheduled job, or leaves it as it is.
pub(crate) async fn schedule(
    step: &mut Step,
    context: &StepContext,
    args: &ScheduleArgs,
) -> Result<StepResult> {
    let mut interrupts = Interrupts::listen()?;
    let planned = tokio::select! {
        planned = plan(context, args) => planned.with_context(|| cannot("schedule", &args.job, &context.stage))?,
        signal = interrupts.next() => return Err(signal.nothing_changed(&context.stage.name)),
    };
    step.show(&planned.view(context, &args.job));
    planned.report(step);
    let (job, stage) = (&args.job, &context.stage.name);
    if planned.is_as_wanted() {
        return Ok(StepResult::unchanged(match planned.wanted {
            Some(_) => format!("the schedule of job `{job}` in stage `{stage}` is as wanted"),
            None if context.file.job(job).is_err() => format!(
                "job `{job}` has no schedule in stage `{stage}`, and is not in {}",
                context.file.path.display()
            ),
            None => format!("job `{job}` has no schedule in stage `{stage}`"),
        }));
    }
    if args.dry_run {
        return Ok(StepResult::planned());
    }
    let applied = interrupts.through(planned.apply(context)).await;
    let (signal, now) = completed(applied, job, stage)?;
    let verb = match (&now, &planned.existing) {
        (Some(_), Some(_)) => "updated",
        (Some(_), None) => "created",
        (None, _) => "deleted",
    };
    if let Some(now) = now {
        step.report.output("id", now.id.as_str());
        step.report.fact("scheduled job", now.id.as_str());
    }
    let text = format!("{verb} the schedule of job `{job}` in stage `{stage}`");
    match signal {
        None => Ok(StepResult::done(text)),
        Some(signal) => {
            let text = format!("interrupted after this was done: {text}");
            Err(CommandError::new(signal.exit(), text))
        }
    }
}

/// What was written, also when a signal came meanwhile; else the error for it.
fn completed(
    applied: Through<Result<Option<ScheduledJob>>>,
    job: &str,
    stage: &str,
) -> Result<(Option<Signal>, Option<ScheduledJob>)> {
    let wrong = format!(
        "cannot bring the schedule of job `{job}` in stage `{stage}` to what stages.toml says"
    );
    match applied {
        Through::Whole(done) => Ok((None, done.context(wrong)?)),
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
        let marker = EntityMarker::new(&stage.name, name_to_delete(file, &args.job)?);
        let project = Project::of_stage(&reader, file, stage).await?;
        let existing = ours(&reader, &project, &marker).await?;
        return Ok(SchedulePlan {
            project,
            marker,
            existing,
            wanted: None,
        });
    }
    let job = file.job(&args.job)?;
    let marker = EntityMarker::new(&stage.name, &job.name);
    let Some(schedule) = &job.schedule else {
        return Err(CommandError::usage(format!(
            "job `{}` has no schedule in {}",
            job.name,
            file.path.display()
        ))
        .hint("add `schedule = { cron = … }` to it, or `--delete` what Domino still has")
        .at(file, &["job", job.name.as_str()]));
    };
    let commit = Commit::wanted(args.commit.as_deref())?;
    let project = Project::of_stage(&reader, file, stage).await?;
    let target = file.target(Kind::Job, &job.name, stage);
    let (place, existing, user) = tokio::try_join!(
        Place::find(&reader, file, stage, Kind::Job, &project, &target),
        ours(&reader, &project, &marker),
        async { Ok(reader.own_user().await?) },
    )?;
    let tier = match &place.tier {
        Some(tier) => tier.id.clone(),
        None => default_tier(&reader, &project).await?,
    };
    let (environment, revision) = match &place.environment {
        Some((environment, revision)) => (Some(environment.id.clone()), revision.clone()),
        None => (None, RevisionSpec::Active),
    };
    let definition = ScheduleDefinition {
        title: format!("{} {marker}", job.title),
        command: job.command.clone(),
        schedule: Cron {
            cron_string: schedule.cron.clone(),
            is_custom: true,
        },
        timezone_id: schedule.timezone.clone(),
        is_paused: schedule.paused.contains(&stage.name),
        allow_concurrent_execution: schedule.concurrent,
        hardware_tier_identifier: tier,
        override_environment_id: environment,
        environment_revision_spec: revision,
        scheduled_by_user_id: user.id,
        notify_on_complete_email_addresses: schedule.notify.clone(),
        main_repo_git_ref: Some(GitRef::commit(&commit)),
    };
    let fires = fires(schedule);
    Ok(SchedulePlan {
        project,
        marker,
        existing,
        wanted: Some(Wanted {
            definition,
            place,
            commit,
            fires,
        }),
    })
}

/// A job that left the stage file may have left its schedule in Domino, which is found by its name alone.
fn name_to_delete<'a>(file: &'a StageFile, name: &'a str) -> Result<&'a str> {
    match file.job(name) {
        Ok(job) => Ok(&job.name),
        Err(_) if StageFile::is_name(name) => Ok(name),
        Err(unknown) => Err(unknown.into()),
    }
}

/// The scheduled job that carries our marker. Two of them are not ours to choose from.
async fn ours(
    reader: &Reader,
    project: &Project,
    marker: &EntityMarker,
) -> Result<Option<ScheduledJob>> {
    let mut ours: Vec<ScheduledJob> = reader
        .scheduled_jobs(&project.id)
        .await?
        .into_iter()
        .filter(|scheduled| marker.ends(&scheduled.definition.title))
        .collect();
    if ours.len() > 1 {
        let ids: Vec<String> = ours
            .iter()
            .map(|scheduled| format!("`{}`", scheduled.id))
            .collect();
        return Err(CommandError::refused(format!(
            "{} scheduled jobs carry the key `{marker}`: {}",
            ours.len(),
            ids.join(", ")
        ))
        .hint("delete all but one of them in Domino; every one of them starts runs"));
    }
    Ok(ours.pop())
}

/// A scheduled job must name its tier, also where a started job may leave it out.
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

fn fires(schedule: &Schedule) -> Vec<String> {
    schedule
        .next_fires(FIRES, jiff::Timestamp::now())
        .iter()
        .map(|at| at.strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string())
        .collect()
}

impl SchedulePlan {
    fn is_as_wanted(&self) -> bool {
        match (&self.existing, &self.wanted) {
            (None, None) => true,
            (Some(existing), Some(wanted)) => existing.definition == wanted.definition,
            _ => false,
        }
    }

    /// Writes, and believes only what Domino says it now has. `None` when it was deleted.
    async fn apply(&self, context: &StepContext) -> Result<Option<ScheduledJob>> {
        let writer = context.connection.writer();
        let reader = writer.reader();
        let project = &self.project.id;
        let Some(Wanted { definition, .. }) = &self.wanted else {
            if let Some(existing) = &self.existing
                && let Err(error) = writer.delete_scheduled_job(project, &existing.id).await
            {
                let still = ours(&reader, &self.project, &self.marker).await?;
                if still.is_some() {
                    return Err(error.into());
                }
            }
            return Ok(None);
        };
        let find = async || {
            let all = reader.scheduled_jobs(project).await?;
            Ok(all
                .into_iter()
                .find(|scheduled| scheduled.definition == *definition))
        };
        let written = match &self.existing {
            None => {
                write_once(
                    reader.delay_scale(),
                    async || writer.create_scheduled_job(project, definition).await,
                    find,
                )
                .await?
            }
            Some(existing) => {
                write_once(
                    reader.delay_scale(),
                    async || {
                        writer
                            .replace_scheduled_job(project, &existing.id, definition)
                            .await
                    },
                    find,
                )
                .await?
            }
        };
        let now = written.into_inner();
        let different = differences(&now.definition, definition);
        if different.is_empty() {
            return Ok(Some(now));
        }
        Err(CommandError::failed(format!(
            "Domino keeps something else than was asked for: {}",
            different.join("; ")
        )))
    }

    fn report(&self, step: &mut Step) {
        if let Some(existing) = &self.existing {
            step.report.output("id", existing.id.as_str());
        }
        if let Some(wanted) = &self.wanted {
            step.report.output("commit", wanted.commit.as_str());
            if let Some(next) = wanted
                .fires
                .first()
                .filter(|_| !wanted.definition.is_paused)
            {
                step.report.output("next", next.as_str());
            }
        }
    }

    fn view(&self, context: &StepContext, job: &str) -> Plan {
        let stage = &context.stage.name;
        let Some(Wanted {
            definition,
            place,
            commit,
            fires,
        }) = &self.wanted
        else {
            let mut plan = Plan::new(format!(
                "delete the schedule of job `{job}` in stage `{stage}`"
            ));
            if let Some(existing) = &self.existing {
                plan.change(
                    ChangeKind::Remove,
                    format!("scheduled job `{}`", existing.id),
                );
            }
            return plan;
        };
        let mut plan = Plan::new(format!(
            "keep the schedule of job `{job}` in stage `{stage}`"
        ));
        plan.fact(
            "project",
            format!(
                "{} on {}",
                self.project.name,
                context.connection.host().as_str()
            ),
        );
        plan.fact("commit", commit.as_str());
        plan.fact("command", &definition.command);
        plan.fact(
            "cron",
            format!(
                "{} ({})",
                definition.schedule.cron_string, definition.timezone_id
            ),
        );
        place.describe(&mut plan);
        if definition.is_paused {
            plan.fact("paused", format!("yes, in stage `{stage}`"));
        }
        for (name, at) in ["next run", "2nd run", "3rd run", "4th run", "5th run"]
            .into_iter()
            .zip(fires)
        {
            plan.fact(name, at);
        }
        match &self.existing {
            None => {
                plan.change(
                    ChangeKind::Create,
                    format!("a scheduled job `{}`", definition.title),
                );
            }
            Some(existing) => {
                let different = differences(&existing.definition, definition);
                if different.is_empty() {
                    plan.change(ChangeKind::Keep, format!("scheduled job `{}`", existing.id));
                }
                for difference in different {
                    plan.change(ChangeKind::Update, difference);
                }
            }
        }
        plan
    }
}
