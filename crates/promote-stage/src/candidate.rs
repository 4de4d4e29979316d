//! The version that is to enter a stage, and all that must be known of it before any gate is asked. It only reads.

use domino_core::api::mlflow::{ModelStage, ModelVersion, Run, Tracking, TrackingReader};
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Result};
use domino_core::serving::Serving;
use domino_core::step::{Report, StepContext};
use stage_file::{Model, ModelSource, Stage, VersionRule};

use crate::people::People;
use crate::record::Record;
use crate::registry::{Registry, alias_of, previous_alias_of, stage_of};
use crate::{VersionArgs, order, variable};

/// A model of the stage file and where the experiment manager keeps it in a stage.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) model: &'a Model,
    /// The registered model's name.
    pub(crate) name: &'a str,
    /// Which version the stage file says.
    pub(crate) rule: &'a VersionRule,
    /// The rules on its metrics in the stage.
    pub(crate) metric_rules: &'a [String],
    /// The key of the stage file that has them.
    pub(crate) metric_rules_key: Vec<&'a str>,
    pub(crate) stage: &'a Stage,
    /// The experiment manager's stage.
    pub(crate) target: ModelStage,
}

/// A version on its way into a stage.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) before: &'a Stage,
    /// The project of the stage.
    pub(crate) project: Project,
    pub(crate) registry: Registry,
    pub(crate) version: ModelVersion,
    /// By what the version was chosen, for people.
    pub(crate) chosen: String,
    /// What the stage before serves.
    pub(crate) serving: Serving,
    /// The later stage that the version is in already, by way of this one.
    pub(crate) past: Option<&'a Stage>,
    /// The run that made it.
    pub(crate) run: Option<Run>,
    /// The version that it takes the place of, with its run.
    pub(crate) replaced: Option<(ModelVersion, Option<Run>)>,
    pub(crate) people: People,
    /// What time it is for the server, in epoch milliseconds.
    pub(crate) now: i64,
}

impl<'a> Place<'a> {
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
        let target = match ModelStage::from(word.as_str()) {
            target @ (ModelStage::Staging | ModelStage::Production) => target,
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
            target,
        })
    }

    /// The experiment manager.
    pub(crate) fn tracking(context: &StepContext) -> Result<Tracking> {
        let uri = variable("MLFLOW_TRACKING_URI");
        Tracking::of(&context.connection, uri.as_deref())
    }

    /// What the experiment manager holds of the model, which must be there, and be a model.
    pub(crate) async fn registry(
        &self,
        context: &StepContext,
        reader: &TrackingReader,
    ) -> Result<Registry> {
        let Some(registry) = Registry::read(reader, self.name).await? else {
            return Err(CommandError::refused(format!(
                "there is no registered model `{}` in the experiment manager",
                self.name
            ))
            .hint("run the job that trains and registers it, or correct `registered-model`")
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
        alias_of(&self.target)
    }

    /// The alias that points to what the stage held before.
    pub(crate) fn previous_alias(&self) -> String {
        previous_alias_of(&self.target)
    }
}

impl<'a> Candidate<'a> {
    /// Reads all there is to know, and refuses what no gate could let in: first the registry beside the projects,
    /// then what the stage before serves, then the runs.
    pub(crate) async fn find(context: &'a StepContext, args: &VersionArgs) -> Result<Self> {
        let place = Place::of(context, &args.model)?;
        let (file, stage) = (&context.file, &context.stage);
        let before = stage_before(context)?;
        let reader = context.connection.reader();
        let tracking = Place::tracking(context)?.reader();
        let shared = before.project == stage.project;
        let (registry, project, project_before) = tokio::try_join!(
            place.registry(context, &tracking),
            Project::of_stage(&reader, file, stage),
            async {
                match shared {
                    true => Ok(None),
                    false => Project::of_stage(&reader, file, before).await.map(Some),
                }
            },
        )?;
        let project_before = project_before.as_ref().unwrap_or(&project);
        let serving = Serving::of(&reader, file, before, place.model, project_before).await?;
        let (number, chosen) = order::choose(context, &place, before, args.version(), &serving)?;
        let Some(version) = registry.version(number).cloned() else {
            return Err(order::no_such_version(&registry, number));
        };
        order::ready(&version)?;
        let past = order::past(file, stage, &version)?;
        let mut candidate = Self {
            place,
            before,
            project,
            people: People::of(&version, None),
            registry,
            version,
            chosen,
            serving,
            past,
            run: None,
            replaced: None,
            now: tracking.now().as_millisecond(),
        };
        if candidate.past.is_some() {
            return Ok(candidate);
        }
        order::in_order(&candidate, file, args.skip_order.as_deref())?;
        let replaced = candidate.to_be_replaced().cloned();
        let (run, replaced_run) = tokio::try_join!(
            run_of(&tracking, Some(&candidate.version)),
            run_of(&tracking, replaced.as_ref()),
        )?;
        candidate.people = People::of(&candidate.version, run.as_ref());
        candidate.run = run;
        candidate.replaced = replaced.map(|version| (version, replaced_run));
        Ok(candidate)
    }

    /// The version's number.
    pub(crate) fn number(&self) -> VersionNumber {
        self.version.version
    }

    /// Whether the version is in the stage already.
    pub(crate) fn is_there(&self) -> bool {
        stage_of(&self.version) == self.place.target
    }

    /// The other versions in the stage, newest first.
    pub(crate) fn others(&self) -> Vec<VersionNumber> {
        let mut others = self.registry.holders(&self.place.target);
        others.retain(|other| *other != self.number());
        others
    }

    /// How the version got into the stage, or began to.
    pub(crate) fn record(&self) -> Option<Record> {
        Record::in_tags(&self.version.tags, &self.place.stage.name)
    }

    /// The version that it takes the place of: the one in the stage, and when it has done so already, the one that
    /// its record names.
    fn to_be_replaced(&self) -> Option<&ModelVersion> {
        let pointed = self.registry.alias(&self.place.alias());
        let others = self.others();
        let number = pointed
            .filter(|pointed| others.contains(pointed))
            .or_else(|| others.first().copied())
            .or_else(|| pointed.filter(|pointed| *pointed != self.number()))
            .or_else(|| {
                let record = self.record().filter(|_| self.is_there());
                record.and_then(|record| record.replaced)
            })?;
        self.registry.version(number)
    }

    /// What later steps are given.
    pub(crate) fn outputs(&self, report: &mut Report) {
        report
            .output("version", self.number().to_string())
            .output("registered-model", self.place.name)
            .output("model-stage", self.place.target.word());
    }
}

/// The stage that a version comes from. Both must be on one Domino: another has another experiment manager.
fn stage_before(context: &StepContext) -> Result<&Stage, CommandError> {
    let (file, stage) = (&context.file, &context.stage);
    let Some(before) = file.stage_before(stage) else {
        return Err(CommandError::usage(format!(
            "stage `{}` is the first: versions begin there, and none is moved into it",
            stage.name
        ))
        .at(file, &["stage", &stage.name]));
    };
    if before.host != stage.host {
        return Err(CommandError::usage(format!(
            "stage `{}` is on `{}` and stage `{}` on `{}`: a version cannot be moved from one experiment manager to \
             another",
            before.name, before.host, stage.name, stage.host
        ))
        .hint(format!(
            "take `model-stage` out of `[stage.{}]`, and let the stage's own jobs register the model",
            stage.name
        ))
        .at(file, &["stage", &stage.name, "model-stage"]));
    }
    Ok(before)
}

/// The run that made a version, if one did and it is still there.
async fn run_of(tracking: &TrackingReader, version: Option<&ModelVersion>) -> Result<Option<Run>> {
    match version.map(|version| version.run_id.as_str()) {
        None | Some("") => Ok(None),
        Some(id) => Ok(tracking.run(id).await?),
    }
}
