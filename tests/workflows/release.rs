//! What one repository releases, another one downloads: the commands of both workflows, run here.
//!
//! GitHub's part is a stand-in for `gh` that returns what was packed. Whether a signature is right is not tested
//! here: only that nothing continues when `gh` says no.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use domino_pipeline::pipelines;
use serde_json::Value;
use tempfile::TempDir;

use super::read::Read;
use super::rules::broken;
use super::{fixture, gen_workflows_to, one};

const PROGRAMS: [&str; 4] = ["deploy-job", "deploy-app", "deploy-model", "promote-stage"];

/// In the place of the released program, the one of this build.
const PIPELINE: &str = concat!(
    "#!/bin/sh\nexec ",
    env!("CARGO_BIN_EXE_domino-pipeline"),
    " \"$@\"\n"
);

/// Stands in for `gh`: `release download` copies from `released/`, `attestation verify` says what it was told to.
const GH: &str = r#"#!/usr/bin/env bash
set -euo pipefail
echo "$*" >> "$GH_LOG"
[ -n "$GH_TOKEN" ]
case "$1 $2" in
    "release download")
        shift 2
        while [ $# -gt 0 ]; do
            [ "$1" = --pattern ] && cp "$RELEASED/$2" .
            shift
        done ;;
    "attestation verify") [ "$ATTESTED" = yes ] ;;
    *) exit 1 ;;
esac
"#;

/// The commands of a job, in order.
pub fn commands(workflow: &str, job: &str) -> Vec<String> {
    let yaml: Value = yaml_serde::from_str(workflow).unwrap();
    let steps = yaml["jobs"][job]["steps"].as_array().unwrap();
    steps
        .iter()
        .filter_map(|step| Some(step["run"].as_str()?.to_owned()))
        .collect()
}

/// A repository that fetches, with a release packed as `release.yml` packs it.
struct Fetching {
    folder: TempDir,
}

impl Fetching {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        let machine = std::env::consts::ARCH;
        let built = at(&format!(
            "released/target/{machine}-unknown-linux-musl/release"
        ));
        for path in [&built, &at("repository"), &at("bin"), &at("temp/programs")] {
            fs::create_dir_all(path).unwrap();
        }
        for program in PROGRAMS {
            executable(
                &built.join(program),
                &format!("#!/bin/sh\necho this is {program}\n"),
            );
        }
        executable(&built.join("domino-pipeline"), PIPELINE);
        executable(&at("bin/gh"), GH);

        let release = pipelines::release().text().unwrap();
        let build = commands(&release, &format!("build-{machine}"))
            .pop()
            .unwrap();
        let (cargo, pack) = build.split_once('\n').unwrap();
        assert!(
            cargo.starts_with("cargo build --release --locked --target "),
            "{cargo}"
        );
        let fetching = Self { folder };
        let packed = fetching.bash("released", pack, "yes");
        assert!(packed.status.success(), "{packed:?}");
        fetching
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn bash(&self, folder: &str, script: &str, attested: &str) -> Output {
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.path(folder))
            .env("PATH", path)
            .env("RELEASED", self.path("released"))
            .env("GH_LOG", self.path("gh.log"))
            .env("GH_TOKEN", "stand-in")
            .env("ATTESTED", attested)
            .env("RELEASE", "v1.2.0")
            .env("RELEASE_REPOSITORY", "example-org/domino-programs")
            .env("RUNNER_TEMP", self.path("temp"))
            .env("GITHUB_PATH", self.path("github-path"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .output()
            .unwrap()
    }

    /// What the job `fetch` of a generated workflow does.
    fn fetch(&self, attested: &str) -> Output {
        let fetch = commands(&one("release", "deploy-jobs.yml"), "fetch").remove(0);
        self.bash("repository", &fetch, attested)
    }

    fn fetched(&self) -> bool {
        self.path("repository/programs.tar").exists()
    }
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_stage_runs_the_programs_that_were_released() {
    let fetching = Fetching::new();
    let fetch = fetching.fetch("yes");
    assert!(fetch.status.success(), "{fetch:?}");

    fs::rename(
        fetching.path("repository/programs.tar"),
        fetching.path("temp/programs/programs.tar"),
    )
    .unwrap();
    let unpack = commands(&one("release", "deploy-jobs.yml"), "deploy-prod").remove(0);
    assert!(fetching.bash("repository", &unpack, "yes").status.success());
    let folder = fs::read_to_string(fetching.path("github-path")).unwrap();
    for program in PROGRAMS {
        let said = Command::new(Path::new(folder.trim()).join(program))
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(said.stdout).unwrap(),
            format!("this is {program}\n")
        );
    }

    let asked = fs::read_to_string(fetching.path("gh.log")).unwrap();
    assert!(
        asked.contains("--signer-workflow example-org/domino-programs/.github/workflows/release.yml --source-ref refs/tags/v1.2.0"),
        "{asked}"
    );
}

#[test]
fn a_pull_request_is_planned_and_checked_by_the_released_xtask() {
    let fetching = Fetching::new();
    let stages = fs::read_to_string(fixture("release")).unwrap();
    let changed = stages.replace("[stage.prod]", "[stage.prod]\nwait-timer = 7");
    for (folder, text) in [("repository", &stages), ("repository/change", &changed)] {
        fs::create_dir_all(fetching.path(folder)).unwrap();
        fs::write(fetching.path(folder).join("stages.toml"), text).unwrap();
        let git = fetching.bash(folder, "git init --quiet && git add stages.toml", "yes");
        assert!(git.status.success(), "{git:?}");
    }
    let plan = commands(&one("release", "plan.yml"), "plan");
    let [fetch, unpack, plan, check] = &plan[..] else {
        panic!("{plan:?}");
    };
    for command in [fetch, unpack, plan] {
        let done = fetching.bash("repository", command, "yes");
        assert!(done.status.success(), "{done:?}");
    }
    let summary = fs::read_to_string(fetching.path("summary")).unwrap();
    assert!(summary.contains("`wait-timer` `0` → `7`"), "{summary}");

    assert!(!fetching.bash("repository", check, "yes").status.success());
    let change = fetching.path("repository/change");
    gen_workflows_to(&change, &change.join("stages.toml"), &[]);
    let fresh = fetching.bash("repository", check, "yes");
    assert!(fresh.status.success(), "{fresh:?}");
    // In a merge queue only the change is checked out.
    fs::remove_dir_all(fetching.path("repository/.git")).unwrap();
    fs::remove_file(fetching.path("repository/stages.toml")).unwrap();
    let fresh = fetching.bash("repository", check, "yes");
    assert!(fresh.status.success(), "{fresh:?}");
}

#[test]
fn the_bill_of_materials_is_checksummed_signed_and_published() {
    let release = pipelines::release().text().unwrap();
    let made = commands(&release, "bill-of-materials").remove(0);
    assert!(
        made.ends_with("sha256sum ./*.cdx.json > bill-of-materials.sha256\n"),
        "{made}"
    );
    let published = commands(&release, "publish").remove(0);
    assert!(
        published.contains("./*.cdx.json bill-of-materials.sha256"),
        "{published}"
    );
    let yaml: Value = yaml_serde::from_str(&release).unwrap();
    let sign = &yaml["jobs"]["publish"]["steps"][1]["with"]["subject-path"];
    assert_eq!(*sign, "programs-*.tar.gz\n*.whl\n*.cdx.json\n");
}

#[test]
fn a_release_whose_bytes_are_not_those_of_its_checksum_is_not_used() {
    let fetching = Fetching::new();
    let archive = fetching.path(&format!(
        "released/programs-{}.tar.gz",
        std::env::consts::ARCH
    ));
    fs::write(archive, "other bytes").unwrap();
    assert!(!fetching.fetch("yes").status.success());
    assert!(!fetching.fetched());
}

#[test]
fn a_release_without_an_attestation_is_not_used() {
    let fetching = Fetching::new();
    assert!(!fetching.fetch("no").status.success());
    assert!(!fetching.fetched());
}

#[test]
fn the_release_workflow_breaks_no_rule() {
    let release = pipelines::release();
    let broken = broken(&Read::of(&release.name, &release.text().unwrap()));
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_release_workflow_is_written_when_asked_for_and_kept_from_then_on() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join(".github/workflows/release.yml");
    gen_workflows_to(out.path(), &fixture("one-stage"), &[]);
    assert!(!path.exists());
    gen_workflows_to(out.path(), &fixture("one-stage"), &["--release"]);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("timeout-minutes: 30", "timeout-minutes: 300"),
    )
    .unwrap();
    assert_eq!(
        gen_workflows_to(out.path(), &fixture("one-stage"), &["--check"])
            .status
            .code(),
        Some(1)
    );
    gen_workflows_to(out.path(), &fixture("one-stage"), &[]);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}
