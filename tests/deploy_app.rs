//! `deploy-app` from outside: what a user sees, what Domino received, and which process really serves.

#[path = "deploy_app/approval.rs"]
mod approval;
mod harness;
#[path = "deploy_app/which_app.rs"]
mod which_app;

#[path = "deploy_app/scenes.rs"]
mod scenes;

#[path = "deploy_app/at_once.rs"]
mod at_once;
#[path = "deploy_app/faults.rs"]
mod faults;
#[path = "deploy_app/interrupted.rs"]
mod interrupted;
#[path = "deploy_app/receipts.rs"]
mod receipts;
#[path = "deploy_app/refused.rs"]
mod refused;
#[path = "deploy_app/revision.rs"]
mod revision;
#[path = "deploy_app/rollback.rs"]
mod rollback;
#[path = "deploy_app/settings.rs"]
mod settings;
#[path = "deploy_app/shared_app.rs"]
mod shared_app;

use domino_sandbox::{Fault, Misbehaviour};
use harness::eventually;
use insta::assert_snapshot;
use scenes::{BETA, PUBLISH, Scenery, V1, V4, app_script, on_all};
use serde_json::{Value, json};

#[test]
fn an_app_is_created_and_serves_the_commit() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        let app = scenery.app();
        assert_eq!(app["name"], "dashboard-dev");
        assert_eq!(app["entryPoint"], "app.sh");
        assert_eq!(app["description"], "The numbers");
        assert_eq!(app["visibility"], "AUTHENTICATED");
        assert_eq!(app["versions"][0]["hardwareTierId"], "dev-small-k8s");
        assert_eq!(app["versions"][0]["environmentName"], "Standard");
        scenery.serves_alone(&scenery.scene.commit);
    });
}

#[test]
fn a_step_on_github_hands_on_the_address_and_shows_a_summary() {
    let mut scenery = Scenery::of(V1);
    scenery.scene.on_github("77");
    let run = scenery.run(PUBLISH).exits(0);
    let (outputs, summary) = (scenery.scene.outputs(), scenery.scene.summary());
    let run = scenery.without_page_log(&run);
    assert_snapshot!(
        "published",
        format!("{run}--- outputs\n{outputs}--- summary\n{summary}")
    );
    let url = scenery.scene.output("url").unwrap();
    assert_eq!(scenery.app()["url"], url.trim_end_matches('/'));
}

#[test]
fn what_serves_already_is_left_alone() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        let before = scenery.app();
        let from = scenery.scene.sandbox.requests().len();
        let run = scenery.run(PUBLISH).exits(0);
        assert!(run.stderr.contains("already"), "{run}");
        scenery.only_reads_since(from);
        assert_eq!(scenery.app()["versions"].as_array().unwrap().len(), 1);
        assert_eq!(scenery.app()["serving"], before["serving"]);
        if version == V1 {
            assert_snapshot!("unchanged", run);
            // Project; tiers, environments and the app side by side; its page.
            assert_eq!(scenery.scene.sandbox.requests().len() - from, 5);
        }
    });
}

#[test]
fn another_commit_takes_the_place_of_the_one_before() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        let from = scenery.scene.sandbox.requests().len();
        scenery.commit_app(&app_script("two"));
        let run = scenery.run(PUBLISH).exits(0);
        assert!(run.stdout.contains("~ commit: "), "{run}");
        scenery.serves_alone(&scenery.scene.commit);
        assert_eq!(scenery.page("/healthz"), "two");
        let writes = scenery.writes_since(from);
        let expected: &[&str] = match version {
            V1 => &["POST /api/apps/v1/apps/[id]/versions/createAndStart"],
            BETA => &["POST /api/apps/beta/apps/[id]/versions"],
            _ => &[
                "POST /v4/modelProducts/[id]/stop",
                "POST /v4/modelProducts/[id]/start",
            ],
        };
        assert_eq!(writes, expected);
    });
}

#[test]
fn where_it_must_stop_first_the_stop_has_settled_before_the_start_is_sent() {
    let mut scenery = Scenery::of(V4);
    scenery.run(PUBLISH).exits(0);
    let from = scenery.scene.sandbox.requests().len();
    scenery.commit_app(&app_script("two"));
    scenery.run(PUBLISH).exits(0);
    let requests = scenery.scene.sandbox.requests();
    let start = requests[from..]
        .iter()
        .position(|request| request.path.ends_with("/start"))
        .unwrap();
    let last_look = requests[from..from + start]
        .iter()
        .rfind(|request| request.path.contains("/apps/versions/"))
        .unwrap();
    assert_eq!(last_look.reply.as_ref().unwrap()["status"], "Stopped");
}

#[test]
fn where_a_new_version_starts_beside_the_old_one_something_always_serves() {
    let mut scenery = Scenery::of(BETA);
    scenery.run(PUBLISH).exits(0);
    scenery.commit_app(&app_script("two"));
    let running = scenery.scene.start(PUBLISH);
    let mut looks = 0;
    while scenery.served().as_ref() != Some(&scenery.scene.commit) {
        assert_ne!(scenery.app()["serving"], Value::Null);
        looks += 1;
        assert!(looks < 100_000);
    }
    running.end().exits(0);
}

#[test]
fn another_tier_alone_is_published_as_well() {
    on_all(|version| {
        let scenery = Scenery::roomy(version);
        scenery.run(PUBLISH).exits(0);
        scenery.stages("[app.dashboard.stage.dev]\nhardware-tier = \"big\"");
        let run = scenery.run(PUBLISH).exits(0);
        assert!(
            run.stdout
                .contains("~ hardware tier: dev-small-k8s → big-k8s"),
            "{run}"
        );
        let instance = scenery.serves_alone(&scenery.scene.commit);
        assert_eq!(instance["hardwareTierId"], "big-k8s");
    });
}

#[test]
fn visibility_and_description_change_without_a_new_version() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        let from = scenery.scene.sandbox.requests().len();
        scenery.replace_in_stages("authenticated", "public");
        scenery.replace_in_stages("The numbers", "The latest numbers");
        let run = scenery.run(PUBLISH).exits(0);
        let app = scenery.app();
        assert_eq!(app["visibility"], "PUBLIC", "{run}");
        assert_eq!(app["versions"].as_array().unwrap().len(), 1);
        assert_eq!(scenery.writes_since(from).len(), 1);
        if version == V4 {
            run.tells("this API cannot change it");
        } else {
            assert_eq!(app["description"], "The latest numbers");
        }
    });
}

#[test]
fn a_version_that_fails_leaves_who_may_open_the_app_as_it_was() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.replace_in_stages("authenticated", "public");
        scenery.replace_in_stages("The numbers", "The latest numbers");
        scenery.commit_app("exit 3\n");
        let run = scenery.run(PUBLISH).exits(5);
        assert_eq!(scenery.app()["visibility"], "AUTHENTICATED", "{run}");
        assert_eq!(scenery.app()["description"], "The numbers", "{run}");
        scenery.commit_app(&app_script("two"));
        let run = scenery.run(PUBLISH).exits(0);
        assert_eq!(scenery.app()["visibility"], "PUBLIC", "{run}");
        scenery.serves_alone(&scenery.scene.commit);
    });
}

#[test]
fn a_version_that_serves_stays_when_who_may_open_the_app_cannot_be_changed() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.replace_in_stages("authenticated", "public");
        scenery.commit_app(&app_script("two"));
        let route = match version {
            V1 => "PATCH /api/apps/v1/apps/*",
            BETA => "PATCH /api/apps/beta/apps/*",
            _ => "POST /v4/modelProducts/*/visibility",
        };
        let refused = Misbehaviour::Status {
            status: 403,
            retry_after: None,
            processed: false,
        };
        let faults = scenery.scene.sandbox.faults();
        faults.add(Fault::on(route, refused).single());
        let run = scenery.run(PUBLISH).exits(3);
        run.tells("but its visibility, description or thumbnail could not be changed");
        scenery.serves_alone(&scenery.scene.commit);
        let run = scenery.run(PUBLISH).exits(0);
        if version == V4 {
            // It has no place for what we last wrote, so that this may be what somebody wants.
            run.tells("`--put-back` makes it `PUBLIC`");
            scenery.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
        }
        assert_eq!(scenery.app()["visibility"], "PUBLIC");
        assert_eq!(scenery.instances().len(), 2);
    });
}

#[test]
fn a_page_that_becomes_public_with_the_version_is_looked_at_again() {
    let mut scenery = Scenery::of(V1);
    scenery.run(PUBLISH).exits(0);
    scenery.replace_in_stages("authenticated", "public");
    scenery.commit_app(&app_script("two"));
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /apps/**", Misbehaviour::LoginPage).times(5));
    let run = scenery.run(PUBLISH).exits(0);
    assert_eq!(scenery.app()["visibility"], "PUBLIC", "{run}");
    scenery.serves_alone(&scenery.scene.commit);
}

#[test]
fn another_entry_point_is_changed_where_that_can_be_and_refused_elsewhere() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.replace_in_stages("app.sh", "other.sh");
        scenery.scene.commit_file("other.sh", &app_script("other"));
        let from = scenery.scene.sandbox.requests().len();
        if version == BETA {
            scenery.run(PUBLISH).exits(0);
            assert_eq!(scenery.app()["entryPoint"], "other.sh");
            assert_eq!(scenery.page("/healthz"), "other");
        } else {
            let run = scenery.run(PUBLISH).exits(3);
            scenery.only_reads_since(from);
            if version == V1 {
                assert_snapshot!("entry_point", scenery.without_commit(&run));
            }
        }
    });
}

#[test]
fn unpublish_stops_the_app_and_what_does_not_run_is_fine() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        let unpublish = &["unpublish", "dashboard", "--stage", "dev"];
        scenery
            .run(unpublish)
            .exits(0)
            .tells("there is no such app");
        scenery.run(PUBLISH).exits(0);
        let run = scenery.run(unpublish).exits(0);
        assert!(scenery.alive().is_empty(), "{run}");
        let from = scenery.scene.sandbox.requests().len();
        scenery.run(unpublish).exits(0).tells("it is `Stopped`");
        scenery.only_reads_since(from);
        if version == V1 {
            assert_snapshot!("unpublish", run);
        }
        // What was unpublished is published again when it is said so, on v1 without another version.
        scenery.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
        scenery.serves_alone(&scenery.scene.commit);
        let versions = scenery.app()["versions"].as_array().unwrap().len();
        assert_eq!(versions, if version == V1 { 1 } else { 2 }, "{version}");
    });
}

#[test]
fn a_dry_run_and_a_dry_unpublish_only_read() {
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery.run(&[PUBLISH, &["--dry-run"]].concat()).exits(0);
        scenery.only_reads_since(0);
        scenery.run(PUBLISH).exits(0);
        scenery.commit_app(&app_script("two"));
        let from = scenery.scene.sandbox.requests().len();
        let run = scenery.run(&[PUBLISH, &["--dry-run"]].concat()).exits(0);
        let unpublish = &["unpublish", "dashboard", "--stage", "dev", "--dry-run"];
        scenery.run(unpublish).exits(0);
        scenery.only_reads_since(from);
        if version == V4 {
            assert_snapshot!("dry_run", scenery.without_commit(&run));
        }
    });
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let scenery = Scenery::of(V1);
    let run = scenery
        .run(&[PUBLISH, &["--format", "json"]].concat())
        .exits(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["outcome"], "done");
    assert_eq!(document["outputs"]["status"], "Running");
    assert_eq!(document["outputs"]["commit"], "[commit]");
    for output in ["id", "version", "url"] {
        assert!(document["outputs"][output].is_string(), "{document}");
    }
    assert_eq!(document["plan"]["changes"][0]["kind"], "create");
}

#[test]
fn a_tier_that_is_not_there_names_the_nearest_and_changes_nothing() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        scenery.replace_in_stages("dev-small\"", "dev-smal\"");
        let run = scenery.run(PUBLISH).exits(3);
        scenery.only_reads_since(0);
        if version == V1 {
            assert_snapshot!("wrong_tier", run);
        } else {
            run.tells("there is no hardware tier `dev-smal` here")
                .tells("`dev-small`");
        }
    });
}

#[test]
fn a_misspelt_app_and_a_wrong_credential_are_told() {
    let mut scenery = Scenery::of(V1);
    let run = scenery
        .run(&["publish", "dashbord", "--stage", "dev"])
        .exits(2);
    assert!(run.stderr.contains("dashboard"), "{run}");
    assert!(scenery.scene.sandbox.requests().is_empty());
    scenery.scene.variable("DOMINO_TOKEN", "not-a-token");
    scenery.run(PUBLISH).exits(3);
}

#[test]
fn a_generation_is_forced_and_one_that_is_not_here_is_told() {
    let scenery = Scenery::of(V1);
    scenery.run(&[PUBLISH, &["--api", "v4"]].concat()).exits(0);
    let writes = scenery.writes_since(0);
    assert!(
        writes
            .iter()
            .all(|write| write.contains("/v4/modelProducts")),
        "{writes:?}"
    );
    // The newer generation sees the same app, and that it is as wanted.
    scenery.run(PUBLISH).exits(0).tells("already");
    let old = Scenery::of(V4);
    let run = old.run(&[PUBLISH, &["--api", "v1"]].concat()).exits(3);
    assert_snapshot!("not_here", run);
}

#[test]
fn an_address_that_commands_the_runner_is_named_and_not_obeyed() {
    let scenery = Scenery::of(V1);
    scenery.run(PUBLISH).exits(0);
    let address = json!("http://127.0.0.1:9/a\n::error::forged\n::stop-commands::word");
    let hostile = Misbehaviour::Edit {
        set: vec![("/items/*/url".into(), address)],
        remove: Vec::new(),
    };
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /api/apps/v1/apps", hostile));
    let run = scenery.run(&[PUBLISH, &["--verbose"]].concat());
    assert!(
        run.stderr.contains("  GET http://127.0.0.1:[port]/a"),
        "{run}"
    );
    let commands = |text: &str| text.lines().any(|line| line.trim_start().starts_with("::"));
    assert!(!commands(&run.stderr) && !commands(&run.stdout), "{run}");
}

#[test]
fn status_says_how_the_app_stands_and_so_does_its_exit_code() {
    let status = &["status", "dashboard", "--stage", "dev"];
    on_all(|version| {
        let mut scenery = Scenery::of(version);
        scenery
            .run(status)
            .exits(3)
            .tells("deploy-app publish dashboard");
        scenery.run(PUBLISH).exits(0);
        let run = scenery.run(status).exits(0);
        if version == V1 {
            assert_snapshot!("status", run);
        }
        scenery.replace_in_stages("/healthz", "/sick");
        scenery
            .run(status)
            .exits(5)
            .tells("answers 404 in place of 200");
        scenery
            .run(&["unpublish", "dashboard", "--stage", "dev"])
            .exits(0);
        scenery.run(status).exits(5).tells("is `Stopped`");
        scenery.commit_app("exit 1\n");
    });
}

#[test]
fn logs_are_the_lines_of_the_current_version_on_stdout() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        let logs = &["logs", "dashboard", "--stage", "dev"];
        scenery.run(logs).exits(3).tells("was never started");
        scenery.run(PUBLISH).exits(0);
        let run = scenery.run(logs).exits(0);
        assert!(run.stdout.contains("serving one\n"), "{run}");
        let followed = scenery.scene.start(&[logs, &["--follow"][..]].concat());
        scenery
            .run(&["unpublish", "dashboard", "--stage", "dev"])
            .exits(0);
        let followed = followed.end().exits(0);
        assert_eq!(
            followed.stdout.matches("serving one\n").count(),
            1,
            "{followed}"
        );
    });
}

#[test]
fn a_log_as_json_is_one_document_and_ends_with_the_app_also_where_it_never_says_so() {
    let scenery = Scenery::of(V4);
    scenery.run(PUBLISH).exits(0);
    let never_complete = Misbehaviour::Edit {
        set: vec![("/isComplete".into(), false.into())],
        remove: Vec::new(),
    };
    let route = "GET /v4/modelProducts/apps/versions/*/logs";
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on(route, never_complete));
    scenery
        .run(&["unpublish", "dashboard", "--stage", "dev"])
        .exits(0);
    let logs = &["logs", "dashboard", "--stage", "dev", "--format", "json"];
    for follow in [&[][..], &["--follow"]] {
        let run = scenery.run(&[logs, follow].concat()).exits(0);
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let lines = document["log"].as_array().unwrap();
        assert!(lines.contains(&json!("serving one")), "{run}");
    }
}

#[test]
fn a_version_that_goes_down_with_a_log_that_cannot_be_read_says_so() {
    let mut scenery = Scenery::of(V4);
    scenery.commit_app("exit 3\n");
    let refused = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    let route = "GET /v4/modelProducts/apps/versions/*/logs";
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on(route, refused));
    scenery
        .run(PUBLISH)
        .exits(5)
        .tells("warning: the log of the version that went down was not read to its end: GET");
}
