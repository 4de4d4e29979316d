//! What cannot be done, and the message about it.

use super::harness::github::server::Reply;
use super::*;

#[test]
fn without_a_terminal_or_a_yes_nothing_is_asked_of_github() {
    let (scene, github) = scene();
    scene
        .run(&["github", "apply"])
        .exits(2)
        .tells("nobody can be asked: this is no terminal")
        .tells("`github apply --yes`");
    assert!(github.server.exchanges().is_empty());
}

#[test]
fn without_a_token_or_a_repository_the_way_to_one_is_told() {
    let (mut scene, github) = scene();
    scene.without("GITHUB_REPOSITORY");
    scene
        .run(&["github", "plan"])
        .exits(2)
        .tells("`--repository OWNER/NAME`");
    scene.without("GITHUB_TOKEN");
    scene
        .run(&["github", "plan"])
        .exits(3)
        .tells("`gh auth token`");
    scene.variable("GH_TOKEN", harness::github::TOKEN);
    scene
        .run(&["github", "plan", "--repository", WINE])
        .exits(0);
    scene
        .run(&["github", "plan", "--repository", "wine"])
        .exits(2)
        .tells("`wine`");
    scene.variable("GITHUB_API_URL", "http://git.example.com");
    scene
        .run(&["github", "plan", "--repository", WINE])
        .exits(2)
        .tells("`GITHUB_API_URL`");
    assert!(github.writes().is_empty());
}

#[test]
fn approvers_who_cannot_be_found_are_told_with_the_nearest() {
    for (approvers, told) in [
        ("[\"anne\"]", "there is `Ann`"),
        ("[\"team:wine-reviewer\"]", "there is `team:wine-reviewers`"),
        ("[\"wine-reviewers\"]", "write `team:wine-reviewers`"),
    ] {
        let text = stages().replace("[\"ann\"]", approvers);
        let (scene, github) = scene_of(&text);
        let run = apply(&scene, &[]).exits(3).tells(told);
        assert!(run.stderr.contains("stages.toml:"), "{run}");
        assert_eq!(github.writes(), [""; 0]);
    }
    let (scene, github) = scene_of(&stages().replace("[\"ann\"]", "[\"anne\"]"));
    github.change(|wine| wine.teams.clear());
    apply(&scene, &[])
        .exits(3)
        .tells("there is no collaborator `anne` here")
        .tells("no team may read the repository");
}

#[test]
fn a_plan_of_github_without_reviewers_is_told_with_what_to_do_instead() {
    let (scene, github) = scene();
    github.state().has_rules = false;
    let run = apply(&scene, &[]).exits(3);
    insta::assert_snapshot!("github_without_reviewers", run.to_string());
    // The first stage asks for no rule of that kind, and the others have no secret from here.
    assert!(
        github
            .look("DEV")
            .unwrap()
            .secrets
            .contains_key("DOMINO_TOKEN")
    );
    assert!(github.look("STAGE").unwrap().secrets.is_empty());
    // Without approvers they are set up in such a repository as well.
    let text = stages().replace("approvers = [\"ann\"]\n", "").replace(
        "approvers = [\"team:wine-reviewers\", \"ben\"]\nwait-timer = 5",
        "",
    );
    let (scene, github) = scene_of(&text);
    github.state().has_rules = false;
    apply(&scene, &[]).exits(0);
    assert!(github.look("PROD").unwrap().takes_only("main"));
}

#[test]
fn where_approvers_start_the_runs_by_hand_no_reviewer_is_asked_for() {
    let text = stages()
        .replace(
            "approvers = [\"ann\"]",
            "approvers = [\"ann\"]\ngate = \"dispatch\"",
        )
        .replace(
            "approvers = [\"team:wine-reviewers\", \"ben\"]\nwait-timer = 5",
            "approvers = [\"ann\", \"ben\"]\ngate = \"dispatch\"",
        );
    let (scene, github) = scene_of(&text);
    github.state().has_rules = false;
    let run = apply(&scene, &[]).exits(0);
    let told =
        "PROD: entered by a run that `ann` or `ben` starts by hand, and no reviewer is asked for";
    assert!(run.stdout.contains(told), "{run}");
    let prod = github.look("PROD").unwrap();
    assert!(prod.reviewers.is_empty() && prod.takes_only("main"));
    // Somebody who cannot read the repository cannot start its runs.
    let (scene, _github) = scene_of(&text.replace("\"ben\"", "\"bene\""));
    apply(&scene, &[])
        .exits(3)
        .tells("there is no collaborator `bene` here");
    // The doctor tells the same of one that is set up.
    let (mut scene, github) = scene_of(&text);
    github.state().has_rules = false;
    scene.variable("DOMINO_TOKEN", harness::TOKEN);
    apply(&scene, &[]).exits(0);
    let run = scene.run(&["doctor", "--stage", "prod"]);
    let told = "ok GitHub environment `PROD`: entered by a run that ann or ben starts by hand";
    assert!(run.stdout.contains(told), "{run}");
}

#[test]
fn a_token_that_may_not_write_is_told_what_it_needs() {
    let (scene, github) = scene();
    let refused = Reply::error(403, "Resource not accessible by personal access token");
    github.server.reply_instead(
        "PUT /repos/example-org/wine/environments/DEV",
        refused,
        None,
    );
    let run = apply(&scene, &[])
        .exits(3)
        .tells("GitHub says: Resource not accessible by personal access token")
        .tells("Administration and Environments");
    assert!(run.stderr.contains("0 of 12 writes were made"), "{run}");
}

#[test]
fn a_used_up_limit_is_waited_for_and_a_long_one_told() {
    let (scene, github) = scene();
    let limited = |seconds: i64| {
        let mut reply = Reply::error(403, "API rate limit exceeded");
        let reset = jiff_now() + seconds;
        reply.headers = vec![
            ("x-ratelimit-remaining".into(), "0".into()),
            ("x-ratelimit-reset".into(), reset.to_string()),
        ];
        reply
    };
    for route in [
        "PUT /repos/example-org/wine/environments/DEV",
        "GET /repos/example-org/wine/environments/DEV/secrets",
    ] {
        github.server.reply_instead(route, limited(2), Some(1));
    }
    apply(&scene, &["--stage", "dev"]).exits(0);
    assert_eq!(
        github.server.struck(),
        1,
        "there is no such list before the environment"
    );
    github.server.reply_instead(
        "GET /repos/example-org/wine/environments/STAGE",
        limited(3600),
        None,
    );
    apply(&scene, &[])
        .exits(4)
        .tells("GitHub is being asked too often");
}

fn jiff_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_secs()).unwrap()
}
