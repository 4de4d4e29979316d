//! `ci.yml`: every check on each pull request and on the production branch, and what a pull request would deploy.
//! `plan.yml`, if the programs come from elsewhere: only the latter.
//!
//! No job here has a GitHub environment, so none has a secret: a pull request may run any code.

use serde_saphyr::{Commented, SpaceAfter};
use stage_file::{Install, StageFile};

use super::runner::runs_on;
use super::{cache, programs};
use crate::actions;
use crate::checks::CHECKS;
use github_workflow::write::{
    Concurrency, Filter, Job, Pattern, Permissions, Step, Triggers, Workflow,
};

/// The workflow for pull requests.
pub(super) fn ci(file: &StageFile) -> Workflow {
    let branch = branch(file);
    let on = Triggers {
        pull_request: Some(branch.clone()),
        // A check that a merge queue requires must run there too, or the queue stops.
        merge_group: Some(branch.clone()),
        push: Some(branch),
        ..Triggers::default()
    };
    workflow("CI", on, vec![check(file), plan(file)])
}

/// The workflow of a repository that takes the programs from elsewhere: what a change would deploy, and whether its
/// generated files are up to date.
pub(super) fn plan_by_a_release(file: &StageFile) -> Workflow {
    let (programs, program) = match file.pipeline.install {
        Install::Pip => (vec![programs::install(file)], "domino-pipeline"),
        Install::Build | Install::Release => (
            vec![
                programs::download(file),
                Step::run(
                    "Unpack the program",
                    "tar --extract --file programs.tar domino-pipeline",
                ),
            ],
            "./domino-pipeline",
        ),
    };
    let on = Triggers {
        pull_request: Some(branch(file)),
        // A check that a merge queue requires must run there too, or the queue stops.
        merge_group: Some(branch(file)),
        ..Triggers::default()
    };
    let mut steps = vec![
        Step {
            r#if: Some(OF_A_PULL_REQUEST.to_owned()),
            ..what_is_there()
        },
        actions::CHECKOUT
            .step("Check out the change, as data")
            .with("persist-credentials", false)
            .with("path", "change"),
    ];
    steps.extend(programs);
    steps.push(Step {
        // In the merge queue there is nobody to show a plan to.
        r#if: Some(OF_A_PULL_REQUEST.to_owned()),
        ..Step::run(
            "Plan",
            format!(r#"{program} plan . change >> "$GITHUB_STEP_SUMMARY""#),
        )
    });
    steps.push(Step::run(
        "Generated files are fresh",
        format!("{program} gen-workflows --out change --check"),
    ));
    workflow("Plan", on, vec![job(file, "plan", "Plan", steps)])
}

const OF_A_PULL_REQUEST: &str = "github.event_name == 'pull_request'";

/// Checks out the commit that a pull request is merged into.
fn what_is_there() -> Step {
    actions::CHECKOUT
        .step("Check out what is there")
        .with("persist-credentials", false)
        .with("ref", "${{ github.event.pull_request.base.sha }}")
}

fn branch(file: &StageFile) -> Filter {
    Filter {
        branches: vec![Pattern::Exactly(file.pipeline.branch.clone())],
        ..Filter::default()
    }
}

fn workflow(name: &str, on: Triggers, jobs: Vec<Job>) -> Workflow {
    Workflow {
        name: name.to_owned(),
        on,
        permissions: Permissions::none(),
        concurrency: SpaceAfter(Concurrency {
            group: Commented(
                format!("{}-${{{{ github.ref }}}}", name.to_lowercase()),
                "a newer push makes the older run moot".to_owned(),
            ),
            cancel_in_progress: true,
            queue: None,
        }),
        jobs,
    }
}

fn check(file: &StageFile) -> Job {
    let mut steps = vec![
        actions::CHECKOUT
            .step("Check out")
            .with("persist-credentials", false),
    ];
    steps.extend(cache::compiled(file, "check"));
    steps.extend(CHECKS.iter().map(|check| {
        let step = Step::run(check.name, check.command);
        check
            .env
            .iter()
            .fold(step, |step, (name, value)| step.env(*name, value))
    }));
    Job {
        timeout_minutes: 60,
        ..job(file, "check", "Check", steps)
    }
}

/// The plan is made by the code of the branch that is merged into; the change is only read as data.
fn plan(file: &StageFile) -> Job {
    let mut steps = vec![
        what_is_there(),
        actions::CHECKOUT
            .step("Check out the change, as data")
            .with("persist-credentials", false)
            .with("path", "change")
            .with("sparse-checkout", "stages.toml\n")
            .with("sparse-checkout-cone-mode", false),
    ];
    steps.extend(cache::compiled(file, "plan"));
    steps.push(Step::run(
        "Plan",
        r#"cargo xtask plan . change >> "$GITHUB_STEP_SUMMARY""#,
    ));
    Job {
        r#if: Some(Commented(
            OF_A_PULL_REQUEST.to_owned(),
            "a push has nothing left to plan, and the merge queue nobody to show it to".to_owned(),
        )),
        ..job(file, "plan", "Plan", steps)
    }
}

fn job(file: &StageFile, id: &str, name: &str, steps: Vec<Step>) -> Job {
    Job {
        id: id.to_owned(),
        name: name.to_owned(),
        needs: Vec::new(),
        r#if: None,
        runs_on: runs_on(&file.pipeline.runner),
        timeout_minutes: 20,
        environment: None,
        permissions: Permissions::none().and("contents", "read", "checks out the repository"),
        concurrency: None,
        outputs: Default::default(),
        steps: steps.into_iter().map(Into::into).collect(),
    }
}
