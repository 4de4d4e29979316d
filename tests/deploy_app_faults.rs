//! `deploy-app publish` with faults at every request, on each generation of the API: never green without success,
//! nothing done twice, and no credential shown, even if the server repeats it.

mod harness;

#[path = "deploy_app/scenes.rs"]
#[allow(dead_code, reason = "the other test uses the rest")]
mod scenes;

#[path = "deploy_app/replacing.rs"]
mod replacing;

use harness::Scene;
use harness::matrix::Matrix;
use scenes::{BETA, Scenery, V1, V4};

const PUBLISH: &[&str] = &[
    "publish",
    "dashboard",
    "--stage",
    "dev",
    "--timeout",
    "30s",
    "--request-timeout",
    "1500ms",
];

fn scene(version: &str) -> Scene {
    let mut scene = Scenery::of(version).scene;
    scene.on_github("77").variable("RUST_LOG", "trace");
    scene
}

/// How many versions of apps there are: one app has one, and two apps have two.
fn versions(scene: &Scene) -> usize {
    let state = scene.sandbox.state();
    let apps = state["apps"].as_array().map_or(&[][..], Vec::as_slice);
    apps.iter()
        .map(|app| app["versions"].as_array().map_or(0, Vec::len))
        .sum()
}

fn serves(scene: &Scene) -> bool {
    let state = scene.sandbox.state();
    let apps = state["apps"].as_array().map_or(&[][..], Vec::as_slice);
    apps.iter().any(|app| {
        let versions = app["versions"].as_array().map_or(&[][..], Vec::as_slice);
        app["status"] == "Running"
            && versions.iter().any(|version| {
                let instances = version["instances"]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice);
                version["hardwareTierName"] == "dev-small"
                    && instances.iter().any(|instance| {
                        instance["id"] == app["serving"]
                            && instance["commit"] == scene.commit.as_str()
                    })
            })
    })
}

fn hold(name: &'static str, scene: fn() -> Scene) {
    Matrix {
        name,
        scene,
        arguments: PUBLISH,
        count: versions,
        serves,
        // A page that does not answer is the app's failure; one that leads to another host asks for a sign-in.
        also: |route, fault| match (route.contains("/healthz"), fault) {
            (true, "redirect elsewhere") => &[3],
            (true, _) => &[5],
            (false, _) => &[],
        },
        costly: true,
    }
    .hold();
}

#[test]
fn no_fault_makes_publish_lie_or_publish_twice_on_v1() {
    hold("deploy-app publish on apps v1", || scene(V1));
}

#[test]
fn no_fault_makes_publish_lie_or_publish_twice_on_beta() {
    hold("deploy-app publish on apps beta", || scene(BETA));
}

#[test]
fn no_fault_makes_publish_lie_or_publish_twice_on_model_products() {
    hold("deploy-app publish on modelProducts", || scene(V4));
}

#[test]
fn the_files_that_ship_lose_replies_and_connections_and_publish_once() {
    for file in ["lost-replies.toml", "flaky-network.toml"] {
        let mut scene = scene(BETA);
        scene.load_faults(file);
        let run = scene.run(&["publish", "dashboard", "--stage", "dev"]);
        assert_eq!(run.exit, 0, "{file}: {run}");
        assert!(serves(&scene), "{file}: {run}");
        assert_eq!(versions(&scene), 1, "{file}: {run}");
        let harmed = scene.sandbox.requests();
        let harmed = harmed.iter().filter(|request| request.fault.is_some());
        assert!(
            harmed.filter(|r| r.path.starts_with("/api/apps")).count() > 0,
            "{file} harms nothing of apps"
        );
    }
}

#[test]
fn the_file_of_failing_deployments_is_green_in_dev_and_red_in_staging() {
    let mut scene = scene(BETA);
    scene.load_faults("failing-deployments.toml");
    scene
        .run(&["publish", "dashboard", "--stage", "dev"])
        .exits(0);
    scene
        .run(&["publish", "dashboard", "--stage", "staging"])
        .exits(5)
        .tells("ImagePullBackOff");
}
