//! The approval of the workflow run on GitHub, read from a stand-in for GitHub's API.

use std::sync::mpsc::Receiver;

use serde_json::{Value, json};

use crate::harness::Scene;
use crate::harness::github::{TOKEN, on_github, review};
use crate::world::*;

/// Answers with these reviews, and tells what was asked.
fn github(scene: &mut Scene, status: u16, reviews: Value) -> Receiver<String> {
    on_github(scene, vec![("/approvals", status, reviews)])
}

/// Version 1 is ready for prod, which wants an approval on GitHub.
fn ready(approvers: &str) -> Scene {
    let scene = scene_of("6.3", "github-approval = true", "", |seed| seed);
    let file = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    let file = file.replace(
        "model-stage = \"Production\"",
        &format!("model-stage = \"Production\"\napprovers = [{approvers}]"),
    );
    std::fs::write(scene.path().join("stages.toml"), file).unwrap();
    let one = register_by(&scene, "wine", 0.5, "ada");
    put(&scene, "wine", one, "Staging");
    serve(&scene, "staging", one);
    scene
}

#[test]
fn an_approval_by_somebody_else_opens_the_gate() {
    let mut scene = ready("\"ann\"");
    let asked = github(&mut scene, 200, json!([review("approved", "ann", "PROD")]));
    let run = apply(&scene, "prod", 1).exits(0);
    let asked = asked.recv().unwrap();
    assert!(asked.starts_with("GET /repos/acme/wine/actions/runs/77/approvals HTTP/1.1"));
    assert!(asked.contains(&format!("authorization: Bearer {TOKEN}")));
    assert!(
        run.stdout
            .contains("approval on GitHub  holds: approved by `ann`"),
        "{run}"
    );
    let record = recorded(&scene, "wine", 1, "prod");
    assert_eq!(record["approved-by"], json!(["ann (GitHub)"]));
    assert_eq!(record["request-id"], "workflow run 77");
    // Domino never saw GitHub's token.
    for request in scene.sandbox.requests() {
        assert!(!format!("{request:?}").contains(TOKEN));
    }
}

#[test]
fn what_cannot_be_known_of_an_approval_is_said() {
    let mut scene = ready("\"ann\"");
    github(&mut scene, 200, json!([review("approved", "ann", "PROD")]));
    scene.variable("GITHUB_RUN_ATTEMPT", "2");
    scene
        .run(&["check", "wine", "--to", "prod"])
        .exits(0)
        .tells("GitHub does not tell which attempt an approval was given to");
}

#[test]
fn a_version_of_which_nobody_knows_who_trained_it_does_not_come() {
    let mut scene = scene_of("6.3", "github-approval = true", "", |seed| seed);
    register_by(&scene, "wine", 0.5, "");
    let new = json!({"name": "wine", "source": "s3://any/where"});
    mlflow(&scene, "POST", "model-versions/create", new);
    scene.on_github("77");
    let from = scene.sandbox.requests().len();
    for (number, why) in [
        (
            "1",
            "neither the version nor its run has a tag `mlflow.domino.user` or `mlflow.user`",
        ),
        ("2", "the version was made by no run"),
    ] {
        put(&scene, "wine", number.parse().unwrap(), "Staging");
        let answers = vec![(
            "/approvals",
            200,
            json!([review("approved", "ann", "PROD")]),
        )];
        on_github(&mut scene, answers);
        for verb in ["request", "check", "apply"] {
            let any = ["--version", number, "--skip-order", "now"];
            scene
                .run(&[&[verb, "wine", "--to", "prod"], &any[..]].concat())
                .exits(7)
                .tells(&format!(
                    "own work: who trained version {number} is not known"
                ))
                .tells(why)
                .tells("write who trained this one into its tag `mlflow.user`");
        }
    }
    assert!(
        writes(&scene, from)
            .iter()
            .all(|sent| sent.ends_with("/transition-stage"))
    );
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
    // Somebody says who it was.
    let tag = json!({"name": "wine", "version": "2", "key": "mlflow.user", "value": "ada"});
    mlflow(&scene, "POST", "model-versions/set-tag", tag);
    github(&mut scene, 200, json!([review("approved", "ann", "PROD")]));
    let any = ["--version", "2", "--skip-order", "now"];
    scene
        .run(&[&["check", "wine", "--to", "prod"], &any[..]].concat())
        .exits(0);
    // A team of one says that it does not matter.
    let path = scene.path().join("stages.toml");
    let file = std::fs::read_to_string(&path).unwrap();
    let warned = "model-stage = \"Production\"\nself-approval = \"warn\"";
    std::fs::write(&path, file.replace("model-stage = \"Production\"", warned)).unwrap();
    github(&mut scene, 200, json!([review("approved", "ann", "PROD")]));
    scene
        .run(&[
            "check",
            "wine",
            "--to",
            "prod",
            "--version",
            "1",
            "--skip-order",
            "now",
        ])
        .exits(0)
        .tells("who trained version 1 is not known");
}

#[test]
fn nobody_opens_the_gate_for_themselves() {
    for (user, text) in [
        (
            "ben",
            "approved only by `ben`, who started this workflow run",
        ),
        ("Ada", "approved only by `Ada`, who trained the version"),
        (
            "eve",
            "approved only by `eve`, who is none of the stage's `approvers`",
        ),
    ] {
        let mut scene = ready("\"ann\", \"ben\", \"ada\"");
        github(&mut scene, 200, json!([review("approved", user, "PROD")]));
        apply(&scene, "prod", 1).exits(7).tells(text);
        assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
    }
}

#[test]
fn whoever_merely_runs_it_again_may_have_approved_it() {
    let mut scene = ready("\"ann\"");
    github(&mut scene, 200, json!([review("approved", "ann", "PROD")]));
    scene
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .variable("GITHUB_TRIGGERING_ACTOR", "ann");
    apply(&scene, "prod", 1).exits(0);
}

#[test]
fn a_stage_with_approvers_is_asked_for_also_without_the_gate() {
    let mut scene = ready("\"ann\"");
    let file = std::fs::read_to_string(scene.path().join("stages.toml")).unwrap();
    let file = file.replace("github-approval = true", "");
    std::fs::write(scene.path().join("stages.toml"), file).unwrap();
    github(&mut scene, 200, json!([]));
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("nobody has approved environment `PROD` for this run");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
    github(&mut scene, 200, json!([review("approved", "ann", "PROD")]));
    apply(&scene, "prod", 1).exits(0);
}

#[test]
fn a_refusal_and_silence_keep_the_gate_closed() {
    let mut scene = ready("\"team:leads\"");
    github(&mut scene, 200, json!([]));
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("nobody has approved environment `PROD` for this run");
    github(&mut scene, 200, json!([review("approved", "ann", "STAGE")]));
    apply(&scene, "prod", 1).exits(7);
    github(&mut scene, 200, json!([review("rejected", "ann", "PROD")]));
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("environment `PROD` was refused by `ann`");
    github(&mut scene, 200, json!([review("approved", "ann", "PROD")]));
    let run = apply(&scene, "prod", 1).exits(0);
    assert!(
        run.stdout
            .contains("whose team GitHub does not tell a job's token"),
        "{run}"
    );
}

#[test]
fn a_gate_that_cannot_be_asked_stays_closed() {
    let mut scene = ready("\"ann\"");
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("who approved on GitHub cannot be asked: `GITHUB_REPOSITORY` is not set");
    github(
        &mut scene,
        403,
        json!({"message": "Resource not accessible by integration"}),
    );
    apply(&scene, "prod", 1)
        .exits(3)
        .tells("GitHub says: Resource not accessible by integration")
        .tells("actions: read");
    for (status, answer) in [
        (404, json!({"message": "Not Found"})),
        (200, json!({"message": "approved"})),
        (200, json!([{"state": 1}])),
    ] {
        github(&mut scene, status, answer);
        let run = apply(&scene, "prod", 1);
        assert!([3, 4].contains(&run.exit), "{run}");
    }
    scene.without("GITHUB_TOKEN");
    apply(&scene, "prod", 1)
        .exits(7)
        .tells("`GITHUB_TOKEN` is not set");
    assert_eq!(versions_in_stage(&scene, "wine", "Production"), [0; 0]);
}
