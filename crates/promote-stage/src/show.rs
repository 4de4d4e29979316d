//! `promote-stage sheet`: where a version comes from and where it went, to read or to file. It changes nothing.

use std::collections::BTreeMap;

use domino_core::api::mlflow::{ModelStage, ModelVersion};
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::serving::Serving;
use domino_core::step::{Plan, Step, StepContext, StepFlags, StepResult};
use stage_file::{Model, ModelSource, Stage};

use crate::lineage::{Known, Lineage, endpoint_words};
use crate::order::no_such_version;
use crate::registry::Registry;
use crate::run_of::run_of;
use crate::target::{PromotionTarget, cannot};

/// `promote-stage sheet`.
#[derive(Debug, clap::Args)]
pub(crate) struct SheetArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// The version; when not given, the one that the stage holds, else the one that it serves
    #[arg(long, value_name = "VERSION")]
    version: Option<VersionNumber>,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Shows the lineage of a version.
pub(crate) async fn sheet(
    step: &mut Step,
    context: &StepContext,
    args: &SheetArgs,
) -> Result<StepResult> {
    let lineage = read(context, args)
        .await
        .with_context(|| cannot("show", &args.model, &context.stage))?;
    let (number, name, lineage) = lineage;
    let mut plan = Plan::new(format!("the lineage of version {number} of `{name}`"));
    for (what, words) in lineage.chain() {
        plan.fact(what, words);
    }
    step.show(&plan);
    step.report
        .output("version", number.to_string())
        .output("registered-model", &name);
    step.report.table = Some(lineage.table());
    step.report.sheet = Some(lineage.markdown());
    step.report.html = Some(lineage.html());
    step.report.data = Some(lineage.data());
    Ok(StepResult::unchanged(format!(
        "version {number} of `{name}` is shown with its stages"
    )))
}

async fn read(context: &StepContext, args: &SheetArgs) -> Result<(VersionNumber, String, Lineage)> {
    let (file, stage) = (&context.file, &context.stage);
    let model = file.model(&args.model)?;
    let ModelSource::Registered { name, .. } = &model.source else {
        return Err(CommandError::usage(format!(
            "model `{}` is built from a file: it has no versions",
            model.name
        ))
        .at(file, &["model", &model.name]));
    };
    let tracking = PromotionTarget::tracking(context)?.reader();
    let held: Vec<(&str, ModelStage)> = (stage.model_stage.as_deref().into_iter())
        .map(|word| (stage.name.as_str(), word.into()))
        .collect();
    let registry = Registry::read(&tracking, name, &held).await?;
    let mut registry = registry.ok_or_else(|| {
        CommandError::refused(format!("there is no registered model `{name}` yet"))
    })?;
    let mut serving = BTreeMap::new();
    for other in file.stages.iter().filter(|other| other.host == stage.host) {
        serving.insert(other.name.clone(), serves(context, other, model).await);
    }
    let number = choose(args, &registry, &held, serving.get(&stage.name));
    let number = number.ok_or_else(|| {
        CommandError::refused(format!(
            "stage `{}` neither holds nor serves a version",
            stage.name
        ))
        .hint("name one with `--version`")
    })?;
    registry.look_up(&tracking, number).await?;
    let Some(version) = registry.version(number) else {
        return Err(no_such_version(&registry, number));
    };
    let run = run_of(&tracking, &version.run_id).await?;
    let in_words = |(stage, serving): (&String, &Result<Serving>)| {
        (stage.clone(), words(serving, version, stage))
    };
    let endpoints: BTreeMap<String, String> = serving.iter().map(in_words).collect();
    let trouble = run.trouble();
    let known = Known {
        version,
        run: run.known(),
        run_trouble: trouble.as_deref(),
        endpoints: &endpoints,
    };
    Ok((number, name.clone(), Lineage::of(file, stage, known)))
}

/// The version that is given, that the stage holds, or that it serves.
fn choose(
    args: &SheetArgs,
    registry: &Registry,
    held: &[(&str, ModelStage)],
    serving: Option<&Result<Serving>>,
) -> Option<VersionNumber> {
    let in_stage = held
        .iter()
        .flat_map(|(_, stage)| registry.versions_in_stage(stage));
    args.version.or(in_stage.max()).or(match serving {
        Some(Ok(Serving::Version { version, .. })) => Some(*version),
        _ => None,
    })
}

async fn serves(context: &StepContext, stage: &Stage, model: &Model) -> Result<Serving> {
    let reader = context.connection.reader();
    let project = Project::of_stage(&reader, &context.file, stage).await?;
    Serving::of(&reader, &context.file, stage, model, &project).await
}

/// If this credential may not see a stage, the rest is still shown.
fn words(serving: &Result<Serving>, version: &ModelVersion, stage: &str) -> String {
    match serving {
        Ok(serving) => endpoint_words(serving, version, stage),
        Err(failure) => format!("not seen: {failure}"),
    }
}
