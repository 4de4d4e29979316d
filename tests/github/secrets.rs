//! Where the values of secrets come from, and that none is shown, or overwritten without being asked.

use super::*;

#[test]
fn a_secret_that_is_there_stays_until_it_is_to_be_replaced() {
    let (mut scene, github) = scene();
    github.environment("DEV", |dev| {
        dev.secrets
            .insert("DOMINO_TOKEN".into(), ("by hand".into(), 1));
    });
    let run = apply(&scene, &["--stage", "dev"]).exits(0);
    assert!(
        run.stdout.contains(
            "= DEV: secret `DOMINO_TOKEN` of 2026-11-01 stays; `--replace-secrets` writes it anew"
        ),
        "{run}"
    );
    let token = |github: &SmallGitHub| {
        github.look("DEV").unwrap().secrets["DOMINO_TOKEN"]
            .0
            .clone()
    };
    assert_eq!(token(&github), "by hand");
    let run = apply(&scene, &["--stage", "dev", "--replace-secrets"]).exits(0);
    assert!(
        run.stdout
            .contains("~ DEV: secret `DOMINO_TOKEN` anew, out of `DOMINO_TOKEN_DEV`"),
        "{run}"
    );
    assert_eq!(token(&github), TOKENS[0].1);
    // Nothing was given, and nobody can be asked: what is there stays.
    scene.without("DOMINO_TOKEN_DEV").without("DOMINO_TOKEN");
    apply(&scene, &["--stage", "dev", "--replace-secrets"]).exits(0);
    assert_eq!(token(&github), TOKENS[0].1);
}

#[test]
fn a_value_comes_out_of_a_file_the_stages_variable_or_the_one_of_the_programs() {
    let (mut scene, github) = scene();
    std::fs::write(scene.path().join("token.txt"), "canary-token-of-a-file\n").unwrap();
    std::fs::write(
        scene.path().join("models.txt"),
        "wine=canary-model-1\nbeer=canary-model-2\n",
    )
    .unwrap();
    let words = [
        "--stage",
        "dev",
        "--token-file",
        "dev=token.txt",
        "--model-token-file",
        "dev=models.txt",
    ];
    apply(&scene, &words).exits(0);
    let dev = github.look("DEV").unwrap();
    assert_eq!(dev.secrets["DOMINO_TOKEN"].0, "canary-token-of-a-file");
    assert_eq!(
        dev.secrets["DOMINO_MODEL_TOKEN"].0,
        "wine=canary-model-1\nbeer=canary-model-2"
    );

    // The one of the programs is meant only where one stage is.
    scene
        .without("DOMINO_TOKEN_PROD")
        .without("DOMINO_MODEL_TOKEN");
    apply(&scene, &["--stage", "prod"]).exits(0);
    assert_eq!(
        github.look("PROD").unwrap().secrets["DOMINO_TOKEN"].0,
        harness::TOKEN
    );
}

#[test]
fn a_stage_without_a_token_is_set_up_but_for_that_and_told() {
    let (mut scene, github) = scene();
    scene.without("DOMINO_TOKEN_STAGING");
    let run = scene.run(&["github", "plan"]).exits(0);
    assert!(
        run.stderr
            .contains("warning: environment `STAGE` of `example-org/wine` has no secret"),
        "{run}"
    );
    apply(&scene, &[])
        .exits(3)
        .tells("environment `STAGE` of `example-org/wine` has no secret `DOMINO_TOKEN`")
        .tells("`--token-file <stage>=FILE`");
    assert!(github.look("STAGE").unwrap().takes_only("main"));
    assert!(
        github
            .look("PROD")
            .unwrap()
            .secrets
            .contains_key("DOMINO_TOKEN")
    );
    // A user's key serves as well.
    github.environment("STAGE", |staging| {
        staging
            .secrets
            .insert("DOMINO_USER_API_KEY".into(), ("key".into(), 1));
    });
    let run = apply(&scene, &[]).exits(0).tells("nothing was changed");
    assert!(
        run.stdout
            .contains("secret `DOMINO_USER_API_KEY` serves in place of `DOMINO_TOKEN`"),
        "{run}"
    );
}

#[test]
fn a_token_is_asked_for_on_a_terminal_and_not_shown() {
    let (mut scene, github) = scene();
    scene.without("DOMINO_TOKEN_DEV").without("DOMINO_TOKEN");
    let words = ["github", "apply", "--stage", "dev"];
    let answers = [
        ("[y/N]", "y"),
        (
            "`DOMINO_TOKEN` for stage `dev` (not shown): ",
            "canary-token-typed",
        ),
    ];
    let (exit, shown) = terminal::run(&scene.command(&words), 120, &answers);
    assert_eq!(exit, 0, "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(
        github.look("DEV").unwrap().secrets["DOMINO_TOKEN"].0,
        "canary-token-typed"
    );
    // No answer is no token, and nothing half done.
    github.change(|wine| wine.environments.clear());
    let before = github.writes().len();
    let answers = [answers[0], (answers[1].0, "")];
    let (exit, shown) = terminal::run(&scene.command(&words), 120, &answers);
    assert_eq!(exit, 2, "{shown}");
    assert_eq!(github.writes().len(), before);
}

#[test]
fn files_that_are_not_there_or_empty_are_told_before_anything_is_written() {
    let (scene, github) = scene();
    std::fs::write(scene.path().join("empty.txt"), "\n").unwrap();
    for (file, told) in [
        (
            "dev=nowhere.txt",
            "the file `nowhere.txt` of `--token-file` cannot be found",
        ),
        ("token.txt", "`--token-file` takes `STAGE=FILE`"),
        ("deb=empty.txt", "did you mean `dev`?"),
        (
            "dev=empty.txt",
            "no value for secret `DOMINO_TOKEN` of stage `dev`: it is empty out of file `empty.txt`",
        ),
    ] {
        apply(&scene, &["--token-file", file]).exits(2).tells(told);
    }
    assert_eq!(github.writes(), [""; 0]);
}

#[test]
fn secrets_outside_of_the_environments_are_told() {
    let (scene, github) = scene();
    github.change(|wine| wine.secrets = vec!["DOMINO_TOKEN".into(), "OTHER".into()]);
    let run = scene.run(&["github", "plan"]).exits(0);
    assert!(
        run.stderr
            .contains("warning: secret `DOMINO_TOKEN` of the repository is given to every job"),
        "{run}"
    );
    assert!(!run.stderr.contains("OTHER"), "{run}");
}
