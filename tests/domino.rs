//! `domino-pipeline domino` and `rotate` from outside: what a person sees, and what Domino and GitHub hold then.

mod domino_setup;
#[path = "harness/mod.rs"]
mod harness;
#[path = "domino/rotate.rs"]
mod rotate;
#[path = "small_github/mod.rs"]
mod small_github;
mod terminal;

use domino_sandbox::{Misbehaviour, Seed};
use domino_setup::{apply, empty, held, is_set_up, run, scene, scene_as, stages, tokens};

const ALL: [(&str, &str); 3] = [("dev", "DEV"), ("staging", "STAGE"), ("prod", "PROD")];

#[test]
fn from_nothing_to_three_stages_and_a_second_time_to_no_change() {
    let (mut scene, github) = scene();
    let plan = run(&scene, &["domino", "plan"]).exits(0);
    assert_eq!(github.writes(), [""; 0]);
    assert!(
        scene
            .sandbox
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
    let first = apply(&scene, &[]).exits(0);
    for stage in ALL {
        assert!(is_set_up(&scene, &github, stage), "{stage:?}\n{first}");
    }
    // The account was made by an administrator, and is none.
    let users = scene.sandbox.requests();
    let taken = users
        .iter()
        .filter(|one| one.path.starts_with("/v4/users/roles/"));
    assert!(taken.filter(|one| one.method == "POST").count() == 3);
    let (wrote, asked) = (github.writes().len(), scene.sandbox.requests().len());
    let second = apply(&scene, &[]).exits(0);
    assert_eq!(github.writes().len(), wrote);
    let since = scene.sandbox.requests().split_off(asked);
    assert!(
        since.iter().all(|request| request.method == "GET"),
        "{second}"
    );
    // The account's runs get the code, and the doctor sees so.
    let token = github.look("DEV").unwrap().secrets["DOMINO_TOKEN"]
        .0
        .clone();
    scene.variable("DOMINO_TOKEN", &token);
    let seen = scene.run(&["doctor", "--stage", "dev"]);
    let clones = "ok git credential `domino-pipeline` of `ci-wine-dev` clones the repository\n";
    assert!(seen.stdout.contains(clones), "{seen}");
    scene.without("DOMINO_TOKEN");
    // What `github apply` asks for is there already.
    let words = ["github", "apply", "--yes"];
    let beside = run(&scene, &words).exits(0).tells("nothing was changed");
    let text = format!("{plan}\n{first}\n{second}\n{beside}");
    insta::assert_snapshot!("domino_from_nothing", text);
}

#[test]
fn what_an_owner_may_not_do_is_told_and_the_rest_goes_on() {
    let (scene, github) = scene_as("author", &stages(), empty);
    let first = apply(&scene, &["--stage", "dev"])
        .exits(3)
        .tells("only an administrator may make them, and no page of Domino does");
    assert_eq!(
        scene.sandbox.state()["projects"][0]["name"],
        "wine",
        "{first}"
    );
    assert_eq!(github.writes(), [""; 0]);
    // An administrator goes on where the owner stopped.
    let (mut scene, github) =
        scene_as("root", &stages(), |seed| empty(seed).project("author/wine"));
    apply(&scene, &["--stage", "dev"]).exits(0);
    assert!(is_set_up(&scene, &github, ("dev", "DEV")));
    // And without a token for GitHub no token is made that nobody holds.
    scene.without("GITHUB_TOKEN");
    let words = ["--stage", "prod", "--repository", small_github::WINE];
    apply(&scene, &words).exits(3).tells("set `GITHUB_TOKEN`");
    assert_eq!(tokens(&scene, "ci-wine-prod"), []);
}

#[test]
fn what_is_there_stays() {
    fn seed(seed: Seed) -> Seed {
        empty(seed).project("author/wine")
    }
    let named = "github-environment = \"PROD\"\nservice-account = \"wine-deployer\"";
    let stages = stages().replace("github-environment = \"PROD\"", named);
    let (scene, github) = scene_as("root", &stages, seed);
    // Where the stage file names an account, that one is made.
    let plan = run(&scene, &["domino", "plan", "--stage", "prod"]).exits(0);
    assert!(
        plan.stdout
            .contains("+ prod: service account `wine-deployer`\n"),
        "{plan}"
    );
    github.environment("DEV", |dev| {
        dev.variables.insert("OTHER".into(), "1".into());
        dev.secrets
            .insert("DOMINO_TOKEN".into(), ("by hand".into(), 1));
    });
    // Everybody works in the project, also an account that has another name.
    let words = ["--stage", "dev", "--service-account", "dev=ci-bot"];
    let shown = apply(&scene, &words).exits(0);
    assert!(
        shown.stdout.contains("= dev: service account `ci-bot`\n"),
        "{shown}"
    );
    assert!(
        shown.stdout.contains("= dev: `ci-bot` is a contributor"),
        "{shown}"
    );
    let token = held(&scene, &github, "DEV").unwrap();
    assert_eq!(tokens(&scene, "ci-bot"), [(token, true)]);
    let dev = github.look("DEV").unwrap();
    assert_eq!(dev.variables["OTHER"], "1");
    apply(&scene, &words).exits(0).tells("nothing was changed");
}

#[test]
fn a_token_that_is_not_there_a_policy_that_is_not_there_and_a_strange_owner_are_told() {
    let gates = "[stage.prod.gates]\ndomino-approval = \"governance\"\npolicy = \"Another\"\n";
    let stages = format!("{}{gates}", stages().replace("author/wine", "nobody/wine"));
    let (mut scene, _github) = scene_as("root", &stages, |_| {
        let policy = domino_sandbox::PolicySeed::new("Model promotion");
        Seed::bare().admin("root").policy(policy)
    });
    scene.without("DOMINO_GIT_TOKEN");
    let words = ["domino", "plan", "--stage", "prod"];
    run(&scene, &words)
        .exits(0)
        .tells("warning: prod: project `nobody/wine`: `nobody` is no user")
        .tells("warning: prod: a git credential of `ci-wine-prod` for github.com: set `DOMINO_GIT_TOKEN`")
        .tells("warning: prod: there is no policy `Another`");
    scene.without("DOMINO_ADMIN_TOKEN");
    run(&scene, &words)
        .exits(3)
        .tells("set `DOMINO_ADMIN_TOKEN`");
}

#[test]
fn a_person_on_a_terminal_is_asked_for_what_is_not_there() {
    let (mut scene, github) = scene();
    let own = scene.sandbox.user("root").token;
    scene
        .without("DOMINO_ADMIN_TOKEN")
        .without("DOMINO_GIT_TOKEN");
    let words = ["domino", "apply", "--stage", "dev"];
    let (exit, shown) = terminal::run(
        &scene.command(&words),
        200,
        &[
            ("(not shown):", &own),
            ("[y/N]", "y"),
            ("(not shown):", domino_setup::GIT_TOKEN),
        ],
    );
    assert_eq!(exit, 0, "{shown}");
    assert!(is_set_up(&scene, &github, ("dev", "DEV")), "{shown}");
    assert!(
        !shown.contains(&own) && !shown.contains("canary"),
        "{shown}"
    );
}

#[test]
fn where_github_takes_no_secret_the_other_stages_go_on_and_the_token_is_named() {
    let (scene, github) = scene();
    let secret = "PUT /repos/example-org/wine/environments/DEV/secrets/DOMINO_TOKEN";
    let forbidden = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    github.server.harm(secret, forbidden, None);
    let words = ["--stage", "dev", "--stage", "prod"];
    let first = apply(&scene, &words)
        .exits(3)
        .tells("warning: dev: secret `DOMINO_TOKEN` on GitHub: cannot set secret")
        .tells("token `github-example-org-wine-DEV-1` of `ci-wine-dev` opens Domino and is in no secret")
        .tells("Administration and Environments, read and write");
    assert!(is_set_up(&scene, &github, ("prod", "PROD")), "{first}");
    assert!(github.look("DEV").unwrap().secrets.is_empty(), "{first}");
    assert!(
        first
            .to_string()
            .contains("dev: variable `DOMINO_TOKEN_NAME` on GitHub"),
        "{first}"
    );
    github.server.heal();
    apply(&scene, &words).exits(0);
    for stage in [ALL[0], ALL[2]] {
        assert!(is_set_up(&scene, &github, stage), "{stage:?}");
    }
    assert_eq!(tokens(&scene, "ci-wine-dev").len(), 1);
}

#[test]
fn each_repository_has_a_token_of_its_own_and_the_account_is_made_once() {
    let (scene, github) = scene();
    let mut cellar = github.state().repositories[small_github::WINE].clone();
    cellar.environments.clear();
    github
        .state()
        .repositories
        .insert("example-org/cellar".into(), cellar);
    let both = [
        "--repository",
        small_github::WINE,
        "--repository",
        "example-org/cellar",
    ];
    let words = [&["--stage", "prod"], &both[..]].concat();
    let first = apply(&scene, &words).exits(0);
    assert!(is_set_up_for(&scene, &github, 2), "{first}");
    let tells = |told: &str| assert!(first.stdout.contains(told), "{told}\n{first}");
    tells("and secrets to  example-org/cellar");
    tells("+ prod, example-org/cellar: token `github-example-org-cellar-PROD-1` of `ci-wine-prod`");
    apply(&scene, &words).exits(0).tells("nothing was changed");
    // Both are rotated, and the plan says of which repository each move is.
    let rotated = run(
        &scene,
        &[&["rotate", "--yes", "--stage", "prod"], &both[..]].concat(),
    );
    let rotated = rotated.exits(0);
    assert!(
        rotated
            .stdout
            .contains("- example-org/cellar: token `github-example-org-cellar-PROD-1` invalidated"),
        "{rotated}"
    );
    assert_eq!(tokens(&scene, "ci-wine-prod").len(), 4);
    assert!(is_set_up_for(&scene, &github, 2), "{rotated}");
}

/// Whether the account of prod has one valid token a repository, and each repository holds its own.
fn is_set_up_for(
    scene: &harness::Scene,
    github: &small_github::SmallGitHub,
    repositories: usize,
) -> bool {
    let all = scene.sandbox.tokens_of_service_accounts().into_iter();
    let valid = all.filter(|(user, _, _, is_valid)| user == "ci-wine-prod" && *is_valid);
    let mut valid: Vec<String> = valid.map(|(_, _, value, _)| value).collect();
    let state = github.state();
    let prod = state
        .repositories
        .values()
        .map(|one| &one.environments["PROD"]);
    let mut held: Vec<String> = prod
        .map(|prod| prod.secrets["DOMINO_TOKEN"].0.clone())
        .collect();
    valid.sort_unstable();
    held.sort_unstable();
    held.dedup();
    held.len() == repositories && held == valid
}
