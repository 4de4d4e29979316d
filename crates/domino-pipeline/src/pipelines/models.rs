//! `deploy-models.yml`: move every model of the stage file through the experiment manager and publish it, stage by
//! stage.
//!
//! The version is resolved once, in the first stage, or registered there by the run of the job that trains the model.
//! Each later stage gets the one that the stage before serves.

use indexmap::IndexMap;
use stage_file::{Job, Kind, Model, ModelSource, Promote, Stage, StageFile, named_files};

use super::by_hand::{BACK, ByHand, PUT_BACK, with_flags};
use super::chain::{Chain, Entity};
use super::jobs;
use super::stage::{
    StageSteps, asks_github, deploy, domino_step, minutes, unless_stopped_after, with_revision,
};
use crate::share::Share;
use github_workflow::write::{Expression, Step, Workflow};

/// The token that opens the endpoint for its smoke test.
pub(super) const DOMINO_MODEL_TOKEN: &str = "${{ secrets.DOMINO_MODEL_TOKEN }}";

/// `deploy-model publish` waits for the new version. A version with a defect is then rolled back: 5 minutes for
/// starting the previous one, and the same again for publishing it again. The rest is for the smoke test.
const MORE_MINUTES: u32 = 10;
/// An approval is requested or checked, not waited for.
const PROMOTE_MINUTES: u32 = 10;
/// How long it waits for a run in Domino that does this in its place: `promote-stage` has the same number.
const INSIDE_MINUTES: u32 = 30;

/// The flags that a person may tick.
const FLAGS: [ByHand; 2] = [PUT_BACK, BACK];

/// The workflow for models.
pub(super) fn deploy_models(share: Share<'_>) -> Workflow {
    let file = share.file;
    let scripts = share.jobs().flat_map(|job| named_files(&job.command));
    deploy(
        share,
        scripts.chain(file.models.iter().flat_map(files_of)),
        &FLAGS,
        |stage, before| {
            let mut outputs = IndexMap::new();
            let mut chains = jobs::chains_of(share, stage, before, &mut outputs);
            for model in &file.models {
                let (mut steps, mut asks) = (Vec::new(), None);
                let mut trained = None;
                let mut publish = publish(model, stage);
                let is_first = file.stage_before(stage).is_none();
                if let (true, Some(job)) = (is_first, trained_by(file, model)) {
                    let run = jobs::step(job, stage).output("id");
                    publish = publish.env("TRAINED_BY_RUN", run);
                    trained = Some(Entity {
                        kind: Kind::Job,
                        name: job.name.clone(),
                    });
                }
                if is_versioned(model) {
                    if let Some(before) = before {
                        let version = HandedOn {
                            number: before.output(&version_output(model)),
                            identity: before.output(&identity_output(model)),
                        };
                        if stage.model_stage.is_some() {
                            steps.push(version.to(apply(file, model, stage)));
                        }
                        publish = version.to(publish);
                    } else if !is_first && stage.model_stage.is_some() {
                        // It moves what the stage before serves, and that one is published.
                        let apply = apply(file, model, stage);
                        publish = publish.env("MODEL_VERSION", apply.output("version"));
                        steps.push(apply);
                    }
                    if let Some(next) = next_stage(file, stage) {
                        let version = HandedOn {
                            number: publish.output("version"),
                            identity: publish.output("version-identity"),
                        };
                        if next.model_stage.is_some() {
                            asks = Some(version.to(request(share, model, stage, next)));
                        }
                        if !next.is_entered_by_hand() {
                            outputs.insert(version_output(model), version.number);
                            outputs.insert(identity_output(model), version.identity);
                        }
                    }
                }
                let of = (Kind::Model, model.name.as_str());
                let publish = with_revision(share, stage, before, &mut outputs, of, publish);
                steps.push(publish);
                let mut chain = Chain::new(Kind::Model, &model.name, &model.after, steps);
                chain.request = asks;
                chain.after.extend(trained);
                chains.push(chain);
            }
            let url = file
                .models
                .first()
                .map(|model| publish(model, stage).output("url"));
            StageSteps {
                url,
                outputs,
                chains,
            }
        },
    )
}

/// The job that trains a model: its run in the first stage registers the version that is published.
fn trained_by<'a>(file: &'a StageFile, model: &Model) -> Option<&'a Job> {
    file.job(model.trained_by.as_deref()?).ok()
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

/// The job output that identifies that version beyond its number.
fn identity_output(model: &Model) -> String {
    format!("{}-version-identity", model.name)
}

/// A version as one step hands it on to another: a number alone means nothing.
struct HandedOn {
    number: Expression,
    identity: Expression,
}

impl HandedOn {
    fn to(&self, step: Step) -> Step {
        step.env("MODEL_VERSION", &self.number)
            .env("MODEL_VERSION_IDENTITY", &self.identity)
    }
}

fn publish(model: &Model, stage: &Stage) -> Step {
    let timeout = minutes(model.timeout(stage));
    let (name, stage) = (&model.name, &stage.name);
    let step = domino_step(
        format!("Publish model {name}"),
        format!("publish-{name}"),
        format!("deploy-model publish {name} --stage {stage}"),
        timeout.saturating_mul(2).saturating_add(MORE_MINUTES),
    );
    with_flags(asks_github(step), &FLAGS).env("DOMINO_MODEL_TOKEN", DOMINO_MODEL_TOKEN)
}

/// How long a step that promotes may take.
fn promote_minutes(file: &StageFile) -> u32 {
    match file.pipeline.promote {
        Promote::Outside => PROMOTE_MINUTES,
        Promote::Inside => PROMOTE_MINUTES + INSIDE_MINUTES,
    }
}

fn apply(file: &StageFile, model: &Model, stage: &Stage) -> Step {
    let name = &model.name;
    let step = domino_step(
        format!("Move model {name} to {}", stage.name),
        format!("apply-{name}"),
        format!("promote-stage apply {name} --to {}", stage.name),
        promote_minutes(file),
    );
    match stage.gates.github_approval || !stage.approvers.is_empty() {
        true => asks_github(step),
        false => step,
    }
}

fn request(share: Share<'_>, model: &Model, stage: &Stage, next: &Stage) -> Step {
    let name = &model.name;
    let mut step = domino_step(
        format!("Ask for model {name} to enter {}", next.name),
        format!("request-{name}"),
        format!("promote-stage request {name} --to {}", next.name),
        promote_minutes(share.file),
    );
    step.r#if = unless_stopped_after(share, stage);
    step
}

fn files_of(model: &Model) -> Vec<String> {
    let source = match &model.source {
        ModelSource::Registered { .. } => None,
        ModelSource::Function { file, .. } => Some(file.as_str()),
    };
    let smoke_test = model.smoke_test.as_deref().and_then(|path| path.to_str());
    source
        .into_iter()
        .chain(smoke_test)
        .map(str::to_owned)
        .collect()
}
