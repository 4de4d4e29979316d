//! The outside view of `cargo xtask`: what it lists, what it hands on and how, and what a person sees while it
//! compiles.
//!
//! `cargo` is a stand-in, and so is the program that is called; `domino-pipeline` tests what the verbs do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

/// Says what it was asked for in a file, and on stderr what cargo says.
const CARGO: &str = r#"#!/bin/sh
echo "$*" >> "$LOG"
case "$1" in
    tree) printf 'domino-pipeline v0.1.0 (/somewhere)\nserde v1.0.0\nserde v1.0.0 (*)\n' ;;
    build)
        [ -z "$BROKEN" ] || { echo "error: it does not compile" >&2; exit 101; }
        echo '{"reason":"compiler-artifact","fresh":true}'
        echo "    Finished dev profile in 0.05s" >&2 ;;
esac
"#;

const PROGRAM: &str = r#"#!/bin/sh
echo "$0 was given $*, in $DOMINO_PIPELINE_ROOT, as $DOMINO_PIPELINE_CALLED_AS" | sed "s:.*/domino-pipeline:program:"
exit 7
"#;

/// A program that was just written cannot be started while another thread starts one: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder with this program in it, and the stand-ins beside it.
struct Folder(
    TempDir,
    #[expect(dead_code, reason = "held")] MutexGuard<'static, ()>,
);

impl Folder {
    fn new() -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Self(tempfile::tempdir().unwrap(), turn);
        fs::copy(env!("CARGO_BIN_EXE_xtask"), folder.path("xtask")).unwrap();
        for (name, text) in [("cargo", CARGO), ("domino-pipeline", PROGRAM)] {
            fs::write(folder.path(name), text).unwrap();
            fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn xtask(&self, arguments: &[&str], broken: &str) -> Output {
        Command::new(self.path("xtask"))
            .args(arguments)
            .env("CARGO", self.path("cargo"))
            .env("LOG", self.path("log"))
            .env("BROKEN", broken)
            .env("CARGO_MANIFEST_DIR", "/repository/xtask")
            .output()
            .unwrap()
    }

    fn asked_of_cargo(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        fs::remove_file(self.path("log")).ok();
        log.lines().map(str::to_owned).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_verb_gets_its_arguments_and_its_exit_code_is_the_one_that_comes_back() {
    let folder = Folder::new();
    let output = folder.xtask(&["rehearse", "--approve", "all"], "");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(
        text(&output.stdout),
        "program was given rehearse --approve all, in /repository, as cargo xtask\n"
    );
    let help = folder.xtask(&["help", "plan"], "");
    assert!(text(&help.stdout).contains("was given plan --help,"));
}

#[test]
fn a_first_call_says_what_it_compiles_and_the_next_says_nothing() {
    let folder = Folder::new();
    let first = text(&folder.xtask(&["plan"], "").stderr);
    assert!(first.contains("compiled once"), "{first}");
    assert!(first.contains("compiling 2 crates:"), "{first}");
    assert!(!first.contains("Finished"), "{first}");
    assert_eq!(text(&folder.xtask(&["schema"], "").stderr), "");
    // More has to be compiled for another verb.
    assert!(text(&folder.xtask(&["doctor"], "").stderr).contains("compiling"));
}

#[test]
fn no_more_is_compiled_than_the_verb_needs() {
    let folder = Folder::new();
    for (verb, features) in [
        ("gen-workflows", " --no-default-features"),
        ("import-ini", " --no-default-features --features import-ini"),
        (
            "rehearse",
            " --package deploy-job --package deploy-app --package deploy-model --package promote-stage --no-default-features --features domino-pipeline/rehearse",
        ),
        (
            "rehearse --spec=file",
            " --package deploy-job --package deploy-app --package deploy-model --package promote-stage --no-default-features --features domino-pipeline/contract",
        ),
    ] {
        folder.xtask(&verb.split(' ').collect::<Vec<_>>(), "");
        let asked = folder.asked_of_cargo();
        let build = format!(
            "build --manifest-path /repository/Cargo.toml --package domino-pipeline{features} --message-format=json-render-diagnostics"
        );
        assert_eq!(asked.last(), Some(&build));
    }
}

#[test]
fn what_does_not_compile_is_shown_and_nothing_is_run() {
    let output = Folder::new().xtask(&["plan"], "yes");
    assert_eq!(output.status.code(), Some(101));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("error: it does not compile"));
}

#[test]
fn a_verb_that_there_is_not_exits_2_and_compiles_nothing() {
    let folder = Folder::new();
    let output = folder.xtask(&["rehears"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unrecognized subcommand 'rehears'"));
    let help = folder.xtask(&["--help"], "");
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("\n  ci "));
    assert!(text(&folder.xtask(&["ci", "--help"], "").stdout).contains("Usage: cargo xtask ci\n"));
    assert_eq!(folder.xtask(&["ci", "now"], "").status.code(), Some(2));
    assert!(text(&folder.xtask(&["wheel", "--help"], "").stdout).contains("--programs <DIR>"));
    assert_eq!(folder.xtask(&["wheel", "now"], "").status.code(), Some(2));
    assert_eq!(folder.xtask(&[], "").status.code(), Some(2));
    assert!(!Path::exists(&folder.path("log")));
}
