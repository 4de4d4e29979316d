//! An empty Domino with an administrator, an empty GitHub, and a repository with a stage file: what a set-up begins with,
//! and how it is judged by what both hold in the end.
#![allow(dead_code, reason = "each test uses the part it needs")]

use domino_sandbox::Seed;
use serde_json::Value;

use crate::harness::{Run, STAGES, Scene, Setup};
use crate::small_github::SmallGitHub;

/// The token that opens the repository for Domino.
pub const GIT_TOKEN: &str = "canary-token-of-git";

/// The scene as the administrator `root`, or as `author`, who owns the projects.
pub fn scene_as(user: &str, stages: &str, seed: fn(Seed) -> Seed) -> (Scene, SmallGitHub) {
    let setup = Setup {
        stages,
        seed,
        ..Setup::of(env!("CARGO_BIN_EXE_domino-pipeline"))
    };
    let mut scene = setup.scene();
    let github = SmallGitHub::start();
    github.asked_by(&mut scene);
    let own = scene.sandbox.user(user).token;
    scene
        .variable("DOMINO_ADMIN_TOKEN", &own)
        .variable("DOMINO_GIT_TOKEN", GIT_TOKEN)
        .without("DOMINO_TOKEN");
    (scene, github)
}

/// Nothing but people.
pub fn empty(seed: Seed) -> Seed {
    seed.without_projects().admin("root")
}

/// The stages of every test, whose projects `author` owns.
pub fn stages() -> String {
    STAGES.replace("wine-team/wine", "author/wine")
}

pub fn scene() -> (Scene, SmallGitHub) {
    scene_as("root", &stages(), empty)
}

/// Runs a command, whose output must hold no token: neither one that was given nor one that Domino made.
pub fn run(scene: &Scene, words: &[&str]) -> Run {
    let run = scene.run(words);
    let text = run.to_string();
    let made = scene.sandbox.tokens_of_service_accounts();
    let made = made.into_iter().map(|(_, _, value, _)| value);
    let people = ["root", "author"].map(|name| {
        let mut accounts = scene.sandbox.accounts().into_iter();
        accounts.find(|account| account.user_name == name)
    });
    let people = people.into_iter().flatten().map(|account| account.token);
    for secret in made.chain(people) {
        assert!(!text.contains(&secret), "a token is shown:\n{text}");
    }
    run
}

pub fn apply(scene: &Scene, words: &[&str]) -> Run {
    run(scene, &[&["domino", "apply", "--yes"], words].concat())
}

/// The names of the tokens of an account, and whether they are valid.
pub fn tokens(scene: &Scene, account: &str) -> Vec<(String, bool)> {
    let all = scene.sandbox.tokens_of_service_accounts().into_iter();
    let own = all.filter(|(user, ..)| user == account);
    own.map(|(_, name, _, is_valid)| (name, is_valid)).collect()
}

/// The name of the token that a GitHub environment holds, which must be valid; its variable must say the same.
pub fn held(scene: &Scene, github: &SmallGitHub, environment: &str) -> Option<String> {
    let environment = github.look(environment)?;
    let (value, _) = environment.secrets.get("DOMINO_TOKEN")?;
    let all = scene.sandbox.tokens_of_service_accounts();
    let (_, name, ..) = all
        .into_iter()
        .find(|(_, _, one, valid)| one == value && *valid)?;
    (environment.variables.get("DOMINO_TOKEN_NAME") == Some(&name)).then_some(name)
}

/// Whether a stage is set up: one project, one account that is a contributor and nothing more, one credential that its
/// runs use, one valid token that GitHub holds behind its rules.
pub fn is_set_up(scene: &Scene, github: &SmallGitHub, (stage, environment): (&str, &str)) -> bool {
    let state = scene.sandbox.state();
    let account = format!("ci-wine-{stage}");
    let list = |key: &str| state[key].as_array().cloned().unwrap_or_default();
    let named = |all: Vec<Value>, key: &str, name: &str| -> Vec<Value> {
        all.into_iter().filter(|one| one[key] == name).collect()
    };
    let projects = named(list("projects"), "name", "wine");
    let accounts = named(list("serviceAccounts"), "username", &account);
    let ([project], [one]) = (&projects[..], &accounts[..]) else {
        return false;
    };
    let git = &state["gitCredentials"];
    let of_account = |key: &str| {
        let all = git[key].as_array().cloned().unwrap_or_default();
        named(all, "userId", one["id"].as_str().unwrap())
    };
    let (credentials, mappings) = (of_account("credentials"), of_account("mappings"));
    let ([credential], [mapping]) = (&credentials[..], &mappings[..]) else {
        return false;
    };
    let members = project["collaborators"].as_array().unwrap();
    let roles = members
        .iter()
        .filter(|member| member["collaboratorId"] == one["id"]);
    let roles: Vec<&Value> = roles.map(|member| &member["projectRole"]).collect();
    let valid = tokens(scene, &account)
        .into_iter()
        .filter(|(_, valid)| *valid);
    roles == ["Contributor"]
        && mapping["credentialId"] == credential["id"]
        && valid.count() == 1
        && held(scene, github, environment).is_some()
        && github.look(environment).unwrap().takes_only("main")
}
