//! The repositories that are set up: opened with one token, read as far as a plan needs it.

use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::error::{CommandError, Exit};
use domino_core::github::{Environments, Reviewer, SecretPlace};
use domino_core::step::Step;
use futures_util::future::{join_all, try_join_all};
use stage_file::{Stage, StageFile};

use super::difference::EnvironmentPlan;
use super::existing::Existing;
use super::secret::Secrets;
use super::wanted::Wanted;
use crate::github_access;

/// A repository on GitHub.
pub(super) struct Repository {
    /// `owner/name`.
    pub(super) name: String,
    pub(super) environments: Environments,
}

/// Opens the repositories that were asked for, or the one that this is. Nothing is sent yet.
pub(super) fn open(
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
    // It lends its limits only, and no request is sent to its host.
    let connection = Connection::open(file.stages[0].host.clone(), Credential::Anonymous, limits)?;
    let open = |name: String| {
        let environments = Environments::of(&connection, github_access::api(), &name, &token)?;
        Ok(Repository { name, environments })
    };
    names.into_iter().map(open).collect()
}

/// What is to be done in a repository, an environment each.
pub(super) async fn plan<'a>(
    repository: &'a Repository,
    file: &'a StageFile,
    stages: &[&'a Stage],
    secrets: &Secrets,
) -> Result<Vec<EnvironmentPlan<'a>>, CommandError> {
    // First, because it tells whether the token can see the repository at all.
    let names = repository.environments.names().await?;
    let people = reviewers(repository, file, stages).await?;
    let plans = stages.iter().map(async |stage| {
        let wanted = Wanted::of(file, stage, &people, secrets);
        let existing = Existing::read(&repository.environments, &names, wanted.environment).await?;
        EnvironmentPlan::new(repository, wanted, existing)
    });
    try_join_all(plans).await
}

/// Everybody whom a stage names, with their ids. All of those who cannot be found are told at once.
async fn reviewers(
    repository: &Repository,
    file: &StageFile,
    stages: &[&Stage],
) -> Result<Vec<Reviewer>, CommandError> {
    let mut names: Vec<(&str, &Stage)> = Vec::new();
    for stage in stages {
        for name in &stage.approvers {
            if !names
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
            {
                names.push((name, stage));
            }
        }
    }
    let asked = names
        .iter()
        .map(|(name, _)| repository.environments.reviewer(name));
    let found = join_all(asked).await;
    let mut people = Vec::new();
    let mut first_error: Option<CommandError> = None;
    let mut others = Vec::new();
    for (one, (_, stage)) in found.into_iter().zip(&names) {
        match (one, &first_error) {
            (Ok(reviewer), _) => people.push(reviewer),
            (Err(error), None) => {
                first_error = Some(error.at(file, &["stage", &stage.name, "approvers"]));
            }
            (Err(error), Some(_)) => others.push(error.to_string()),
        }
    }
    match first_error {
        None => Ok(people),
        Some(error) => {
            let mut told = format!("not all approvers can review in `{}`", repository.name);
            for other in others {
                told = format!("{told}; {other}");
            }
            Err(error.context(CommandError::message(told)))
        }
    }
}

/// The secrets of which a step takes its credentials.
const OURS: [&str; 3] = ["DOMINO_TOKEN", "DOMINO_USER_API_KEY", "DOMINO_MODEL_TOKEN"];

/// What is doubtful outside of the environments: a secret there reaches jobs of every branch, whatever a stage's
/// environment asks for.
pub(super) async fn doubts(repository: &Repository) -> Vec<String> {
    let name = &repository.name;
    let secrets = match repository.environments.secrets_outside().await {
        Ok(secrets) => secrets,
        Err(error) => {
            return vec![format!(
                "whether `{name}` has secrets outside of its environments is not known: {error}"
            )];
        }
    };
    let ours = secrets
        .into_iter()
        .filter(|(_, secret)| OURS.contains(&secret.name.as_str()));
    ours.map(|(place, secret)| {
        let place = match place {
            SecretPlace::Repository => "of the repository",
            SecretPlace::Organization => "of the organization",
        };
        format!(
            "secret `{}` {place} is given to every job of `{name}`, of any branch: delete it there once each environment \
             has its own",
            secret.name
        )
    })
    .collect()
}
