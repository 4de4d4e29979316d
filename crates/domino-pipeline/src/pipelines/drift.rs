//! `drift.yml`: checks regularly whether Domino is still as the stage file says, and maintains one issue about it.
//!
//! It deploys nothing. Its tokens belong to the GitHub environment `drift` and need only read access; the job writes
//! issues, and nothing else in the repository.

use stage_file::StageFile;

use super::programs;
use super::runner::runs_on;
use super::scheduled::Scheduled;
use crate::actions;
use github_workflow::write::{Environment, Job, Permissions, Step, Workflow};

/// The GitHub environment that holds the tokens.
pub(super) const ENVIRONMENT: &str = "drift";
/// Reading all stages takes seconds; a slow Domino may take longer.
const MINUTES: u32 = 10;

/// The workflow, if the file asks for it.
pub(super) fn drift(file: &StageFile) -> Option<Workflow> {
    let cron = file.pipeline.drift.clone()?;
    let programs = programs::status_job(file);
    let workflow = Scheduled {
        name: "Drift",
        cron,
        timezone: file.pipeline.drift_timezone.clone(),
        one_at_a_time: "two looks at once would open two issues",
        programs,
        look: look(file),
    };
    Some(workflow.workflow(file))
}

fn look(file: &StageFile) -> Job {
    let command = "exec domino-pipeline status --exit-code --format markdown --issue";
    let mut step = Step::run("Look at every stage", command)
        .id("status")
        .env("GITHUB_TOKEN", "${{ github.token }}")
        .minutes(MINUTES);
    for stage in &file.stages {
        let variable = stage.read_token_variable();
        let secret = format!("${{{{ secrets.{variable} }}}}");
        step = step.env(variable, secret);
    }
    let mut steps = vec![
        actions::CHECKOUT
            .step("Check out the stage file")
            .with("persist-credentials", false),
    ];
    steps.extend(programs::steps(file));
    steps.push(step);
    Job {
        id: "look".to_owned(),
        name: "Look for drift".to_owned(),
        needs: Vec::new(),
        r#if: None,
        runs_on: runs_on(&file.pipeline.runner),
        timeout_minutes: MINUTES + 10,
        environment: Some(Environment {
            name: ENVIRONMENT.to_owned(),
            url: None,
        }),
        permissions: Permissions::none()
            .and("contents", "read", "checks out the stage file")
            .and("issues", "write", "keeps one issue about what differs"),
        concurrency: None,
        outputs: Default::default(),
        steps: steps.into_iter().map(Into::into).collect(),
    }
}
