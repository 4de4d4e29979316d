//! All stages at once: what is shown, how many requests it takes, and what a stage that cannot be read hides.

use std::time::{Duration, Instant};

use domino_sandbox::{Fault, Misbehaviour};

use super::*;

#[test]
fn five_entities_in_four_stages_are_told_in_eight_questions_a_stage() {
    let scene = scene_of("6.4", &whole());
    for stage in ["dev", "qa", "staging", "prod"] {
        deploy_all(&scene, stage);
    }
    let from = scene.sandbox.requests().len();
    scene.sandbox.faults().add(Fault::on(
        "/**",
        Misbehaviour::Delay {
            by: Duration::from_millis(50),
        },
    ));
    let started = Instant::now();
    let run = status(&scene, &["--exit-code"]).exits(0);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    let asked = scene.requests_since(from);
    assert!(
        asked.iter().all(|request| request.starts_with("GET ")),
        "{asked:#?}"
    );
    assert!(asked.len() <= 4 * 8, "{asked:#?}");
    insta::assert_snapshot!("all_well", times_masked(&scene, &run));
}

#[test]
fn a_stage_without_a_token_is_shown_as_such_and_none_at_all_is_an_error() {
    let mut scene = scene_of("6.4", &whole());
    deploy(&scene, "deploy-job start train --stage dev");
    scene
        .without("DOMINO_TOKEN_QA")
        .without("DOMINO_TOKEN_STAGING");
    let run = status(&scene, &[]).exits(0);
    for told in [
        "no token",
        "qa: there is no token for stage `qa`",
        "`DOMINO_TOKEN_STAGING`",
    ] {
        assert!(run.stdout.contains(told), "`{told}` is not told:\n{run}");
    }
    let without = document(&status(&scene, &["--format", "json"]).exits(0));
    assert_eq!(without["stages"][1]["not_seen"]["without_token"], true);
    assert_eq!(entity(&without, "dev", "train")["health"], "well");
    scene
        .without("DOMINO_TOKEN_DEV")
        .without("DOMINO_TOKEN_PROD");
    status(&scene, &[])
        .exits(3)
        .tells("there is no token for any stage")
        .tells("`DOMINO_TOKEN` is of one stage: say which with `--stage` or `DOMINO_ENV`");
    // The one stage that is asked for is asked with what the programs take.
    status(&scene, &["--stage", "dev"]).exits(0);
    scene.variable("DOMINO_ENV", "QA");
    let run = status(&scene, &[]).exits(0);
    assert!(!run.stdout.contains("stage `qa`"), "{run}");
}

#[test]
fn a_stage_that_cannot_be_asked_hides_no_other() {
    let mut scene = scene_of("6.4", &whole());
    deploy(&scene, "deploy-job start train --stage dev");
    scene.variable("DOMINO_TOKEN_QA", "canary-of-nobody");
    let run = status(&scene, &["--exit-code"]).exits(3);
    assert!(run.stdout.contains("401"), "{run}");
    assert!(run.stdout.contains("Succeeded"), "{run}");
    // Another address, where nobody listens.
    let url = scene.sandbox.url().to_owned();
    let text = whole().replace("domino.example.com", &url).replace(
        "[stage.prod]",
        "[stage.prod]\nhost = \"http://127.0.0.1:1\"",
    );
    write_stages(&scene, &text);
    status(&scene, &[])
        .exits(2)
        .tells("`DOMINO_API_HOST` names one Domino, and the stages are on several");
    scene
        .without("DOMINO_API_HOST")
        .variable("DOMINO_TOKEN_QA", TOKEN);
    let run = status(&scene, &["--format", "json"]).exits(4);
    let told = document(&run);
    assert_eq!(entity(&told, "dev", "train")["status"], "Succeeded");
    assert_eq!(told["stages"][3]["not_seen"]["without_token"], false);
}

#[test]
fn a_stage_that_does_not_answer_in_time_is_given_up() {
    let scene = scene_of("6.4", &whole());
    let slow = Misbehaviour::Delay {
        by: Duration::from_secs(5),
    };
    scene.sandbox.faults().add(Fault::on("/v4/jobs", slow));
    let words = ["--stage", "dev", "--request-timeout", "100ms"];
    let run = status(&scene, &words).exits(4);
    assert!(
        run.stdout
            .contains("did not answer all questions within 0.2 s"),
        "{run}"
    );
}

#[test]
fn the_table_fits_the_terminal_and_watch_draws_it_until_ctrl_c() {
    let scene = scene_of("6.4", &whole());
    for stage in ["dev", "prod"] {
        deploy(
            &scene,
            &format!("deploy-job schedule score --stage {stage}"),
        );
    }
    for columns in [40, 80, 120] {
        let (exit, text) = on_a_terminal(&scene, columns, &[]);
        assert_eq!(exit, 0, "{text}");
        fits(&text, columns);
        let header = text.lines().next().unwrap();
        assert_eq!(header.contains("prod"), columns >= 80, "{text}");
    }
    let command = scene.command(&["status", "--watch"]);
    let (exit, text) = terminal::run(&command, 80, &[("(Ctrl-C ends it)", "\x03")]);
    assert_eq!(exit, 0, "{text}");
    assert!(
        text.contains("next ") && text.ends_with("\x1b[?1049l"),
        "{text:?}"
    );
    status(&scene, &["--watch"])
        .exits(2)
        .tells("`--watch` shows a table on a terminal");
}

#[test]
fn the_json_document_has_the_documented_shape() {
    let mut scene = scene_of("6.4", &whole());
    scene.variable("GITHUB_RUN_ID", "77");
    deploy(&scene, "deploy-job schedule score --stage prod");
    deploy(
        &scene,
        "deploy-model publish wine --stage prod --force-version first",
    );
    let run = status(&scene, &["--stage", "prod", "--format", "json"]).exits(0);
    let text = regex::Regex::new(r#""(at|since|next_run)": "[^"]*""#).unwrap();
    let text = text.replace_all(&run.stdout, "\"$1\": \"[time]\"");
    insta::assert_snapshot!("json", text);
}

#[test]
fn an_older_domino_tells_as_much_with_more_questions() {
    for version in ["5.9", "6.3"] {
        let scene = scene_of(version, &whole());
        deploy_all(&scene, "dev");
        let run = status(&scene, &["--stage", "dev", "--exit-code"]).exits(0);
        assert!(
            run.stdout.contains("Everything is as stages.toml says"),
            "{run}"
        );
    }
}
