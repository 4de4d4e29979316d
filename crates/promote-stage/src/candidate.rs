//! The version that is to enter a stage, and everything that must be known about it before a gate is evaluated. It
//! only reads.

use domino_core::api::mlflow::{ModelVersion, Run, TrackingReader};
use domino_core::api::projects::Project;
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Result};
use domino_core::serving::Serving;
use domino_core::step::{Report, StepContext};
use stage_file::{MetricRule, Stage};

use crate::arguments::VersionArgs;
use crate::measurements::Measurements;
use crate::order;
use crate::people::People;
use crate::record::{Record, has_entered};
use crate::registry::{Registry, stage_of};
use crate::run_of::run_of;
use crate::target::PromotionTarget;
use crate::told::Told;

/// The version that is replaced, with what is known about it.
#[derive(Debug)]
pub(crate) struct Replaced {
    pub(crate) version: ModelVersion,
    pub(crate) run: Option<Run>,
    pub(crate) measured: Measurements,
}

/// How much to read about a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What decides whether it may enter.
    Decision,
    /// Also what a person compares it with.
    All,
}

/// A version that is to enter a stage.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) target: PromotionTarget<'a>,
    pub(crate) before: &'a Stage,
    /// The project of the stage.
    pub(crate) project: Project,
    pub(crate) registry: Registry,
    pub(crate) version: ModelVersion,
    /// How the version was chosen, for people.
    pub(crate) chosen: String,
    /// What the stage before serves.
    pub(crate) serving: Serving,
    /// The later stage that the version is already in, having passed through this one.
    pub(crate) already_promoted: Option<&'a Stage>,
    /// The run that created it.
    pub(crate) run: Option<Run>,
    /// Why the run is unknown, if it is.
    pub(crate) run_trouble: Option<String>,
    /// The version that it replaces, with its run.
    pub(crate) replaced: Option<Replaced>,
    /// The metrics of the version, by which rules are evaluated.
    pub(crate) measured: Measurements,
    pub(crate) people: People,
    /// What a step told this run, if this is one.
    pub(crate) told: Told,
    /// The server's present time, in epoch milliseconds.
    pub(crate) now: i64,
}

/// The project of the stage, and that of the stage before where it is another.
async fn projects(context: &StepContext, before: &Stage) -> Result<(Project, Option<Project>)> {
    let (file, stage) = (&context.file, &context.stage);
    let reader = context.connection.reader();
    let shared = before.project == stage.project;
    tokio::try_join!(Project::of_stage(&reader, file, stage), async {
        match shared {
            true => Ok(None),
            false => Project::of_stage(&reader, file, before).await.map(Some),
        }
    })
}

impl<'a> Candidate<'a> {
    /// Reads everything that is needed, and refuses what no gate could admit: first the registry and the projects,
    /// then what the stage before serves, then the runs.
    pub(crate) async fn find(
        context: &'a StepContext,
        args: &VersionArgs,
        wanted: Wanted,
    ) -> Result<Self> {
        let target = PromotionTarget::of(context, &args.model)?;
        let given = args.version()?;
        let (file, stage) = (&context.file, &context.stage);
        let before = stage_before(context)?;
        let reader = context.connection.reader();
        let tracking = PromotionTarget::tracking(context)?.reader();
        let (mut registry, (project, project_before)) = tokio::try_join!(
            target.registry(context, &tracking),
            projects(context, before),
        )?;
        let project_before = project_before.as_ref().unwrap_or(&project);
        let serving = Serving::of(&reader, file, before, target.model, project_before).await?;
        let (number, chosen) = order::choose(context, &target, before, given, &serving)?;
        registry.look_up(&tracking, number).await?;
        let Some(version) = registry.version(number).cloned() else {
            return Err(order::no_such_version(&registry, number));
        };
        if given.is_some() {
            order::check_handed_on(&version)?;
        }
        args.told.check_version(&version)?;
        order::ready(&version)?;
        let already_promoted = order::already_promoted(file, stage, &version)?;
        let mut candidate = Self {
            target,
            before,
            project,
            people: People::of(&version, None, args.told.started_by()),
            told: args.told.clone(),
            registry,
            version,
            chosen,
            serving,
            already_promoted,
            run: None,
            run_trouble: None,
            replaced: None,
            measured: Measurements::default(),
            now: tracking.now().as_millisecond(),
        };
        if candidate.already_promoted.is_some() {
            return Ok(candidate);
        }
        let origin = order::Origin {
            before,
            version: &candidate.version,
            serving: &candidate.serving,
        };
        if args.skip_order.is_none() {
            order::check_order(file, &candidate.target, &origin)?;
        }
        let replaced = candidate.read_replaced(&tracking).await?;
        candidate.read_runs(&tracking, replaced, wanted).await?;
        Ok(candidate)
    }

    /// The version that it replaces, as the registry has it.
    async fn read_replaced(&mut self, tracking: &TrackingReader) -> Result<Option<ModelVersion>> {
        let Some(number) = self.to_be_replaced() else {
            return Ok(None);
        };
        self.registry.look_up(tracking, number).await?;
        let found = self.registry.version(number).cloned();
        // An alias that could not be deleted may point to a version that was rolled back while it entered.
        Ok(found.filter(|version| {
            stage_of(version) == self.target.model_stage || !self.was_only_tried(version)
        }))
    }

    /// Reads the run that made the version, its metrics, and those of the one that it replaces, as far as a rule or a
    /// person wants them.
    async fn read_runs(
        &mut self,
        tracking: &TrackingReader,
        replaced: Option<ModelVersion>,
        wanted: Wanted,
    ) -> Result<()> {
        let rules = self.target.metric_rules.iter();
        let rules: Vec<MetricRule> = rules.filter_map(|text| text.parse().ok()).collect();
        let measures = wanted == Wanted::All || !rules.is_empty();
        let run = run_of(tracking, &self.version.run_id);
        let (run, before) = tokio::try_join!(run, async {
            match &replaced {
                Some(version) if measures => made(tracking, version, &rules).await,
                _ => Ok((None, Measurements::default())),
            }
        })?;
        if measures {
            self.measured = Measurements::read(tracking, &self.version, &run, &rules).await?;
        }
        self.run = run.known().cloned();
        self.run_trouble = run.trouble();
        self.people = People::of(&self.version, self.run.as_ref(), self.told.started_by());
        let (run, measured) = before;
        self.replaced = replaced.map(|version| Replaced {
            version,
            run,
            measured,
        });
        Ok(())
    }

    /// The version's number.
    pub(crate) fn number(&self) -> VersionNumber {
        self.version.version
    }

    /// Whether the version is in the stage already.
    pub(crate) fn is_in_stage(&self) -> bool {
        stage_of(&self.version) == self.target.model_stage
    }

    /// The other versions in the stage, newest first.
    pub(crate) fn others(&self) -> Vec<VersionNumber> {
        let mut others = self.registry.versions_in_stage(&self.target.model_stage);
        others.retain(|other| *other != self.number());
        others
    }

    /// How the version entered the stage, or began to.
    pub(crate) fn record(&self) -> Option<Record> {
        Record::of(&self.version, &self.target.stage.name)
    }

    /// The version that it replaces: the one in the stage, or if it has replaced that already, the one in its record.
    fn to_be_replaced(&self) -> Option<VersionNumber> {
        let pointed = self.registry.alias(&self.target.alias());
        let others = self.others();
        pointed
            .filter(|pointed| others.contains(pointed))
            .or_else(|| others.first().copied())
            .or_else(|| pointed.filter(|pointed| *pointed != self.number()))
            .or_else(|| {
                let record = self.record().filter(|_| self.is_in_stage());
                record.and_then(|record| record.replaced)
            })
    }

    /// Whether a version never entered the stage, although its record describes an attempt.
    fn was_only_tried(&self, version: &ModelVersion) -> bool {
        let stage = &self.target.stage.name;
        Record::of(version, stage).is_some() && !has_entered(version, stage)
    }

    /// The outputs for later steps.
    pub(crate) fn outputs(&self, report: &mut Report) {
        report
            .output("version", self.number().to_string())
            .output("registered-model", self.target.name)
            .output("model-stage", self.target.model_stage.word());
    }
}

/// The stage that a version comes from. Both must be on one Domino, because another one has another experiment
/// manager.
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

/// The run that created a version, and what was measured of it.
async fn made(
    tracking: &TrackingReader,
    version: &ModelVersion,
    rules: &[MetricRule],
) -> Result<(Option<Run>, Measurements)> {
    let run = run_of(tracking, &version.run_id).await?;
    let measured = Measurements::read(tracking, version, &run, rules).await?;
    Ok((run.known().cloned(), measured))
}

#[cfg(test)]
pub(crate) mod tests;
