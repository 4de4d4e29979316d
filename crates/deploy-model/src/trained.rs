//! The version that one run of the training job registered: what the first stage publishes of a model that is
//! `trained-by` a job. If there is none, or several, the error names them.
//!
//! Domino writes the id of its run to every MLflow run that is created in it, and to what is registered from that.

use std::collections::BTreeMap;

use domino_core::api::jobs::{ExecutionStatus, Job as Run, JobId};
use domino_core::api::mlflow::{ModelVersion, Tracking, TrackingReader, Which};
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use domino_core::error::{CommandError, Result};
use domino_core::step::StepContext;
use domino_core::variable::variable;
use domino_core::version_identity::VersionIdentity;

/// The tag with the id of the Domino run that created something.
const RUN_TAG: &str = "mlflow.domino.run_id";
/// How far the clocks of Domino and of its experiment manager may differ, in milliseconds.
const CLOCKS: i64 = 10 * 60 * 1000;

/// A registered model, and the run that trained it.
pub(crate) struct Training<'a> {
    pub(crate) context: &'a StepContext,
    /// The job, as the stage file calls it.
    pub(crate) job: &'a str,
    /// The registered model.
    pub(crate) name: &'a str,
    /// The id of the job's run in Domino.
    pub(crate) run: &'a str,
}

impl Training<'_> {
    /// The version, and how it was found, for people.
    pub(crate) async fn version(&self, commit: &Commit) -> Result<(VersionNumber, String)> {
        let run = self.run(commit).await?;
        let uri = variable("MLFLOW_TRACKING_URI");
        let tracking = Tracking::of(&self.context.connection, uri.as_deref())?.reader();
        let tagged = Which::TaggedWith(self.name, RUN_TAG, self.run);
        let mut registered = tracking.selected_versions(tagged, |_| true).await?;
        let mut unread = Vec::new();
        if registered.is_empty() {
            registered = self.by_their_runs(&tracking, &run, &mut unread).await?;
        }
        // Somebody may have made a copy since, which names the same run.
        let originals: Vec<&ModelVersion> = registered
            .iter()
            .filter(|version| !registered.iter().any(|other| is_copy_of(version, other)))
            .collect();
        match originals[..] {
            [one] => Ok((
                one.version,
                format!("registered by run {} of job `{}`", run.number, self.job),
            )),
            [] => Err(self.nothing(&run, &unread)),
            _ => Err(self.several(&run, &originals)),
        }
    }

    /// The run in Domino, which must have succeeded at the commit.
    async fn run(&self, commit: &Commit) -> Result<Run> {
        let reader = self.context.connection.reader();
        let (job, id) = (self.job, self.run);
        let Some(run) = reader.job(&JobId::new(id)).await? else {
            return Err(
                CommandError::refused(format!("there is no run `{id}` of job `{job}`")).hint(
                    "give the step output `id` of `deploy-job start`, or the id that `deploy-job status` tells",
                ),
            );
        };
        let (number, status) = (run.number, &run.statuses.execution_status);
        if *status != ExecutionStatus::Succeeded {
            return Err(CommandError::refused(format!(
                "run {number} of job `{job}` is `{}`, and only a run that succeeded has trained a model",
                status.word()
            ))
            .hint(format!(
                "look at it: deploy-job logs {job} --stage {} --id {id}",
                self.context.stage.name
            )));
        }
        match &run.main_repo_git_ref {
            Some(git_ref) if !git_ref.is(commit) => Err(CommandError::refused(format!(
                "run {number} of job `{job}` ran {git_ref}, and commit {} is published",
                commit.as_str()
            ))
            .hint("give the run of this commit, or its commit with `--commit`")),
            _ => Ok(run),
        }
    }

    /// The versions that were registered since the run was submitted, and whose MLflow run names it. A run that
    /// cannot be read is added to `unread`.
    async fn by_their_runs(
        &self,
        tracking: &TrackingReader,
        run: &Run,
        unread: &mut Vec<String>,
    ) -> Result<Vec<ModelVersion>> {
        let since = run.stage_time.submission_time - CLOCKS;
        let recent = |version: &ModelVersion| {
            version.creation_timestamp >= since && !version.run_id.is_empty()
        };
        let recent = tracking.selected_versions(Which::All(self.name), recent);
        let mut is_ours: BTreeMap<String, bool> = BTreeMap::new();
        let mut ours = Vec::new();
        for version in recent.await? {
            let id = version.run_id.as_str();
            if !is_ours.contains_key(id) {
                let of_run = match tracking.run(id).await {
                    Ok(found) => found.is_some_and(|found| self.is_tagged(&found.tags)),
                    Err(error) if error.status().is_some_and(|status| status == 403) => {
                        unread.push(format!("version {} (run {id})", version.version));
                        false
                    }
                    Err(error) => return Err(error.into()),
                };
                is_ours.insert(id.to_owned(), of_run);
            }
            if is_ours[id] {
                ours.push(version);
            }
        }
        Ok(ours)
    }

    fn is_tagged(&self, tags: &BTreeMap<String, String>) -> bool {
        tags.get(RUN_TAG).is_some_and(|run| run == self.run)
    }

    fn nothing(&self, run: &Run, unread: &[String]) -> CommandError {
        let unread = match unread {
            [] => String::new(),
            unread => format!(
                "; of versions that are as young, the run may not be read: {}",
                unread.join(", ")
            ),
        };
        CommandError::refused(format!(
            "run {} of job `{}` registered no version of `{}`: none has the tag `{RUN_TAG}` with `{}`, nor has the \
             MLflow run that made it{unread}",
            run.number, self.job, self.name, self.run
        ))
        .hint(format!(
            "the job must register the model as `{}`, in a run of its own; its log: deploy-job logs {} --stage {} --id {}",
            self.name, self.job, self.context.stage.name, self.run
        ))
    }

    fn several(&self, run: &Run, registered: &[&ModelVersion]) -> CommandError {
        let named: Vec<String> = registered
            .iter()
            .map(|version| VersionIdentity::of(version).to_string())
            .collect();
        CommandError::refused(format!(
            "run {} of job `{}` registered {} versions of `{}`, and one is published: {}",
            run.number,
            self.job,
            registered.len(),
            self.name,
            named.join("; ")
        ))
        .hint("let the job register the one that is to be served, or give its number with `--version`")
    }
}

/// Whether a version was copied from another one of the same registered model.
fn is_copy_of(version: &ModelVersion, other: &ModelVersion) -> bool {
    version.version != other.version
        && version.source == format!("models:/{}/{}", other.name, other.version)
}
