//! `deploy-app publish` under faults at every request, on each generation of the API: nothing false green, nothing
//! twice, and no credential shown, also where the server repeats it.

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
        also: |route| {
            if route.contains("/healthz") {
                &[5]
            } else {
                &[]
            }
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
