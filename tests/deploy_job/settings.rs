//! What a run has beside its tier and environment: volumes, a cluster, the kind of machine. Judged by the sandbox's own
//! state.

use serde_json::json;

use super::*;

const CLUSTER: &str = r#"cluster = { type = "ray", workers = 2, max-workers = 4, worker-tier = "dev-small", environment = "Ray" }"#;

fn file(job: &str) -> String {
    format!("{STAGES}[job.train]\ncommand = \"train.py\"\n{job}\n")
}

/// A sandbox that has what the job names.
fn scene_of(job: &str) -> Scene {
    let stages = file(job);
    Setup {
        stages: &stages,
        files: &[("train.py", TRAIN)],
        ..Setup::of(PROGRAM)
    }
    .scene()
}

fn id_of(scene: &Scene, noun: &str, name: &str) -> Value {
    let state = scene.sandbox.state();
    let mut all = state[noun].as_array().unwrap().iter();
    let found = all.find(|one| one["name"] == name).unwrap();
    found["id"].clone()
}

#[test]
fn a_run_has_the_volumes_the_cluster_and_the_machine_of_the_file() {
    let scene = scene_of(&format!(
        "volumes = [\"raw\"]\nnetapp-volumes = [\"n1\"]\nvolume-size = 50\ncapacity = \"spot\"\n\
         snapshot-datasets = true\n{CLUSTER}\n[job.train.stage.staging]\nvolumes = []\ncapacity = \"on-demand\""
    ));
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_snapshot!("settings", run);
    let job = &jobs(&scene)[0];
    assert_eq!(job["externalVolumes"], json!(["raw"]));
    assert_eq!(job["netAppVolumeIds"], json!(["n1"]));
    assert_eq!(
        (&job["volumeSizeGiB"], &job["capacityType"]),
        (&json!(50), &json!("spot"))
    );
    assert_eq!(job["snapshotDatasets"], true);
    let cluster = &job["computeCluster"];
    assert_eq!(cluster["clusterType"], "Ray");
    assert_eq!(
        (&cluster["workerCount"], &cluster["maxWorkerCount"]),
        (&json!(2), &json!(4))
    );
    let tier = id_of(&scene, "hardwareTiers", "dev-small");
    assert_eq!(cluster["workerHardwareTierId"]["value"], tier);
    let environment = id_of(&scene, "environments", "Ray");
    assert_eq!(cluster["computeEnvironmentId"], environment);

    // What the table for a stage says goes before; the rest is the job's.
    let refused = scene
        .run(&["start", "train", "--stage", "staging"])
        .exits(3);
    refused
        .tells("hardware tier `dev-small` stands on data plane `dev-plane`")
        .tells("change `cluster.worker-tier` under `[job.train]`");
    assert_eq!(jobs(&scene).len(), 1);
}

#[test]
fn what_is_not_there_is_named_with_the_nearest_and_nothing_is_started() {
    for (keys, told) in [
        (
            "volumes = [\"rav\"]",
            "there is no external volume `rav` here",
        ),
        (
            &CLUSTER.replace("dev-small", "dev-smal"),
            "there is no hardware tier `dev-smal` here",
        ),
        (
            &CLUSTER.replace("\"Ray\"", "\"Rai\""),
            "there is no compute environment `Rai` here",
        ),
    ] {
        let mut scene = scene_of(&format!("volumes = [\"raw\"]\n{CLUSTER}"));
        scene.commit_file("stages.toml", &file(keys));
        let run = scene
            .run(&["start", "train", "--stage", "dev"])
            .exits(3)
            .tells(told);
        assert!(run.stderr.contains("hint: there is `"), "{run}");
        assert!(run.stderr.contains("stages.toml"), "{run}");
        assert_eq!(jobs(&scene), Vec::<Value>::new());
    }
}

#[test]
fn a_run_that_has_another_cluster_or_lacks_a_volume_is_stopped() {
    for (pointer, value, told) in [
        (
            "/computeCluster/clusterType",
            "Spark",
            "cluster: `Spark` in place of `Ray`",
        ),
        (
            "/dependentExternalVolumeMounts/0/name",
            "rare",
            "volume `raw`: not mounted",
        ),
    ] {
        let scene = scene_of(&format!("volumes = [\"raw\"]\n{CLUSTER}"));
        scene.sandbox.faults().add(Fault::on(
            "GET /v4/jobs/*",
            Misbehaviour::Edit {
                set: vec![(pointer.into(), value.into())],
                remove: vec![],
            },
        ));
        scene
            .run(&["start", "train", "--stage", "dev"])
            .exits(5)
            .tells(told);
    }
}

#[test]
fn a_schedule_has_them_and_keeps_what_people_set_beside() {
    let schedule = "schedule = { cron = \"0 0 6 ? * MON-FRI\" }";
    let mut scene = scene_of(&format!("{schedule}\nvolumes = [\"raw\"]\n{CLUSTER}"));
    let keep = &["schedule", "train", "--stage", "dev"];
    scene.run(keep).exits(0);
    let volume = id_of(&scene, "externalVolumes", "raw");
    let scheduled = || schedules(&scene)[0].clone();
    assert_eq!(
        scheduled()["dataConfig"]["externalVolumeMounts"],
        json!([volume])
    );
    assert_eq!(
        scheduled()["computeClusterProperties"]["clusterType"],
        "Ray"
    );
    scene.run(keep).exits(0).tells("is as wanted");

    shared_schedule::by_hand(&scene, |job| {
        job["computeClusterProperties"]["extraConfigs"] = json!({"a": "1"});
        job["computeClusterProperties"]["workerCount"] = json!(9);
        job["externalVolumeMounts"] = json!([]);
        job["capacityType"] = json!("spot");
    });
    let run = scene.run(keep).exits(0).tells("updated the schedule");
    let now = scheduled();
    assert_eq!(now["computeClusterProperties"]["workerCount"], 2);
    assert_eq!(
        now["computeClusterProperties"]["extraConfigs"],
        json!({"a": "1"})
    );
    assert_eq!(now["dataConfig"]["externalVolumeMounts"], json!([volume]));
    assert_eq!(now["capacityType"], "spot");
    let carried = run
        .stdout
        .lines()
        .find(|line| line.contains("carried over"));
    assert!(carried.unwrap().ends_with("capacity type"), "{run}");

    // A file that no longer says it leaves what is there.
    scene.commit_file("stages.toml", &file(schedule));
    let run = scene.run(keep).exits(0);
    assert!(
        run.stdout
            .contains("capacity type, compute cluster, external volumes"),
        "{run}"
    );
    assert_eq!(
        schedules(&scene)[0]["computeClusterProperties"],
        now["computeClusterProperties"]
    );
}
