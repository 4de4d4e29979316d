//! What doctor reports about a stage's GitHub environment.

use super::small_github::{Environment, Policy, SmallGitHub};
use super::*;

/// An environment that guards its stage, with what it needs.
fn guarded(environment: &mut Environment) {
    environment.protected_branches = Some(false);
    environment.policies = vec![policy("main", "branch")];
    environment
        .variables
        .insert("DOMINO_ENV".into(), "DEV".into());
    environment
        .secrets
        .insert("DOMINO_TOKEN".into(), (String::new(), 1));
    environment.is_closed_to_admins = true;
}

fn policy(name: &str, kind: &str) -> Policy {
    Policy {
        id: 1,
        name: name.into(),
        kind: kind.into(),
    }
}

/// A scene in which stage dev has these further keys, and a GitHub.
fn on_github(keys: &str) -> (Scene, SmallGitHub) {
    let stages = format!("{STAGES}{ENTITIES}").replace(
        "github-environment = \"DEV\"",
        &format!("github-environment = \"DEV\"\n{keys}"),
    );
    let mut scene = scene_of("6.3", &stages);
    let github = SmallGitHub::start();
    github.asked_by(&mut scene);
    // The sandbox's project is on another repository than the one that GitHub is asked about.
    (scene, github)
}

const REVIEWED: &str = "approvers = [\"ann\", \"team:wine-reviewers\"]\nwait-timer = 5";

#[test]
fn a_github_environment_that_guards_the_stage_is_well() {
    let (scene, github) = on_github(REVIEWED);
    github.environment("DEV", |dev| {
        guarded(dev);
        dev.reviewers = vec![("User".into(), 11), ("Team".into(), 21)];
        dev.prevents_self_review = true;
        dev.wait_timer = 5;
    });
    let run = doctor(&scene);
    for expected in [
        "ok GitHub environment `DEV`: approved by Ann, team:wine-reviewers",
        "ok wait timer of `DEV`: 5 min",
        "ok `DEV` takes branch `main` only",
        "ok variable `DOMINO_ENV` of `DEV` is `DEV`",
        "ok `DEV` has the secret `DOMINO_TOKEN`",
    ] {
        line(&run, expected);
    }
    assert!(
        run.stdout.contains("which is not `example-org/wine`"),
        "{run}"
    );
    only_wrong(&run, 1);
    assert_eq!(github.writes(), [""; 0]);
}

#[test]
fn an_environment_that_anybody_may_open_is_well_with_a_word_of_advice() {
    let (mut scene, github) = on_github("");
    let mut git = std::process::Command::new("git");
    git.args([
        "remote",
        "add",
        "origin",
        "git@github.com:example-org/wine.git",
    ]);
    assert!(git.current_dir(scene.path()).status().unwrap().success());
    github.environment("DEV", |dev| {
        guarded(dev);
        dev.reviewers = vec![("User".into(), 11)];
        dev.is_closed_to_admins = false;
        dev.wait_timer = 30;
    });
    github.environment("PROD", |prod| {
        guarded(prod);
        prod.variables.insert("DOMINO_ENV".into(), "PROD".into());
    });
    // Without the variable, the repository is the one that git calls origin; `gh` has a variable of its own.
    scene
        .without("GITHUB_REPOSITORY")
        .without("GITHUB_TOKEN")
        .variable("GH_TOKEN", harness::github::TOKEN);
    let run = scene.run(&["doctor", "--stage", "dev"]);
    line(
        &run,
        "ok GitHub environment `DEV`: approved by Ann → whoever starts a run may approve it: tick *Prevent \
         self-review* under Settings → Environments → DEV",
    );
    line(
        &run,
        "ok administrators may let a job into `DEV` unapproved → untick *Allow administrators to bypass configured \
         protection rules* under Settings → Environments → DEV",
    );
    line(
        &run,
        "ok wait timer of `DEV`: 30 min, which the stage file does not name",
    );
    line(
        &scene.run(&["doctor", "--stage", "prod"]),
        "ok GitHub environment `PROD`: no approval, as the stage file says → whatever is merged gets here unasked: \
         name `approvers` under `[stage.prod]`",
    );
}

#[test]
fn whatever_a_github_environment_lacks_is_told_with_where_to_set_it() {
    let (scene, github) = on_github("approvers = [\"ann\"]\nwait-timer = 5");
    github.environment("DEV", |dev| {
        dev.variables.insert("DOMINO_ENV".into(), "PROD".into());
    });
    let run = doctor(&scene).exits(3);
    let github_lines: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains("`DEV`"))
        .collect();
    insta::assert_snapshot!("doctor_github_lacks", github_lines.join("\n"));
}

#[test]
fn branches_that_may_deploy_are_told_by_their_names() {
    let (scene, github) = on_github("");
    let named = |policies: &[(&str, &str)]| {
        let policies = policies
            .iter()
            .map(|(name, kind)| policy(name, kind))
            .collect();
        (Some(false), policies, Vec::new())
    };
    let protected = |branches: &[&str]| {
        let branches = branches.iter().map(|name| (*name).to_owned());
        (Some(true), Vec::new(), branches.collect())
    };
    for ((limit, policies, branches), mark, told) in [
        (
            named(&[("*", "branch")]),
            "!!",
            "branch `*` may deploy to `DEV` as well",
        ),
        (
            named(&[("main", "branch"), ("v*", "tag")]),
            "!!",
            "tag `v*` may deploy to `DEV` as well",
        ),
        (
            named(&[("develop", "branch")]),
            "!!",
            "`DEV` takes branch `develop`, and not branch `main`",
        ),
        (
            named(&[("main", "tag")]),
            "!!",
            "`DEV` takes tag `main`, and not branch `main`",
        ),
        (named(&[]), "!!", "no branch may deploy to `DEV`"),
        (
            protected(&[]),
            "!!",
            "it takes protected branches, and none is protected",
        ),
        (
            protected(&["develop"]),
            "!!",
            "branch `main` may not deploy to `DEV`: it is not protected",
        ),
        (
            protected(&["main"]),
            "ok",
            "`DEV` takes protected branches only: main",
        ),
        (
            protected(&["main", "next"]),
            "ok",
            "main, next → only `main` need",
        ),
    ] {
        github.environment("DEV", |dev| {
            guarded(dev);
            dev.protected_branches = limit;
            dev.policies = policies;
        });
        github.change(|wine| wine.protected_branches = branches);
        let run = doctor(&scene);
        let is_told = run
            .stdout
            .lines()
            .any(|line| line.starts_with(mark) && line.contains(told));
        assert!(is_told, "`{mark} … {told}`:\n{run}");
    }
}

#[test]
fn secrets_that_reach_every_branch_and_one_that_a_smoke_test_needs_are_told() {
    let (mut scene, github) = on_github("");
    github.environment("DEV", guarded);
    github.change(|wine| {
        wine.secrets = vec!["DOMINO_TOKEN".into(), "OTHER".into()];
        wine.organization_secrets = vec!["DOMINO_USER_API_KEY".into()];
    });
    let stages = format!("{STAGES}{ENTITIES}").replace(
        "function = \"predict\"",
        "function = \"predict\"\nsmoke-test = \"smoke.jsonl\"",
    );
    scene.commit_file("smoke.jsonl", "{\"data\": {}}\n");
    scene.commit_file("stages.toml", &stages);
    let run = doctor(&scene).exits(3);
    line(
        &run,
        "!! the repository has a secret `DOMINO_TOKEN`, which every job of any branch is given → delete it under the \
         repository's Settings → Secrets and variables → Actions: each environment has its own",
    );
    assert!(
        run.stdout
            .contains("!! the organization has a secret `DOMINO_USER_API_KEY`"),
        "{run}"
    );
    line(
        &run,
        "-- `DEV` has no secret `DOMINO_MODEL_TOKEN` → the smoke test of `wine` needs it where the endpoint is restricted",
    );
    assert!(!run.stdout.contains("OTHER"), "{run}");
    github.environment("DEV", |dev| {
        dev.secrets
            .insert("DOMINO_MODEL_TOKEN".into(), (String::new(), 1));
    });
    line(
        &doctor(&scene),
        "ok `DEV` has the secret `DOMINO_MODEL_TOKEN`",
    );
}

#[test]
fn artifacts_that_go_before_an_approval_comes_are_told_of() {
    let (scene, github) = on_github("");
    github.environment("DEV", guarded);
    line(
        &doctor(&scene),
        "ok artifacts of `example-org/wine` are kept for 90 days",
    );
    github.change(|wine| wine.artifact_days = 5);
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout.contains(
            "!! artifacts of `example-org/wine` are kept for 5 days, and the programs are to be kept for 32 → raise it"
        ),
        "{run}"
    );
}

#[test]
fn a_token_that_may_not_see_secrets_outside_is_told_and_the_rest_is_looked_at() {
    let (scene, github) = on_github("");
    github.environment("DEV", guarded);
    let refused = harness::github::server::Reply::error(403, "Resource not accessible");
    github
        .server
        .reply_instead("GET /repos/example-org/wine/actions/secrets", refused, None);
    let run = doctor(&scene);
    assert!(
        run.stdout
            .contains("-- secrets outside of environments → cannot read"),
        "{run}"
    );
    line(&run, "ok `DEV` has the secret `DOMINO_TOKEN`");
}

#[test]
fn a_github_environment_that_is_not_there_is_told() {
    let (scene, _github) = on_github("");
    let run = doctor(&scene).exits(3);
    assert!(
        run.stdout.contains(
            "!! repository `example-org/wine` has no GitHub environment `DEV` → create it by"
        ),
        "{run}"
    );
}
