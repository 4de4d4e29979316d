//! GitHub's side of a stage: that its environment is there, and guards the stage as the stage file says; and what is the
//! same for every stage.

mod branches;
mod retention;
mod secrets;

use domino_core::error::CommandError;
use domino_core::github::{Environments, Protection};

use super::finding::Finding;
use super::visit::Visit;
use crate::github_access;

/// Everything about the stage's GitHub environment, if there is a token for GitHub.
pub(super) async fn look(visit: &Visit<'_>) -> Vec<Finding> {
    let name = &visit.stage.github_environment;
    let (repository, environments) = match open(visit) {
        Some(Ok(opened)) => opened,
        Some(Err(failure)) => return vec![Finding::of_error("GitHub", &failure)],
        None => {
            return vec![Finding::NotAsked(
                format!("GitHub environment `{name}`"),
                "set `GITHUB_TOKEN` to have it looked at, and `GITHUB_REPOSITORY` where git's origin is not on GitHub"
                    .into(),
            )];
        }
    };
    let protection = match environments.protection(name).await {
        Ok(Some(protection)) => protection,
        Ok(None) => {
            return vec![Finding::wrong(
                format!("repository `{repository}` has no GitHub environment `{name}`"),
                "create it by `domino-pipeline github apply`; if it is there, the token cannot see the repository",
            )];
        }
        Err(failure) => return vec![Finding::of_error("GitHub", &failure)],
    };
    let mut findings = vec![approvers(visit, &protection), timer(visit, &protection)];
    let (branches, variable, secrets) = tokio::join!(
        branches::look(visit, &environments, protection.branches),
        environments.variable(name, "DOMINO_ENV"),
        secrets::look(visit, &environments),
    );
    findings.extend(branches);
    findings.extend(bypass(visit, &protection));
    findings.push(match variable {
        Ok(value) => domino_env(visit, value.as_deref()),
        Err(failure) => Finding::of_error("variable `DOMINO_ENV`", &failure),
    });
    findings.extend(secrets);
    findings
}

/// What is the same for every stage, when there is a token to ask with; a visit lends its limits only.
pub(super) async fn repository(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(Ok((repository, environments))) = open(visit) else {
        return Vec::new();
    };
    let (secrets, retention) = tokio::join!(
        secrets::outside(&environments),
        retention::look(visit.file, &repository, &environments),
    );
    secrets.into_iter().chain(retention).collect()
}

fn open(visit: &Visit<'_>) -> Option<Result<(String, Environments), CommandError>> {
    let (token, repository) = (github_access::token()?, visit.github_repository()?);
    let api = github_access::api();
    let environments = Environments::of(&visit.connection, api, &repository, &token);
    Some(environments.map(|environments| (repository, environments)))
}

/// Where a person sets the environment up by hand.
fn settings(visit: &Visit<'_>) -> String {
    format!(
        "Settings → Environments → {}",
        visit.stage.github_environment
    )
}

/// Who must approve.
fn approvers(visit: &Visit<'_>, protection: &Protection) -> Finding {
    let stage = visit.stage;
    let name = &stage.github_environment;
    let settings = settings(visit);
    let reviewers = &protection.reviewers;
    if stage.is_entered_by_hand() {
        return Finding::well(format!(
            "GitHub environment `{name}`: entered by a run that {} starts by hand",
            stage.approvers.join(" or ")
        ));
    }
    let missing: Vec<&str> = stage
        .approvers
        .iter()
        .filter(|approver| !reviewers.iter().any(|one| one.is_called(approver)))
        .map(String::as_str)
        .collect();
    match (&missing[..], &reviewers[..]) {
        ([], []) => Finding::Well(
            format!("GitHub environment `{name}`: no approval, as the stage file says"),
            (visit
                .file
                .stages
                .first()
                .is_some_and(|first| first.name != stage.name))
            .then(|| {
                format!(
                    "whatever is merged gets here unasked: name `approvers` under `[stage.{}]`",
                    stage.name
                )
            }),
        ),
        ([], reviewers) => {
            let names: Vec<&str> = reviewers.iter().map(|one| one.name.as_str()).collect();
            Finding::Well(
                format!("GitHub environment `{name}`: approved by {}", names.join(", ")),
                (!protection.prevents_self_review).then(|| {
                    format!("whoever starts a run may approve it: tick *Prevent self-review* under {settings}")
                }),
            )
        }
        (missing, _) => Finding::wrong(
            format!(
                "GitHub environment `{name}` does not ask {} to approve",
                missing.join(", ")
            ),
            format!(
                "add them under {settings} → Required reviewers, or change {}; where GitHub's plan has no required reviewers, \
                 `gate = \"dispatch\"` lets them start the runs by hand",
                visit.place_of("approvers")
            ),
        ),
    }
}

/// How long a job waits. A timer that the file does not mention is somebody's own.
fn timer(visit: &Visit<'_>, protection: &Protection) -> Finding {
    let stage = visit.stage;
    let name = &stage.github_environment;
    let minutes = protection.wait_timer;
    if minutes == stage.wait_timer {
        return Finding::well(format!("wait timer of `{name}`: {minutes} min"));
    }
    if !visit.file.sets_for(stage, "wait-timer") {
        return Finding::well(format!(
            "wait timer of `{name}`: {minutes} min, which the stage file does not name"
        ));
    }
    Finding::wrong(
        format!(
            "wait timer of `{name}` is {minutes} min, and the stage file says {}",
            stage.wait_timer
        ),
        format!(
            "set it under {}, or change {}",
            settings(visit),
            visit.place_of("wait-timer")
        ),
    )
}

/// Whether administrators need an approval like everybody else.
fn bypass(visit: &Visit<'_>, protection: &Protection) -> Option<Finding> {
    let name = &visit.stage.github_environment;
    let may = protection.admins_may_bypass? && !protection.reviewers.is_empty();
    may.then(|| {
        Finding::Well(
            format!("administrators may let a job into `{name}` unapproved"),
            Some(format!(
                "untick *Allow administrators to bypass configured protection rules* under {}",
                settings(visit)
            )),
        )
    })
}

/// The variable must name this very stage, or every step refuses to continue.
fn domino_env(visit: &Visit<'_>, value: Option<&str>) -> Finding {
    let name = &visit.stage.github_environment;
    let to_do = format!("set it to `{name}` under {}", settings(visit));
    match value {
        None => Finding::wrong(format!("`{name}` has no variable `DOMINO_ENV`"), to_do),
        Some(value) => match visit.file.stage(value) {
            Ok(stage) if stage.name == visit.stage.name => {
                Finding::well(format!("variable `DOMINO_ENV` of `{name}` is `{value}`"))
            }
            _ => Finding::wrong(
                format!("variable `DOMINO_ENV` of `{name}` is `{value}`, which is another stage"),
                to_do,
            ),
        },
    }
}
