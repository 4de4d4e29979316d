//! The revision of the compute environment that a stage ran, handed on to the next one. Checked against what the
//! sandbox runs.

use super::*;

const START: &[&str] = &["start", "train", "--stage", "staging"];
const SCHEDULE: &[&str] = &["schedule", "score", "--stage", "staging"];

/// Staging keeps to the revision of dev.
fn pinned() -> Scene {
    let stages = STAGES.replace(
        "[stage.staging]\n",
        "[stage.staging]\nenvironment = { name = \"Standard\", revision = \"as-before\" }\n",
    );
    Setup {
        stages: &format!("{stages}{JOBS}"),
        files: &[("train.py", TRAIN)],
        ..Setup::of(PROGRAM)
    }
    .scene()
}

#[test]
fn a_run_and_a_schedule_hand_on_the_revision() {
    let mut scene = scene();
    scene.on_github("77");
    let (active, _) = scene.revisions();
    scene.run(START).exits(0);
    assert_eq!(scene.output("environment-revision"), Some(active.clone()));
    // The step of a job that is run again finds the run, and hands on the same.
    scene.on_github("77");
    std::fs::remove_file(scene.path().join(".output")).unwrap();
    scene.run(START).exits(0).tells("succeeded already");
    assert_eq!(scene.output("environment-revision"), Some(active.clone()));
    std::fs::remove_file(scene.path().join(".output")).unwrap();
    scene.run(SCHEDULE).exits(0);
    assert_eq!(scene.output("environment-revision"), Some(active));
}

#[test]
fn another_revision_than_the_stage_before_ran_is_warned_of() {
    let mut scene = scene();
    let (active, other) = scene.revisions();
    for verb in [START, SCHEDULE] {
        scene.variable("REVISION_BEFORE", &other);
        let run = scene.run(verb).exits(0);
        run.tells("warning: stage `dev` ran revision [id] of compute environment `Standard`, and stage `staging` runs revision [id]");
        for quiet in [active.as_str(), ""] {
            scene.variable("REVISION_BEFORE", quiet);
            let run = scene.run(verb).exits(0);
            assert!(!run.stderr.contains("stage `dev` ran"), "{run}");
        }
    }
    scene.variable("REVISION_BEFORE", "latest");
    scene
        .run(START)
        .exits(2)
        .tells("it must be an id of 24 hexadecimal digits");
}

#[test]
fn as_before_runs_the_revision_that_was_handed_on() {
    let mut scene = pinned();
    let (_, other) = scene.revisions();
    scene.variable("REVISION_BEFORE", &other);
    scene.run(START).exits(0);
    assert_eq!(jobs(&scene)[0]["environmentRevisionId"], other.as_str());
    scene.run(SCHEDULE).exits(0);
    let spec = &schedules(&scene)[0]["environmentRevisionSpec"];
    assert_eq!(spec["revisionId"], other.as_str(), "{spec}");
    // In the first stage it is the active one.
    scene.without("REVISION_BEFORE");
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
}

#[test]
fn as_before_wants_to_know_what_was_before() {
    let scene = pinned();
    for verb in [START, SCHEDULE] {
        scene
            .run(verb)
            .exits(2)
            .tells("stage `staging` is to run the revision of compute environment `Standard` that stage `dev` ran, and nothing says which revision that was")
            .tells("`REVISION_BEFORE`")
            .tells("(stages.toml:");
    }
    assert_eq!(jobs(&scene).len() + schedules(&scene).len(), 0);
}
