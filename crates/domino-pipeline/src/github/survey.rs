//! What is to be done in a repository: it is read as far as a plan needs it, and compared with the stage file.

use domino_core::error::CommandError;
use domino_core::github::{Reviewer, SecretPlace};
use futures_util::future::{join_all, try_join_all};
use stage_file::{Stage, StageFile};

use super::access::Repository;
use super::difference::EnvironmentPlan;
use super::existing::Existing;
use super::secret::Secrets;
use super::wanted::Wanted;

/// What is to be done in a repository, an environment each.
pub(crate) async fn plan<'a>(
    repository: &'a Repository,
    file: &'a StageFile,
    stages: &[&'a Stage],
    secrets: &Secrets,
) -> Result<Vec<EnvironmentPlan<'a>>, CommandError> {
    // First, because it shows whether the token can see the repository at all.
    let names = repository.environments.names().await?;
    let people = reviewers(repository, file, stages).await?;
    let plans = stages.iter().map(async |stage| {
        let wanted = Wanted::of(file, stage, &people, secrets);
        let existing = Existing::read(&repository.environments, &names, wanted.environment).await?;
        EnvironmentPlan::new(repository, wanted, existing)
    });
    try_join_all(plans).await
}

/// Everybody whom a stage names, with their ids. Those who cannot be found are reported together.
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

/// The secrets that a step takes its credentials from.
const OURS: [&str; 3] = ["DOMINO_TOKEN", "DOMINO_USER_API_KEY", "DOMINO_MODEL_TOKEN"];

/// Doubtful things outside of the environments: a secret there reaches jobs of every branch, whatever a stage's
/// environment requires.
pub(crate) async fn doubts(repository: &Repository) -> Vec<String> {
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
