//! What a version of an app has beside its tier and environment: volumes, autoscaling, viewer identity, address, bundle.
//! Judged by the sandbox's own state.

use super::*;

const VOLUMES: &str = "volumes = [\"raw\"]\nnetapp-volumes = [\"n1\"]\n";
const NEWER: &str = "autoscaling = { min = 1, max = 3, cpu = 80 }\nviewer-identity = true\ndiscoverable = false\nthumbnail = \"wine.png\"\n";
const DEV: &str = "[app.dashboard.stage.dev]\n";
const VANITY: &str = "vanity-url = \"wine\"\n";

fn newest(scenery: &Scenery) -> Value {
    let app = scenery.app();
    let versions = app["versions"].as_array().unwrap();
    versions.last().unwrap().clone()
}

fn volume(scenery: &Scenery) -> Value {
    scenery.scene.sandbox.state()["externalVolumes"][0]["id"].clone()
}

#[test]
fn a_version_has_what_the_file_says_and_a_silent_file_keeps_it() {
    on_all(|api| {
        let (newer, vanity) = if api == V4 { ("", "") } else { (NEWER, VANITY) };
        let more = format!("{VOLUMES}{newer}{DEV}{vanity}");
        let mut scenery = Scenery::with(api, &more, Scenery::made);
        let picture = scenery.scene.path().join("wine.png");
        std::fs::write(&picture, "red").unwrap();
        let run = scenery.run(PUBLISH).exits(0);
        let told = run.stdout.lines().find(|line| line.contains("  volumes "));
        assert!(told.is_some_and(|line| line.contains(" raw (")), "{run}");
        let has_all = |scenery: &Scenery| {
            let version = newest(scenery);
            assert_eq!(version["externalVolumeMountIds"], json!([volume(scenery)]));
            assert_eq!(version["netAppVolumeIds"], json!(["n1"]));
            if api == V4 {
                return;
            }
            assert_eq!(version["extendedIdentityPropagationToAppsEnabled"], true);
            let scale = &version["autoscalingSpecification"];
            assert_eq!(scale["enabled"], true);
            assert_eq!(
                (&scale["maxReplicas"], &scale["targetCpuAvgUtilizationPct"]),
                (&json!(3), &json!(80))
            );
            let app = scenery.app();
            assert_eq!(
                (&app["vanityUrl"], &app["discoverable"]),
                (&json!("wine"), &json!(false))
            );
            assert_eq!(app["thumbnail"]["filename"], "wine.png");
        };
        has_all(&scenery);
        scenery
            .run(PUBLISH)
            .exits(0)
            .tells("in stage `dev` already");
        if api != V4 {
            std::fs::write(&picture, "white").unwrap();
            let run = scenery.run(PUBLISH).exits(0);
            assert!(run.stdout.contains("~ thumbnail: wine.png"), "{run}");
            let thumbnail = scenery.app()["thumbnail"].clone();
            assert_eq!(thumbnail["contentType"], "image/png");
            assert_eq!(thumbnail["contentBase64"], "d2hpdGU=");
        }

        for line in [VOLUMES, newer, vanity].into_iter().flat_map(str::lines) {
            scenery.replace_in_stages(&format!("{line}\n"), "");
        }
        scenery.commit_app(&app_script("two"));
        let run = scenery.run(PUBLISH).exits(0);
        let carried = run
            .stdout
            .lines()
            .find(|line| line.contains("carried over"));
        let carried = carried.unwrap_or_else(|| panic!("{run}"));
        assert!(
            carried.contains("external volumes") && carried.contains("NetApp volumes"),
            "{run}"
        );
        has_all(&scenery);

        // Brought back by the file, with both values in the plan.
        let viewer = if api == V4 {
            ""
        } else {
            "viewer-identity = false\n"
        };
        scenery.replace_in_stages(DEV, &format!("{DEV}volumes = []\n{viewer}"));
        let run = scenery.run(PUBLISH).exits(0);
        assert!(run.stdout.contains("~ external volumes: "), "{run}");
        assert_eq!(newest(&scenery)["externalVolumeMountIds"], json!([]));
        if api != V4 {
            assert!(
                run.stdout.contains("~ viewer identity: true → false"),
                "{run}"
            );
            assert_eq!(
                newest(&scenery)["autoscalingSpecification"]["maxReplicas"],
                3
            );
        }
    });
}

#[test]
fn what_an_api_cannot_carry_is_refused_before_anything_is_written() {
    let scenery = Scenery::with(
        V1,
        &format!("{NEWER}api = \"v4\"\n{DEV}{VANITY}"),
        Scenery::made,
    );
    let run = scenery.run(PUBLISH).exits(3);
    run.tells("`/v4/modelProducts` starts app `dashboard` without `autoscaling`, `viewer-identity`, `vanity-url`, `thumbnail`")
        .tells("take away `autoscaling` under `[app.dashboard]` in stages.toml");
    let state = scenery.scene.sandbox.state();
    assert_eq!(state["apps"], json!([]));
    let requests = scenery.scene.sandbox.requests();
    assert!(requests.iter().all(|request| request.method == "GET"));
}
