//! `deploy-jobs.yml`: run or schedule every job of the stage file, stage by stage, except jobs that train a model:
//! they are in its workflow.

use indexmap::IndexMap;
use stage_file::{Job as DominoJob, Kind, Stage, named_files};

use super::by_hand::{BACK, ByHand, PUT_BACK, with_flags};
use super::chain::Chain;
use super::stage::{
    StageSteps, asks_github, deploy, domino_step, minutes, pass_revisions, with_revision,
};
use crate::share::Share;
use github_workflow::write::{Expression, Job, Step, Workflow};

/// What a start takes in addition to its run, which it follows for up to the job's timeout.
const START_MINUTES: u32 = 5;
/// A schedule is written and not waited for; neither is a run with `wait = false`.
const SCHEDULE_MINUTES: u32 = 10;

/// The flags that a person may tick for a schedule.
const OF_SCHEDULES: [ByHand; 2] = [PUT_BACK, BACK];
/// The flags that a person may tick for a run.
const OF_RUNS: [ByHand; 1] = [BACK];

/// The workflow for jobs.
pub(super) fn deploy_jobs(share: Share<'_>) -> Workflow {
    let flags: &[ByHand] = match share.jobs().any(|job| job.schedule.is_some()) {
        true => &OF_SCHEDULES,
        false => &OF_RUNS,
    };
    deploy(
        share,
        share.jobs().flat_map(|job| named_files(&job.command)),
        flags,
        |stage, before| {
            let mut outputs = IndexMap::new();
            let chains = chains_of(share, stage, before, &mut outputs);
            // Only a run has an address; a schedule has none.
            let run = share.jobs_of(stage).find(|job| job.schedule.is_none());
            StageSteps {
                url: run.map(|job| step(job, stage).output("url")),
                outputs,
                ..StageSteps::new(chains)
            }
        },
    )
}

/// The steps of the workflow's jobs in a stage.
pub(super) fn chains_of(
    share: Share<'_>,
    stage: &Stage,
    before: Option<&Job>,
    outputs: &mut IndexMap<String, Expression>,
) -> Vec<Chain> {
    pass_revisions(share, stage, before, outputs);
    let jobs = share.jobs_of(stage);
    jobs.map(|job| {
        let of = (Kind::Job, job.name.as_str());
        let step = with_revision(share, stage, before, outputs, of, step(job, stage));
        Chain::new(Kind::Job, &job.name, &job.after, vec![step])
    })
    .collect()
}

/// The step that starts or schedules a job.
pub(super) fn step(job: &DominoJob, stage: &Stage) -> Step {
    let run = minutes(job.timeout(stage));
    let waits = job.waits(stage);
    let (name, stage) = (&job.name, &stage.name);
    let (title, verb, minutes) = match job.schedule {
        Some(_) => (format!("Schedule job {name}"), "schedule", SCHEDULE_MINUTES),
        None if waits => (
            format!("Start job {name}"),
            "start",
            run.saturating_add(START_MINUTES),
        ),
        None => (format!("Start job {name}"), "start", SCHEDULE_MINUTES),
    };
    let step = asks_github(domino_step(
        title,
        format!("{verb}-{name}"),
        format!("deploy-job {verb} {name} --stage {stage}"),
        minutes,
    ));
    match job.schedule {
        Some(_) => with_flags(step, &OF_SCHEDULES),
        None => with_flags(step, &OF_RUNS),
    }
}
