//! A new version that does not serve, and the rollback to the previous one.

use domino_sandbox::{AppFault, Fault, Misbehaviour};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::scenes::{BETA, PUBLISH, Scenery, V1, V4, app_script, on_all};

const NEVER_LISTENS: &str = "echo waiting; exec sleep 600\n";

fn in_a_hurry() -> Vec<&'static str> {
    [PUBLISH, &["--timeout", "6s"]].concat()
}

#[test]
fn a_version_that_fails_gives_way_to_the_one_before() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.scene.on_github("77");
        scenery.run(PUBLISH).exits(0);
        let before = scenery.scene.commit.clone();
        scenery.commit_app("echo no such module: shiny >&2; exit 3\n");
        scenery.scene.on_github("78");
        let run = scenery.run(PUBLISH).exits(5);
        scenery.serves_alone(&before);
        assert_eq!(scenery.page("/healthz"), "one");
        assert_eq!(scenery.scene.output("commit").unwrap(), before);
        assert_eq!(scenery.scene.output("status").unwrap(), "Running");
        if version == V1 {
            let summary = scenery.scene.summary();
            let (_, summary) = summary.rsplit_once("### ").unwrap();
            let summary = summary.replace(&before, "[commit before]");
            let summary = summary.replace(&before[..12], "[short before]");
            let run = scenery.without_commit(&run);
            assert_snapshot!("put_back", format!("{run}--- summary\n{summary}"));
        } else {
            run.tells("was put back").tells("ended as `Failed`");
        }
    });
}

#[test]
fn a_version_that_never_listens_gives_way_to_the_one_before() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        let before = scenery.scene.commit.clone();
        scenery.commit_app(NEVER_LISTENS);
        let run = scenery.run(&in_a_hurry()).exits(5);
        run.tells("did not serve within 6.0 s").tells("put back");
        scenery.serves_alone(&before);
    });
}

#[test]
fn a_version_that_is_not_ready_in_time_is_stopped_and_gives_way() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        let before = scenery.scene.commit.clone();
        scenery.commit_app(&app_script("two"));
        scenery.scene.sandbox.faults().add_app_fault(AppFault {
            stuck_at: Some("Preparing".into()),
            times: Some(1),
            ..AppFault::default()
        });
        let run = scenery.run(&in_a_hurry()).exits(5);
        run.tells("is still `Preparing` after 6.0 s");
        assert_eq!(scenery.served(), Some(before), "{version}");
    });
}

/// The stage file asks for another tier and environment, and the commit for an app that fails.
fn moves_and_fails(scenery: &mut Scenery) {
    scenery.stages("[app.dashboard.stage.dev]\nhardware-tier = \"big\"\nenvironment = \"Other\"");
    scenery.commit_app("exit 3\n");
}

#[test]
fn what_is_put_back_runs_on_the_tier_and_in_the_environment_of_before() {
    on_all(|version| {
        let mut scenery = Scenery::roomy(version);
        scenery.run(PUBLISH).exits(0);
        let before = scenery.scene.commit.clone();
        moves_and_fails(&mut scenery);
        if version == V4 {
            // This generation may tell by name alone what a start ran on.
            let names_only = Misbehaviour::Edit {
                set: Vec::new(),
                remove: vec!["/0/hardwareTierId".into(), "/0/environmentId".into()],
            };
            let faults = scenery.scene.sandbox.faults();
            faults.add(Fault::on("GET /v4/modelProducts", names_only));
        }
        let run = scenery.run(PUBLISH).exits(5);
        let instance = scenery.serves_alone(&before);
        assert_eq!(instance["hardwareTierId"], "dev-small-k8s", "{run}");
        let app = scenery.app();
        let versions = app["versions"].as_array().unwrap();
        let serves = |version: &&Value| {
            let instances = version["instances"].as_array().unwrap();
            instances.iter().any(|one| one["id"] == app["serving"])
        };
        let serving = versions.iter().find(serves).unwrap();
        assert_eq!(serving["environmentName"], "Standard", "{run}");
    });
}

#[test]
fn what_is_put_back_without_its_tier_being_known_is_warned_of() {
    let mut scenery = Scenery::roomy(V4);
    scenery.run(PUBLISH).exits(0);
    moves_and_fails(&mut scenery);
    let faults = scenery.scene.sandbox.faults();
    let silent = |pointer: &str| Misbehaviour::Edit {
        set: Vec::new(),
        remove: vec![pointer.to_owned()],
    };
    faults.add(Fault::on(
        "GET /v4/modelProducts",
        silent("/0/hardwareTierId"),
    ));
    faults.add(Fault::on(
        "GET /v4/modelProducts/apps/versions/*",
        silent("/hardwareTierName"),
    ));
    scenery
        .run(PUBLISH)
        .exits(5)
        .tells("warning: it is not known which hardware tier version ")
        .tells("the hardware tier of what an app runs, so that it was not checked that it is as before");
}

#[test]
fn what_was_put_back_on_another_tier_is_not_called_the_version_of_before() {
    let mut scenery = Scenery::roomy(V4);
    scenery.run(PUBLISH).exits(0);
    scenery.commit_app("exit 3\n");
    let faults = scenery.scene.sandbox.faults();
    // The app is set to another tier than its start ran on, whose name cannot be looked up after the plan.
    let set_elsewhere = Misbehaviour::Edit {
        set: vec![("/0/hardwareTierId".into(), json!("big-k8s"))],
        remove: Vec::new(),
    };
    faults.add(Fault::on("GET /v4/modelProducts", set_elsewhere));
    let refused = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    faults.add(Fault::on("GET /v4/projects/*/hardwareTiers", refused).after(1));
    scenery
        .run(PUBLISH)
        .exits(5)
        .tells("warning: the hardware tier that version ")
        .tells("error: APP `dashboard` RUNS SOMETHING ELSE IN STAGE `dev`: ")
        .tells("failed: hardware tier: big → dev-small\n");
}

#[test]
fn what_was_put_back_behind_a_sign_in_page_is_not_said_to_serve() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        let before = scenery.scene.commit.clone();
        scenery.commit_app(&app_script("two"));
        let faults = scenery.scene.sandbox.faults();
        faults.add(Fault::on("GET /apps/**", Misbehaviour::LoginPage));
        // Never up, not even for the moment that a process takes to end.
        faults.add_app_fault(AppFault {
            start_fails: Some("no node is free".into()),
            times: Some(1),
            ..AppFault::default()
        });
        let run = scenery.run(PUBLISH).exits(5);
        let run = run.tells("; whether it answers cannot be seen: `");
        assert!(!run.stderr.contains("serves again"), "{run}");
        scenery.serves_alone(&before);
    });
}

#[test]
fn what_never_stopped_is_left_alone_behind_a_sign_in_page() {
    let mut scenery = Scenery::of(BETA);
    scenery.run(PUBLISH).exits(0);
    let before = scenery.scene.commit.clone();
    scenery.commit_app(&app_script("two"));
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /apps/**", Misbehaviour::LoginPage));
    faults.add_app_fault(AppFault {
        start_fails: Some("no node is free".into()),
        times: Some(1),
        ..AppFault::default()
    });
    let run = scenery.run(PUBLISH).exits(5);
    let run = run.tells("never stopped and goes on; whether it answers cannot be seen: `");
    assert_eq!(scenery.served(), Some(before), "{run}");
    assert_eq!(scenery.instances().len(), 2, "{run}");
}

#[test]
fn the_entry_point_is_put_back_with_the_version() {
    let mut scenery = Scenery::of(BETA);
    scenery.run(PUBLISH).exits(0);
    let before = scenery.scene.commit.clone();
    scenery.replace_in_stages("app.sh", "other.sh");
    scenery.scene.commit_file("other.sh", "exit 1\n");
    scenery.run(PUBLISH).exits(5);
    assert_eq!(scenery.app()["entryPoint"], "app.sh");
    scenery.serves_alone(&before);
}

#[test]
fn when_putting_back_fails_as_well_that_is_said_first() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.scene.on_github("77");
        scenery.run(PUBLISH).exits(0);
        let before = scenery.scene.commit.clone();
        scenery.commit_app(&app_script("two"));
        scenery.scene.on_github("78");
        scenery.scene.sandbox.faults().add_app_fault(AppFault {
            start_fails: Some("no node is free".into()),
            stops_first: true,
            ..AppFault::default()
        });
        let run = scenery.run(&in_a_hurry()).exits(5);
        assert!(scenery.alive().is_empty());
        let first = run
            .stderr
            .lines()
            .find(|line| line.starts_with("error: "))
            .unwrap();
        assert!(
            first.starts_with("error: APP `dashboard` DOES NOT SERVE IN STAGE `dev`: "),
            "{run}"
        );
        // Both outcomes, and the command that brings it up again.
        let again = format!("next: deploy-app publish dashboard --stage dev --commit {before}");
        assert!(run.stderr.contains(&again), "{run}");
        if version == V4 {
            assert_snapshot!("lost", scenery.without_commit(&run));
        }
    });
}

#[test]
fn what_can_no_longer_be_looked_at_is_not_said_to_be_down() {
    let mut scenery = Scenery::of(V1);
    scenery.run(PUBLISH).exits(0);
    scenery.commit_app(&app_script("two"));
    let refused = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    // The plan finds the app in the list; from then on it is asked for by its id.
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /api/apps/v1/apps/*", refused));
    let run = scenery.run(PUBLISH).exits(3);
    let first = "error: IT CANNOT BE SEEN WHETHER APP `dashboard` SERVES IN STAGE `dev`: ";
    let run = run
        .tells(first)
        .tells("next: deploy-app status dashboard --stage dev");
    faults.clear();
    scenery.run(PUBLISH).exits(0);
    scenery.serves_alone(&scenery.scene.commit);
    assert_eq!(scenery.instances().len(), 2, "{run}");
}

#[test]
fn the_first_version_of_an_app_has_nothing_to_give_way_to() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.commit_app("echo no such module: shiny >&2; exit 3\n");
        let run = scenery.run(PUBLISH).exits(5);
        assert!(scenery.alive().is_empty());
        if version == V1 {
            assert_snapshot!("first_fails", run);
        }
    });
}

#[test]
fn a_missing_entry_point_and_one_that_ends_at_once_are_told_apart() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        scenery.replace_in_stages("app.sh", "apps/start.sh");
        let run = scenery.run(PUBLISH).exits(5);
        assert!(run.stderr.contains("apps/start.sh"), "{run}");
        let mut scenery = Scenery::of(version);
        scenery.commit_app("echo done\n");
        scenery
            .run(PUBLISH)
            .exits(5)
            .tells("ended as `Succeeded`")
            .tells("it must go on, and listen on 0.0.0.0:8888");
    });
}

#[test]
fn a_first_version_that_takes_too_long_is_left_on_its_way_and_followed_by_the_next_run() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        let faults = scenery.scene.sandbox.faults();
        faults.add_app_fault(AppFault {
            statuses: vec!["Preparing".into(); 60],
            times: Some(1),
            ..AppFault::default()
        });
        scenery
            .run(&[PUBLISH, &["--timeout", "100ms"]].concat())
            .exits(6)
            .tells("run this again to follow it");
        let from = scenery.scene.sandbox.requests().len();
        scenery.run(PUBLISH).exits(0);
        scenery.only_reads_since(from);
        scenery.serves_alone(&scenery.scene.commit);
        assert_eq!(scenery.instances().len(), 1);
    });
}

#[test]
fn without_a_health_path_dominos_word_is_enough() {
    let mut scenery = Scenery::of(V1);
    scenery.replace_in_stages("health-path = \"/healthz\"", "");
    scenery.commit_app(NEVER_LISTENS);
    let run = scenery.run(PUBLISH).exits(0);
    assert!(run.stdout.contains("Domino says `Running`"), "{run}");
}

#[test]
fn an_app_that_is_up_for_a_moment_only_does_not_count_as_running() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.replace_in_stages("health-path = \"/healthz\"", "");
        scenery.commit_app("exit 3\n");
        scenery.scene.sandbox.faults().add_app_fault(AppFault {
            statuses: vec!["Running".into()],
            ..AppFault::default()
        });
        scenery.run(PUBLISH).exits(5).tells("ended as `Failed`");
    });
}
