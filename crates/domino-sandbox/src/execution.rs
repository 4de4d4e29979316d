//! What every run of Domino gets, of any kind: the artifacts folder of its project, and the environment variables
//! that describe it.

use std::path::{Path, PathBuf};

use crate::checkout::{self, NoCode};
use crate::environments::{Environment, Revision};
use crate::hardware_tiers::HardwareTier;
use crate::host::Host;
use crate::projects::Project;
use crate::run_proxy::RunProxy;
use crate::users::User;

/// A run before its code is there.
pub(crate) struct Execution<'a> {
    /// The id of the run, which for a job is the job's.
    pub(crate) id: &'a str,
    pub(crate) number: usize,
    pub(crate) project: &'a Project,
    pub(crate) user: &'a User,
    pub(crate) hardware_tier: &'a HardwareTier,
    pub(crate) environment: &'a Environment,
    pub(crate) revision: &'a Revision,
}

/// What a run has on its machine.
pub(crate) struct Machine {
    pub(crate) variables: Vec<(String, String)>,
    /// What listens at the addresses among them.
    pub(crate) proxy: Option<RunProxy>,
}

impl Execution<'_> {
    /// The tags that Domino writes to what the run creates in the experiment manager.
    fn tags(&self) -> Vec<(String, String)> {
        let tags = [
            ("run_id", self.id.to_owned()),
            ("run_number", self.number.to_string()),
            ("project_id", self.project.id.clone()),
            ("project_name", self.project.name().clone()),
            ("environment_id", self.environment.id.clone()),
            ("environment_revision_id", self.revision.id.clone()),
            ("hardware_tier", self.hardware_tier.id.clone()),
            ("user", self.user.name.clone()),
            ("user_id", self.user.id.clone()),
        ];
        let tags = tags.map(|(name, value)| (format!("mlflow.domino.{name}"), value));
        tags.to_vec()
    }

    /// What the run has on its machine: the environment of its processes, except what every process has, and the
    /// addresses that it names, as long as the run lasts.
    pub(crate) fn machine(&self, host: &Host, folder: &Path) -> std::io::Result<Machine> {
        let artifacts = artifacts(host, self.project)?;
        let folder = folder.to_string_lossy().into_owned();
        let mut variables = vec![
            ("DOMINO_API_HOST", host.url.clone()),
            ("DOMINO_USER_HOST", host.url.clone()),
            ("DOMINO_RUN_ID", self.id.to_owned()),
            ("DOMINO_RUN_NUMBER", self.number.to_string()),
            ("DOMINO_PROJECT_ID", self.project.id.clone()),
            ("DOMINO_PROJECT_NAME", self.project.name().clone()),
            ("DOMINO_PROJECT_OWNER", self.project.owner.clone()),
            ("DOMINO_STARTING_USERNAME", self.user.name.clone()),
            ("DOMINO_HARDWARE_TIER_ID", self.hardware_tier.id.clone()),
            ("DOMINO_ENVIRONMENT_ID", self.environment.id.clone()),
            ("DOMINO_ENVIRONMENT_REVISION_ID", self.revision.id.clone()),
            ("DOMINO_IS_GIT_BASED", "true".to_owned()),
            ("DOMINO_WORKING_DIR", folder),
            (
                "DOMINO_ARTIFACTS_DIR",
                artifacts.to_string_lossy().into_owned(),
            ),
            // Then a log can be followed while it is written.
            ("PYTHONUNBUFFERED", "1".to_owned()),
        ];
        let mut proxy = None;
        if let Some(account) = host.accounts.named(&self.user.name) {
            host.run_tags.keep(self.id, self.tags());
            let own = RunProxy::start(&host.url, &account.token_of_run(self.id))?;
            variables.push(("DOMINO_API_PROXY", own.api.clone()));
            variables.push(("MLFLOW_TRACKING_URI", own.mlflow.clone()));
            proxy = Some(own);
            if host.version.accepts_api_keys() {
                variables.push(("DOMINO_USER_API_KEY", account.api_key.clone()));
            }
        }
        let owned = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Ok(Machine {
            variables: owned.collect(),
            proxy,
        })
    }
}

/// Fetches the code of the commit that `resolve` returns into `folder` for this user, as the log of a run tells it. `commit_id`
/// belongs to Domino's own file system: it selects no code, and a commit of the code is not one of it.
pub(crate) async fn check_out(
    host: &Host,
    (project, user): (&Project, &User),
    commit_id: Option<&String>,
    resolve: impl Future<Output = Result<String, NoCode>>,
    folder: &Path,
    say: impl Fn(&str),
) -> Result<String, NoCode> {
    if let Some(commit_id) = commit_id.filter(|id| **id != project.commit_id) {
        return Err(NoCode(format!(
            "Commit {commit_id} does not exist in the file system of project {}",
            project.name()
        )));
    }
    let commit = resolve.await?;
    say(&format!("Cloning {} at {commit}", project.repository.uri));
    project.opens_to(&user.id)?;
    checkout::check_out(&host.repository, &commit, folder).await?;
    Ok(commit)
}

/// The folder in which the runs of `project` leave files for each other.
fn artifacts(host: &Host, project: &Project) -> std::io::Result<PathBuf> {
    let folder = host.folder.path().join("artifacts").join(&project.id);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
