//! The stages that a verb reads and the token of each: several are read at once, and no token is sent to another
//! stage's Domino.

use domino_core::credential::{Credential, CredentialError};
use domino_core::error::CommandError;
use domino_core::variable::variable;
use stage_file::{Stage, StageFile};

/// The stages with these names, in the order of the file; all of them if none is named.
pub(crate) fn stages<'a>(
    file: &'a StageFile,
    asked: &[String],
) -> Result<Vec<&'a Stage>, CommandError> {
    let named = asked.iter().map(|name| file.stage(name));
    let named: Vec<&Stage> = named.collect::<Result<_, _>>()?;
    let is_asked =
        |stage: &&Stage| named.is_empty() || named.iter().any(|named| named.name == stage.name);
    Ok(file.stages.iter().filter(is_asked).collect())
}

/// The credential of a stage: in its own variable, or for a single stage, where the programs look for one. `None` if
/// there is none.
pub(crate) fn of_stage(
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

/// `DOMINO_API_HOST` is one Domino: with stages on several, their tokens would all be sent there.
pub(crate) fn one_host(stages: &[&Stage]) -> Result<(), CommandError> {
    let several = stages.iter().any(|stage| stage.host != stages[0].host);
    if several && variable("DOMINO_API_HOST").is_some() {
        return Err(CommandError::usage(
            "`DOMINO_API_HOST` names one Domino, and the stages are on several",
        )
        .hint("unset it, or ask for the stages of one host: `--stage`"));
    }
    Ok(())
}
