//! `doctor.yml`: started by hand, it runs the doctor upon the runners, once in each stage's GitHub environment. So it is
//! seen from there whether Domino is reached, and whether the environment's credential is taken.
//!
//! It only reads. It is there once `doctor --from-runner` wrote it.

use serde_saphyr::{Commented, SpaceAfter};
use stage_file::{Stage, StageFile};

use super::programs;
use super::runner::runs_on;
use super::stage::domino_step;
use crate::actions;
use github_workflow::write::{
    Concurrency, Dispatch, Environment, Job, JobStep, Permissions, Triggers, Workflow,
};

/// The stages are looked at side by side; a slow Domino takes a while.
const MINUTES: u32 = 10;

/// The workflow.
pub(super) fn doctor(file: &StageFile) -> Workflow {
    let programs = programs::status_job(file);
    let looks = file.stages.iter().map(|stage| {
        let look = look(file, stage);
        match &programs {
            Some(programs) => look.after(programs),
            None => Job {
                r#if: Some(programs::on_production_branch(file)),
                ..look
            },
        }
    });
    let looks: Vec<Job> = looks.collect();
    Workflow {
        name: "Doctor".to_owned(),
        on: Triggers {
            workflow_dispatch: Some(Dispatch::default()),
            ..Triggers::default()
        },
        permissions: Permissions::none(),
        concurrency: SpaceAfter(Concurrency {
            group: Commented(
                "doctor".to_owned(),
                "one look at a time is enough".to_owned(),
            ),
            cancel_in_progress: false,
            queue: None,
        }),
        jobs: programs.into_iter().chain(looks).collect(),
    }
}

fn look(file: &StageFile, stage: &Stage) -> Job {
    let name = &stage.name;
    let step = domino_step(
        format!("Ask the doctor about {name}"),
        "doctor".to_owned(),
        format!("domino-pipeline doctor --stage {name} --format markdown"),
        MINUTES,
    );
    let mut steps: Vec<JobStep> = vec![
        actions::CHECKOUT
            .step("Check out the stage file")
            .with("persist-credentials", false)
            .into(),
    ];
    steps.extend(programs::steps(file).into_iter().map(JobStep::from));
    steps.push(step.into());
    Job {
        // The prefix keeps a stage named `build` apart from the job that builds.
        id: format!("look-{name}"),
        name: format!("Look at {name} from its runner"),
        needs: Vec::new(),
        r#if: None,
        runs_on: runs_on(stage.runner.as_ref().unwrap_or(&file.pipeline.runner)),
        timeout_minutes: MINUTES + 10,
        environment: Some(Environment {
            name: stage.github_environment.clone(),
            url: None,
        }),
        permissions: Permissions::none().and("contents", "read", "checks out the stage file"),
        concurrency: None,
        outputs: Default::default(),
        steps,
    }
}
