//! Every job of the sandbox: how one is started and found again.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use super::job::{Job, JobAssets, JobSpec};
use super::run;
use crate::catalog::Catalog;
use crate::clock::Moment;
use crate::host::Host;
use crate::projects::Project;
use crate::reply::Failure;
use crate::request::object_id;
use crate::run_status::RunStatus;
use crate::store::Store;
use crate::users::User;

/// Every job of the sandbox, oldest first.
pub(crate) struct Jobs {
    pub(super) catalog: Arc<Catalog>,
    pub(super) host: Arc<Host>,
    jobs: Store<Arc<Job>>,
}

impl Jobs {
    pub(crate) fn new(catalog: Arc<Catalog>, host: Arc<Host>) -> Self {
        Jobs {
            catalog,
            host,
            jobs: Store::default(),
        }
    }

    /// Creates a job from `spec` and runs it.
    pub(crate) fn start(
        &self,
        user: &Arc<User>,
        project: &Arc<Project>,
        spec: JobSpec,
    ) -> Result<Arc<Job>, Failure> {
        if spec.command.trim().is_empty() {
            return Err(Failure::bad_request("The command to run is empty"));
        }
        let job = self.add(user, project, spec, self.host.now())?;
        tokio::spawn(run::run(self.host.clone(), job.clone()));
        Ok(job)
    }

    /// Adds a job that was submitted then.
    fn add(
        &self,
        user: &Arc<User>,
        project: &Arc<Project>,
        spec: JobSpec,
        submitted: Moment,
    ) -> Result<Arc<Job>, Failure> {
        let hardware_tier = self
            .catalog
            .hardware_tiers
            .for_run(spec.hardware_tier_id.as_deref())?;
        let environment = self
            .catalog
            .environments
            .for_run(spec.environment_id.as_deref())?;
        let revision_spec = spec.revision_spec.clone().unwrap_or_default();
        let volumes = spec.external_volume_ids.iter();
        let volumes = volumes.map(|id| self.catalog.external_volumes.for_run(id));
        if let Some(cluster) = &spec.cluster {
            cluster.check(&self.catalog)?;
        }
        let assets = JobAssets {
            hardware_tier: hardware_tier.clone(),
            revision: environment.revision(&revision_spec)?.clone(),
            environment: environment.clone(),
            volumes: volumes.collect::<Result<_, _>>()?,
        };
        let mut jobs = self.jobs.lock();
        let of_project = jobs.iter().filter(|(_, job)| job.project.id == project.id);
        let number = of_project.count() + 1;
        let fault = self.host.faults.of_job(&spec.command);
        let job = Job::new(number, project, user, spec, assets, fault, submitted);
        let job = Arc::new(job);
        jobs.push((job.id.clone(), job.clone()));
        Ok(job)
    }

    /// Adds jobs of `command` that succeeded, the last of them `apart` ago and each other one that long before the
    /// next.
    pub(crate) fn add_finished(
        &self,
        user: &Arc<User>,
        project: &Arc<Project>,
        command: &str,
        number: u32,
        apart: SignedDuration,
    ) -> Result<(), Failure> {
        let now = self.host.now();
        let spec = JobSpec {
            command: command.to_owned(),
            ..JobSpec::default()
        };
        for back in (1..=number).rev() {
            let ago = i32::try_from(back).unwrap_or(i32::MAX);
            let submitted = now.before(apart.saturating_mul(ago));
            let job = self.add(user, project, spec.clone(), submitted)?;
            job.end(RunStatus::Succeeded, None, submitted);
        }
        Ok(())
    }

    /// Creates a job that repeats `job`, at the same commit or at what its reference means now.
    pub(crate) fn restart(
        &self,
        user: &Arc<User>,
        job: &Job,
        with_same_commit: bool,
    ) -> Result<Arc<Job>, Failure> {
        let spec = JobSpec {
            same_commit: job.commit().filter(|_| with_same_commit),
            ..job.spec.clone()
        };
        self.start(user, &job.project, spec)
    }

    /// The job with this id, if it exists and `user` may see it.
    pub(crate) fn seen_by(&self, user: &User, id: &str) -> Result<Arc<Job>, Failure> {
        object_id("jobId", id)?;
        let job = self.jobs.with_id(id);
        let job = job.ok_or_else(|| Failure::not_found(format!("Job {id} was not found")))?;
        self.catalog.projects.seen_by(user, &job.project.id)?;
        Ok(job)
    }

    /// The jobs of a project, oldest first.
    pub(crate) fn of_project(&self, project: &Project) -> Vec<Arc<Job>> {
        self.jobs.filter(|job| job.project.id == project.id)
    }

    /// Every job, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        self.jobs.filter(|_| true)
    }

    pub(crate) fn state(&self) -> Value {
        self.jobs.map(|job| job.state())
    }
}
