//! A workflow run that is run again: only its failed jobs, or all of them. Each test checks the runs that Domino has
//! afterwards.

use std::sync::mpsc::Receiver;

use serde_json::json;

use super::*;
use crate::harness::github::on_github;

const START: &[&str] = &["start", "train", "--stage", "dev"];

/// What GitHub tells in the second attempt, when this job ended so in the first.
pub fn attempts(conclusion: &str) -> Value {
    let job = |attempt, status: &str, conclusion: Value| {
        json!({"id": attempt, "name": "Deploy jobs to dev", "run_attempt": attempt, "status": status,
               "conclusion": conclusion, "runner_name": format!("runner {attempt}")})
    };
    json!({"total_count": 2, "jobs": [
        job(1, "completed", json!(conclusion)), job(2, "in_progress", Value::Null),
    ]})
}

/// Makes the step one of the second attempt.
pub fn again(scene: &mut Scene, status: u16, told: Value) -> Receiver<String> {
    let asked = on_github(scene, vec![("/jobs", status, told)]);
    scene
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .variable("RUNNER_NAME", "runner 2");
    asked
}

/// Run 77 has trained; `newer` says whether run 78 has then trained a newer commit.
pub fn trained(newer: bool) -> (Scene, String) {
    let mut scene = scene();
    let commit = scene.commit.clone();
    scene.on_github("77");
    scene.run(START).exits(0);
    if newer {
        scene.commit_file("train.py", &format!("{TRAIN}print('more')\n"));
        scene.on_github("78");
        scene.run(START).exits(0);
        scene.commit.clone_from(&commit);
    }
    (scene, commit)
}

#[test]
fn when_failed_jobs_are_run_again_what_succeeded_counts() {
    for newer in [false, true] {
        let (mut scene, _) = trained(newer);
        again(&mut scene, 200, attempts("failure"));
        scene
            .run(START)
            .exits(0)
            .tells("succeeded already in this workflow run");
        assert_eq!(jobs(&scene).len(), 1 + usize::from(newer));
    }
}

#[test]
fn when_all_jobs_are_run_again_it_is_started_once_more() {
    let (mut scene, commit) = trained(false);
    again(&mut scene, 200, attempts("success"));
    scene.run(START).exits(0);
    let runs = jobs(&scene);
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert!(
        runs.iter().all(|run| run.to_string().contains(&commit)),
        "{runs:#?}"
    );
}

#[test]
fn when_all_jobs_of_an_old_run_are_run_again_the_newer_commit_is_not_overtaken_by_accident() {
    for (status, told) in [
        (200, attempts("success")),
        (
            403,
            json!({"message": "Resource not accessible by integration"}),
        ),
    ] {
        let (mut scene, commit) = trained(true);
        let newer = jobs(&scene);
        again(&mut scene, status, told);
        let run = scene.run(START).exits(3);
        assert!(
            run.stderr.contains("commit [commit] is older than commit"),
            "{run}"
        );
        assert!(
            run.stderr.contains("which job `train` runs as run 2"),
            "{run}"
        );
        assert!(run.stderr.contains("`--back`"), "{run}");
        assert_eq!(jobs(&scene), newer);

        scene.variable("DEPLOY_BACK", "true");
        scene.run(START).exits(0);
        let runs = jobs(&scene);
        assert_eq!(runs.len(), 3);
        let old = runs.iter().filter(|run| run.to_string().contains(&commit));
        assert_eq!(old.count(), 2, "{runs:#?}");
    }
}

#[test]
fn what_github_does_not_tell_is_said_and_nothing_is_trained_twice() {
    let (mut scene, _) = trained(false);
    again(
        &mut scene,
        403,
        json!({"message": "Resource not accessible by integration"}),
    );
    scene
        .run(START)
        .exits(0)
        .tells(
            "whether all jobs are run again, so that it was to be started once more, is not known",
        )
        .tells("Resource not accessible by integration")
        .tells("succeeded already");
    assert_eq!(jobs(&scene).len(), 1);
}
