//! The approval of the workflow run on GitHub: required before a run is started or a schedule written. Each test
//! checks what the sandbox has afterwards.

use std::sync::mpsc::Receiver;

use serde_json::json;

use super::*;
use crate::harness::Run;
use crate::harness::github::{self, on_github, review};

const START: &[&str] = &["start", "train", "--stage", "prod"];
const SCHEDULE: &[&str] = &["schedule", "score", "--stage", "prod"];

/// Prod has approvers, and what a test adds.
pub fn guarded(more: &str) -> Scene {
    let stages = STAGES.replace(
        "github-environment = \"PROD\"",
        &format!("github-environment = \"PROD\"\napprovers = [\"ann\", \"ben\"]\n{more}"),
    );
    let stages = format!("{stages}{JOBS}");
    let files = [("train.py", TRAIN)];
    Setup {
        stages: &stages,
        files: &files,
        ..Setup::of(PROGRAM)
    }
    .scene()
}

pub fn approved_by(scene: &mut Scene, users: &[&str]) -> Receiver<String> {
    let reviews = users.iter().map(|user| review("approved", user, "PROD"));
    let reviews = reviews.collect::<Value>();
    on_github(scene, vec![("/approvals", 200, reviews)])
}

fn wrote_nothing(scene: &Scene) {
    let written = scene.requests_since(0);
    let written: Vec<_> = written.iter().filter(|r| !r.starts_with("GET")).collect();
    assert!(written.is_empty(), "{written:#?}");
}

#[test]
fn nothing_is_started_or_scheduled_that_nobody_approved() {
    let mut scene = guarded("");
    let asked = approved_by(&mut scene, &[]);
    for verb in [START, SCHEDULE] {
        scene
            .run(verb)
            .exits(7)
            .tells("stage `prod` wants an approval, so nothing was written")
            .tells("nobody has approved environment `PROD` for this run")
            .tells("its required reviewers on GitHub");
        wrote_nothing(&scene);
        let asked = asked.recv().unwrap();
        assert!(asked.starts_with("GET /repos/acme/wine/actions/runs/77/approvals HTTP/1.1"));
        assert!(asked.contains(&format!("authorization: Bearer {}", github::TOKEN)));
    }
    let reviews = json!([review("rejected", "ann", "PROD")]);
    on_github(&mut scene, vec![("/approvals", 200, reviews)]);
    let run = scene.run(START).exits(7);
    assert!(
        run.stdout
            .contains("environment `PROD` was refused by `ann`"),
        "{run}"
    );
    wrote_nothing(&scene);
}

#[test]
fn an_approval_by_somebody_else_lets_it_through_and_is_told() {
    let mut scene = guarded("");
    approved_by(&mut scene, &["ann"]);
    for verb in [START, SCHEDULE] {
        let run = scene.run(verb).exits(0);
        assert!(run.stdout.contains("approved by `ann`"), "{run}");
    }
    assert_eq!((jobs(&scene).len(), schedules(&scene).len()), (1, 1));
    assert!(scene.summary().contains("ann"), "{}", scene.summary());
}

#[test]
fn whoever_started_the_run_does_not_approve_it_and_whoever_runs_it_again_may() {
    let mut scene = guarded("");
    approved_by(&mut scene, &["ben"]);
    scene
        .run(START)
        .exits(7)
        .tells("approved only by `ben`, who started this workflow run");
    wrote_nothing(&scene);
    approved_by(&mut scene, &["ann"]);
    scene
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .variable("GITHUB_TRIGGERING_ACTOR", "ann");
    scene.run(START).exits(0);
}

#[test]
fn a_team_of_one_is_warned_and_goes_on() {
    let mut scene = guarded("self-approval = \"warn\"");
    approved_by(&mut scene, &["ben"]);
    let run = scene.run(START).exits(0);
    let warning = "environment `PROD` was approved only by `ben`, who started this workflow run; `self-approval";
    assert_eq!(run.stderr.matches(warning).count(), 1, "{run}");
    assert_eq!(jobs(&scene).len(), 1);
}

#[test]
fn without_a_token_nothing_is_written_and_the_permission_is_named() {
    let mut scene = guarded("");
    approved_by(&mut scene, &["ann"]);
    scene.variable("GITHUB_TOKEN", "");
    scene
        .run(START)
        .exits(7)
        .tells("who approved on GitHub cannot be asked: `GITHUB_TOKEN` is not set")
        .tells("hand `GITHUB_TOKEN: ${{ github.token }}` to the step")
        .tells("`permissions: actions: read`");
    let refused = json!({"message": "Resource not accessible by integration"});
    on_github(&mut scene, vec![("/approvals", 403, refused)]);
    scene
        .run(SCHEDULE)
        .exits(3)
        .tells("GitHub says: Resource not accessible by integration")
        .tells("`permissions: actions: read`");
    wrote_nothing(&scene);
}

#[test]
fn a_dry_run_says_what_will_be_asked_and_asks_nobody() {
    let mut scene = guarded("");
    let asked = approved_by(&mut scene, &[]);
    let run = scene.run(&[START, &["--dry-run"]].concat()).exits(0);
    let told = "environment `PROD` must be approved by `ann` or `ben`";
    assert!(run.stdout.contains(told), "{run}");
    assert!(asked.try_recv().is_err());
}

#[test]
fn away_from_github_it_is_said_once_that_nobody_was_asked() {
    let scene = guarded("");
    let run = scene.run(START).exits(0);
    let warnings = |run: &Run| run.stderr.matches("approval not asked for").count();
    assert_eq!(warnings(&run), 1, "{run}");
    assert!(run.stderr.contains("no workflow run on GitHub"), "{run}");
    let quiet = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert!(!quiet.stdout.contains("approval") && warnings(&quiet) == 0);
}

#[test]
fn what_needs_no_write_and_what_is_taken_away_waits_for_nobody() {
    let mut scene = guarded("");
    approved_by(&mut scene, &["ann"]);
    scene.run(SCHEDULE).exits(0);
    approved_by(&mut scene, &[]);
    scene.run(SCHEDULE).exits(0);
    scene.run(&[SCHEDULE, &["--delete"]].concat()).exits(0);
    assert_eq!(schedules(&scene).len(), 0);
}

#[test]
fn a_stage_without_approvers_asks_nobody() {
    let mut scene = guarded("");
    let asked = approved_by(&mut scene, &[]);
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert!(asked.try_recv().is_err());
}

#[test]
fn on_github_something_must_say_which_stage_the_environment_is() {
    let mut scene = scene();
    // So GitHub hands on a variable that the environment does not have.
    scene.on_github("77").variable("DOMINO_ENV", "");
    scene
        .run(START)
        .exits(2)
        .tells(
            "`DOMINO_ENV` is not set: nothing says that this job runs in GitHub environment `PROD`",
        )
        .tells("set the variable `DOMINO_ENV` to `PROD` in that environment")
        .tells("`DOMINO_ENV: ${{ vars.DOMINO_ENV }}`");
    assert_eq!(scene.requests_since(0), [""; 0]);
}

/// Run 77 of this event, which `starter` began at a commit of `author`. Another run of the workflow deployed it to dev.
pub fn started(scene: &mut Scene, event: &str, starter: &str, author: &str) -> Receiver<String> {
    started_after(scene, (event, starter, author), "success")
}

/// The same where the job that deploys to staging ended so.
fn started_after(
    scene: &mut Scene,
    (event, starter, author): (&str, &str, &str),
    staging: &str,
) -> Receiver<String> {
    let user = |login: &str| json!({"login": login, "id": 1});
    let run = json!({"id": 77, "created_at": "2026-01-01T00:00:00Z", "event": event, "head_sha": "a1b2",
                     "workflow_id": 5, "triggering_actor": user(starter)});
    let commit =
        json!({"sha": "a1b2", "author": user(author), "committer": user(author), "parents": []});
    let job = |name: &str, how: &str| json!({"id": 1, "run_attempt": 1, "name": name, "status": "completed", "conclusion": how});
    let dev = job("Deploy jobs to dev", "success");
    let staging = job("Deploy jobs to staging", staging);
    on_github(
        scene,
        vec![
            ("/runs/77", 200, run),
            ("/commits/a1b2", 200, commit),
            (
                "/actions/workflows/5/runs",
                200,
                json!({"total_count": 1, "workflow_runs": [{"id": 77}, {"id": 70}]}),
            ),
            (
                "/actions/runs/70/jobs",
                200,
                json!({"total_count": 2, "jobs": [dev, staging]}),
            ),
        ],
    )
}

#[test]
fn a_stage_that_is_entered_by_hand_takes_what_an_approver_starts_and_did_not_write() {
    let mut scene = guarded("gate = \"dispatch\"");
    for (event, starter, author, told) in [
        ("push", "ann", "cleo", "was started by `push`"),
        (
            "workflow_dispatch",
            "cleo",
            "dora",
            "was started by `cleo`, who is none of the stage's `approvers`",
        ),
        (
            "workflow_dispatch",
            "ann",
            "Ann",
            "was started by hand by `ann`, who wrote commit a1b2",
        ),
    ] {
        started(&mut scene, event, starter, author);
        for verb in [START, SCHEDULE] {
            scene
                .run(verb)
                .exits(7)
                .tells("stage `prod` wants an approval, so nothing was written")
                .tells(told);
            wrote_nothing(&scene);
        }
    }
    // The stage before must be green at this commit, unless somebody says why not.
    let by_hand = ("workflow_dispatch", "ann", "cleo");
    for (staging, why) in [
        ("failure", "the job that deploys to it in run 70: failure"),
        (
            "skipped",
            "no run of this workflow deployed this commit to it",
        ),
    ] {
        started_after(&mut scene, by_hand, staging);
        for verb in [START, SCHEDULE] {
            scene
                .run(verb)
                .exits(7)
                .tells("this commit did not pass stage `staging`, so nothing was written")
                .tells(why);
            wrote_nothing(&scene);
        }
    }
    started_after(&mut scene, by_hand, "failure");
    let without = scene.run(&[SCHEDULE, &["--without-receipt", "an outage", "--dry-run"]].concat());
    assert!(without.exits(0).stdout.contains("an outage"));
    // No reviewer of the environment is asked for.
    let asked = started(&mut scene, "workflow_dispatch", "ann", "cleo");
    let run = scene.run(START).exits(0);
    assert!(run.stdout.contains("started by hand by `ann`"), "{run}");
    assert!(run.stdout.contains("passed `staging` in run 70"), "{run}");
    assert!(scene.summary().contains("ann"), "{}", scene.summary());
    assert_eq!(jobs(&scene).len(), 1);
    let asked: Vec<String> = asked.try_iter().collect();
    assert!(
        !asked.iter().any(|head| head.contains("/approvals")),
        "{asked:?}"
    );
    started(&mut scene, "workflow_dispatch", "ben", "cleo");
    scene.run(SCHEDULE).exits(0);
    let plan = scene.run(&[SCHEDULE, &["--dry-run"]].concat()).exits(0);
    assert!(!plan.stdout.contains("must be approved"), "{plan}");
}
