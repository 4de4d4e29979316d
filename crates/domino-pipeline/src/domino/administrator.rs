//! The token of an administrator, or of an owner of projects, of one's own: out of a file, a variable, or a question on the
//! terminal that shows nothing of the answer. Never an argument, and it is kept nowhere.

use std::path::PathBuf;

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::error::{CommandError, Context, Exit, Result};
use domino_core::step::{Step, host_of};
use domino_core::variable::variable;
use secrecy::{ExposeSecret, SecretString};
use stage_file::Stage;

use crate::github::hidden;

/// The variable that holds it.
const VARIABLE: &str = "DOMINO_ADMIN_TOKEN";

/// What was said of it, and the answer to the question, which is asked once.
pub(crate) struct Administrator {
    file: Option<PathBuf>,
    may_ask: bool,
    answer: Option<SecretString>,
}

impl Administrator {
    /// `may_ask` says whether somebody is there.
    pub(crate) fn new(file: Option<PathBuf>, may_ask: bool) -> Self {
        Self {
            file,
            may_ask,
            answer: None,
        }
    }

    /// A connection to a stage's Domino as this person. Nothing is sent yet.
    pub(crate) async fn connect(
        &mut self,
        limits: &Limits,
        stage: &Stage,
        step: &mut Step,
    ) -> Result<Connection> {
        let token = self.token(stage).await?;
        step.hide_text(token.expose_secret());
        let credential = Credential::Token(token);
        let host = host_of(stage, &credential)?;
        Ok(Connection::open(host, credential, limits.clone())?)
    }

    async fn token(&mut self, stage: &Stage) -> Result<SecretString> {
        if let Some(file) = &self.file {
            return read(file);
        }
        let own = variable(&stage.own_variable(VARIABLE)).or_else(|| variable(VARIABLE));
        if let Some(token) = own {
            return Ok(token.into());
        }
        if let Some(answer) = &self.answer {
            return Ok(answer.clone());
        }
        if !self.may_ask {
            return Err(CommandError::refused("there is no token to set Domino up with").hint(format!(
                "set `{VARIABLE}` to a token of your own, as an administrator or the owner of the projects, name its \
                 file by `--admin-token-file`, or apply on a terminal, which asks"
            )));
        }
        let answer = hidden::answer("your own token for Domino, as an administrator (not shown): ");
        let answer: SecretString = answer.await?.trim().to_owned().into();
        if answer.expose_secret().is_empty() {
            return Err(CommandError::usage("no token was given").hint("nothing was changed"));
        }
        self.answer = Some(answer.clone());
        Ok(answer)
    }
}

/// Reads a file that holds one token.
pub(crate) fn read(file: &PathBuf) -> Result<SecretString> {
    let text = std::fs::read_to_string(file).with_context(|| {
        CommandError::new(
            Exit::Usage,
            format!("cannot read the file `{}`", file.display()),
        )
    })?;
    match text.trim() {
        "" => Err(CommandError::usage(format!(
            "the file `{}` is empty",
            file.display()
        ))),
        token => Ok(token.to_owned().into()),
    }
}
