//! What a visit starts from: the stage, a connection to its Domino, and what the environment says.

use domino_core::client::{Connection, Limits};
use domino_core::credential::{Credential, CredentialError};
use domino_core::error::CommandError;
use domino_core::step::{Step, host_of};
use domino_core::variable::variable;
use stage_file::{Stage, StageFile};

use super::finding::Finding;
use crate::{github_access, stage_token};

/// What a visit starts from.
pub struct Visit<'a> {
    /// The stage file, read and validated.
    pub file: &'a StageFile,
    /// The stage that is checked.
    pub stage: &'a Stage,
    /// Its Domino.
    pub connection: Connection,
    /// Why there is no credential, if there is none; then only checks that need none are made.
    pub no_credential: Option<Finding>,
}

impl<'a> Visit<'a> {
    /// Reads the credentials and opens the connections. No secret of the environment will be shown.
    ///
    /// # Errors
    /// When a host is not known, or a connection cannot be opened.
    pub fn prepare_all(
        limits: Limits,
        file: &'a StageFile,
        stages: &[&'a Stage],
        step: &mut Step,
    ) -> Result<Vec<Self>, CommandError> {
        if let Some(token) = github_access::token() {
            step.hide_text(&token);
        }
        let limits = Limits {
            scrubber: step.scrubber().clone(),
            ..limits
        };
        let is_alone = stages.len() == 1;
        let mut visits = Vec::new();
        for stage in stages {
            visits.push(Self::prepare(limits.clone(), file, stage, is_alone, step)?);
        }
        // A stage without a token hides none of the others; where no stage has one, that is what is to be done.
        if visits.iter().all(|visit| visit.no_credential.is_some()) {
            for finding in visits
                .iter_mut()
                .filter_map(|visit| visit.no_credential.as_mut())
            {
                if let Finding::NotAsked(what, to_do) = finding {
                    *finding = Finding::wrong(what.as_str(), to_do.as_str());
                }
            }
        }
        Ok(visits)
    }

    fn prepare(
        limits: Limits,
        file: &'a StageFile,
        stage: &'a Stage,
        is_alone: bool,
        step: &mut Step,
    ) -> Result<Self, CommandError> {
        let error = |failure: CredentialError| Finding::of_error("credential", &failure.into());
        let (credential, no_credential) = match stage_token::of_stage(file, stage, is_alone) {
            Ok(Some(credential)) => (credential, None),
            Ok(None) if is_alone => (Credential::Anonymous, Some(error(CredentialError::Missing))),
            Ok(None) => (Credential::Anonymous, Some(no_token(stage))),
            Err(failure) => (Credential::Anonymous, Some(error(failure))),
        };
        let host = host_of(stage, &credential)?;
        step.hide(&credential);
        Ok(Self {
            file,
            stage,
            connection: Connection::open(host, credential, limits)?,
            no_credential,
        })
    }

    /// The GitHub repository, `owner/name`: from the environment, otherwise from git's origin. Without a token for
    /// GitHub, an origin is not assumed to be on GitHub.
    pub fn github_repository(&self) -> Option<String> {
        match github_access::token() {
            Some(_) => github_access::repository(self.file),
            None => variable("GITHUB_REPOSITORY"),
        }
    }

    /// What the credential is, and where it was found.
    pub fn credential_kind(&self) -> String {
        let own = self.stage.read_token_variable();
        match variable(&own) {
            Some(_) => format!("the token in `{own}`"),
            None => self.connection.credential().kind().to_owned(),
        }
    }

    /// A key of the stage, as a hint names it.
    pub fn place_of(&self, key: &str) -> String {
        self.file.place_of(&["stage", &self.stage.name, key])
    }
}

fn no_token(stage: &Stage) -> Finding {
    Finding::NotAsked(
        format!(
            "credential: there is no token for stage `{}`, so that only its host was asked",
            stage.name
        ),
        format!("put one into `{}`", stage.read_token_variable()),
    )
}
