//! What jobs of a rehearsal get: the GitHub environments of the stage file, with the sandbox behind each of them.
//!
//! Every environment has the credential of one service account. Where a set-up came first, it has what that put there.

use std::path::PathBuf;
use std::sync::Arc;

use domino_sandbox::Sandbox;
use rehearsal::settings::{
    Environment, ImposedVariable, OtherApprovals, RepositorySettings, Substitute,
};

use super::environments::StageEnvironments;
use super::installed::{Installed, packed_from_copies};
use super::kept_domino::{KeptDomino, KeptEnvironment};

/// The user of the sandbox who is said to have pushed.
pub const AUTHOR: &str = "author";
/// The user of the sandbox who approves in Domino.
pub const APPROVER: &str = "approver";
/// The user of the sandbox that steps sign in as.
pub const STEPS_USER: &str = "ci-bot";
/// The administrator of a sandbox that is set up first, whose own token does that.
pub const ADMINISTRATOR: &str = "root";

const API_HOST: &str = "DOMINO_API_HOST";

/// The settings of the rehearsed repository.
pub struct StageSettings {
    /// The GitHub environments of the stages.
    pub environments: StageEnvironments,
    /// Where cargo keeps compiled crates between rehearsals.
    pub build_folder: Option<PathBuf>,
    /// The programs beside this one, if they are installed.
    pub installed: Option<Installed>,
    /// The Domino that steps are sent to; absent until it has started.
    pub domino: Option<Domino>,
}

/// The Domino that steps are sent to.
pub enum Domino {
    /// A sandbox in this process, and how it is reached.
    Own(Arc<Sandbox>, KeptDomino),
    /// A sandbox in another process.
    Kept(KeptDomino),
}

impl Domino {
    /// How it is reached.
    pub fn reached(&self) -> &KeptDomino {
        match self {
            Self::Own(_, reached) | Self::Kept(reached) => reached,
        }
    }

    /// The same, for what a set-up adds.
    pub fn reached_mut(&mut self) -> &mut KeptDomino {
        match self {
            Self::Own(_, reached) | Self::Kept(reached) => reached,
        }
    }

    /// The sandbox, if it is in this process.
    pub fn own(&self) -> Option<Arc<Sandbox>> {
        match self {
            Self::Own(sandbox, _) => Some(Arc::clone(sandbox)),
            Self::Kept(_) => None,
        }
    }

    fn waiting_requests(&self) -> Vec<String> {
        match self {
            Self::Own(sandbox, _) => sandbox.waiting_requests(),
            // If the sandbox has ended, the steps fail and say so.
            Self::Kept(kept) => kept.waiting_requests(APPROVER).unwrap_or_default(),
        }
    }
}

impl StageSettings {
    /// What a set-up put into an environment, if there was one.
    fn held(&self, environment: &str) -> Option<&KeptEnvironment> {
        self.domino.as_ref()?.reached().environment(environment)
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
        if let Some(held) = self.held(environment) {
            return held.variables.clone();
        }
        vec![("DOMINO_ENV".to_owned(), environment.to_owned())]
    }

    fn secrets(&self, environment: &str) -> Vec<(String, String)> {
        if let Some(held) = self.held(environment) {
            return held.secrets.clone();
        }
        self.domino.as_ref().map_or_else(Vec::new, |domino| {
            let domino = domino.reached();
            vec![
                ("DOMINO_TOKEN".to_owned(), domino.token_of(STEPS_USER)),
                ("DOMINO_MODEL_TOKEN".to_owned(), domino.model_token.clone()),
            ]
        })
    }

    fn process_variables(&self, environment: Option<&str>) -> Vec<(String, String)> {
        let variable = match environment {
            Some(_) => self
                .domino
                .as_ref()
                .map(|domino| (API_HOST, domino.reached().url.clone())),
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
        let installed = self.installed.as_ref();
        let substitute = installed.and_then(|installed| installed.substitute(command));
        substitute.or_else(|| packed_from_copies(command).filter(|_| self.build_folder.is_some()))
    }

    fn other_approvals(&self) -> Option<OtherApprovals> {
        let domino = self.domino.as_ref()?;
        let waiting = domino.waiting_requests();
        (!waiting.is_empty()).then(|| OtherApprovals {
            place: "Domino".to_owned(),
            user: APPROVER.to_owned(),
            page: format!("{}/", domino.reached().url),
            waiting,
        })
    }

    /// They are given by the sandbox's own approver, who is not the user that steps sign in as.
    fn approve_others(&self) -> Vec<String> {
        self.domino.as_ref().map_or_else(Vec::new, |domino| {
            let approved = match domino {
                Domino::Own(sandbox, _) => sandbox.approve_waiting(APPROVER),
                Domino::Kept(kept) => kept.approve_waiting(APPROVER),
            };
            let approved = approved.unwrap_or_else(|problem| vec![problem.to_string()]);
            approved
                .into_iter()
                .map(|said| format!("in Domino: {said}"))
                .collect()
        })
    }
}
