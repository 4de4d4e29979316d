//! `follow.yml`: regularly follows the runs that no step waited for, stage by stage, to their end.
//!
//! It deploys nothing. It uses the tokens of `drift.yml`, from the same GitHub environment, which need only read
//! access.

use stage_file::{Stage, StageFile};

use super::drift::ENVIRONMENT;
use super::programs;
use super::runner::runs_on;
use super::scheduled::Scheduled;
use crate::actions;
use github_workflow::write::{Environment, Job, JobStep, Permissions, Step, Workflow};

/// How long all stages together are followed: GitHub's own runners end a job after 360 minutes.
const MINUTES: u32 = 300;
/// What a stage may take in addition.
const MORE_MINUTES: u32 = 10;

/// The workflow, if the file asks for it and has a job whose run may be left.
pub(super) fn follow(file: &StageFile) -> Option<Workflow> {
    let cron = file.pipeline.follow.clone()?;
    let is_run = |stage: &&Stage| file.jobs_of(stage).any(|job| job.schedule.is_none());
    let stages: Vec<&Stage> = file.stages.iter().filter(is_run).collect();
    if stages.is_empty() {
        return None;
    }
    let programs = programs::job(file);
    let workflow = Scheduled {
        name: "Follow",
        cron,
        timezone: file.pipeline.follow_timezone.clone(),
        one_at_a_time: "a run is followed once at a time",
        programs,
        look: look(file, &stages),
    };
    Some(workflow.workflow(file))
}

fn look(file: &StageFile, stages: &[&Stage]) -> Job {
    let mut steps = vec![JobStep::from(
        actions::CHECKOUT
            .step("Check out the stage file")
            .with("persist-credentials", false),
    )];
    steps.extend(programs::steps(file).into_iter().map(JobStep::from));
    let count = u32::try_from(stages.len()).unwrap_or(u32::MAX);
    let beside = file.pipeline.side_by_side && count > 1;
    let minutes = if beside { MINUTES } else { MINUTES / count };
    let mut each: Vec<Step> = stages.iter().map(|stage| step(stage, minutes)).collect();
    if beside {
        steps.push(JobStep::Parallel { parallel: each });
    } else {
        for later in each.iter_mut().skip(1) {
            later.r#if = Some("!cancelled()".to_owned());
        }
        steps.extend(each.into_iter().map(JobStep::from));
    }
    Job {
        id: "follow".to_owned(),
        name: "Follow what was left".to_owned(),
        needs: Vec::new(),
        r#if: None,
        runs_on: runs_on(&file.pipeline.runner),
        timeout_minutes: MINUTES + 5 * MORE_MINUTES,
        environment: Some(Environment {
            name: ENVIRONMENT.to_owned(),
            url: None,
        }),
        permissions: Permissions::none().and("contents", "read", "checks out the stage file"),
        concurrency: None,
        outputs: Default::default(),
        steps,
    }
}

fn step(stage: &Stage, minutes: u32) -> Step {
    let (name, variable) = (&stage.name, stage.read_token_variable());
    let follow = format!("exec deploy-job follow --stage {name} --timeout {minutes}m");
    Step::run(format!("Follow what {name} runs"), follow)
        .id(format!("follow-{name}"))
        .env("DOMINO_ENV", name.as_str())
        .env("DOMINO_TOKEN", format!("${{{{ secrets.{variable} }}}}"))
        .minutes(minutes + MORE_MINUTES)
}
