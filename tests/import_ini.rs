//! The outside view of `cargo xtask import-ini`: what the templates' files become, and what a person is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domino_core::stages::StageFile;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
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
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
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
