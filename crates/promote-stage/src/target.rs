//! The target of a promotion: a model of the stage file, and the stage of the experiment manager that it enters.

use domino_core::api::mlflow::{ModelStage, Tracking, TrackingReader};
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;
use domino_core::variable::variable;
use stage_file::{Model, ModelSource, Stage, VersionRule};

use crate::registry::{Registry, alias_of, previous_alias_of};

/// A model of the stage file, and where the experiment manager keeps it for a stage.
#[derive(Debug, Clone)]
pub(crate) struct PromotionTarget<'a> {
    pub(crate) model: &'a Model,
    /// The registered model's name.
    pub(crate) name: &'a str,
    /// The version rule in the stage file.
    pub(crate) rule: &'a VersionRule,
    /// The rules on its metrics in the stage.
    pub(crate) metric_rules: &'a [String],
    /// The key of the stage file that has them.
    pub(crate) metric_rules_key: Vec<&'a str>,
    pub(crate) stage: &'a Stage,
    /// The experiment manager's stage.
    pub(crate) model_stage: ModelStage,
}

impl<'a> PromotionTarget<'a> {
    /// Finds the model in the stage file. Only registered models have stages, and only stages with a `model-stage`
    /// hold one.
    pub(crate) fn of(context: &'a StepContext, model: &str) -> Result<Self> {
        let (file, stage) = (&context.file, &context.stage);
        let model = file.model(model)?;
        let ModelSource::Registered { name, version } = &model.source else {
            return Err(CommandError::usage(format!(
                "model `{}` is built from a file; only registered models have stages in the experiment manager",
                model.name
            ))
            .at(file, &["model", &model.name]));
        };
        let key = ["stage", stage.name.as_str(), "model-stage"];
        let Some(word) = &stage.model_stage else {
            return Err(CommandError::usage(format!(
                "stage `{}` has no `model-stage`, so that no version can be moved there",
                stage.name
            ))
            .hint(format!("write `model-stage` into `[stage.{}]`", stage.name))
            .at(file, &["stage", &stage.name]));
        };
        let model_stage = match ModelStage::from(word.as_str()) {
            entered @ (ModelStage::Staging | ModelStage::Production) => entered,
            other => {
                return Err(CommandError::usage(format!(
                    "`{other}` is no stage of the experiment manager that a version can enter: there are `Staging` \
                     and `Production`"
                ))
                .hint(format!("change `model-stage` of `[stage.{}]`", stage.name))
                .at(file, &key));
            }
        };
        let (metric_rules, metric_rules_key) = file.metric_rules(model, stage);
        Ok(Self {
            model,
            name,
            rule: version,
            metric_rules,
            metric_rules_key,
            stage,
            model_stage,
        })
    }

    /// The experiment manager.
    pub(crate) fn tracking(context: &StepContext) -> Result<Tracking> {
        let uri = variable("MLFLOW_TRACKING_URI");
        Ok(Tracking::of(&context.connection, uri.as_deref())?)
    }

    /// The model in the experiment manager, which must exist, and must not be a prompt.
    pub(crate) async fn registry(
        &self,
        context: &StepContext,
        reader: &TrackingReader,
    ) -> Result<Registry> {
        let stage = [(self.stage.name.as_str(), self.model_stage.clone())];
        let Some(registry) = Registry::read(reader, self.name, &stage).await? else {
            return Err(CommandError::refused(format!(
                "there is no registered model `{}` in the experiment manager",
                self.name
            ))
            .hint("run the job that trains and registers it; if it was renamed, correct `registered-model`")
            .at(
                &context.file,
                &["model", &self.model.name, "registered-model"],
            ));
        };
        if registry.model.is_prompt() {
            return Err(CommandError::refused(format!(
                "`{}` is a prompt, which the experiment manager keeps among its models; it has no stages",
                self.name
            ))
            .at(
                &context.file,
                &["model", &self.model.name, "registered-model"],
            ));
        }
        Ok(registry)
    }

    /// The alias that points to what the stage holds.
    pub(crate) fn alias(&self) -> String {
        alias_of(&self.model_stage)
    }

    /// The alias that points to what the stage held before.
    pub(crate) fn previous_alias(&self) -> String {
        previous_alias_of(&self.model_stage)
    }
}

/// The outermost words of an error: what could not be done.
pub(crate) fn cannot(verb: &str, model: &str, stage: &Stage) -> String {
    format!("cannot {verb} model `{model}` in stage `{}`", stage.name)
}
