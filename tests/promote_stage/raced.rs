//! Promotions into one stage at the same moment, on a server that lets several versions in.

use serde_json::json;

use crate::harness::http::send;
use crate::harness::{Running, Scene};
use crate::world::*;
use crate::{named, server};

/// What the server itself does with promotions at once: how many versions it lets into the stage, while it answers
/// 200 to each.
fn race_without_us(mlflow: &str, scene: &Scene, name: &str) -> usize {
    let numbers: Vec<u64> = (0..3).map(|_| register(scene, name, 0.6)).collect();
    let threads: Vec<_> = numbers
        .iter()
        .map(|number| {
            let url = format!("{mlflow}/api/2.0/mlflow/model-versions/transition-stage");
            let body = json!({
                "name": name, "version": number.to_string(), "stage": "Production",
                "archive_existing_versions": true,
            });
            std::thread::spawn(move || send("POST", &url, &[], Some(&body)).0)
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 200);
    }
    versions_in_stage(scene, name, "Production").len()
}

/// Three at a time, four times over: one version holds the stage, and who is green holds it.
pub fn raced(line: &'static str) {
    let Some(mlflow) = server::uri(line) else {
        return;
    };
    let name = named("race");
    let mut scene = scene_on(&mlflow, &name, "", "");
    // The server must have the fault that we guard against, or this shows nothing.
    let worst = (0..6)
        .map(|_| race_without_us(&mlflow, &scene, &name))
        .max();
    assert!(worst > Some(1), "the server keeps to one version by itself");
    scene
        .variable("MLFLOW_TRACKING_URI", &mlflow)
        .variable("DOMINO_PACE", "0.3");
    for _ in 0..4 {
        let numbers: Vec<u64> = (0..3).map(|_| register(&scene, &name, 0.6)).collect();
        let running: Vec<_> = numbers
            .iter()
            .map(|number| {
                let number = number.to_string();
                scene.start(&[
                    "apply",
                    "wine",
                    "--to",
                    "prod",
                    "--version",
                    &number,
                    "--skip-order",
                    "a race",
                ])
            })
            .collect();
        let runs: Vec<_> = running.into_iter().map(Running::end).collect();
        let held = versions_in_stage(&scene, &name, "Production");
        let transcript: String = runs.iter().map(ToString::to_string).collect();
        assert_eq!(held.len(), 1, "{held:?}\n{transcript}");
        for (run, number) in runs.iter().zip(&numbers) {
            match run.exit {
                0 => {}
                3 => {
                    assert_ne!(held, [*number], "red, and it holds the stage\n{transcript}");
                    assert!(run.stderr.contains(&number.to_string()), "{run}");
                }
                _ => panic!("{transcript}"),
            }
        }
        let green = |number: &u64| {
            let place = numbers.iter().position(|known| known == number);
            place.is_none_or(|place| runs[place].exit == 0)
        };
        assert!(green(&held[0]), "{held:?}\n{transcript}");
        assert_eq!(
            alias(&scene, &name, "production"),
            Some(held[0]),
            "{transcript}"
        );
    }
}
