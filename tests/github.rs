//! `domino-pipeline github` from outside: what a person sees before and after, and what a small GitHub has
//! afterwards.

#[path = "harness/mod.rs"]
mod harness;
#[path = "github/openapi.rs"]
mod openapi;
#[path = "github/refused.rs"]
mod refused;
#[path = "github/secrets.rs"]
mod secrets;
#[path = "small_github/mod.rs"]
mod small_github;
#[path = "github/stays.rs"]
mod stays;
mod terminal;

use harness::{Run, STAGES, Scene, Setup};
use small_github::{SmallGitHub, WINE};

/// The token of each stage, which must be shown nowhere.
const TOKENS: [(&str, &str); 3] = [
    ("DOMINO_TOKEN_DEV", "canary-token-of-dev"),
    ("DOMINO_TOKEN_STAGING", "canary-token-of-staging"),
    ("DOMINO_TOKEN_PROD", "canary-token-of-prod"),
];

/// Three stages, of which two ask for approvals.
fn stages() -> String {
    STAGES
        .replace(
            "github-environment = \"STAGE\"",
            "github-environment = \"STAGE\"\napprovers = [\"ann\"]\nself-approval = \"warn\"",
        )
        .replace(
            "github-environment = \"PROD\"",
            "github-environment = \"PROD\"\napprovers = [\"team:wine-reviewers\", \"ben\"]\nwait-timer = 5",
        )
}

fn scene_of(stages: &str) -> (Scene, SmallGitHub) {
    let setup = Setup {
        stages,
        ..Setup::of(env!("CARGO_BIN_EXE_domino-pipeline"))
    };
    let mut scene = setup.scene();
    let github = SmallGitHub::start();
    github.asked_by(&mut scene);
    for (name, token) in TOKENS {
        scene.variable(name, token);
    }
    (scene, github)
}

fn scene() -> (Scene, SmallGitHub) {
    scene_of(&stages())
}

fn apply(scene: &Scene, words: &[&str]) -> Run {
    scene.run(&[&["github", "apply", "--yes"], words].concat())
}

#[test]
fn from_nothing_to_three_environments_and_a_second_time_to_no_change() {
    let (scene, github) = scene();
    let plan = scene.run(&["github", "plan"]).exits(0);
    assert_eq!(github.writes(), [""; 0]);
    let first = apply(&scene, &[]).exits(0);
    let second = apply(&scene, &[]).exits(0);
    insta::assert_snapshot!("github_from_nothing", format!("{plan}\n{first}\n{second}"));

    let prod = github.look("PROD").unwrap();
    let reviewers = [("Team".to_owned(), 21), ("User".to_owned(), 12)];
    assert!(
        reviewers.iter().all(|one| prod.reviewers.contains(one)),
        "{prod:?}"
    );
    assert_eq!(
        (
            prod.reviewers.len(),
            prod.wait_timer,
            prod.prevents_self_review
        ),
        (2, 5, true)
    );
    let staging = github.look("STAGE").unwrap();
    assert_eq!(staging.reviewers, [("User".to_owned(), 11)]);
    assert!(!staging.prevents_self_review);
    for ((name, stage), (_, token)) in [("DEV", "DEV"), ("STAGE", "STAGE"), ("PROD", "PROD")]
        .iter()
        .zip(TOKENS)
    {
        let environment = github.look(name).unwrap();
        assert!(environment.takes_only("main"), "{environment:?}");
        assert_eq!(environment.variables["DOMINO_ENV"], *stage);
        assert_eq!(environment.secrets["DOMINO_TOKEN"].0, token);
        assert_eq!(environment.secrets.len(), 1);
    }
}

#[test]
fn a_secret_is_written_only_once_the_environment_is_guarded() {
    let (scene, github) = scene();
    apply(&scene, &["--stage", "prod"]).exits(0);
    assert_eq!(
        github.writes(),
        [
            "PUT /environments/PROD",
            "POST /environments/PROD/deployment-branch-policies",
            "POST /environments/PROD/variables",
            "PUT /environments/PROD/secrets/DOMINO_TOKEN",
        ]
    );
    assert!(github.look("DEV").is_none());
}

#[test]
fn several_repositories_and_stages_are_set_up_at_once() {
    let (scene, github) = scene();
    let other = small_github::Repository {
        branch: "main".into(),
        people: small_github::named(&[("ann", 11)]),
        ..Default::default()
    };
    github
        .state()
        .repositories
        .insert("example-org/beer".into(), other);
    let words = [
        "--repository",
        WINE,
        "--repository",
        "example-org/beer",
        "--stage",
        "dev",
        "--stage",
        "staging",
    ];
    let run = apply(&scene, &words).exits(0);
    assert!(
        run.stdout
            .contains("  + example-org/beer STAGE: approved by `ann`\n"),
        "{run}"
    );
    let state = github.state();
    for repository in state.repositories.values() {
        let names: Vec<&String> = repository.environments.keys().collect();
        assert_eq!(names, ["DEV", "STAGE"]);
        assert_eq!(
            repository.environments["DEV"].secrets["DOMINO_TOKEN"].0,
            TOKENS[0].1
        );
    }
}

#[test]
fn as_json_it_is_one_document() {
    let (scene, _github) = scene();
    let plan = scene
        .run(&["github", "plan", "--format", "json", "--stage", "dev"])
        .exits(0);
    let document: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(
        (&document["verb"], &document["outcome"]),
        (&"github plan".into(), &"planned".into())
    );
    let changes = document["plan"]["changes"].as_array().unwrap();
    assert!(changes.iter().any(|one| {
        one["kind"] == "create"
            && one["what"] == "DEV: secret `DOMINO_TOKEN`, out of `DOMINO_TOKEN_DEV`"
    }));
    let run = apply(&scene, &["--format", "json", "--stage", "dev"]).exits(0);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["outcome"], "done");
    let run = apply(&scene, &["--format", "json", "--stage", "dev"]).exits(0);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["outcome"], "unchanged");
}

#[test]
fn a_person_on_a_terminal_is_asked_and_may_say_no() {
    let (scene, github) = scene();
    let words = ["github", "apply", "--stage", "dev"];
    let ask = |answer| terminal::run(&scene.command(&words), 120, &[("[y/N]", answer)]);
    let (exit, shown) = ask("n");
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("make 4 changes on GitHub? [y/N]"), "{shown}");
    assert!(
        shown.contains("only planned: nothing was changed"),
        "{shown}"
    );
    assert_eq!(github.writes(), [""; 0]);
    let (exit, shown) = ask("y");
    assert_eq!(exit, 0, "{shown}");
    assert!(github.look("DEV").unwrap().takes_only("main"));
    assert!(!shown.contains("canary"), "{shown}");
}
