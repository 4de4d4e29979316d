//! How the jobs of the stages get the programs. Either one job provides them for all stages of a run, built here or
//! downloaded from a release; or each job installs them itself, from a package index.
//!
//! The job that provides them has no secret of a stage. It hands on one archive: an artifact of loose files would
//! lose their executable bit.

use serde_saphyr::Commented;
use stage_file::{Install, Receipts, StageFile};

use super::cache;
use super::runner::runs_on;
use crate::actions;
use github_workflow::write::{Job, JobStep, Permissions, Step, literal};

/// The name of the artifact with the archive.
const ARTIFACT: &str = "programs";

/// Compiles the programs, and creates the archive that is handed on.
pub const BUILD: &str = r#"cargo build --release --locked --package deploy-job --package deploy-app --package deploy-model --package promote-stage
tar --create --file programs.tar --directory "${CARGO_TARGET_DIR:-target}/release" deploy-job deploy-app deploy-model promote-stage
"#;

/// The same with the program that records receipts.
pub const BUILD_TO_RECORD: &str = r#"cargo build --release --locked --package deploy-job --package deploy-app --package deploy-model --package promote-stage
cargo build --release --locked --package domino-pipeline --no-default-features --features rehearse
tar --create --file programs.tar --directory "${CARGO_TARGET_DIR:-target}/release" deploy-job deploy-app deploy-model promote-stage domino-pipeline
"#;

/// Downloads and verifies the archive of a release.
// The attestation says that the release workflow of that repository built these bytes from that tag; without it a
// checksum would only say that the download is what somebody put there.
pub const FETCH: &str = r#"archive="programs-$(uname --machine).tar.gz"
gh release download "$RELEASE" --repo "$RELEASE_REPOSITORY" --pattern "$archive" --pattern "$archive.sha256"
sha256sum --check "$archive.sha256"
gh attestation verify "$archive" --repo "$RELEASE_REPOSITORY" --signer-workflow "$RELEASE_REPOSITORY/.github/workflows/release.yml" --source-ref "refs/tags/$RELEASE"
gzip --decompress --stdout "$archive" > programs.tar
"#;

/// Installs the wheel of a release.
// `-I` keeps Python from importing a file of the repository in the place of one of its own. One wheel is taken, by its
// hash, and nothing that it might name besides. An index that is not set here may still be set on the runner.
pub const INSTALL: &str = r#"python3 -I -m venv --clear "$RUNNER_TEMP/programs"
echo "$WHEEL" > "$RUNNER_TEMP/programs.txt"
[ -z "$INDEX_URL" ] || export PIP_INDEX_URL="$INDEX_URL"
"$RUNNER_TEMP/programs/bin/python" -I -m pip install --disable-pip-version-check --no-input --require-hashes --no-deps --only-binary :all: --requirement "$RUNNER_TEMP/programs.txt"
echo "$RUNNER_TEMP/programs/bin" >> "$GITHUB_PATH"
"#;

/// An approval may come up to 30 days later, which is GitHub's limit; the archive must still exist then.
pub const RETENTION_DAYS: u32 = 32;

/// Compiles the program that only reads, and creates the archive that is handed on.
const BUILD_STATUS: &str = r#"cargo build --release --locked --package domino-pipeline --no-default-features --features rehearse
tar --create --file programs.tar --directory "${CARGO_TARGET_DIR:-target}/release" domino-pipeline
"#;

/// The job that every stage needs, if there is one.
pub(super) fn job(file: &StageFile) -> Option<Job> {
    match file.pipeline.receipts {
        Receipts::Notes => job_of(file, "recording-programs", BUILD_TO_RECORD),
        Receipts::Artifact | Receipts::None => job_of(file, "programs", BUILD),
    }
}

/// The same for a job that only reads. A release has everything in one archive.
pub(super) fn status_job(file: &StageFile) -> Option<Job> {
    job_of(file, "status", BUILD_STATUS)
}

/// The same for a job that goes back, with every program.
pub(super) fn back_job(file: &StageFile) -> Option<Job> {
    job_of(file, "recording-programs", BUILD_TO_RECORD)
}

fn job_of(file: &StageFile, archive: &str, build: &str) -> Option<Job> {
    let (id, name, reason, steps) = match file.pipeline.install {
        Install::Build => (
            "build",
            "Build the programs",
            "checks out the sources",
            built(file, archive, build),
        ),
        Install::Release => (
            "fetch",
            "Fetch the programs",
            "reads the release",
            vec![download(file)],
        ),
        Install::Pip => return None,
    };
    Some(Job {
        id: id.to_owned(),
        name: name.to_owned(),
        needs: Vec::new(),
        r#if: Some(on_production_branch(file)),
        runs_on: runs_on(&file.pipeline.runner),
        timeout_minutes: 30,
        environment: None,
        permissions: Permissions::none().and("contents", "read", reason),
        concurrency: None,
        outputs: Default::default(),
        steps: steps
            .into_iter()
            .chain([hand_on()])
            .map(JobStep::from)
            .collect(),
    })
}

/// The condition of the first job of a run.
pub(super) fn on_production_branch(file: &StageFile) -> Commented<String> {
    Commented(
        format!(
            "github.ref == {}",
            literal(&format!("refs/heads/{}", file.pipeline.branch))
        ),
        "a run started by hand on another branch deploys nothing".to_owned(),
    )
}

/// The steps that put the programs on the path of a job that deploys.
pub(super) fn steps(file: &StageFile) -> Vec<Step> {
    if file.pipeline.install == Install::Pip {
        return vec![install(file)];
    }
    let mut download = actions::DOWNLOAD_ARTIFACT
        .step("Download the programs")
        .with("name", ARTIFACT)
        .with("path", "${{ runner.temp }}/programs");
    download.continue_on_error = Some(Commented(
        true,
        "the next step says what to do without them".to_owned(),
    ));
    vec![download, Step::run("Unpack the programs", unpack())]
}

/// Puts the programs of the downloaded archive on the path of the steps that follow, or says what to do without it.
// The action's own words say neither for how long an artifact is there nor that running all jobs again makes it anew.
fn unpack() -> String {
    format!(
        r#"if [ ! -f "$RUNNER_TEMP/programs/programs.tar" ]; then
  echo '::error title=The programs are missing::The step before says why they could not be downloaded. GitHub keeps them for {RETENTION_DAYS} days after they were handed on, or for fewer where the organisation says so. "Re-run all jobs" makes them anew, "Re-run failed jobs" does not. With install = "pip" in stages.toml no artifact is needed.'
  exit 1
fi
tar --extract --file "$RUNNER_TEMP/programs/programs.tar" --directory "$RUNNER_TEMP/programs"
echo "$RUNNER_TEMP/programs" >> "$GITHUB_PATH"
"#
    )
}

/// From a package index, into a virtual environment of the job's own.
pub(super) fn install(file: &StageFile) -> Step {
    let release = file.pipeline.release.as_deref().unwrap_or_default();
    let version = release.strip_prefix('v').unwrap_or(release);
    let hashes = file.pipeline.wheel_sha256.iter();
    let hashes: String = hashes
        .map(|hash| format!(" --hash=sha256:{hash}"))
        .collect();
    Step::run("Install the programs", INSTALL)
        .env("WHEEL", format!("domino-deploy=={version}{hashes}"))
        .env("INDEX_URL", "${{ vars.PIP_INDEX_URL }}")
}

/// From the workspace in this repository; if its sources are those of an earlier run, so are the programs.
fn built(file: &StageFile, archive: &str, build: &str) -> Vec<Step> {
    let cache = cache::programs(file, archive);
    let mut build = Step::run("Build the programs", build);
    build.r#if = cache
        .is_some()
        .then(|| "steps.built.outputs.cache-hit != 'true'".to_owned());

    let mut steps = vec![
        actions::CHECKOUT
            .step("Check out the sources")
            .with("persist-credentials", false),
    ];
    steps.extend(cache);
    steps.push(build);
    steps
}

/// From a release, once its checksum and its attestation have been verified.
pub(super) fn download(file: &StageFile) -> Step {
    let release = file.pipeline.release.as_deref().unwrap_or_default();
    let repository = file
        .pipeline
        .release_repository
        .as_deref()
        .unwrap_or_default();
    let step = Step::run("Download and verify the programs", FETCH);
    let step = match &file.pipeline.release_token_secret {
        Some(secret) => step.env_with_reason(
            "GH_TOKEN",
            format!("${{{{ secrets.{secret} }}}}"),
            "zizmor: ignore[secrets-outside-env] it reads releases of that repository, and nothing else",
        ),
        None => step.env("GH_TOKEN", "${{ github.token }}"),
    };
    step.env("RELEASE", release)
        .env("RELEASE_REPOSITORY", repository)
}

fn hand_on() -> Step {
    actions::UPLOAD_ARTIFACT
        .step("Hand the programs on")
        .with("name", ARTIFACT)
        .with("path", "programs.tar")
        .with("if-no-files-found", "error")
        .with("retention-days", RETENTION_DAYS)
}
