//! Which app is ours: by its name, in its stage, on the generation that shows it.

use super::*;

#[test]
fn two_apps_of_one_name_are_listed_and_neither_is_touched() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        scenery.run(PUBLISH).exits(0);
        scenery.create_by_hand("dashboard-dev");
        let from = scenery.scene.sandbox.requests().len();
        let run = scenery.run(PUBLISH).exits(3);
        scenery.only_reads_since(from);
        run.tells("2 apps are called `dashboard-dev`: `");
        scenery
            .run(&["unpublish", "dashboard", "--stage", "dev"])
            .exits(3);
    });
}

#[test]
fn an_app_that_is_there_already_is_taken_over_by_its_name() {
    on_all(|version| {
        let scenery = Scenery::of(version);
        scenery.create_by_hand("Wine dashboard (old)");
        scenery.stages("[app.dashboard.stage.dev]\nname = \"Wine dashboard (old)\"");
        let run = scenery.run(PUBLISH).exits(0);
        // There is no second app, and the one that was there serves.
        assert_eq!(scenery.app()["name"], "Wine dashboard (old)", "{run}");
        scenery.serves_alone(&scenery.scene.commit);
        scenery.run(PUBLISH).exits(0).tells("already");
        let unpublish = &["unpublish", "dashboard", "--stage", "dev"];
        scenery.run(unpublish).exits(0);
        assert!(scenery.alive().is_empty());
    });
}

#[test]
fn the_apps_of_two_stages_do_not_replace_each_other() {
    let scenery = Scenery::of(V1);
    scenery.run(PUBLISH).exits(0);
    scenery
        .run(&["publish", "dashboard", "--stage", "prod"])
        .exits(0);
    let state = scenery.scene.sandbox.state();
    let mut names: Vec<&str> = state["apps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|app| app["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["dashboard-dev", "dashboard-prod"]);
    assert_eq!(scenery.alive().len(), 2);
}

#[test]
fn an_app_that_a_newer_generation_does_not_show_gets_no_second_one() {
    let scenery = Scenery::of(V1);
    scenery.run(PUBLISH).exits(0);
    let hidden = Misbehaviour::Edit {
        set: vec![
            ("/items".into(), json!([])),
            ("/metadata/totalCount".into(), json!(0)),
        ],
        remove: Vec::new(),
    };
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /api/apps/v1/apps", hidden));
    let run = scenery.run(PUBLISH).exits(3);
    run.tells("that `/api/apps/v1/apps` does not show");
    assert_eq!(
        scenery.scene.sandbox.state()["apps"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn apps_v1_that_are_switched_off_with_403_are_published_by_beta_once() {
    let scenery = Scenery::of(V1);
    let switched_off = Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    };
    let faults = scenery.scene.sandbox.faults();
    faults.add(Fault::on("GET /api/apps/v1/apps", switched_off));
    scenery.run(PUBLISH).exits(0);
    scenery.run(PUBLISH).exits(0);
    let requests = scenery.scene.sandbox.requests();
    let creates = requests
        .iter()
        .filter(|request| request.method == "POST" && request.path == "/api/apps/beta/apps");
    assert_eq!(creates.count(), 1);
    let state = scenery.scene.sandbox.state();
    assert_eq!(state["apps"].as_array().unwrap().len(), 1);
}

#[test]
fn a_refusal_never_means_that_a_generation_is_not_here() {
    for status in [401, 409, 500, 503] {
        let scenery = Scenery::of(V1);
        let fault = Misbehaviour::Status {
            status,
            retry_after: None,
            processed: false,
        };
        let faults = scenery.scene.sandbox.faults();
        faults.add(Fault::on("GET /api/apps/v1/apps", fault));
        scenery.run(PUBLISH).exits(if status < 500 { 3 } else { 4 });
        scenery.only_reads_since(0);
        let requests = scenery.scene.sandbox.requests();
        assert!(
            !requests
                .iter()
                .any(|request| request.path.contains("/beta/"))
        );
    }
}
