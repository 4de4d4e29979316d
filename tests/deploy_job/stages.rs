//! A job is started and scheduled only in its stages.

use super::*;

fn scene_of(jobs: &str) -> Scene {
    let stages = format!("{STAGES}{jobs}");
    let files = [("train.py", TRAIN)];
    Setup {
        stages: &stages,
        files: &files,
        ..Setup::of(PROGRAM)
    }
    .scene()
}

#[test]
fn a_job_is_started_and_scheduled_in_its_stages_only() {
    let scene = scene_of(
        r#"
[job.train]
command = "train.py"
stages = ["dev"]

[job.score]
command = "train.py"
schedule = { cron = "0 0 6 ? * MON-FRI" }
stages = ["dev"]
"#,
    );
    for verb in ["start train", "schedule score"] {
        let mut words: Vec<&str> = verb.split(' ').collect();
        words.extend(["--stage", "prod"]);
        scene
            .run(&words)
            .exits(2)
            .tells("is not deployed to stage `prod`: it is for other `stages`")
            .tells("change `stages` under");
    }
    assert!(jobs(&scene).is_empty() && schedules(&scene).is_empty());
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    scene.run(&["schedule", "score", "--stage", "dev"]).exits(0);
    assert_eq!((jobs(&scene).len(), schedules(&scene).len()), (1, 1));
    // What an earlier stage file left there is still deleted.
    scene
        .run(&["schedule", "score", "--stage", "prod", "--delete"])
        .exits(0);
}

#[test]
fn what_trains_a_model_is_started_in_the_first_stage_only() {
    let scene = scene_of(
        r#"
[job.train]
command = "train.py"

[model.wine]
registered-model = "wine"
trained-by = "train"
"#,
    );
    scene
        .run(&["start", "train", "--stage", "prod"])
        .exits(2)
        .tells("it trains a model, and does so in the first stage")
        .tells("later stages get the version that it registered");
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_eq!(jobs(&scene).len(), 1);
}
