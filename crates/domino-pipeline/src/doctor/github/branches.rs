//! Which branches may deploy to the stage: the production branch, and no other. Whoever can push to another one could
//! read the stage's secrets from there.

use domino_core::github::{BranchLimit, BranchPolicy, Environments};

use super::settings;
use crate::doctor::finding::Finding;
use crate::doctor::visit::Visit;

pub(super) async fn look(
    visit: &Visit<'_>,
    environments: &Environments,
    limit: BranchLimit,
) -> Vec<Finding> {
    let name = &visit.stage.github_environment;
    match limit {
        BranchLimit::Any => vec![wrong(visit, format!("any branch may deploy to `{name}`"))],
        BranchLimit::Named => match environments.branch_policies(name).await {
            Ok(policies) => named(visit, &policies),
            Err(failure) => vec![Finding::of_error("branch policies", &failure)],
        },
        BranchLimit::Protected => match environments.protected_branches().await {
            Ok(branches) => protected(visit, &branches),
            Err(failure) => vec![Finding::of_error("protected branches", &failure)],
        },
    }
}

fn wrong(visit: &Visit<'_>, what: String) -> Finding {
    let to_do = format!(
        "limit it to `{}` by `domino-pipeline github apply`, or under {} → Deployment branches",
        visit.file.pipeline.branch,
        settings(visit)
    );
    Finding::wrong(what, to_do)
}

fn named(visit: &Visit<'_>, policies: &[BranchPolicy]) -> Vec<Finding> {
    let name = &visit.stage.github_environment;
    let branch = &visit.file.pipeline.branch;
    let others: Vec<String> = policies
        .iter()
        .filter(|policy| !policy.is_branch(branch))
        .map(ToString::to_string)
        .collect();
    if policies.is_empty() {
        return vec![wrong(visit, format!("no branch may deploy to `{name}`"))];
    }
    if others.is_empty() {
        let text = format!("`{name}` takes branch `{branch}` only");
        return vec![Finding::well(text)];
    }
    // A pattern may match the branch, and other branches as well.
    let is_named = others.len() < policies.len();
    let is_wide = policies
        .iter()
        .any(|policy| policy.name.contains(['*', '?', '[']));
    let others = others.join(", ");
    let text = match is_named || is_wide {
        true => format!("{others} may deploy to `{name}` as well"),
        false => format!("`{name}` takes {others}, and not branch `{branch}`"),
    };
    vec![wrong(visit, text)]
}

fn protected(visit: &Visit<'_>, branches: &[String]) -> Vec<Finding> {
    let name = &visit.stage.github_environment;
    let branch = &visit.file.pipeline.branch;
    if branches.is_empty() {
        let text = format!(
            "any branch may deploy to `{name}`: it takes protected branches, and none is protected"
        );
        return vec![wrong(visit, text)];
    }
    if !branches.contains(branch) {
        let text = format!("branch `{branch}` may not deploy to `{name}`: it is not protected");
        return vec![wrong(visit, text)];
    }
    let text = format!(
        "`{name}` takes protected branches only: {}",
        branches.join(", ")
    );
    let advice = (branches.len() > 1).then(|| {
        format!("only `{branch}` need: `domino-pipeline github apply` limits it to that one")
    });
    vec![Finding::Well(text, advice)]
}
