//! The real `gen-workflows`: what it writes, what a check finds, whose files it leaves alone, and what a person is told.

use std::fs;

use super::{diagram, fixture, gen_workflows_to, stderr};

#[test]
fn a_repository_that_cannot_build_the_programs_is_told_of_both_ways_out() {
    let out = tempfile::tempdir().unwrap();
    let note = "has no Cargo.toml, and these workflows build the programs there; set `install = \"pip\"` or";
    let written = gen_workflows_to(out.path(), &fixture("one-stage"), &[]);
    assert!(written.status.success());
    assert!(stderr(&written).contains(note), "{}", stderr(&written));
    fs::write(out.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    let written = gen_workflows_to(out.path(), &fixture("one-stage"), &[]);
    assert!(
        !stderr(&written).contains("Cargo.toml"),
        "{}",
        stderr(&written)
    );
}

#[test]
fn a_check_of_what_was_just_written_finds_nothing() {
    let out = tempfile::tempdir().unwrap();
    fs::write(
        out.path().join("README.md"),
        format!("{}\n{}\n", diagram::BEGIN, diagram::END),
    )
    .unwrap();
    assert!(
        gen_workflows_to(out.path(), &fixture("two-stages"), &[])
            .status
            .success()
    );
    let readme = fs::read_to_string(out.path().join("README.md")).unwrap();
    assert!(readme.contains("flowchart LR"), "{readme}");
    let check = gen_workflows_to(out.path(), &fixture("two-stages"), &["--check"]);
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    assert!(check.stdout.is_empty());
}

#[test]
fn a_repository_without_a_stage_file_is_told_that_it_needs_one() {
    let out = tempfile::tempdir().unwrap();
    let written = gen_workflows_to(out.path(), &fixture("release"), &[]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert!(
        stderr(&written).contains("has no stages.toml"),
        "{}",
        stderr(&written)
    );

    fs::copy(fixture("release"), out.path().join("stages.toml")).unwrap();
    let script = out.path().join("src/project/jobs/train.py");
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    fs::write(script, "").unwrap();
    let written = gen_workflows_to(out.path(), &out.path().join("stages.toml"), &[]);
    assert_eq!(stderr(&written), "every generated file is fresh\n");
}

#[test]
fn a_check_shows_the_difference_and_the_command_to_run() {
    let out = tempfile::tempdir().unwrap();
    gen_workflows_to(out.path(), &fixture("one-stage"), &[]);
    let path = out.path().join(".github/workflows/deploy-apps.yml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("--stage prod", "--stage test")).unwrap();

    let check = gen_workflows_to(out.path(), &fixture("one-stage"), &["--check"]);
    assert_eq!(check.status.code(), Some(1));
    let diff = String::from_utf8(check.stdout.clone()).unwrap();
    assert!(diff.contains(
        "--- a/.github/workflows/deploy-apps.yml\n+++ b/.github/workflows/deploy-apps.yml\n"
    ));
    assert!(
        diff.contains("-        run: exec deploy-app publish dashboard --stage test\n"),
        "{diff}"
    );
    assert!(
        diff.contains("+        run: exec deploy-app publish dashboard --stage prod\n"),
        "{diff}"
    );
    assert!(
        stderr(&check).contains("hint: run `domino-pipeline gen-workflows --out "),
        "{}",
        stderr(&check)
    );
    assert!(
        fs::read_to_string(&path).unwrap().contains("--stage test"),
        "a check writes nothing"
    );
}

#[test]
fn a_workflow_whose_kind_is_gone_is_reported_then_removed() {
    let out = tempfile::tempdir().unwrap();
    gen_workflows_to(out.path(), &fixture("one-stage"), &[]);
    let apps = out.path().join(".github/workflows/deploy-apps.yml");
    assert!(apps.is_file());

    let check = gen_workflows_to(out.path(), &fixture("no-apps"), &["--check"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&check.stdout)
            .contains("--- a/.github/workflows/deploy-apps.yml\n+++ /dev/null\n")
    );

    let written = gen_workflows_to(out.path(), &fixture("no-apps"), &[]);
    assert!(
        stderr(&written).contains("removed .github/workflows/deploy-apps.yml"),
        "{}",
        stderr(&written)
    );
    assert!(!apps.exists());
}

#[test]
fn a_file_of_somebody_else_is_neither_removed_nor_overwritten() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join(".github/workflows");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("other.yml"), "name: Other\n").unwrap();
    assert!(
        gen_workflows_to(out.path(), &fixture("one-stage"), &[])
            .status
            .success()
    );
    assert_eq!(
        fs::read_to_string(folder.join("other.yml")).unwrap(),
        "name: Other\n"
    );

    fs::write(folder.join("ci.yml"), "name: Mine\n").unwrap();
    let refused = gen_workflows_to(out.path(), &fixture("one-stage"), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("`.github/workflows/ci.yml` was not written by gen-workflows")
    );
    assert_eq!(
        fs::read_to_string(folder.join("ci.yml")).unwrap(),
        "name: Mine\n"
    );
}

#[test]
fn a_broken_stage_file_is_exit_2_and_writes_nothing() {
    let out = tempfile::tempdir().unwrap();
    let stages = out.path().join("stages.toml");
    fs::write(&stages, "[stage.dev]\nhardware-teir = \"small\"\n").unwrap();
    let refused = gen_workflows_to(out.path(), &stages, &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("did you mean `hardware-tier`?"),
        "{}",
        stderr(&refused)
    );
    assert!(!out.path().join(".github").exists());
}
