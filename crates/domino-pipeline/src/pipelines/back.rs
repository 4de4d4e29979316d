//! `back.yml`: a person starts it to go back to what ran in a stage before, or to let go on what is held there.
//!
//! It goes by the workflows that deploy: each of their jobs for a stage has one here, of the same GitHub environment, so
//! that its approvals are needed, and of the same concurrency group, so that the two never deploy at once.

use indexmap::IndexMap;
use serde_saphyr::{Commented, SpaceAfter};
use stage_file::{ModelSource, Stage, StageFile};

use super::models::DOMINO_MODEL_TOKEN;
use super::stage::{asks_github, domino_step, permissions};
use super::workflow_file::WorkflowFile;
use super::{programs, receipts};
use crate::actions;
use github_workflow::write::{
    Choice, ChoiceType, Concurrency, Dispatch, Environment, FormField, Job, JobStep, Permissions,
    TextField, TextType, Triggers, Workflow, literal,
};

/// What going back takes beside the deployment: the move in the experiment manager, and the way back of what fails.
const MORE_MINUTES: u32 = 45;
/// What the job has beside that step: start, download, unpack.
const OVERHEAD_MINUTES: u32 = 10;

/// The workflow, where the file asks for it and has something that can go back.
pub(super) fn back(file: &StageFile, deploys: &[WorkflowFile]) -> Option<Workflow> {
    if !file.pipeline.back {
        return None;
    }
    let programs = programs::back_job(file);
    let (mut entities, mut jobs) = (Vec::new(), Vec::new());
    for deploy in deploys {
        for job in deploy.workflow.jobs.iter() {
            let can: Vec<String> = entities_of(file, deploy, job);
            if job.environment.is_none() || can.is_empty() {
                continue;
            }
            let back = of_stage(file, deploy, job, &can, programs.as_ref());
            let recorded =
                stage_of(file, job).and_then(|stage| receipts::record(file, stage, &back));
            jobs.push(back);
            jobs.extend(recorded);
            let new = can.into_iter().filter(|one| !entities.contains(one));
            entities.extend(new.collect::<Vec<_>>());
        }
    }
    if jobs.is_empty() {
        return None;
    }
    Some(Workflow {
        name: "Back".to_owned(),
        on: Triggers {
            workflow_dispatch: Some(Dispatch {
                inputs: inputs(file, entities),
            }),
            ..Triggers::default()
        },
        permissions: Permissions::none(),
        concurrency: SpaceAfter(Concurrency {
            group: Commented(
                "back-${{ inputs.stage }}-${{ inputs.entity }}".to_owned(),
                "the same goes back once at a time".to_owned(),
            ),
            cancel_in_progress: false,
            queue: None,
        }),
        jobs: programs.into_iter().chain(jobs).collect(),
    })
}

fn inputs(file: &StageFile, entities: Vec<String>) -> IndexMap<String, FormField> {
    let stages: Vec<String> = file.stages.iter().map(|stage| stage.name.clone()).collect();
    let choice = |description: &str, default: Option<&String>, options: &[String]| {
        FormField::Choice(Choice {
            description: description.to_owned(),
            r#type: ChoiceType::Choice,
            default: default.cloned().unwrap_or_default(),
            options: options.to_vec(),
        })
    };
    let to = FormField::Text(TextField {
        description: "To what: a receipt, a day such as 2026-11-12, or a commit; empty is what ran before, and release \
                      lets it go on"
            .to_owned(),
        r#type: TextType::String,
    });
    IndexMap::from([
        (
            "stage".to_owned(),
            choice("The stage", stages.last(), &stages),
        ),
        (
            "entity".to_owned(),
            choice("What goes back", entities.first(), &entities),
        ),
        ("to".to_owned(), to),
    ])
}

/// What a job deploys and can go back, as a person picks it: `app dashboard`.
fn entities_of(file: &StageFile, deploy: &WorkflowFile, job: &Job) -> Vec<String> {
    let publishes = match deploy.name.starts_with("deploy-apps") {
        true => "app",
        false => "model",
    };
    let is_function = |name: &str| {
        let model = file.model(name);
        model.is_ok_and(|model| matches!(model.source, ModelSource::Function { .. }))
    };
    let steps = job
        .every_step()
        .filter_map(|step| step.id.as_deref()?.split_once('-'));
    steps
        .filter_map(|(verb, name)| match verb {
            "schedule" => Some(format!("job {name}")),
            "publish" if publishes == "model" && is_function(name) => None,
            "publish" => Some(format!("{publishes} {name}")),
            _ => None,
        })
        .collect()
}

/// The stage that a job deploys to.
fn stage_of<'a>(file: &'a StageFile, job: &Job) -> Option<&'a Stage> {
    file.stage(job.id.strip_prefix("deploy-")?).ok()
}

/// The job that goes back where this one deploys.
fn of_stage(
    file: &StageFile,
    deploy: &WorkflowFile,
    job: &Job,
    entities: &[String],
    programs: Option<&Job>,
) -> Job {
    let stage = job.id.strip_prefix("deploy-").unwrap_or(&job.id);
    let part = deploy.name.strip_prefix("deploy-").unwrap_or(&deploy.name);
    let part = part.strip_suffix(".yml").unwrap_or(part);
    let longest = job.every_step().filter_map(|step| step.timeout_minutes);
    let minutes = longest.max().unwrap_or_default() + MORE_MINUTES;
    let picked: Vec<String> = entities.iter().map(|one| format!("\"{one}\"")).collect();
    let mut is_meant = format!(
        "inputs.stage == {} && contains(fromJSON({}), inputs.entity)",
        literal(stage),
        literal(&format!("[{}]", picked.join(",")))
    );
    if programs.is_none() {
        let branch = programs::on_production_branch(file).0;
        is_meant = format!("{branch} && {is_meant}");
    }
    let mut step = domino_step(
        "Go back".to_owned(),
        "back".to_owned(),
        format!("domino-pipeline back --stage {stage} --yes"),
        minutes,
    );
    step = asks_github(step)
        .env("BACK_ENTITY", "${{ inputs.entity }}")
        .env("BACK_TO", "${{ inputs.to }}");
    if deploy.name.starts_with("deploy-models") {
        step = step.env("DOMINO_MODEL_TOKEN", DOMINO_MODEL_TOKEN);
    }
    let mut steps = vec![
        actions::CHECKOUT
            .step("Check out the stage file, with every commit")
            .with("fetch-depth", 0)
            .with("persist-credentials", false),
    ];
    let of_stage = stage_of(file, job);
    steps.extend(programs::steps(file));
    steps.extend(receipts::begin(file, false));
    steps.push(step);
    steps.extend(of_stage.and_then(|stage| receipts::keep(file, stage)));
    let steps: Vec<JobStep> = steps.into_iter().map(JobStep::from).collect();
    let permissions = of_stage.map(|stage| permissions(stage, &steps));
    let permissions = permissions.unwrap_or_else(Permissions::none);
    let environment = job.environment.as_ref();
    let back = Job {
        id: format!("{part}-{stage}"),
        name: format!("Go back in {stage}, of {part}"),
        needs: Vec::new(),
        r#if: Some(Commented(
            is_meant,
            "what was picked, and nothing else".to_owned(),
        )),
        timeout_minutes: OVERHEAD_MINUTES + minutes,
        environment: environment.map(|environment| Environment {
            name: environment.name.clone(),
            url: None,
        }),
        outputs: IndexMap::new(),
        permissions: permissions.and("contents", "read", "checks out the stage file"),
        steps,
        ..job.clone()
    };
    match programs {
        Some(programs) => back.after(programs),
        None => back,
    }
}
