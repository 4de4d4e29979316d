//! The fault files that are shipped do to `deploy-job` what they say: each is loaded into a sandbox, two stages are
//! deployed, and the sandbox's own state is checked. The fault tests of the other programs load what is in them for
//! those: `deploy_app_faults.rs`, `deploy_model_faults.rs` and `promote_stage_faults.rs`.

mod harness;

use std::path::{Path, PathBuf};

use harness::{STAGES, Scene, Setup};

const JOBS: &str = r#"
[job.train]
command = "train.py"

[job.score]
command = "train.py"
schedule = { cron = "0 0 6 ? * MON-FRI" }
"#;

/// Each file, whether it harms requests of jobs, and how the three steps end.
const FILES: [(&str, bool, [i32; 3]); 7] = [
    ("failing-deployments.toml", false, [0, 0, 0]),
    ("flaky-network.toml", true, [0, 0, 0]),
    ("lost-replies.toml", true, [0, 0, 0]),
    ("misreporting-jobs.toml", false, [0, 0, 0]),
    ("outside-of-a-run.toml", false, [0, 0, 0]),
    ("signed-out.toml", true, [0, 0, 3]),
    ("slow-domino.toml", true, [0, 0, 0]),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../faults")
}

fn scene() -> Scene {
    let stages = format!("{STAGES}{JOBS}");
    let mut scene = Setup {
        stages: &stages,
        files: &[("train.py", "for n in range(30): print('epoch', n)\n")],
        ..Setup::of(env!("CARGO_BIN_EXE_deploy-job"))
    }
    .scene();
    scene.on_github("77");
    scene
}

fn count(scene: &Scene, noun: &str) -> usize {
    let state = scene.sandbox.state();
    state[noun].as_array().map_or(0, Vec::len)
}

fn hold(file: &str) {
    let Some((_, harms, exits)) = FILES.iter().find(|(name, ..)| *name == file) else {
        panic!("{file} is not in the list");
    };
    let mut scene = scene();
    scene.load_faults(file);
    let steps = [
        ["start", "train", "--stage", "dev"],
        ["schedule", "score", "--stage", "dev"],
        ["start", "train", "--stage", "staging"],
    ];
    let mut runs = 0;
    for (step, exit) in steps.iter().zip(exits) {
        let run = scene.run(step).exits(*exit);
        let lines = run.stderr.lines().filter(|line| line.contains("| epoch "));
        let followed = step[0] == "start" && *exit == 0;
        assert_eq!(
            lines.count(),
            if followed { 30 } else { 0 },
            "{file}\n{run}"
        );
        runs += usize::from(followed);
    }
    assert_eq!(count(&scene, "jobs"), runs, "{file}");
    assert_eq!(count(&scene, "scheduledJobs"), 1, "{file}");
    assert_eq!(scene.sandbox.faults().fired() > 0, *harms, "{file}");
}

#[test]
fn every_file_that_ships_is_judged_here_and_says_what_it_shows() {
    let mut there: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, FILES.map(|(name, ..)| name));
    for name in there {
        let text = std::fs::read_to_string(folder().join(&name)).unwrap();
        let command = format!("--faults faults/{name}\n");
        for part in [command.as_str(), "# Shows: ", "# Expect: "] {
            assert!(text.contains(part), "{name}: `{part}`");
        }
    }
}

#[test]
fn what_the_experiment_manager_refuses_is_no_matter_of_jobs() {
    hold("outside-of-a-run.toml");
}

#[test]
fn a_flaky_network_is_waited_out() {
    hold("flaky-network.toml");
}

#[test]
fn a_slow_domino_is_waited_for() {
    hold("slow-domino.toml");
}

#[test]
fn lost_replies_make_nothing_twice() {
    hold("lost-replies.toml");
}

#[test]
fn a_sign_in_page_is_no_success() {
    hold("signed-out.toml");
}

#[test]
fn jobs_that_misreport_are_seen_through() {
    hold("misreporting-jobs.toml");
}

#[test]
fn what_fails_elsewhere_does_not_touch_jobs() {
    hold("failing-deployments.toml");
}
