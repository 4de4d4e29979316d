//! `promote-stage` against real MLflow servers, of both release lines that Domino may have.
//!
//! The tests run if `MLFLOW_LINES` names the lines, such as `3 2`; otherwise they say that they did not.

mod harness;
#[path = "promote_stage/measured.rs"]
mod measured;
#[path = "promote_stage/on_both.rs"]
mod on_both;
#[path = "promote_stage/raced.rs"]
mod raced;
#[path = "mlflow/server.rs"]
mod server;
#[path = "promote_stage/world.rs"]
mod world;

use harness::http::send;
use serde_json::{Value, json};
use world::*;

/// The tests, once for each line.
macro_rules! of_line {
    ($module:ident, $line:literal) => {
        mod $module {
            #[test]
            fn a_version_is_promoted_stage_by_stage_and_put_back() {
                super::promoted_and_put_back($line);
            }

            #[test]
            fn the_record_is_read_back_with_mlflows_own_rest() {
                super::audited($line);
            }

            #[test]
            fn metric_rules_are_judged_with_the_runs_of_both_versions() {
                super::judged($line);
            }

            #[test]
            fn the_sheet_tells_the_signature_that_the_run_notes() {
                super::signed($line);
            }

            #[test]
            fn a_stage_is_seen_whole_among_many_versions() {
                super::among_many($line);
            }

            #[test]
            fn a_namesake_of_what_was_served_is_told_from_it() {
                super::made_anew($line);
            }

            #[test]
            fn what_is_no_version_of_a_model_is_refused() {
                super::refused($line);
            }

            #[test]
            fn a_promotion_that_was_killed_is_finished_by_the_next() {
                let Some(mlflow) = super::server::uri($line) else {
                    return;
                };
                let name = super::named("killed");
                super::on_both::killed(&super::scene_on(&mlflow, &name, "", ""), &name);
            }

            #[test]
            fn whatever_touches_a_version_its_soak_time_goes_on() {
                let Some(mlflow) = super::server::uri($line) else {
                    return;
                };
                let name = super::named("soaked");
                let scene = super::scene_on(&mlflow, &name, "soak = \"24h\"", "");
                super::on_both::soaked(&scene, &name);
            }

            #[test]
            fn the_role_that_edits_and_deletes_nothing_is_enough() {
                super::as_editor($line);
            }

            #[test]
            fn runs_promote_where_no_write_is_taken_from_outside() {
                if let Some(mlflow) = super::server::uri($line) {
                    super::on_both::promoted_inside(&mlflow, &super::named("inside"));
                }
            }

            #[test]
            fn promotions_at_once_are_never_green_with_two_versions() {
                super::raced::raced($line);
            }
        }
    };
}

of_line!(line_3, "3");
of_line!(line_2, "2");

mod logged_models_of_line_3 {
    #[test]
    fn a_rule_is_held_against_the_model_and_not_its_run() {
        let Some(mlflow) = super::server::uri("3") else {
            return;
        };
        super::measured::of_the_model(|name, rules| super::scene_on(&mlflow, name, "", rules));
    }
}

/// A name that no other test of this run uses on the same server.
fn named(test: &str) -> String {
    format!("wine-{test}-{}", std::process::id())
}

/// The names of the tags of a version, with what is written there.
fn tags(scene: &harness::Scene, name: &str, number: u64) -> Value {
    version(scene, name, number)["tags"].clone()
}

fn promoted_and_put_back(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("whole");
    let scene = scene_on(&mlflow, &name, "", "");
    let one = register(&scene, &name, 0.6);
    serve_model(&scene, &name, "dev", one);
    apply(&scene, "staging", one).exits(0);
    serve_model(&scene, &name, "staging", one);
    apply(&scene, "prod", one).exits(0);
    let two = register(&scene, &name, 0.5);
    serve_model(&scene, &name, "dev", two);
    apply(&scene, "staging", two).exits(0);
    assert_eq!(
        versions_in_stage(&scene, &name, "Production"),
        [one],
        "staging is no business of prod"
    );
    serve_model(&scene, &name, "staging", two);
    let run = apply(&scene, "prod", two)
        .exits(0)
        .tells("archived version 1");
    assert!(
        run.stdout.contains("~ version 2: `Staging` → `Production`"),
        "{run}"
    );
    assert_eq!(versions_in_stage(&scene, &name, "Production"), [two]);
    assert_eq!(versions_in_stage(&scene, &name, "Archived"), [one]);
    assert_eq!(alias(&scene, &name, "production"), Some(two));
    assert_eq!(alias(&scene, &name, "previous-production"), Some(one));
    let again = apply(&scene, "prod", two).exits(0);
    assert!(again.stderr.contains("already, and no other"), "{again}");
    scene
        .run(&["demote", "wine", "--stage", "prod", "--reason", "it drifts"])
        .exits(0);
    assert_eq!(versions_in_stage(&scene, &name, "Production"), [one]);
    assert_eq!(alias(&scene, &name, "production"), Some(one));
    assert_eq!(alias(&scene, &name, "previous-production"), None);
    assert!(
        tags(&scene, &name, two)["promote.demoted.prod"]
            .as_str()
            .unwrap()
            .ends_with(": it drifts")
    );
    scene.run(&["demote", "wine", "--stage", "prod"]).exits(3);
    let status = scene.run(&["status", "wine", "--stage", "prod"]).exits(0);
    assert!(
        status.stdout.contains("prod     Production   1"),
        "{status}"
    );
}

fn audited(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("audit");
    let mut scene = scene_on(&mlflow, &name, "", "");
    let one = register(&scene, &name, 0.6);
    serve_model(&scene, &name, "dev", one);
    scene
        .on_github("77")
        .variable("GITHUB_REPOSITORY", "acme/wine");
    apply(&scene, "staging", one).exits(0);
    // Straight from the server: neither our client nor the sandbox has a hand in this.
    let url = format!("{mlflow}/api/2.0/mlflow/model-versions/get?name={name}&version={one}");
    let (status, reply) = send("GET", &url, &[], None);
    assert_eq!(status, 200);
    let version = &reply["model_version"];
    assert_eq!(version["current_stage"], "Staging");
    let tag = |key: &str| {
        let tags = version["tags"].as_array().unwrap();
        let tag = tags.iter().find(|tag| tag["key"] == key);
        tag.map_or("", |tag| tag["value"].as_str().unwrap())
            .to_owned()
    };
    let record: Value = serde_json::from_str(&tag("promote.in.staging")).unwrap();
    assert_eq!(
        (&record["status"], &record["from"]),
        (&json!("done"), &json!("dev"))
    );
    assert!(record["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        record["run"],
        "https://github.com/acme/wine/actions/runs/77"
    );
    // The address of a run inside Domino needs no credential, and is used when it is set.
    scene.variable("MLFLOW_TRACKING_URI", &mlflow);
    let from = scene.sandbox.requests().len();
    apply(&scene, "staging", one).exits(0);
    let asked = scene.requests_since(from);
    assert!(
        !asked.iter().any(|request| request.contains("/mlflow/")),
        "{asked:?}"
    );
}

fn judged(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("metrics");
    let rule = "metric-rules = [\"rmse must not rise by more than 2 %\"]";
    let scene = scene_on(&mlflow, &name, "", rule);
    let one = register(&scene, &name, 0.5);
    put(&scene, &name, one, "Staging");
    let two = register(&scene, &name, 0.6);
    serve_model(&scene, &name, "dev", two);
    for verb in ["request", "check", "apply"] {
        scene
            .run(&[verb, "wine", "--to", "staging"])
            .exits(7)
            .tells("rmse is 0.6 against 0.5 of version 1 (+20.0 %)");
    }
    assert_eq!(versions_in_stage(&scene, &name, "Staging"), [one]);
    let nan = register(&scene, &name, 0.5);
    let run = version(&scene, &name, nan)["run_id"].clone();
    mlflow_post(
        &scene,
        "runs/log-metric",
        json!({"run_id": run, "key": "rmse", "value": "NaN", "timestamp": 2, "step": 1}),
    );
    serve_model(&scene, &name, "dev", nan);
    scene
        .run(&["check", "wine", "--to", "staging"])
        .exits(7)
        .tells("rmse is NaN");
}

fn signed(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("signed");
    let scene = scene_on(&mlflow, &name, "", "");
    let one = register(&scene, &name, 0.5);
    let run = version(&scene, &name, one)["run_id"].clone();
    // As the training job writes it. What `runs/log-model` keeps of a model is the server's affair.
    let inputs = json!([{"type": "long", "name": "age", "required": true}]).to_string();
    let models =
        json!([{"artifact_path": "model", "run_id": run, "signature": {"inputs": inputs}}])
            .to_string();
    let body = json!({"run_id": run, "key": "mlflow.log-model.history", "value": models});
    assert_eq!(mlflow_post(&scene, "runs/set-tag", body).0, 200);
    serve_model(&scene, &name, "dev", one);
    let run = scene.run(&["request", "wine", "--to", "staging"]).exits(0);
    assert!(run.stdout.contains("age: long"), "{run}");
}

/// Sends one request, whatever comes of it.
fn mlflow_post(scene: &harness::Scene, route: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/2.0/mlflow/{route}");
    domino(scene, "POST", &path, Some(body))
}

fn among_many(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("pages");
    let scene = scene_on(&mlflow, &name, "", "");
    let one = register(&scene, &name, 0.6);
    put(&scene, &name, one, "Staging");
    for _ in 0..1199 {
        copy(&scene, &name, one);
    }
    let apply = |number: &str| {
        let any = ["--version", number, "--skip-order", "many"];
        let from = scene.sandbox.requests().len();
        let run = scene.run(&[&["apply", "wine", "--to", "staging"], &any[..]].concat());
        let mut requests = scene.requests_since(from);
        requests.retain(|request| request.contains("/api/2.0/mlflow/"));
        (run.exits(0), requests)
    };
    put(&scene, &name, 600, "Staging");
    let (run, _) = apply("1200");
    let run = run
        .tells("archived version 600")
        .tells("archived version 1");
    assert!(
        run.stdout.contains("takes the place of  version 600"),
        "{run}"
    );
    assert_eq!(versions_in_stage(&scene, &name, "Staging"), [1200]);
    put(&scene, &name, 7, "Staging");
    let (run, _) = apply("1100");
    run.tells("archived version 1200")
        .tells("archived version 7");
    assert_eq!(versions_in_stage(&scene, &name, "Staging"), [1100]);
    copy(&scene, &name, one);
    let (run, requests) = apply("1201");
    run.tells("archived version 1100");
    assert!(requests.len() <= 12, "{requests:#?}");
}

fn made_anew(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("anew");
    let scene = scene_on(&mlflow, &name, "", "");
    register(&scene, &name, 0.6);
    serve_model(&scene, &name, "dev", 1);
    apply(&scene, "staging", 1).exits(0);
    let body = json!({"name": name});
    let path = "/api/2.0/mlflow/registered-models/delete";
    assert_eq!(domino(&scene, "DELETE", path, Some(body)).0, 200);
    assert_eq!(register(&scene, &name, 0.5), 1, "its numbers start anew");
    apply(&scene, "staging", 1)
        .exits(3)
        .tells("stage `dev` serves another version 1");
    serve_model(&scene, &name, "dev", 1);
    apply(&scene, "staging", 1).exits(0);
}

/// What an administrator asks of a server with rights.
fn as_admin(mlflow: &str, version: &str, route: &str, body: Value) -> (u16, Value) {
    let url = format!("{mlflow}/api/{version}/mlflow/{route}");
    // Of `admin`; no password is looked at.
    send(
        "POST",
        &url,
        &[("Authorization", "Basic YWRtaW46eA==")],
        Some(&body),
    )
}

fn as_editor(line: &'static str) {
    let Some(mlflow) = server::uri_with_roles(line) else {
        return;
    };
    let name = named("rights");
    let admin = |route: &str, body: Value| as_admin(&mlflow, "2.0", route, body);
    admin(
        "users/create",
        json!({"username": "editor", "password": "only-on-loopback"}),
    );
    let run = admin(
        "runs/create",
        json!({"experiment_id": "0", "start_time": 1}),
    )
    .1;
    let run = run["run"]["info"]["run_id"].clone();
    assert_eq!(
        admin("registered-models/create", json!({"name": name})).0,
        200
    );
    for _ in 0..2 {
        let source = format!("runs:/{}/model", run.as_str().unwrap());
        let new = json!({"name": name, "source": source, "run_id": run});
        assert_eq!(admin("model-versions/create", new).0, 200);
    }
    let edit = match line {
        "3" => as_admin(
            &mlflow,
            "3.0",
            "users/permissions/grant",
            json!({
                "username": "editor", "resource_type": "registered_model", "resource_id": name, "permission": "EDIT",
            }),
        ),
        _ => admin(
            "registered-models/permissions/create",
            json!({"username": "editor", "name": name, "permission": "EDIT"}),
        ),
    };
    assert_eq!(edit.0, 200, "{}", edit.1);
    let scene = scene_on(&mlflow, &name, "", "");
    on_both::without_deleting(&scene, &name);
    // The run may not be read, which matters to a rule and to nothing else.
    let rule = "metric-rules = [\"rmse must be at most 1\"]";
    let scene = scene_on(&mlflow, &name, "", rule);
    scene
        .run(&[
            "check",
            "wine",
            "--to",
            "staging",
            "--version",
            "1",
            "--skip-order",
            "a test",
        ])
        .exits(7)
        .tells("no longer exists, or may not be read");
}

fn refused(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("refused");
    let scene = scene_on(&mlflow, &name, "", "");
    let any = [
        "apply",
        "wine",
        "--to",
        "staging",
        "--version",
        "1",
        "--skip-order",
        "why",
    ];
    scene
        .run(&any)
        .exits(3)
        .tells("there is no registered model");
    register(&scene, &name, 0.6);
    scene
        .run(&["apply", "wine", "--to", "staging", "--version", "9"])
        .exits(3)
        .tells("has no version 9");
    mlflow_post(
        &scene,
        "registered-models/set-tag",
        json!({"name": name, "key": "mlflow.prompt.is_prompt", "value": "true"}),
    );
    scene.run(&any).exits(3).tells("is a prompt");
    assert_eq!(versions_in_stage(&scene, &name, "Staging"), [0; 0]);
}
