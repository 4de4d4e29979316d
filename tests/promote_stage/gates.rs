//! The gates that need nobody: metric rules and the soak time.

use insta::assert_snapshot;

use crate::world::*;

const RULE: &str =
    "metric-rules = [\"rmse must not rise by more than 2 %\", \"rmse must be at most 1\"]";

#[test]
fn a_version_that_is_worse_does_not_come() {
    let mut scene = scene_with("", RULE);
    let one = register(&scene, "wine", 0.5);
    put(&scene, "wine", one, "Staging");
    let two = register(&scene, "wine", 0.6);
    serve(&scene, "dev", two);
    scene.on_github("77");
    let from = scene.sandbox.requests().len();
    let run = scene.run(&["request", "wine", "--to", "staging"]).exits(7);
    assert_snapshot!(
        "regression",
        masked(format!("{run}--- summary\n{}", scene.summary()))
    );
    for verb in ["check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "staging"])
            .exits(7)
            .tells("metric rule: rmse is 0.6 against 0.5 of version 1 (+20.0 %)");
    }
    assert_eq!(writes(&scene, from), [""; 0]);
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [one]);
    let three = register(&scene, "wine", 0.505);
    serve(&scene, "dev", three);
    apply(&scene, "staging", three).exits(0);
    // Again, now that it is there: it is still judged against the one that it took the place of.
    apply(&scene, "staging", three).exits(0).tells("already");
}

#[test]
fn a_stage_may_have_metric_rules_of_its_own() {
    let own = "\n[model.wine.stage.prod]\nmetric-rules = [\"rmse must be at most 0.4\"]";
    let scene = scene_with("", &format!("{RULE}{own}"));
    let one = register(&scene, "wine", 0.5);
    serve(&scene, "dev", one);
    apply(&scene, "staging", one).exits(0);
    serve(&scene, "staging", one);
    let file = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    let own = file.lines().position(|line| line.contains("at most 0.4"));
    let line = own.unwrap() + 1;
    apply(&scene, "prod", one)
        .exits(7)
        .tells("metric rule: rmse is 0.5; rmse must be at most 0.4")
        .tells("0 of 1 gates hold")
        .tells(&format!("(stages.toml:{line})"));
    assert_eq!(versions_in_stage(&scene, "wine", "Staging"), [one]);
}

#[test]
fn the_first_version_has_nothing_to_be_compared_with() {
    let scene = scene_with("", RULE);
    let one = register(&scene, "wine", 0.5);
    serve(&scene, "dev", one);
    let run = scene.run(&["check", "wine", "--to", "staging"]).exits(0);
    assert!(
        run.stdout
            .contains("rmse is 0.5, with nothing in the stage to compare with"),
        "{run}"
    );
}

#[test]
fn a_version_soaks_by_the_clock_of_the_server() {
    let scene = scene_with("soak = \"24h\"", "");
    let one = register(&scene, "wine", 0.5);
    serve(&scene, "dev", one);
    apply(&scene, "staging", one).exits(0);
    serve(&scene, "staging", one);
    let run = apply(&scene, "prod", one).exits(7);
    assert_snapshot!("soak", masked(run));
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
    scene.sandbox.faults().skew_clock(25 * 3600);
    apply(&scene, "prod", one).exits(0);
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [one]);
    // The version is in staging no more, and how long it had been is remembered.
    apply(&scene, "prod", one).exits(0).tells("already");
}

#[test]
fn a_version_that_somebody_else_put_into_the_stage_before_soaks_since_then() {
    let scene = scene_with("soak = \"24h\"", "");
    let one = register(&scene, "wine", 0.5);
    put(&scene, "wine", one, "Staging");
    serve(&scene, "staging", one);
    apply(&scene, "prod", one)
        .exits(7)
        .tells("soak time: in stage `staging` for");
}

#[test]
fn whatever_touches_a_version_its_soak_time_goes_on_while_it_is_in_its_stage() {
    crate::on_both::soaked(&scene_with("soak = \"24h\"", ""), "wine");
}

#[test]
fn a_version_that_gave_way_and_was_put_back_by_hand_soaks_anew() {
    let scene = scene_with("soak = \"24h\"", "");
    for number in [1, 2] {
        register(&scene, "wine", 0.5);
        serve(&scene, "dev", number);
        apply(&scene, "staging", number).exits(0);
        scene.sandbox.faults().skew_clock(25 * 3600);
    }
    put(&scene, "wine", 2, "Archived");
    put(&scene, "wine", 1, "Staging");
    serve(&scene, "staging", 1);
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("soak time: in stage `staging` for");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
}

#[test]
fn what_waiting_cannot_change_is_not_waited_for() {
    let scene = scene_with("", RULE);
    let one = register(&scene, "wine", 2.0);
    serve(&scene, "dev", one);
    let started = std::time::Instant::now();
    scene
        .run(&["check", "wine", "--to", "staging", "--wait", "10m"])
        .exits(7)
        .tells("rmse is 2; rmse must be at most 1");
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn a_gate_may_open_while_it_is_waited_for() {
    let scene = governed();
    let one = register(&scene, "wine", 0.5);
    put(&scene, "wine", one, "Staging");
    serve(&scene, "staging", one);
    scene.run(&["request", "wine", "--to", "prod"]).exits(0);
    scene
        .run(&["check", "wine", "--to", "prod", "--wait", "100ms"])
        .exits(7)
        .tells("`Review approval` waits for `approver`");
    let running = scene.start(&["check", "wine", "--to", "prod", "--wait", "2m"]);
    let from = scene.sandbox.requests().len();
    crate::harness::eventually("it was asked and is asked again", || {
        let requests = scene.sandbox.requests();
        let mut asked = requests.iter().skip(from);
        asked.any(|request| request.path.ends_with("/approvals"))
    });
    assert_eq!(scene.sandbox.approve_waiting("approver").unwrap().len(), 1);
    running
        .end()
        .exits(0)
        .tells("version 1 may enter stage `prod`: all of 1 gates hold");
}
