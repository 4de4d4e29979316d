//! The repositories that are set up, opened with one token.

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::error::{CommandError, Exit};
use domino_core::github::Environments;
use domino_core::step::Step;
use stage_file::StageFile;

use crate::github_access;

/// A repository on GitHub.
pub(crate) struct Repository {
    /// `owner/name`.
    pub(crate) name: String,
    pub(crate) environments: Environments,
}

/// Opens the repositories that were asked for, or the one that this is. Nothing is sent yet.
pub(crate) fn open(
    limits: Limits,
    file: &StageFile,
    asked: &[String],
    step: &mut Step,
) -> Result<Vec<Repository>, CommandError> {
    let token = github_access::token().ok_or_else(|| {
        CommandError::new(Exit::Refused, "there is no token for GitHub")
            .hint(github_access::NO_TOKEN)
    })?;
    step.hide(&Environments::credential(&token));
    let mut names = asked.to_vec();
    names.dedup();
    if names.is_empty() {
        names.push(github_access::repository(file).ok_or_else(|| {
            CommandError::usage("which repository is meant is not known")
                .hint("name it by `--repository OWNER/NAME`: git has no `origin` on GitHub here")
        })?);
    }
    // It provides only its limits; no request is sent to its host.
    let connection = Connection::open(file.stages[0].host.clone(), Credential::Anonymous, limits)?;
    let open = |name: String| {
        let environments = Environments::of(&connection, github_access::api(), &name, &token)?;
        Ok(Repository { name, environments })
    };
    names.into_iter().map(open).collect()
}
