//! `wait = false`: a run continues without its step; the next start and `follow` report how it ended.

use std::fs;

use tempfile::TempDir;

use super::*;

const START: &[&str] = &["start", "long", "--stage", "dev"];
const FOLLOW: &[&str] = &["follow", "--stage", "dev"];

/// A job that nobody waits for; its run ends when [`end`] says so.
fn long() -> (Scene, TempDir) {
    let gate = tempfile::tempdir().unwrap();
    let path = gate.path().join("exit");
    let script = format!(
        "import os, sys, time\nprint('reading data', flush=True)\nwhile not os.path.exists('{0}'):\n    time.sleep(0.05)\n\
         print('at the end', flush=True)\nsys.exit(int(open('{0}').read()))\n",
        path.display()
    );
    let stages = format!(
        "{STAGES}[job.long]\ncommand = \"long.py\"\nwait = false\ntimeout = \"5h\"\n\
         [job.long.stage.staging]\nwait = true\n"
    );
    let mut scene = Setup {
        stages: &stages,
        files: &[("long.py", &script)],
        ..Setup::of(PROGRAM)
    }
    .scene();
    scene.on_github("77");
    (scene, gate)
}

/// Lets every run of the job end, with this exit.
fn end(scene: &Scene, gate: &TempDir, exit: u8) {
    let written = gate.path().join("written");
    fs::write(&written, exit.to_string()).unwrap();
    fs::rename(written, gate.path().join("exit")).unwrap();
    eventually("the runs end", || {
        let mut all = jobs(scene).into_iter();
        all.all(|run| ["Succeeded", "Failed"].contains(&run["status"].as_str().unwrap_or("")))
    });
}

/// The run of another commit, in another workflow run.
fn next_commit(scene: &mut Scene) {
    scene.commit_file("other.txt", "other");
    scene.on_github("78");
}

fn writes(scene: &Scene) -> Vec<String> {
    let requests = scene.sandbox.requests().into_iter();
    let writes = requests.filter(|request| request.method != "GET");
    writes.map(|request| request.path).collect()
}

#[test]
fn a_step_starts_the_run_and_does_not_wait_where_the_file_says_so() {
    let (mut scene, gate) = long();
    let run = scene
        .run(START)
        .exits(0)
        .tells("started job `long` as run 1; it is not waited for")
        .tells("deploy-job follow long --stage dev");
    assert!(!run.stderr.contains("reading data"), "{run}");
    scene
        .run(START)
        .exits(0)
        .tells("run 1 of job `long` goes on; it is not waited for");
    assert_eq!(jobs(&scene).len(), 1);

    end(&scene, &gate, 0);
    scene
        .run(START)
        .exits(0)
        .tells("job `long` succeeded already in this workflow run");
    scene.variable("DOMINO_ENV", "STAGE");
    scene
        .run(&["start", "long", "--stage", "staging"])
        .exits(0)
        .tells("at the end");
}

#[test]
fn the_next_start_says_what_became_of_the_run_before() {
    let (mut scene, gate) = long();
    scene.run(START).exits(0);
    let left = format!(
        "run 1 of commit {}, which no step waits for,",
        &scene.commit[..12]
    );
    next_commit(&mut scene);
    let run = scene.run(&[START, &["--dry-run"]].concat()).exits(0);
    assert!(
        run.stdout.contains(&format!("{left} goes on as `")),
        "{run}"
    );
    end(&scene, &gate, 3);
    let run = scene
        .run(START)
        .exits(0)
        .tells(&format!("::warning::{left} ended as `Failed`"))
        .tells("deploy-job logs long --stage dev --id");
    assert_eq!(jobs(&scene).len(), 2, "{run}");
    assert!(scene.summary().contains("ended as `Failed`"), "{run}");
}

#[test]
fn a_run_of_the_same_commit_that_failed_is_said_and_tried_anew() {
    let (scene, gate) = long();
    scene.run(START).exits(0);
    end(&scene, &gate, 3);
    scene
        .run(START)
        .exits(0)
        .tells("started job `long` as run 2")
        .tells("run 1 of commit [short], which no step waits for, ended as `Failed`");
}

#[test]
fn what_was_left_is_followed_to_its_end_and_nothing_is_written() {
    for (exit, code) in [(0, 0), (3, 5)] {
        let (scene, gate) = long();
        scene
            .run(FOLLOW)
            .exits(0)
            .tells("no run of any job was left in stage `dev`");
        scene.run(START).exits(0);
        let written = writes(&scene);
        let follow = scene.start(FOLLOW);
        eventually("it follows", || {
            let requests = scene.sandbox.requests();
            requests.iter().any(|it| it.path.contains("/logs"))
        });
        end(&scene, &gate, exit);
        let run = follow.end().exits(code).tells("at the end");
        assert_eq!(writes(&scene), written);
        if code == 5 {
            run.tells("error: run 1 of job `long` ended as `Failed`");
            let summary = scene.summary();
            for told in ["### ❌ deploy-job follow in stage `dev`", "at the end\n```"] {
                assert!(summary.contains(told), "{told}: {summary}");
            }
        }
        // What ended well is no news; what failed stays red until a newer run did better.
        scene.run(FOLLOW).exits(code);
        scene.run(&["follow", "long", "--stage", "dev"]).exits(code);
    }
}

#[test]
fn a_run_that_has_time_left_is_well_when_the_time_to_follow_is_up() {
    let (scene, gate) = long();
    scene.run(START).exits(0);
    scene
        .run(&[FOLLOW, &["--timeout", "1s"]].concat())
        .exits(0)
        .tells("which no step waits for, goes on as `");
    end(&scene, &gate, 0);
}

#[test]
fn several_that_were_left_are_followed_all_and_the_worst_counts() {
    let (mut scene, gate) = long();
    scene.run(START).exits(0);
    next_commit(&mut scene);
    scene.run(START).exits(0);
    let follow = scene.start(FOLLOW);
    end(&scene, &gate, 3);
    let run = follow.end().exits(5);
    assert!(
        run.stderr
            .contains("2 of 2 runs that were left are not well")
            || run.stderr.contains("run 2 of job `long` ended as `Failed`"),
        "{run}"
    );
}
