//! `deploy-models.yml`: move every model of the stage file through the experiment manager and publish it,
//! stage by stage.
//!
//! The version is resolved once, in the first stage; each later stage is given the one that the stage before
//! serves.

use indexmap::IndexMap;
use stage_file::{Kind, Model, ModelSource, Stage, StageFile};

use super::stage::{
    BACK, ByHand, PUT_BACK, StageSteps, asks_github, deploy, domino_step, unless_stopped_after,
    with_flags, with_revision,
};
use github_workflow::write::{Expression, Step, Workflow};

/// The token that opens the endpoint for its smoke test.
const DOMINO_MODEL_TOKEN: &str = "${{ secrets.DOMINO_MODEL_TOKEN }}";

/// `deploy-model publish` waits up to 40 minutes by itself. A version that is no good then gives way: 5 minutes for
/// starting the one before, and 40 for publishing it once more. The rest is for the smoke test.
const PUBLISH_MINUTES: u32 = 90;
/// An approval is asked for or checked, not waited for.
const PROMOTE_MINUTES: u32 = 10;

/// What a person may tick.
const FLAGS: [ByHand; 2] = [PUT_BACK, BACK];

/// The workflow for models.
pub(super) fn deploy_models(file: &StageFile) -> Workflow {
    deploy(
        file,
        Kind::Model,
        file.models.iter().flat_map(named_files),
        &FLAGS,
        |stage, before| {
            let (mut steps, mut requests, mut outputs) = (Vec::new(), Vec::new(), IndexMap::new());
            for model in &file.models {
                let mut publish = publish(model, stage);
                if is_versioned(model) {
                    if let Some(version) =
                        before.map(|before| before.output(&version_output(model)))
                    {
                        steps.extend(
                            stage
                                .model_stage
                                .as_ref()
                                .map(|_| apply(model, stage, &version)),
                        );
                        publish = publish.env("MODEL_VERSION", version);
                    }
                    if let Some(next) = next_stage(file, stage) {
                        let version = publish.output("version");
                        requests.extend(
                            next.model_stage
                                .as_ref()
                                .map(|_| request(model, stage, next, &version)),
                        );
                        outputs.insert(version_output(model), version);
                    }
                }
                let name = &model.name;
                let publish = with_revision(file, stage, before, &mut outputs, name, publish);
                steps.push(publish);
            }
            let url = file
                .models
                .first()
                .map(|model| publish(model, stage).output("url"));
            steps.extend(requests);
            StageSteps {
                url,
                outputs,
                steps,
            }
        },
    )
}

/// Whether a model has a version to hand on: one that is built from a file has none.
fn is_versioned(model: &Model) -> bool {
    matches!(model.source, ModelSource::Registered { .. })
}

fn next_stage<'a>(file: &'a StageFile, stage: &Stage) -> Option<&'a Stage> {
    file.stages
        .iter()
        .skip_while(|other| other.name != stage.name)
        .nth(1)
}

/// The job output that carries a model's version to the next stage.
fn version_output(model: &Model) -> String {
    format!("{}-version", model.name)
}

fn publish(model: &Model, stage: &Stage) -> Step {
    let (name, stage) = (&model.name, &stage.name);
    let step = domino_step(
        format!("Publish model {name}"),
        format!("publish-{name}"),
        format!("deploy-model publish {name} --stage {stage}"),
        PUBLISH_MINUTES,
    );
    with_flags(asks_github(step), &FLAGS).env("DOMINO_MODEL_TOKEN", DOMINO_MODEL_TOKEN)
}

fn apply(model: &Model, stage: &Stage, version: &Expression) -> Step {
    let name = &model.name;
    let step = domino_step(
        format!("Move model {name} to {}", stage.name),
        format!("apply-{name}"),
        format!("promote-stage apply {name} --to {}", stage.name),
        PROMOTE_MINUTES,
    )
    .env("MODEL_VERSION", version);
    match stage.gates.github_approval || !stage.approvers.is_empty() {
        true => asks_github(step),
        false => step,
    }
}

fn request(model: &Model, stage: &Stage, next: &Stage, version: &Expression) -> Step {
    let name = &model.name;
    let mut step = domino_step(
        format!("Ask for model {name} to enter {}", next.name),
        format!("request-{name}"),
        format!("promote-stage request {name} --to {}", next.name),
        PROMOTE_MINUTES,
    )
    .env("MODEL_VERSION", version);
    step.r#if = Some(unless_stopped_after(stage));
    step
}

fn named_files(model: &Model) -> Vec<&str> {
    let source = match &model.source {
        ModelSource::Registered { .. } => None,
        ModelSource::Function { file, .. } => Some(file.as_str()),
    };
    let smoke_test = model.smoke_test.as_deref().and_then(|path| path.to_str());
    source.into_iter().chain(smoke_test).collect()
}
