//! The outside view of `cargo xtask import-ini`: the stage file that the templates' files lead to, and the report for
//! the person.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stage_file::StageFile;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    top.join("tests/fixtures").join(format!("ini-{name}"))
}

/// What came of an import: the program's words, and the stage file.
struct Imported {
    folder: TempDir,
    output: Output,
}

impl Imported {
    fn of(ini: &Path, more: &[&str]) -> Self {
        Self::into(tempfile::tempdir().unwrap(), ini, more)
    }

    fn into(folder: TempDir, ini: &Path, more: &[&str]) -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_domino-pipeline"))
            .arg("import-ini")
            .arg(ini)
            .args(more)
            .current_dir(folder.path())
            .output()
            .unwrap();
        Self { folder, output }
    }

    fn text(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ini = folder.path().join("env-variables.ini");
        fs::write(&ini, text).unwrap();
        Self::into(folder, &ini, &[])
    }

    fn stages(&self) -> String {
        fs::read_to_string(self.folder.path().join("stages.toml")).unwrap()
    }

    fn file(&self) -> StageFile {
        StageFile::load(&self.folder.path().join("stages.toml"))
            .unwrap_or_else(|error| panic!("{error}\n{}", self.stages()))
    }

    fn said(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    fn complained(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    fn exit(&self) -> Option<i32> {
        self.output.status.code()
    }
}

fn ini(name: &str) -> PathBuf {
    fixture(name).join("env-variables.ini")
}

#[test]
fn two_sections_in_the_wrong_order_with_their_workflows() {
    let workflows = fixture("two-sections").join("workflows");
    let imported = Imported::of(
        &ini("two-sections"),
        &["--workflows", workflows.to_str().unwrap()],
    );
    assert_eq!(imported.exit(), Some(0), "{}", imported.complained());
    insta::assert_snapshot!("two_sections", imported.stages());
    let said = imported
        .said()
        .replace(workflows.to_str().unwrap(), "[workflows]");
    insta::assert_snapshot!("two_sections_said", said);

    let file = imported.file();
    let stages: Vec<&str> = file
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    assert_eq!(stages, ["dev", "prod"]);
    assert_eq!(file.jobs[0].command, "src/project/jobs/main.py");
    assert!(file.apps.is_empty(), "no workflow deploys one");
}

/// A repository as the templates are published: the workflows of jobs and models beside the folder that GitHub reads.
fn published_layout() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let workflows = folder.path().join(".github/workflows");
    fs::create_dir_all(&workflows).unwrap();
    for (name, to) in [
        ("pipeline-jobs.yml", ".github"),
        ("pipeline-models.yml", ".github"),
        ("pipeline-scheduled-jobs.yml", ".github/workflows"),
    ] {
        let from = fixture("two-sections").join("workflows").join(name);
        fs::copy(from, folder.path().join(to).join(name)).unwrap();
    }
    folder
}

#[test]
fn workflows_beside_the_folder_that_github_reads_count_and_are_said_never_to_have_run() {
    for named in [".github", ".github/workflows"] {
        let imported = Imported::into(
            published_layout(),
            &ini("two-sections"),
            &["--workflows", named],
        );
        let file = imported.file();
        let jobs: Vec<&str> = file.jobs.iter().map(|job| job.name.as_str()).collect();
        assert_eq!(jobs, ["main", "main-scheduled"], "{named}");
        assert_eq!(file.models.len(), 1, "{named}");
        let said = imported.said();
        assert!(
            said.contains("`pipeline-jobs.yml`, `pipeline-models.yml`: GitHub never ran it"),
            "{said}"
        );
    }
}

#[test]
fn githubs_own_folder_is_known_by_any_of_its_names() {
    let repository = published_layout();
    let here = repository.path().join(".github/workflows");
    for name in ["pipeline-jobs.yml", "pipeline-models.yml"] {
        fs::rename(
            repository.path().join(".github").join(name),
            here.join(name),
        )
        .unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_domino-pipeline"))
        .arg("import-ini")
        .arg(ini("two-sections"))
        .args(["--workflows", ".", "--out", "stages.toml"])
        .current_dir(&here)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("wrote stages.toml"), "{said}");
    assert!(!said.contains("never ran"), "{said}");
}

#[test]
fn what_no_workflow_runs_is_left_out_and_said() {
    let folder = published_layout();
    for name in [".github/pipeline-jobs.yml", ".github/pipeline-models.yml"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let imported = Imported::into(
        folder,
        &ini("two-sections"),
        &["--workflows", ".github/workflows"],
    );
    let file = imported.file();
    assert_eq!(
        (file.jobs.len(), file.apps.len(), file.models.len()),
        (1, 0, 0)
    );
    for script in ["cicd-jobs.py", "cicd-apps.py", "cicd-models.py"] {
        let sentence = format!("no workflow in `.github/workflows` runs `{script}`");
        assert!(imported.said().contains(&sentence), "{}", imported.said());
    }
}

const SMALL: &str = "DOMINO_API_HOST = domino.example.com\nDOMINO_PROJECT_OWNER = a\nDOMINO_PROJECT_NAME = b\n\
                     DOMINO_MODEL_NAME = wine\nDOMINO_REGISTERED_MODEL_NAME = wine\n";

#[test]
fn versions_that_differ_or_are_no_number_are_said() {
    for (dev, prod) in [("3", "4"), ("Staging", "Staging")] {
        let imported = Imported::text(&format!(
            "[DEV]\n{SMALL}DOMINO_MODEL_OP = create\nDOMINO_REGISTERED_MODEL_VERSION = {dev}\n\
             [PROD]\n{SMALL}DOMINO_MODEL_OP = update\nDOMINO_REGISTERED_MODEL_VERSION = {prod}\n"
        ));
        let sentence = format!("it was `{dev}` in `dev`, `{prod}` in `prod`; here one version");
        assert!(imported.said().contains(&sentence), "{}", imported.said());
        assert_eq!(imported.file().models.len(), 1);
    }
}

#[test]
fn an_operation_that_deploys_nothing_makes_no_entity() {
    let imported = Imported::text(&format!(
        "[DEV]\n{SMALL}DOMINO_MODEL_OP = list\nDOMINO_JOB_OP = stop\nDOMINO_JOB_COMMAND = main.py\n\
         DOMINO_JOB_ID = 65f0000000000000000000aa\nDOMINO_APP_OP = unpublish\n"
    ));
    let file = imported.file();
    assert_eq!(
        (file.jobs.len(), file.apps.len(), file.models.len()),
        (0, 0, 0)
    );
    for sentence in [
        "the model is left out: `DOMINO_MODEL_OP` was `list` in `dev`",
        "the job is left out: `DOMINO_JOB_OP` was `stop` in `dev`",
        "the app is left out: `DOMINO_APP_OP` was `unpublish` in `dev`",
        "`DOMINO_JOB_ID` is left out",
    ] {
        assert!(imported.said().contains(sentence), "{}", imported.said());
    }
    let mixed = Imported::text(&format!(
        "[DEV]\n{SMALL}DOMINO_MODEL_OP = create\nDOMINO_REVIEWER = rita\n[PROD]\n{SMALL}DOMINO_MODEL_OP = list\n"
    ));
    assert_eq!(mixed.file().models.len(), 1);
    for sentence in [
        "`DOMINO_MODEL_OP` was `list` in `prod`, where it deployed nothing",
        "what `rita` in `dev` was to review",
    ] {
        assert!(mixed.said().contains(sentence), "{}", mixed.said());
    }
}

#[test]
fn a_workflow_with_every_defect_is_told_each_once_for_all_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let text = "on:\n  push:\n    branches: release\n  pull_request:\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    \
                steps:\n      - run: |\n          # a linter\n      - run: pip install -r requirements.txt\n      \
                - run: python src/cicd/cicd-apps.py PROD ${{ secrets.DOMINO_USER_API_KEY }}\n";
    for name in ["a.yml", "b.yml"] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let imported = Imported::into(folder, &ini("two-sections"), &["--workflows", "."]);
    for defect in [
        "a pull request deployed",
        "it installed packages of others",
        "it had no `timeout-minutes`",
        "it had no `concurrency`",
        "it had no `paths`",
        "nothing but comments",
        "GitHub never ran it",
    ] {
        let said = imported.said();
        let lines: Vec<&str> = said.lines().filter(|line| line.contains(defect)).collect();
        assert_eq!(lines.len(), 1, "{defect}: {said}");
        assert!(lines[0].starts_with("- `a.yml`, `b.yml`: "), "{said}");
    }
    assert_eq!(imported.file().pipeline.branch, "release");
}

#[test]
fn three_sections_share_what_they_have_in_common() {
    let imported = Imported::of(&ini("three-sections"), &[]);
    insta::assert_snapshot!("three_sections", imported.stages());
    insta::assert_snapshot!("three_sections_said", imported.said());
    let file = imported.file();
    assert_eq!(file.stages[1].name, "staging");
    assert_eq!(file.stages[1].github_environment, "STAGE");
    assert_eq!(file.stages[2].model_stage.as_deref(), Some("Production"));
}

#[test]
fn placeholders_quotes_and_percent_signs() {
    let imported = Imported::of(&ini("placeholders"), &[]);
    assert_eq!(imported.exit(), Some(0), "{}", imported.complained());
    insta::assert_snapshot!("placeholders", imported.stages());
    insta::assert_snapshot!("placeholders_said", imported.said());
    let everything = imported.stages() + &imported.said();
    assert!(
        !everything.contains("abcdef"),
        "a key was copied:\n{everything}"
    );
}

#[test]
fn a_file_that_is_there_is_overwritten_only_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("stages.toml"), "mine").unwrap();
    let refused = Imported::into(folder, &ini("three-sections"), &[]);
    assert_eq!(refused.exit(), Some(2));
    assert!(
        refused
            .complained()
            .contains("`stages.toml` is there already"),
        "{}",
        refused.complained()
    );
    assert_eq!(refused.stages(), "mine");
    let forced = Imported::into(refused.folder, &ini("three-sections"), &["--force"]);
    assert_eq!(forced.exit(), Some(0));
    assert_eq!(forced.file().stages.len(), 3);
}

#[test]
fn what_cannot_be_read_is_wrong_usage_and_writes_nothing() {
    for text in ["", "DOMINO_API_HOST = domino.example.com\n", "[DEV\n"] {
        let refused = Imported::text(text);
        assert_eq!(
            refused.exit(),
            Some(2),
            "{text:?}: {}",
            refused.complained()
        );
        assert!(!refused.folder.path().join("stages.toml").exists());
    }
    let missing = Imported::of(Path::new("no-such.ini"), &[]);
    assert_eq!(missing.exit(), Some(2));
    assert!(
        missing.complained().contains("cannot read `no-such.ini`"),
        "{}",
        missing.complained()
    );
}

#[test]
fn one_section_with_hardly_anything_becomes_a_file_that_says_what_is_missing() {
    let imported = Imported::text("[Prod]\nDOMINO_API_HOST = domino.example.com\nNOTES = a = b\n");
    assert_eq!(imported.exit(), Some(0), "{}", imported.complained());
    assert!(
        imported.stages().contains("# NOTES = a = b\n"),
        "{}",
        imported.stages()
    );
    assert!(
        imported.said().contains("left to correct:"),
        "{}",
        imported.said()
    );
    assert!(
        imported.said().contains("has no `project`"),
        "{}",
        imported.said()
    );
}

#[test]
fn no_value_can_break_out_of_its_string() {
    let imported = Imported::text(
        "[DEV]\nDOMINO_API_HOST = domino.example.com\nDOMINO_PROJECT_OWNER = a\nDOMINO_PROJECT_NAME = b\n\
         DOMINO_JOB_OP = start\nDOMINO_JOB_COMMAND = say \"x\"  # \\ \n",
    );
    assert_eq!(imported.file().jobs[0].command, "say \"x\"  # \\");
}
