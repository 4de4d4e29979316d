//! What jobs of a rehearsal are given: the GitHub environments of the stage file, with the sandbox behind each of them.
//!
//! Every environment has the credential of one service account, as the README says to set them up.

use std::path::PathBuf;
use std::sync::Arc;

use domino_sandbox::Sandbox;
use rehearsal::settings::{
    Environment, ImposedVariable, OtherApprovals, RepositorySettings, Substitute,
};

use super::environments::StageEnvironments;
use super::installed::Installed;

/// The user of the sandbox who is said to have pushed.
pub const AUTHOR: &str = "author";
/// The user of the sandbox who approves in Domino.
pub const APPROVER: &str = "approver";
/// The user of the sandbox that steps sign in as.
pub const STEPS_USER: &str = "ci-bot";

const API_HOST: &str = "DOMINO_API_HOST";

/// The settings of the rehearsed repository.
pub struct StageSettings {
    /// The GitHub environments of the stages.
    pub environments: StageEnvironments,
    /// Where cargo keeps what it compiled between rehearsals.
    pub build_folder: Option<PathBuf>,
    /// The programs beside this one, where they are installed.
    pub installed: Option<Installed>,
    /// The Domino that steps are sent to; none until it is started.
    pub domino: Option<Domino>,
}

/// The Domino that steps are sent to.
pub struct Domino {
    sandbox: Arc<Sandbox>,
    model_token: String,
}

impl Domino {
    /// A sandbox that is up, and the token that its model endpoints take.
    pub fn new(sandbox: Arc<Sandbox>, model_token: String) -> Self {
        Self {
            sandbox,
            model_token,
        }
    }
}

impl RepositorySettings for StageSettings {
    fn environment(&self, name: &str) -> Result<&Environment, String> {
        self.environments
            .named(name)
            .ok_or_else(|| format!("no stage of stages.toml has the GitHub environment `{name}`"))
    }

    fn variable_names(&self) -> &[&str] {
        &["DOMINO_ENV"]
    }

    fn secret_names(&self) -> &[&str] {
        &["DOMINO_USER_API_KEY", "DOMINO_TOKEN", "DOMINO_MODEL_TOKEN"]
    }

    fn imposed_variables(&self) -> &[ImposedVariable] {
        &[ImposedVariable {
            name: API_HOST,
            what: "the sandbox",
        }]
    }

    fn variables(&self, environment: &str) -> Vec<(String, String)> {
        vec![("DOMINO_ENV".to_owned(), environment.to_owned())]
    }

    fn secrets(&self, _environment: &str) -> Vec<(String, String)> {
        self.domino.as_ref().map_or_else(Vec::new, |domino| {
            let account = domino.sandbox.user(STEPS_USER);
            vec![
                ("DOMINO_TOKEN".to_owned(), account.token),
                ("DOMINO_MODEL_TOKEN".to_owned(), domino.model_token.clone()),
            ]
        })
    }

    fn process_variables(&self, environment: Option<&str>) -> Vec<(String, String)> {
        let variable = match environment {
            Some(_) => self
                .domino
                .as_ref()
                .map(|domino| (API_HOST, domino.sandbox.url().to_owned())),
            None => self
                .build_folder
                .as_ref()
                .map(|folder| ("CARGO_BUILD_BUILD_DIR", folder.display().to_string())),
        };
        variable
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }

    fn substitute(&self, command: &str) -> Option<Substitute> {
        self.installed.as_ref()?.substitute(command)
    }

    fn other_approvals(&self) -> Option<OtherApprovals> {
        let sandbox = &self.domino.as_ref()?.sandbox;
        let waiting = sandbox.waiting_requests();
        (!waiting.is_empty()).then(|| OtherApprovals {
            place: "Domino".to_owned(),
            user: APPROVER.to_owned(),
            page: format!("{}/", sandbox.url()),
            waiting,
        })
    }

    /// They are given as the sandbox's own approver, who is not the one that steps sign in as.
    fn approve_others(&self) -> Vec<String> {
        self.domino.as_ref().map_or_else(Vec::new, |domino| {
            let approved = domino.sandbox.approve_waiting(APPROVER);
            let approved = approved.unwrap_or_else(|problem| vec![problem.to_string()]);
            approved
                .into_iter()
                .map(|said| format!("in Domino: {said}"))
                .collect()
        })
    }
}
