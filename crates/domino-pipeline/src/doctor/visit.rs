//! What a visit goes out from: the stage, a connection to its Domino, and what the environment says.

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::error::CommandError;
use domino_core::step::{Step, host_of};
use domino_core::variable::variable;
use stage_file::{Stage, StageFile};

use super::finding::Finding;
use crate::github_access;

/// What a visit goes out from.
pub struct Visit<'a> {
    /// The stage file.
    pub file: &'a StageFile,
    /// The stage.
    pub stage: &'a Stage,
    /// Its Domino.
    pub connection: Connection,
    /// Why there is no credential, when there is none; then only what needs none is asked.
    pub no_credential: Option<Finding>,
}

impl<'a> Visit<'a> {
    /// Reads the credential and opens the connection. No secret of the environment will be shown.
    ///
    /// # Errors
    /// When the host is not known, or the connection cannot be opened.
    pub fn prepare(
        limits: Limits,
        file: &'a StageFile,
        stage: &'a Stage,
        step: &mut Step,
    ) -> Result<Self, CommandError> {
        let (credential, no_credential) = match Credential::from_variables(variable) {
            Ok(credential) => (credential, None),
            Err(failure) => {
                let finding = Finding::of_error("credential", &failure.into());
                (Credential::Anonymous, Some(finding))
            }
        };
        let host = host_of(stage, &credential)?;
        step.hide(&credential);
        if let Some(token) = github_access::token() {
            step.hide_text(&token);
        }
        let limits = Limits {
            scrubber: step.scrubber().clone(),
            ..limits
        };
        Ok(Self {
            file,
            stage,
            connection: Connection::open(host, credential, limits)?,
            no_credential,
        })
    }

    /// The GitHub repository, `owner/name`: as the environment has it, or else git's origin. Without a token to ask
    /// GitHub with, an origin is not taken for more than it may be.
    pub fn github_repository(&self) -> Option<String> {
        match github_access::token() {
            Some(_) => github_access::repository(self.file),
            None => variable("GITHUB_REPOSITORY"),
        }
    }

    /// A key of the stage, as a hint names it.
    pub fn place_of(&self, key: &str) -> String {
        self.file.place_of(&["stage", &self.stage.name, key])
    }
}
