//! `deploy-job schedule`: what is created, kept and updated, and never twice.

use super::*;

#[test]
fn a_schedule_is_created_kept_and_updated_never_twice() {
    let mut scene = scene();
    scene.on_github("77");
    let created = scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    assert!(created.stdout.contains("next run"), "{created}");
    assert_eq!(schedules(&scene).len(), 1);
    let sent = schedules(&scene)[0].clone();
    assert_eq!(
        sent["hardwareTierIdentifier"],
        scene_tier(&scene, "prod-small")
    );
    scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0)
        .tells("is as wanted");
    let text = format!("{STAGES}{JOBS}").replace("0 0 6 ?", "0 30 7 ?");
    scene.commit_file("stages.toml", &text);
    let updated = scene
        .on_github("78")
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    assert!(updated.stdout.contains("0 30 7 ?"), "{updated}");
    assert_eq!(schedules(&scene).len(), 1);
    assert_eq!(schedules(&scene)[0]["id"], sent["id"]);
    // Paused in dev, and another schedule than prod's.
    scene.run(&["schedule", "score", "--stage", "dev"]).exits(0);
    assert_eq!(schedules(&scene).len(), 2);
    scene
        .run(&["schedule", "score", "--stage", "prod", "--delete"])
        .exits(0)
        .tells("deleted");
    scene
        .run(&["schedule", "score", "--stage", "prod", "--delete"])
        .exits(0)
        .tells("has no schedule");
    assert_eq!(schedules(&scene).len(), 1);
    assert_eq!(schedules(&scene)[0]["isPaused"], true);
}

#[test]
fn status_shows_a_schedule_and_when_it_fires_next() {
    let scene = scene();
    let status = |stage| scene.run(&["status", "score", "--stage", stage]);
    status("prod")
        .exits(3)
        .tells("job `score` has no schedule in stage `prod`")
        .tells("create it: deploy-job schedule score --stage prod");
    for stage in ["prod", "dev"] {
        scene.run(&["schedule", "score", "--stage", stage]).exits(0);
    }
    let fires = status("prod")
        .exits(0)
        .tells("the schedule of job `score` in stage `prod` fires next on");
    for told in [
        "next runs",
        "0 0 6 ? * MON-FRI (Europe/Berlin)",
        "commit of its runs",
    ] {
        assert!(
            fires.stderr.contains(told),
            "`{told}` is not told:\n{fires}"
        );
    }
    status("dev")
        .exits(0)
        .tells("the schedule of job `score` in stage `dev` is paused; it has no run yet");
}

/// The id of a tier by its name: what the sandbox's own state knows it by.
fn scene_tier(scene: &Scene, name: &str) -> Value {
    let state = scene.sandbox.state();
    let tiers = state["hardwareTiers"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    tiers
        .iter()
        .find(|tier| tier["name"] == name)
        .map_or(Value::Null, |tier| tier["id"].clone())
}

#[test]
fn a_lost_reply_to_a_new_schedule_never_makes_a_second_one() {
    let scene = scene();
    let fault = Fault::on(
        "POST /v4/projects/*/scheduledjobs",
        Misbehaviour::Reset { processed: true },
    )
    .single();
    scene.sandbox.faults().add(fault);
    scene
        .run(&["schedule", "score", "--stage", "prod"])
        .exits(0);
    assert_eq!(schedules(&scene).len(), 1);
}
