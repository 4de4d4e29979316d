//! A machine-learning repository without any Rust: `gen-workflows --out` gives it everything that it needs, and its
//! workflows run here: with the programs installed beside `domino-pipeline`, or with those of a release that was
//! packed here.
//!
//! GitHub's part is a stand-in for `gh`, which returns what was packed and accepts every attestation;
//! `workflows/release.rs` tests wrong ones. The programs are debug builds.

mod built;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use built::PROGRAMS;
use tempfile::TempDir;

fn top() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    top.canonicalize().unwrap()
}

/// An empty repository, a release beside it, and a `gh` that hands the release out.
struct Team {
    folder: TempDir,
}

impl Team {
    fn new() -> Self {
        let team = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in ["repository", "released", "bin"] {
            fs::create_dir(team.path(folder)).unwrap();
        }
        team
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn run(&self, command: &mut Command) -> Output {
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        command
            .stdin(Stdio::null())
            .env("PATH", path)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("DOMINO_PACE", "0.1")
            .env("DOMINO_PIPELINE_ROOT", top());
        for name in [
            "DOMINO_TOKEN",
            "DOMINO_USER_API_KEY",
            "DOMINO_API_HOST",
            "GITHUB_TOKEN",
        ] {
            command.env_remove(name);
        }
        command.output().unwrap()
    }

    fn pipeline(&self, arguments: &[&str]) -> Output {
        self.run(Command::new(env!("CARGO_BIN_EXE_domino-pipeline")).args(arguments))
    }

    /// Rehearses the first stage of the jobs.
    fn rehearse(&self, program: &Path) -> (bool, String) {
        let repository = self.path("repository").display().to_string();
        let rehearsed = self.run(Command::new(program).args([
            "rehearse",
            "--repository",
            &repository,
            "--only",
            "deploy-jobs",
            "--stop-after",
            "dev",
            "--approve",
            "all",
        ]));
        let said = String::from_utf8_lossy(&rehearsed.stdout);
        (
            rehearsed.status.success(),
            format!("{said}{}", stderr(&rehearsed)),
        )
    }

    /// Writes the workflows, and commits them with the sample's code.
    fn begin(&self) {
        let written = self.gen_workflows(&["--release-repository", "example-org/programs"]);
        assert!(written.status.success(), "{}", stderr(&written));
        self.bash(
            "repository",
            &format!(
                "mkdir src && cp -r '{}/src/project' src/\n\
                 git init --quiet --initial-branch main && git add --all\n\
                 git -c user.name=Ann -c user.email=ann@example.com commit --quiet --message Begin",
                top().display()
            ),
        );
    }

    fn gen_workflows(&self, more: &[&str]) -> Output {
        let out = self.path("repository").display().to_string();
        let repository = ["gen-workflows", "--out", &out];
        self.pipeline(&[&repository, more].concat())
    }

    fn bash(&self, folder: &str, script: &str) {
        let mut bash = Command::new("bash");
        let output = self.run(
            bash.args(["-euo", "pipefail", "-c", script])
                .current_dir(self.path(folder)),
        );
        assert!(output.status.success(), "{script}: {output:?}");
    }

    /// Packs the programs as a release is packed.
    fn release(&self) {
        let archive = format!("programs-{}.tar.gz", std::env::consts::ARCH);
        self.bash(
            "released",
            &format!(
                "tar --create --use-compress-program 'gzip -1' --file {archive} --directory '{}' {} --directory '{}' domino-pipeline\n\
                 sha256sum {archive} > {archive}.sha256",
                built::folder().display(),
                PROGRAMS.join(" "),
                Path::new(env!("CARGO_BIN_EXE_domino-pipeline")).parent().unwrap().display()
            ),
        );
        let gh = format!(
            r#"#!/usr/bin/env bash
# Stands in for GitHub's own program.
set -euo pipefail
echo "$*" >> '{log}'
case "$1 $2" in
    "release download")
        while [ $# -gt 0 ]; do
            [ "$1" != --pattern ] || cp '{released}'/"$2" .
            shift
        done ;;
    "attestation verify") ;;
    *) exit 1 ;;
esac
"#,
            log = self.path("gh.log").display(),
            released = self.path("released").display()
        );
        fs::write(self.path("bin/gh"), gh).unwrap();
        fs::set_permissions(self.path("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let top = self.path("repository");
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(&top).unwrap().display().to_string());
                }
            }
        }
        files.sort();
        files
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_empty_repository_gets_everything_it_needs_and_keeps_what_it_made_of_it() {
    let team = Team::new();
    let first = team.gen_workflows(&["--release-repository", "example-org/programs"]);
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(
        team.files(),
        [
            ".github/dependabot.yml",
            ".github/workflows/deploy-apps.yml",
            ".github/workflows/deploy-jobs.yml",
            ".github/workflows/deploy-models.yml",
            ".github/workflows/plan.yml",
            "stages.schema.json",
            "stages.toml",
        ]
    );
    let stages = fs::read_to_string(team.path("repository/stages.toml")).unwrap();
    assert!(
        stages.contains("release-repository = \"example-org/programs\""),
        "{stages}"
    );
    assert!(stages.contains("install = \"release\""), "{stages}");

    let own = stages.replace("[job.score]", "[job.rescore]");
    fs::write(team.path("repository/stages.toml"), &own).unwrap();
    fs::write(
        team.path("repository/.github/dependabot.yml"),
        "version: 2\nupdates: []\n",
    )
    .unwrap();
    let again = team.gen_workflows(&[]);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(
        fs::read_to_string(team.path("repository/stages.toml")).unwrap(),
        own
    );
    let dependabot = fs::read_to_string(team.path("repository/.github/dependabot.yml")).unwrap();
    assert_eq!(dependabot, "version: 2\nupdates: []\n");
    assert!(team.gen_workflows(&["--check"]).status.success());
}

#[test]
fn a_check_of_an_empty_repository_writes_nothing() {
    let team = Team::new();
    let check = team.gen_workflows(&["--check", "--release-repository", "example-org/programs"]);
    assert_eq!(check.status.code(), Some(2), "{}", stderr(&check));
    assert_eq!(team.files(), [""; 0]);
}

#[test]
fn its_workflows_run_on_the_programs_of_a_release() {
    let team = Team::new();
    team.release();
    team.begin();
    // Alone in its folder, the program has no others to put in the place of the release.
    let alone = team.path("alone");
    fs::create_dir(&alone).unwrap();
    let program = alone.join("domino-pipeline");
    fs::copy(env!("CARGO_BIN_EXE_domino-pipeline"), &program).unwrap();
    let (green, said) = team.rehearse(&program);
    assert!(green, "{said}");
    assert!(
        said.contains("deploy-job schedule score --stage dev"),
        "{said}"
    );
    let asked = fs::read_to_string(team.path("gh.log")).unwrap();
    let release = concat!("v", env!("CARGO_PKG_VERSION"));
    assert!(
        asked.contains(&format!(
            "release download {release} --repo example-org/programs"
        )),
        "{asked}"
    );
    assert!(asked.contains("attestation verify"), "{asked}");

    // The run ends with the picture, in the colours of what happened.
    let (_, folder) = said.split_once("summaries: ").unwrap();
    let folder = team
        .path("repository")
        .join(folder.lines().next().unwrap().trim());
    let summaries: String = fs::read_dir(&folder)
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert!(
        summaries.contains("```mermaid\nflowchart LR\n"),
        "{summaries}"
    );
    assert!(
        summaries.contains("\nclass stage1 success\nclass stage2 skipped\n"),
        "{summaries}"
    );
}

#[test]
fn its_workflows_run_on_the_programs_beside_this_one_and_ask_github_for_nothing() {
    let team = Team::new();
    let programs = built::folder();
    team.begin();
    let gh = "#!/bin/sh\nexit 1\n";
    fs::write(team.path("bin/gh"), gh).unwrap();
    fs::set_permissions(team.path("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
    let (green, said) = team.rehearse(&programs.join("domino-pipeline"));
    assert!(green, "{said}");
    let version = env!("CARGO_PKG_VERSION");
    let told = format!("v{version} is not downloaded: the programs are those of");
    assert!(said.contains(&told), "{said}");
}
