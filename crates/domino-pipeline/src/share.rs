//! What one deploy workflow deploys: the entities of its kind, and with a model the job that trains it.
//!
//! A job and the models that it trains are one lineage: they share a file, so that the version that a commit trained
//! is the one that is published.

use stage_file::{Job, Kind, Stage, StageFile};

/// The part of the stage file that one workflow deploys.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    /// The stage file.
    pub file: &'a StageFile,
    /// The kind that the workflow is named after.
    pub kind: Kind,
    /// The number of the file, if the kind is split into several; 1 if there is one.
    pub part: usize,
}

impl<'a> Share<'a> {
    /// Its jobs, in the order of the file.
    pub fn jobs(self) -> impl Iterator<Item = &'a Job> {
        let Self { file, kind, .. } = self;
        file.jobs.iter().filter(move |job| match job.trains {
            true => kind == Kind::Model,
            false => kind == Kind::Job,
        })
    }

    /// Its jobs that are deployed to a stage.
    pub fn jobs_of(self, stage: &Stage) -> impl Iterator<Item = &'a Job> {
        self.jobs().filter(|job| job.is_deployed_to(stage))
    }

    /// Whether it deploys an entity.
    pub fn has(self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Job => self.jobs().any(|job| job.name == name),
            Kind::App | Kind::Model => kind == self.kind,
        }
    }

    /// The files that the stage file watches for everything, and for each entity of this share.
    pub fn paths(self) -> impl Iterator<Item = &'a str> {
        let Self { file, kind, .. } = self;
        let apps = file.apps.iter().filter(move |_| kind == Kind::App);
        let models = file.models.iter().filter(move |_| kind == Kind::Model);
        let own = self
            .jobs()
            .map(|job| &job.paths)
            .chain(apps.map(|app| &app.paths))
            .chain(models.map(|model| &model.paths));
        let paths = file.pipeline.paths.iter().chain(own.flatten().flatten());
        paths.map(String::as_str)
    }

    /// The kinds of the entities that it deploys.
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        let trains = self.kind == Kind::Model && self.jobs().next().is_some();
        trains.then_some(Kind::Job).into_iter().chain([self.kind])
    }

    /// The stages that it deploys to, in promotion order; for jobs, only stages that one of them is deployed to.
    pub fn stages(self) -> Vec<&'a Stage> {
        let stages = self.file.stages.iter();
        let has_something =
            |stage: &&Stage| self.kind != Kind::Job || self.jobs_of(stage).next().is_some();
        stages.filter(has_something).collect()
    }
}
