//! The token of each stage: several stages are asked at once, and no token is sent to another stage's Domino.

use domino_core::credential::{Credential, CredentialError};
use stage_file::{Stage, StageFile};

use domino_core::variable::variable;

/// The credential of a stage: in its own variable, or, for the one stage that is meant, where the programs look for one.
/// `None` when there is none.
pub(super) fn of_stage(
    file: &StageFile,
    stage: &Stage,
    is_alone: bool,
) -> Result<Option<Credential>, CredentialError> {
    if let Some(token) = variable(&stage.read_token_variable()) {
        return Ok(Some(Credential::Token(token.into())));
    }
    let is_meant = || {
        let named = variable("DOMINO_ENV").and_then(|name| file.stage(&name).ok());
        named.is_some_and(|named| named.name == stage.name)
    };
    if !is_alone && !is_meant() {
        return Ok(None);
    }
    match Credential::from_variables(variable) {
        Ok(credential) => Ok(Some(credential)),
        Err(CredentialError::Missing) => Ok(None),
        Err(failure) => Err(failure),
    }
}
