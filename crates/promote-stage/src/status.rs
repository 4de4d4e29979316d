//! `promote-stage status`: what each stage holds in the experiment manager, and how it got there.

use domino_core::api::mlflow::ModelStage;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::step::{Step, StepContext, StepFlags, StepResult, Table};
use domino_core::version_identity::VersionIdentity;
use stage_file::{ModelSource, Stage};

use crate::record::{Record, Status};
use crate::registry::{Registry, alias_of, listed, previous_alias_of};
use crate::target::{PromotionTarget, cannot};

/// `promote-stage status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

/// Lists the stages with what they hold.
pub(crate) async fn status(
    step: &mut Step,
    context: &StepContext,
    args: &StatusArgs,
) -> Result<StepResult> {
    let file = &context.file;
    let model = file.model(&args.model)?;
    let ModelSource::Registered { name, .. } = &model.source else {
        return Ok(StepResult::unchanged(format!(
            "model `{}` is built from a file: it has no versions and no stages",
            model.name
        )));
    };
    let reader = PromotionTarget::tracking(context)?.reader();
    let stages: Vec<(&str, ModelStage)> = file
        .stages
        .iter()
        .filter(|stage| stage.host == context.stage.host)
        .filter_map(|stage| Some((stage.name.as_str(), stage.model_stage.as_deref()?.into())))
        .collect();
    let registry = Registry::read(&reader, name, &stages)
        .await
        .with_context(|| cannot("look for", &args.model, &context.stage))?;
    let Some(registry) = registry else {
        return Ok(StepResult::unchanged(format!(
            "there is no registered model `{name}` yet"
        )));
    };
    let mut rows = Vec::new();
    for stage in &file.stages {
        match &stage.model_stage {
            _ if stage.host != context.stage.host => {
                rows.push(row(&stage.name, &format!("on {}", stage.host)));
            }
            None => rows.push(row(&stage.name, "")),
            Some(word) => {
                let held = ModelStage::from(word.as_str());
                rows.push(held_row(&registry, stage, &held));
                let existing = registry.versions_in_stage(&held);
                if existing.len() > 1 {
                    step.warn(
                        &format!("`{held}` holds {} at once", listed(&existing)),
                        None,
                    );
                }
            }
        }
    }
    step.report.table = Some(Table {
        columns: vec![
            "stage",
            "model stage",
            "version",
            "before",
            "since",
            "approved by",
        ],
        rows,
    });
    if let Some(failure) = another(&registry, &stages) {
        return Err(failure);
    }
    let newest = match registry.versions.first() {
        None => "it has no version".to_owned(),
        Some(newest) => format!("its newest version is {}", newest.version),
    };
    Ok(StepResult::unchanged(format!(
        "registered model `{name}`: {newest}"
    )))
}

/// A stage that holds a version with the record of another: somebody copied it, or its model was created again.
fn another(registry: &Registry, stages: &[(&str, ModelStage)]) -> Option<CommandError> {
    stages.iter().find_map(|(stage, held)| {
        let held = registry.versions_in_stage(held).into_iter();
        held.filter_map(|number| registry.version(number))
            .find_map(|version| {
                let other = Record::foreign(version, stage)?;
                let (number, identity) = (version.version, VersionIdentity::of(version));
                Some(
                    CommandError::refused(format!(
                        "the record of version {number} in stage `{stage}` is that of {other}; the version there is \
                         {identity}"
                    ))
                    .hint("no gate let it in: promote it with promote-stage apply, or put back what was there"),
                )
            })
    })
}

fn row(stage: &str, model_stage: &str) -> Vec<String> {
    let mut row = vec![stage.to_owned(), model_stage.to_owned()];
    row.resize(6, String::new());
    row
}

fn held_row(registry: &Registry, stage: &Stage, held: &ModelStage) -> Vec<String> {
    let existing = registry.versions_in_stage(held);
    let numbers: Vec<String> = existing.iter().map(ToString::to_string).collect();
    let mut row = row(&stage.name, held.word());
    row[2] = match registry.alias(&alias_of(held)) {
        Some(alias) if !existing.contains(&alias) => {
            format!("{} (alias: {alias})", numbers.join(", "))
                .trim()
                .to_owned()
        }
        _ => numbers.join(", "),
    };
    row[3] = registry
        .alias(&previous_alias_of(held))
        .map(|version| version.to_string())
        .unwrap_or_default();
    let record = existing
        .first()
        .and_then(|number| Record::of(registry.version(*number)?, &stage.name));
    if let Some(record) = record {
        row[4] = match record.status {
            Status::Done => record.at,
            Status::Pending => format!("{}, not finished", record.at),
            Status::RolledBack => format!("{}, undone", record.at),
        };
        row[5] = record.approved_by.join(", ");
    }
    row
}
