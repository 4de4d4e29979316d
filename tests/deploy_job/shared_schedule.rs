//! A scheduled job that others change too: nothing is lost, duplicated or silently reverted. Each test checks the
//! sandbox's own state.

use serde_json::json;

use super::*;
use crate::harness::{TOKEN, http};

const SCORE: &[&str] = &["schedule", "score", "--stage", "prod"];

/// A stage file whose job says no more of its schedule than it must.
const TERSE: &str = r#"
[job.score]
command = "train.py"
schedule = { cron = "0 0 6 ? * MON-FRI" }
"#;

fn terse() -> Scene {
    let stages = format!("{STAGES}{TERSE}");
    Setup {
        stages: &stages,
        files: &[("train.py", TRAIN)],
        ..Setup::of(PROGRAM)
    }
    .scene()
}

/// Changes the one scheduled job as a person does: reads it, changes something, sends all of it back.
pub(crate) fn by_hand(scene: &Scene, change: impl FnOnce(&mut Value)) {
    let mut all = schedules(scene);
    assert_eq!(all.len(), 1, "{all:#?}");
    let mut job = all.remove(0);
    if let Some(data) = job["dataConfig"].as_object().cloned() {
        for (name, value) in data {
            job[name] = value;
        }
    }
    change(&mut job);
    let fields = job.as_object_mut().unwrap();
    let mut taken = |name: &str| fields.remove(name).unwrap();
    let (project, id) = (taken("projectId"), taken("id"));
    for name in [
        "created",
        "hardwareTierName",
        "scheduledByUserName",
        "dataConfig",
    ] {
        taken(name);
    }
    job["schedule"]
        .as_object_mut()
        .unwrap()
        .remove("humanReadableCronString");
    let (project, id) = (project.as_str().unwrap(), id.as_str().unwrap());
    let url = format!(
        "{}/v4/projects/{project}/scheduledjobs/{id}",
        scene.sandbox.url()
    );
    let bearer = format!("Bearer {TOKEN}");
    let (status, reply) = http::send("PUT", &url, &[("authorization", &bearer)], Some(&job));
    assert_eq!(status, 200, "{reply}");
}

fn the_one(scene: &Scene) -> Value {
    let all = schedules(scene);
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

fn next_commit(scene: &mut Scene) {
    scene.commit_file("train.py", &format!("{TRAIN}# more\n"));
}

#[test]
fn what_others_set_on_a_schedule_is_carried_over_and_told() {
    let mut scene = terse();
    scene.run(SCORE).exits(0);
    let endpoint = "a".repeat(24);
    by_hand(&scene, |job| {
        job["notifyOnCompleteEmailAddresses"] = json!(["ann@example.com"]);
        job["timezoneId"] = json!("Europe/Berlin");
        job["allowConcurrentExecution"] = json!(true);
        job["publishModelId"] = json!(endpoint);
        job["capacityType"] = json!("spot");
        job["datasetConfig"] = json!("big");
        job["externalVolumeMounts"] = json!(["b".repeat(24)]);
        job["netAppVolumeIds"] = json!(["n1"]);
        job["snapshotDatasetsOnCompletion"] = json!(true);
    });
    let before = the_one(&scene);
    next_commit(&mut scene);
    let run = scene.run(SCORE).exits(0).tells("updated the schedule");
    let mut after = the_one(&scene);
    assert_eq!(after["mainRepoGitRef"]["value"], scene.commit);
    after["mainRepoGitRef"] = before["mainRepoGitRef"].clone();
    assert_eq!(after, before, "{run}");
    let line = run
        .stdout
        .lines()
        .find(|line| line.contains("carried over"));
    let line = line.unwrap_or_else(|| panic!("{run}"));
    for word in [
        "time zone Europe/Berlin",
        "runs side by side",
        "addresses to notify",
        "the endpoint to publish afterwards",
        "capacity type",
        "data sets",
        "external volumes",
        "NetApp volumes",
        "snapshots of data sets",
    ] {
        assert!(line.contains(word), "{word} in {line}");
    }
    let changes: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains("~ "))
        .collect();
    assert_eq!(changes.len(), 1, "{run}");
    scene.run(SCORE).exits(0).tells("is as wanted");
}

#[test]
fn a_key_of_the_file_is_brought_back_and_named() {
    let scene = scene();
    scene.run(SCORE).exits(0);
    by_hand(&scene, |job| {
        job["notifyOnCompleteEmailAddresses"] = json!(["ann@example.com"]);
    });
    let run = scene.run(SCORE).exits(0);
    assert!(
        run.stdout.contains("~ notifyOnCompleteEmailAddresses: "),
        "{run}"
    );
    assert_eq!(
        the_one(&scene)["notifyOnCompleteEmailAddresses"],
        json!(["ml@example.com"])
    );
}

#[test]
fn what_a_person_ticks_who_starts_the_run_is_the_flag() {
    let mut scene = scene();
    scene.run(SCORE).exits(0);
    by_hand(&scene, |job| job["isPaused"] = json!(true));
    for not_ticked in ["", "false"] {
        scene.variable("DEPLOY_PUT_BACK", not_ticked);
        scene.run(SCORE).exits(0);
        assert_eq!(the_one(&scene)["isPaused"], true);
    }
    scene.variable("DEPLOY_PUT_BACK", "perhaps");
    scene
        .run(SCORE)
        .exits(2)
        .tells("it must be `true`, `false` or empty");
    scene.variable("DEPLOY_PUT_BACK", "true");
    scene.run(SCORE).exits(0);
    assert_eq!(the_one(&scene)["isPaused"], false);
}

#[test]
fn a_pause_by_hand_stays_with_a_warning_until_it_is_put_back() {
    let mut scene = scene();
    scene.run(SCORE).exits(0);
    by_hand(&scene, |job| job["isPaused"] = json!(true));
    let run = scene.run(SCORE).exits(0);
    run.tells("warning: somebody has paused the schedule of job `score` in Domino")
        .tells("`--put-back`");
    assert_eq!(the_one(&scene)["isPaused"], true);
    next_commit(&mut scene);
    scene.run(SCORE).exits(0).tells("it stays paused");
    let after = the_one(&scene);
    assert_eq!(after["isPaused"], true);
    assert_eq!(after["mainRepoGitRef"]["value"], scene.commit);
    let run = scene.run(&[SCORE, &["--put-back"]].concat()).exits(0);
    assert!(run.stdout.contains("~ isPaused: true → false"), "{run}");
    assert_eq!(the_one(&scene)["isPaused"], false);
    // It is ours again, and no word is said of it.
    let run = scene.run(SCORE).exits(0);
    assert!(!run.stderr.contains("warning"), "{run}");
}

#[test]
fn a_schedule_that_is_resumed_by_hand_goes_on_with_a_warning() {
    let scene = scene();
    let dev = ["schedule", "score", "--stage", "dev"];
    scene.run(&dev).exits(0);
    assert_eq!(the_one(&scene)["isPaused"], true);
    by_hand(&scene, |job| job["isPaused"] = json!(false));
    scene
        .run(&dev)
        .exits(0)
        .tells("warning: somebody lets the schedule");
    assert_eq!(the_one(&scene)["isPaused"], false);
    scene.run(&[&dev[..], &["--put-back"]].concat()).exits(0);
    assert_eq!(the_one(&scene)["isPaused"], true);
}

#[test]
fn a_pause_that_the_file_gains_or_loses_is_done_without_a_flag() {
    let mut scene = scene();
    scene.run(SCORE).exits(0);
    let file = |paused: &str| format!("{STAGES}{JOBS}").replace("[\"dev\"]", paused);
    scene.commit_file("stages.toml", &file("[\"dev\", \"prod\"]"));
    let run = scene.run(SCORE).exits(0);
    assert!(!run.stderr.contains("warning"), "{run}");
    assert_eq!(the_one(&scene)["isPaused"], true);
    scene.commit_file("stages.toml", &file("[\"dev\"]"));
    let run = scene.run(SCORE).exits(0);
    assert!(!run.stderr.contains("warning"), "{run}");
    assert_eq!(the_one(&scene)["isPaused"], false);
}

#[test]
fn a_retitled_schedule_is_found_by_its_marker_and_its_title_is_left() {
    let mut scene = terse();
    scene.run(SCORE).exits(0);
    by_hand(&scene, |job| {
        job["title"] = json!("Nightly [prod/score] for Ann")
    });
    next_commit(&mut scene);
    scene.run(SCORE).exits(0);
    let after = the_one(&scene);
    assert_eq!(after["title"], "Nightly [prod/score] for Ann");
    assert_eq!(after["mainRepoGitRef"]["value"], scene.commit);
}

/// As above, but with stages in projects of their own, as most have them.
fn apart() -> Scene {
    let stages = format!("{STAGES}{TERSE}")
        .replace(
            "[stage.dev]\n",
            "[stage.dev]\nproject = \"wine-team/wine-dev\"\n",
        )
        .replace(
            "[stage.staging]\n",
            "[stage.staging]\nproject = \"wine-team/wine-staging\"\n",
        );
    Setup {
        stages: &stages,
        files: &[("train.py", TRAIN)],
        ..Setup::of(PROGRAM)
    }
    .scene()
}

#[test]
fn a_schedule_without_its_marker_is_found_by_command_time_and_account() {
    let mut scene = apart();
    scene.run(SCORE).exits(0);
    let id = the_one(&scene)["id"].clone();
    by_hand(&scene, |job| job["title"] = json!("Nightly"));
    next_commit(&mut scene);
    let run = scene.run(SCORE).exits(0);
    assert!(
        run.stdout.contains("called `Nightly` in Domino: ours by"),
        "{run}"
    );
    let after = the_one(&scene);
    assert_eq!(
        (&after["id"], &after["title"]),
        (&id, &json!("Nightly [prod/score]"))
    );
    by_hand(&scene, |job| job["title"] = json!("Nightly again"));
    scene
        .run(&[SCORE, &["--delete"]].concat())
        .exits(0)
        .tells("deleted");
    assert!(schedules(&scene).is_empty());
}

#[test]
fn what_may_be_ours_is_refused_by_name_and_not_doubled() {
    // Three stages share one project: it may be the one of another stage as well.
    let scene = terse();
    scene.run(SCORE).exits(0);
    by_hand(&scene, |job| job["title"] = json!("Nightly"));
    let from = scene.sandbox.requests().len();
    for delete in [&[][..], &["--delete"]] {
        scene
            .run(&[SCORE, delete].concat())
            .exits(3)
            .tells("this may be ours under another title: `Nightly` (")
            .tells("end its title with `[prod/score]`");
    }
    let writes = scene.requests_since(from);
    assert!(
        writes.iter().all(|one| one.starts_with("GET ")),
        "{writes:?}"
    );
    scene.run(&[SCORE, &["--beside"]].concat()).exits(0);
    assert_eq!(schedules(&scene).len(), 2);
}

#[test]
fn a_schedule_that_is_retitled_and_moved_in_time_is_refused() {
    let scene = apart();
    scene.run(SCORE).exits(0);
    by_hand(&scene, |job| {
        job["title"] = json!("Nightly");
        job["schedule"]["cronString"] = json!("0 0 7 ? * MON-FRI");
    });
    scene.run(SCORE).exits(3).tells("at `0 0 7 ? * MON-FRI`");
    the_one(&scene);
}

#[test]
fn an_older_commit_does_not_replace_a_newer_one_by_accident() {
    let mut scene = terse();
    let old = scene.commit.clone();
    next_commit(&mut scene);
    scene.run(SCORE).exits(0);
    let new = scene.commit.clone();
    let from = scene.sandbox.requests().len();
    let back = [SCORE, &["--commit", &old]].concat();
    scene
        .run(&back)
        .exits(3)
        .tells("is older than commit [commit], which the schedule of job `score` runs")
        .tells("`--back`");
    let writes = scene.requests_since(from);
    assert!(
        writes.iter().all(|one| one.starts_with("GET ")),
        "{writes:?}"
    );
    assert_eq!(the_one(&scene)["mainRepoGitRef"]["value"], new);
    scene.run(&[&back[..], &["--back"]].concat()).exits(0);
    assert_eq!(the_one(&scene)["mainRepoGitRef"]["value"], old);
}

#[test]
fn a_commit_that_git_does_not_know_here_is_told_and_replaced() {
    let scene = terse();
    scene.run(SCORE).exits(0);
    by_hand(&scene, |job| {
        job["mainRepoGitRef"]["value"] = json!("ef".repeat(20))
    });
    let run = scene.run(SCORE).exits(0);
    assert!(
        run.stdout.contains("not known whether [short] is newer"),
        "{run}"
    );
    assert_eq!(the_one(&scene)["mainRepoGitRef"]["value"], scene.commit);
}

#[test]
fn reading_what_is_there_adds_no_round() {
    let mut scene = terse();
    scene.run(SCORE).exits(0);
    next_commit(&mut scene);
    let from = scene.sandbox.requests().len();
    scene.run(SCORE).exits(0);
    // The project; tiers, environments, scheduled jobs and the account side by side; the replacement.
    let requests = scene.requests_since(from);
    assert_eq!(requests.len(), 6, "{requests:?}");
}

#[test]
fn a_deletion_that_did_nothing_is_noticed() {
    let scene = terse();
    scene.run(SCORE).exits(0);
    scene.sandbox.faults().add(Fault::on(
        "DELETE /v4/projects/*/scheduledjobs/*",
        Misbehaviour::Reply {
            status: 200,
            content_type: "application/json".into(),
            body: "{}".into(),
        },
    ));
    scene
        .run(&[SCORE, &["--delete"]].concat())
        .exits(3)
        .tells("answered the deletion of scheduled job")
        .tells("and still lists it");
    the_one(&scene);
}

#[test]
fn the_outputs_of_a_failed_step_tell_the_commit_that_domino_has() {
    let mut scene = terse();
    scene.on_github("77");
    scene.run(SCORE).exits(0);
    let old = scene.commit.clone();
    next_commit(&mut scene);
    scene.on_github("78");
    scene.sandbox.faults().add(Fault::on(
        "PUT /v4/projects/*/scheduledjobs/*",
        reply(403, false),
    ));
    scene.run(SCORE).exits(3);
    assert_eq!(scene.output("commit"), Some(old));
}
