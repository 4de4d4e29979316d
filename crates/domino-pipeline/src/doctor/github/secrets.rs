//! The secrets that a job of the stage gets: those of its environment, and those of the repository or organisation
//! that reach the jobs of every branch.

use domino_core::github::{Environments, Secret, SecretPlace};

use super::settings;
use crate::doctor::finding::Finding;
use crate::doctor::visit::Visit;

/// The programs need one of these secrets.
const CREDENTIALS: [&str; 2] = ["DOMINO_TOKEN", "DOMINO_USER_API_KEY"];
/// The secret that opens restricted endpoints.
const MODEL_TOKEN: &str = "DOMINO_MODEL_TOKEN";

pub(super) async fn look(visit: &Visit<'_>, environments: &Environments) -> Vec<Finding> {
    match environments.secrets(&visit.stage.github_environment).await {
        Ok(own) => of_environment(visit, &own),
        Err(failure) => vec![Finding::of_error("secrets", &failure)],
    }
}

/// Those outside of environments: each reaches every stage.
pub(super) async fn outside(environments: &Environments) -> Vec<Finding> {
    match environments.secrets_outside().await {
        Ok(outside) => {
            let outside = outside.iter();
            let shining = outside.filter_map(|(place, secret)| shines_in(*place, secret));
            shining.collect()
        }
        Err(failure) => vec![Finding::NotAsked(
            "secrets outside of environments".into(),
            failure.to_string(),
        )],
    }
}

fn of_environment(visit: &Visit<'_>, own: &[Secret]) -> Vec<Finding> {
    let name = &visit.stage.github_environment;
    let has = |wanted: &str| own.iter().any(|secret| secret.name == wanted);
    let mut findings = vec![match CREDENTIALS.iter().find(|known| has(known)) {
        Some(known) => Finding::well(format!("`{name}` has the secret `{known}`")),
        None => Finding::wrong(
            format!("`{name}` has no secret `DOMINO_TOKEN`"),
            format!(
                "add a service account's token by `domino-pipeline github apply`, or under {}",
                settings(visit)
            ),
        ),
    }];
    let models = visit
        .file
        .models
        .iter()
        .filter(|model| model.smoke_test.is_some());
    let models: Vec<String> = models.map(|model| format!("`{}`", model.name)).collect();
    if has(MODEL_TOKEN) {
        findings.push(Finding::well(format!(
            "`{name}` has the secret `{MODEL_TOKEN}`"
        )));
    } else if !models.is_empty() {
        findings.push(Finding::NotAsked(
            format!("`{name}` has no secret `{MODEL_TOKEN}`"),
            format!(
                "the smoke test of {} needs it where the endpoint is restricted",
                models.join(", ")
            ),
        ));
    }
    findings
}

/// A secret that every job gets, on any branch, unless its environment has one of the same name.
fn shines_in(place: SecretPlace, secret: &Secret) -> Option<Finding> {
    let name = secret.name.as_str();
    if !CREDENTIALS.contains(&name) && name != MODEL_TOKEN {
        return None;
    }
    let (place, page) = match place {
        SecretPlace::Repository => ("repository", "the repository's"),
        SecretPlace::Organization => ("organization", "the organization's"),
    };
    Some(Finding::wrong(
        format!("the {place} has a secret `{name}`, which every job of any branch is given"),
        format!(
            "delete it under {page} Settings → Secrets and variables → Actions: each environment has its own"
        ),
    ))
}
