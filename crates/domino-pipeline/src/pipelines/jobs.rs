//! `deploy-jobs.yml`: run or schedule every job of the stage file, stage by stage.

use indexmap::IndexMap;
use stage_file::{Job as DominoJob, Kind, Stage, StageFile};

use super::stage::{
    BACK, ByHand, PUT_BACK, StageSteps, asks_github, deploy, domino_step, with_flags, with_revision,
};
use github_workflow::write::{Step, Workflow};

/// `deploy-job start` follows a run for up to 60 minutes by itself.
const START_MINUTES: u32 = 65;
/// A schedule is written, not waited for.
const SCHEDULE_MINUTES: u32 = 10;

/// What a person may tick for a schedule.
const OF_SCHEDULES: [ByHand; 2] = [PUT_BACK, BACK];
/// And for a run that is started.
const OF_RUNS: [ByHand; 1] = [BACK];

/// The workflow for jobs.
pub(super) fn deploy_jobs(file: &StageFile) -> Workflow {
    let flags: &[ByHand] = match file.jobs.iter().any(|job| job.schedule.is_some()) {
        true => &OF_SCHEDULES,
        false => &OF_RUNS,
    };
    deploy(
        file,
        Kind::Job,
        file.jobs.iter().filter_map(script),
        flags,
        |stage, before| {
            let mut outputs = IndexMap::new();
            let steps = file.jobs.iter().map(|job| {
                let step = step(job, stage);
                with_revision(file, stage, before, &mut outputs, &job.name, step)
            });
            let steps = steps.collect();
            // Only a run has an address; a schedule has none.
            let run = file.jobs.iter().find(|job| job.schedule.is_none());
            StageSteps {
                url: run.map(|job| step(job, stage).output("url")),
                outputs,
                ..StageSteps::new(steps)
            }
        },
    )
}

fn step(job: &DominoJob, stage: &Stage) -> Step {
    let (name, stage) = (&job.name, &stage.name);
    let (title, verb, minutes) = match job.schedule {
        Some(_) => (format!("Schedule job {name}"), "schedule", SCHEDULE_MINUTES),
        None => (format!("Start job {name}"), "start", START_MINUTES),
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

/// The file that the command runs, where its first word is one of the repository's.
fn script(job: &DominoJob) -> Option<&str> {
    job.command
        .split_whitespace()
        .next()
        .filter(|word| word.contains('/') && !word.starts_with('/'))
}
