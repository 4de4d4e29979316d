//! A whole stage file, and looking things up in it: stages and entities by name, what decides where one runs, lines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::app::App;
use crate::endpoint_settings::EndpointSettings;
use crate::job::Job;
use crate::kind::Kind;
use crate::model::Model;
use crate::pipeline::Pipeline;
use crate::placement::{Placement, Target};
use crate::problem::Problem;
use crate::run_settings::RunSettings;
use crate::stage::Stage;
use crate::tree::{Tree, words};
use crate::unknown_name::UnknownName;

/// A whole stage file: read, checked, and with the defaults filled in.
#[derive(Debug, Clone)]
pub struct StageFile {
    /// Where it was read from, as given.
    pub path: PathBuf,
    /// The text, kept to find the line of a key when one must be named.
    pub(super) text: String,
    /// What is doubtful in it and not accepted by it.
    pub(super) warnings: Vec<Problem>,
    /// What concerns the pipeline as a whole.
    pub pipeline: Pipeline,
    /// The stages, in promotion order.
    pub stages: Vec<Stage>,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Job>,
    /// The apps, in the order of the file.
    pub apps: Vec<App>,
    /// The models, in the order of the file.
    pub models: Vec<Model>,
}

impl StageFile {
    /// The longest name: names go into titles, endpoints, step ids and outputs, and some are joined.
    pub(super) const LONGEST_NAME: usize = 50;

    /// Whether a stage, job, app or model may be called so.
    pub fn is_name(name: &str) -> bool {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(legal)
            && name.len() <= Self::LONGEST_NAME
    }

    /// What is doubtful in the file and not accepted by it, in the order of its lines.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The same with fewer jobs, apps and models: those that are to be kept.
    pub fn with_only(&self, keep: impl Fn(Kind, &str) -> bool) -> Self {
        let jobs = self.jobs.iter().filter(|job| keep(Kind::Job, &job.name));
        let apps = self.apps.iter().filter(|app| keep(Kind::App, &app.name));
        let models = self.models.iter();
        let models = models.filter(|model| keep(Kind::Model, &model.name));
        Self {
            path: self.path.clone(),
            text: self.text.clone(),
            warnings: Vec::new(),
            pipeline: self.pipeline.clone(),
            stages: self.stages.clone(),
            jobs: jobs.cloned().collect(),
            apps: apps.cloned().collect(),
            models: models.cloned().collect(),
        }
    }

    /// The stage by its name or by its GitHub environment's, without case.
    pub fn stage(&self, name: &str) -> Result<&Stage, UnknownName> {
        let named = |stage: &&Stage| {
            same_name(&stage.name, name) || same_name(&stage.github_environment, name)
        };
        let known = self.stages.iter().map(|stage| stage.name.as_str());
        self.stages
            .iter()
            .find(named)
            .ok_or_else(|| UnknownName::new("stage", name, known))
    }

    /// The stage that a version or commit must have passed before this one.
    pub fn stage_before(&self, stage: &Stage) -> Option<&Stage> {
        self.stages.get(self.position(stage)?.checked_sub(1)?)
    }

    /// The last stage before this one that an entity is deployed to.
    pub fn deployed_before(&self, kind: Kind, entity: &str, stage: &Stage) -> Option<&Stage> {
        let job = match kind {
            Kind::Job => self.job(entity).ok(),
            Kind::App | Kind::Model => None,
        };
        let mut earlier = self.stages[..self.position(stage)?].iter().rev();
        earlier.find(|stage| job.is_none_or(|job| job.is_deployed_to(stage)))
    }

    fn position(&self, stage: &Stage) -> Option<usize> {
        self.stages
            .iter()
            .position(|other| other.name == stage.name)
    }

    /// The job by its name, without case.
    pub fn job(&self, name: &str) -> Result<&Job, UnknownName> {
        named("job", &self.jobs, |job| &job.name, name)
    }

    /// The jobs that are deployed to a stage, in the order of the file.
    pub fn jobs_of<'a>(&'a self, stage: &'a Stage) -> impl Iterator<Item = &'a Job> {
        self.jobs.iter().filter(|job| job.is_deployed_to(stage))
    }

    /// The app by its name, without case.
    pub fn app(&self, name: &str) -> Result<&App, UnknownName> {
        named("app", &self.apps, |app| &app.name, name)
    }

    /// The model by its name, without case.
    pub fn model(&self, name: &str) -> Result<&Model, UnknownName> {
        named("model", &self.models, |model| &model.name, name)
    }

    /// The hardware tier and compute environment of one entity in one stage: its own where it has them,
    /// else the stage's; and which keys of the file said so.
    pub fn target(&self, kind: Kind, entity: &str, stage: &Stage) -> Target {
        let placement = self.placement(kind, entity, stage);
        let own_tier = placement.and_then(|(_, placement)| placement.hardware_tier.clone());
        let own_environment = placement.and_then(|(_, placement)| placement.environment.clone());
        let key = |own: bool, key: &str| match placement {
            Some((name, _)) if own => [kind.word(), name, "stage", &stage.name, key]
                .map(str::to_owned)
                .to_vec(),
            _ => {
                let plural = format!("{}s", kind.word());
                let path = ["stage", &stage.name, key, &plural];
                let length = if key == "hardware-tier" { 4 } else { 3 };
                self.deciding_key(&path[..length])
            }
        };
        Target {
            entity: entity.to_owned(),
            hardware_tier_key: key(own_tier.is_some(), "hardware-tier"),
            environment_key: key(own_environment.is_some(), "environment"),
            hardware_tier: own_tier.or_else(|| stage.hardware_tier.of(kind).map(str::to_owned)),
            environment: own_environment.or_else(|| stage.environment.clone()),
            settings: self.run_settings(kind, entity, stage),
        }
    }

    /// What the runs of an entity have in a stage.
    fn run_settings(&self, kind: Kind, entity: &str, stage: &Stage) -> RunSettings {
        match kind {
            Kind::Job => self.job(entity).ok().map(|job| job.settings_in(stage)),
            Kind::App => self.app(entity).ok().map(|app| RunSettings {
                volumes: app.settings_in(stage).volumes,
                ..RunSettings::default()
            }),
            Kind::Model => None,
        }
        .unwrap_or_default()
    }

    /// The path of a key of an entity that decides in a stage: that of its table for the stage where that has it.
    pub fn entity_key(&self, kind: Kind, entity: &str, stage: &Stage, key: &[&str]) -> Vec<String> {
        let (word, above) = (kind.word(), &key[..1]);
        let own = [&[word, entity, "stage", &stage.name], above].concat();
        let table = match self.sets(&own) {
            true => &own[..4],
            false => &own[..2],
        };
        let path = [table, key].concat();
        path.into_iter().map(str::to_owned).collect()
    }

    /// What an entity has of its own in a stage, with its name as the file writes it.
    pub(super) fn placement(
        &self,
        kind: Kind,
        entity: &str,
        stage: &Stage,
    ) -> Option<(&str, &Placement)> {
        let (name, stages) = match kind {
            Kind::Job => self.job(entity).ok().map(|job| (&job.name, &job.stages)),
            Kind::App => self.app(entity).ok().map(|app| (&app.name, &app.stages)),
            Kind::Model => self
                .model(entity)
                .ok()
                .map(|model| (&model.name, &model.stages)),
        }?;
        Some((name.as_str(), stages.get(&stage.name)?))
    }

    /// The name that an app has in Domino in one stage: its own there, or `<app>-<stage>`. Stages may share a
    /// project, and an app that is published to one must not replace what runs in another.
    pub fn app_name(&self, app: &App, stage: &Stage) -> String {
        let own = app
            .stages
            .get(&stage.name)
            .and_then(|placement| placement.name.clone());
        own.unwrap_or_else(|| format!("{}-{}", app.name, stage.name))
    }

    /// The name that a model's endpoint has in one stage: its own there, or `<model>-<stage>`.
    pub fn endpoint_name(&self, model: &Model, stage: &Stage) -> String {
        let own = model
            .stages
            .get(&stage.name)
            .and_then(|placement| placement.endpoint.clone());
        own.unwrap_or_else(|| format!("{}-{}", model.name, stage.name))
    }

    /// How many replicas serve a model in one stage: its own number there, or the model's, if the file says one.
    pub fn replicas(&self, model: &Model, stage: &Stage) -> Option<u32> {
        let own = model.stages.get(&stage.name);
        own.and_then(|placement| placement.replicas)
            .or(model.replicas)
    }

    /// How a model's endpoint answers its callers in one stage: as its table for that stage says, and where that is
    /// silent the model's own.
    pub fn endpoint_settings(&self, model: &Model, stage: &Stage) -> EndpointSettings {
        match model.stages.get(&stage.name) {
            Some(own) => own.endpoint_settings.over(&model.endpoint),
            None => model.endpoint.clone(),
        }
    }

    /// The path of the key that says something of a model's endpoint in one stage: its own there, or the model's.
    pub fn endpoint_key<'a>(
        &self,
        model: &'a Model,
        stage: &'a Stage,
        key: &'a str,
    ) -> Vec<&'a str> {
        let own = vec!["model", &model.name, "stage", &stage.name, key];
        match self.sets(&own) {
            true => own,
            false => vec!["model", &model.name, key],
        }
    }

    /// The environment variables of a model's endpoint in one stage: the model's, and over them those it has of
    /// its own there.
    pub fn environment_variables(&self, model: &Model, stage: &Stage) -> BTreeMap<String, String> {
        let mut variables = model.environment_variables.clone();
        if let Some(own) = model.stages.get(&stage.name) {
            variables.extend(own.environment_variables.clone());
        }
        variables
    }

    /// The rules on a model's metrics that a version must keep to enter a stage, and the path of the key that says so:
    /// its own there, or the model's.
    pub fn metric_rules<'a>(
        &self,
        model: &'a Model,
        stage: &'a Stage,
    ) -> (&'a [String], Vec<&'a str>) {
        let own = model.stages.get(&stage.name);
        match own.and_then(|placement| placement.metric_rules.as_deref()) {
            Some(own) => (
                own,
                vec!["model", &model.name, "stage", &stage.name, "metric-rules"],
            ),
            None => (
                &model.metric_rules,
                vec!["model", &model.name, "metric-rules"],
            ),
        }
    }

    /// Whether the file itself has this key, and does not leave it to a default of ours: what it leaves out is not
    /// changed in Domino. The text is parsed for it.
    pub fn sets<S: AsRef<str>>(&self, path: &[S]) -> bool {
        Tree::parse(&self.text).is_ok_and(|tree| tree.own(path).is_some())
    }

    /// Whether a stage has this key, of its own or from `[defaults]`, and not from a default of ours.
    pub fn sets_for(&self, stage: &Stage, key: &str) -> bool {
        self.sets(&["stage", &stage.name, key]) || self.sets(&["defaults", key])
    }

    /// The line of a key, counted from one: `["stage", "prod", "hardware-tier"]`. Where the stage itself
    /// does not have it, that of the key in `[defaults]`, or of the nearest table above it.
    ///
    /// The text is parsed for it, so ask only when something must be named.
    pub fn line_of<S: AsRef<str>>(&self, path: &[S]) -> Option<usize> {
        Tree::parse(&self.text).ok()?.line(path)
    }

    /// A key as a hint names it: `` `hardware-tier` under `[stage.prod]` in stages.toml (line 41) ``.
    pub fn place_of<S: AsRef<str>>(&self, path: &[S]) -> String {
        let path = self.deciding_key(path);
        let (key, header) = words(&path);
        let line = self
            .line_of(&path)
            .map(|line| format!(" (line {line})"))
            .unwrap_or_default();
        let key = if key.is_empty() {
            String::new()
        } else {
            format!("`{key}` under ")
        };
        format!("{key}`{header}` in {}{line}", self.path.display())
    }

    /// The path of the key that decides: the one asked for, the one in `[defaults]`, or the one above that
    /// answers for it.
    fn deciding_key<S: AsRef<str>>(&self, path: &[S]) -> Vec<String> {
        match Tree::parse(&self.text) {
            Ok(tree) => tree.deciding_key(path),
            Err(_) => path.iter().map(|key| key.as_ref().to_owned()).collect(),
        }
    }
}

/// Names are compared without case, because GitHub compares those of its environments so.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn named<'a, T>(
    kind: &'static str,
    entities: &'a [T],
    name_of: fn(&T) -> &String,
    name: &str,
) -> Result<&'a T, UnknownName> {
    // Mostly it is spelt as in the file, which is seen faster.
    let exact = entities.iter().find(|entity| name_of(entity) == name);
    let without_case = || {
        let mut entities = entities.iter();
        entities.find(|entity| same_name(name_of(entity), name))
    };
    exact.or_else(without_case).ok_or_else(|| {
        UnknownName::new(
            kind,
            name,
            entities.iter().map(|entity| name_of(entity).as_str()),
        )
    })
}

#[cfg(test)]
mod tests;
