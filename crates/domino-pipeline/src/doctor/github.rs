//! GitHub's side of a stage: that its environment is there, and guards the stage as the stage file says.

use domino_core::github::{Environments, Protection};

use super::finding::Finding;
use super::visit::{Visit, variable};

/// The secrets of which the programs need one.
const CREDENTIALS: [&str; 2] = ["DOMINO_TOKEN", "DOMINO_USER_API_KEY"];

/// Everything about the stage's GitHub environment, when there is a token to ask with.
pub(super) async fn look(visit: &Visit<'_>) -> Vec<Finding> {
    let name = &visit.stage.github_environment;
    let (Some(token), Some(repository)) = (variable("GITHUB_TOKEN"), visit.github_repository())
    else {
        return vec![Finding::NotAsked(
            format!("GitHub environment `{name}`"),
            "set `GITHUB_TOKEN` to have it looked at, and `GITHUB_REPOSITORY` where git's origin is not on GitHub"
                .into(),
        )];
    };
    let api = variable("GITHUB_API_URL");
    let environments = match Environments::of(&visit.connection, api, &repository, &token) {
        Ok(environments) => environments,
        Err(failure) => return vec![Finding::of_error("GitHub", &failure)],
    };
    let protection = match environments.protection(name).await {
        Ok(Some(protection)) => protection,
        Ok(None) => {
            return vec![Finding::wrong(
                format!("repository `{repository}` has no GitHub environment `{name}`"),
                "create it under Settings → Environments; if it is there, the token cannot see the repository",
            )];
        }
        Err(failure) => return vec![Finding::of_error("GitHub", &failure)],
    };
    let mut findings = guards(visit, &protection);
    let (variable, secrets) = tokio::join!(
        environments.variable(name, "DOMINO_ENV"),
        environments.secret_names(name)
    );
    findings.push(match variable {
        Ok(value) => domino_env(visit, value.as_deref()),
        Err(failure) => Finding::of_error("variable `DOMINO_ENV`", &failure),
    });
    findings.push(match secrets {
        Ok(names) => credential(name, &names),
        Err(failure) => Finding::of_error("secrets", &failure),
    });
    findings
}

/// What must stand between a job and the stage.
fn guards(visit: &Visit<'_>, protection: &Protection) -> Vec<Finding> {
    let stage = visit.stage;
    let name = &stage.github_environment;
    let settings = format!("Settings → Environments → {name}");
    let present = |approver: &&String| {
        protection
            .reviewers
            .iter()
            .any(|reviewer| reviewer.eq_ignore_ascii_case(approver))
    };
    let missing: Vec<&str> = stage
        .approvers
        .iter()
        .filter(|approver| !present(approver))
        .map(String::as_str)
        .collect();
    let approvers = match (&missing[..], &protection.reviewers[..]) {
        ([], []) => Finding::Well(
            format!("GitHub environment `{name}`: no approval, as the stage file says"),
            (visit.file.stages.first().is_some_and(|first| first.name != stage.name)).then(|| {
                format!("whatever is merged gets here unasked: name `approvers` under `[stage.{}]`", stage.name)
            }),
        ),
        ([], reviewers) => Finding::Well(
            format!(
                "GitHub environment `{name}`: approved by {}",
                reviewers.join(", ")
            ),
            (!protection.prevents_self_review).then(|| {
                format!("whoever starts a run may approve it: tick *Prevent self-review* under {settings}")
            }),
        ),
        (missing, _) => Finding::wrong(
            format!(
                "GitHub environment `{name}` does not ask {} to approve",
                missing.join(", ")
            ),
            format!(
                "add them under {settings} → Required reviewers, or change {}",
                visit.place_of("approvers")
            ),
        ),
    };
    let timer = if protection.wait_timer == stage.wait_timer {
        Finding::well(format!("wait timer of `{name}`: {} min", stage.wait_timer))
    } else {
        Finding::wrong(
            format!(
                "wait timer of `{name}` is {} min, and the stage file says {}",
                protection.wait_timer, stage.wait_timer
            ),
            format!(
                "set it under {settings}, or change {}",
                visit.place_of("wait-timer")
            ),
        )
    };
    let branch = &visit.file.pipeline.branch;
    let branches = if protection.limits_branches {
        Finding::well(format!("`{name}` takes certain branches only"))
    } else {
        Finding::wrong(
            format!("any branch may deploy to `{name}`"),
            format!("limit it to `{branch}` under {settings} → Deployment branches"),
        )
    };
    vec![approvers, timer, branches]
}

/// The variable must name this very stage, or every step refuses to go on.
fn domino_env(visit: &Visit<'_>, value: Option<&str>) -> Finding {
    let name = &visit.stage.github_environment;
    let to_do = format!("set it to `{name}` under Settings → Environments → {name}");
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

fn credential(name: &str, secrets: &[String]) -> Finding {
    match CREDENTIALS
        .iter()
        .find(|known| secrets.iter().any(|secret| secret == *known))
    {
        Some(known) => Finding::well(format!("`{name}` has the secret `{known}`")),
        None => Finding::wrong(
            format!("`{name}` has no secret `DOMINO_TOKEN`"),
            format!("add a service account's token under Settings → Environments → {name}"),
        ),
    }
}
