//! What `cargo xtask plan`, given two checkouts, says a pull request would deploy.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{fixture, stderr};

/// A checkout with these files, as git knows them.
fn checkout(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "--all"]);
    folder
}

fn git(folder: &Path, arguments: &[&str]) {
    assert!(
        Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .status()
            .unwrap()
            .success()
    );
}

fn plan(before: &Path, after: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_domino-pipeline"))
        .arg("plan")
        .args([before, after])
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stages() -> String {
    fs::read_to_string(fixture("two-stages")).unwrap()
}

#[test]
fn a_changed_script_starts_the_workflow_of_its_kind_alone() {
    let stages = stages();
    let before = checkout(&[
        ("stages.toml", &stages),
        ("src/project/jobs/a.py", "1"),
        ("README.md", "1"),
    ]);
    let after = checkout(&[
        ("stages.toml", &stages),
        ("src/project/jobs/a.py", "2"),
        ("README.md", "2"),
    ]);
    let text = stdout(&plan(before.path(), after.path()));
    assert!(
        text.contains("| Deploy jobs | yes | `src/project/jobs/a.py` |"),
        "{text}"
    );
    assert!(text.contains("| Deploy models | no |  |"), "{text}");
    assert!(!text.contains("README.md"), "{text}");
}

#[test]
fn a_changed_stage_file_shows_each_setting_before_and_after() {
    let stages = stages();
    let changed = stages
        .replace(
            "hardware-tier = { jobs = \"prod-jobs\"",
            "hardware-tier = { jobs = \"prod-large\"",
        )
        .replace("wait-timer = 30", "wait-timer = 5")
        .replace("[model.rules]", "[model.answers]")
        + "\n[job.clean]\ncommand = \"clean.py\"\n";
    let before = checkout(&[("stages.toml", &stages)]);
    let after = checkout(&[("stages.toml", &changed)]);
    insta::assert_snapshot!(
        "plan_of_a_changed_stage_file",
        stdout(&plan(before.path(), after.path()))
    );
}

#[test]
fn another_order_of_the_stages_or_another_branch_or_runner_is_shown() {
    let of = |pipeline: &str, names: [&str; 2]| {
        let tables = names.map(|name| format!("[stage.{name}]\nhardware-tier = \"{name}\"\n"));
        format!(
            "[pipeline]\n{pipeline}\n[defaults]\nhost = \"domino.example.com\"\nproject = \"team/project\"\n{}\
             [job.train]\ncommand = \"train.py\"\n",
            tables.concat()
        )
    };
    let stages = of("branch = \"trunk\"", ["dev", "prod"]);
    let swapped = of("runner = \"ubuntu-22.04\"", ["prod", "dev"]);
    let before = checkout(&[("stages.toml", &stages)]);
    let after = checkout(&[("stages.toml", &swapped)]);
    let text = stdout(&plan(before.path(), after.path()));
    for line in [
        "`[pipeline]`: `branch` `trunk` → `main`, `runner` `ubuntu-24.04` → `ubuntu-22.04`",
        "The promotion order was `dev` → `prod`, and becomes `prod` → `dev`.",
    ] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    let same = stdout(&plan(before.path(), before.path()));
    assert!(!same.contains("[pipeline]"), "{same}");
    assert!(!same.contains("promotion order"), "{same}");
}

#[test]
fn a_stage_file_with_problems_is_shown_and_fails() {
    let before = checkout(&[("stages.toml", &stages())]);
    let after = checkout(&[(
        "stages.toml",
        "[stage.dev]\nhardware-teir = \"```</details>\"\n",
    )]);
    let output = plan(before.path(), after.path());
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("did you mean `hardware-tier`?"), "{text}");
}

#[test]
fn a_repository_that_had_no_stage_file_plans_everything_as_new() {
    let before = checkout(&[("README.md", "")]);
    let after = checkout(&[("stages.toml", &stages())]);
    let text = stdout(&plan(before.path(), after.path()));
    assert!(
        text.contains("| Deploy jobs | yes | `stages.toml` |"),
        "{text}"
    );
    assert!(text.contains("| job `train` | **new**: "), "{text}");
}

#[cfg(unix)]
#[test]
fn a_stage_file_that_is_a_link_is_not_followed() {
    let before = checkout(&[("stages.toml", &stages())]);
    let after = checkout(&[("README.md", "")]);
    let other = tempfile::NamedTempFile::new().unwrap();
    fs::write(other.path(), "canary-of-another-file").unwrap();
    std::os::unix::fs::symlink(other.path(), after.path().join("stages.toml")).unwrap();
    let output = plan(before.path(), after.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("is not a plain file"),
        "{}",
        stderr(&output)
    );
    assert!(!format!("{output:?}").contains("canary"));
}

#[test]
fn what_goes_on_in_domino_is_named_with_the_command_that_ends_it() {
    let stages = stages();
    let schedule = stages
        .lines()
        .find(|line| line.starts_with("schedule"))
        .unwrap();
    let more = "[app.page]\nentry-point = \"app.sh\"\n[model.gone]\nregistered-model = \"gone\"\n";
    let before = checkout(&[("stages.toml", &format!("{stages}\n{more}"))]);
    let after = checkout(&[("stages.toml", &stages.replace(schedule, ""))]);
    let text = stdout(&plan(before.path(), after.path()));
    let names: Vec<&str> = stages
        .lines()
        .filter_map(|line| line.strip_prefix("[stage.")?.strip_suffix(']'))
        .filter(|name| !name.contains('.'))
        .collect();
    assert_eq!(names.len(), 2);
    for stage in names {
        for line in [
            format!("- `deploy-job schedule score --stage {stage} --delete`"),
            format!(
                "- before merging, while the stage file still has it: `deploy-app unpublish page --stage {stage}`"
            ),
            format!("- in Domino: stop the endpoint of model `gone` of stage `{stage}`"),
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
    let same = stdout(&plan(before.path(), before.path()));
    assert!(!same.contains("Merging ends nothing"), "{same}");
}
