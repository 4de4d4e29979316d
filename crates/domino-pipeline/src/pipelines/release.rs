//! `release.yml`: on a tag, builds the programs as static archives for both kinds of Linux machine and as wheels for
//! Linux and macOS, with a bill of materials, checksums and a signed statement of which run built them.
//!
//! The job that may publish runs none of our code and none of our dependencies: it signs and uploads what jobs
//! without any permission have built. `programs.rs` verifies what is published here.

use indexmap::IndexMap;
use serde_saphyr::{Commented, SpaceAfter};

use crate::actions;
use github_workflow::write::{
    Concurrency, Filter, Job, Permissions, RunsOn, Step, Triggers, Workflow,
};

/// A machine that programs are built for, on a runner of its own kind.
struct Machine {
    /// The name of its archive, as `uname --machine` prints it.
    name: &'static str,
    /// The GitHub-hosted runner.
    runner: &'static str,
}

const ARCHIVES: [Machine; 2] = [
    Machine {
        name: "x86_64",
        runner: "ubuntu-24.04",
    },
    Machine {
        name: "aarch64",
        runner: "ubuntu-24.04-arm",
    },
];

const WHEELS: [Machine; 3] = [
    Machine {
        name: "linux-x86_64",
        runner: "ubuntu-24.04",
    },
    Machine {
        name: "linux-aarch64",
        runner: "ubuntu-24.04-arm",
    },
    Machine {
        name: "macos-arm64",
        runner: "macos-15",
    },
];

const PUBLISH: &str = r#"gh release create "$GITHUB_REF_NAME" --verify-tag --title "$GITHUB_REF_NAME" --generate-notes programs-*.tar.gz programs-*.tar.gz.sha256 domino_deploy-*.whl wheel-*.sha256 ./*.cdx.json bill-of-materials.sha256
"#;

const BILL_OF_MATERIALS: &str = "\
cargo install --locked --version 0.5.9 cargo-cyclonedx
cargo cyclonedx --format json --describe binaries --target x86_64-unknown-linux-musl
mkdir bill
mv crates/deploy-*/*_bin.cdx.json crates/promote-stage/*_bin.cdx.json crates/domino-pipeline/*_bin.cdx.json bill/
cd bill
sha256sum ./*.cdx.json > bill-of-materials.sha256
";

/// The workflow for releases.
pub(super) fn release() -> Workflow {
    let mut made: Vec<Job> = ARCHIVES.iter().map(archive).collect();
    made.extend(WHEELS.iter().map(wheel));
    made.push(bill_of_materials());
    let publish = made.iter().fold(publish(), Job::after);
    made.push(publish);
    Workflow {
        name: "Release".to_owned(),
        on: Triggers {
            push: Some(Filter {
                tags: vec!["v*".to_owned()],
                ..Filter::default()
            }),
            ..Triggers::default()
        },
        permissions: Permissions::none(),
        concurrency: SpaceAfter(Concurrency {
            group: Commented(
                "release-${{ github.ref }}".to_owned(),
                "a tag is released once".to_owned(),
            ),
            cancel_in_progress: false,
            queue: None,
        }),
        jobs: made,
    }
}

fn archive(machine: &Machine) -> Job {
    let name = machine.name;
    let target = format!("{name}-unknown-linux-musl");
    let archive = format!("programs-{name}.tar.gz");
    let steps = vec![
        actions::CHECKOUT
            .step("Check out the sources")
            .with("persist-credentials", false),
        Step::run(
            "Prepare for static programs",
            format!(
                "rustup target add {target}\nsudo apt-get update\nsudo apt-get install --yes musl-tools\n"
            ),
        ),
        Step::run(
            "Build the programs",
            format!(
                "cargo build --release --locked --target {target} --package deploy-job --package deploy-app \
                 --package deploy-model --package promote-stage --package domino-pipeline\n\
                 tar --create --gzip --file {archive} --directory target/{target}/release deploy-job deploy-app \
                 deploy-model promote-stage domino-pipeline\n\
                 sha256sum {archive} > {archive}.sha256\n"
            ),
        ),
        upload(name, format!("{archive}\n{archive}.sha256\n")),
    ];
    let permissions = Permissions::none().and("contents", "read", "checks out the sources");
    job(
        format!("build-{name}"),
        format!("Build for {name}"),
        machine.runner,
        permissions,
        steps,
    )
}

/// macOS has `shasum` and no `sha256sum`; Linux has both.
fn wheel(machine: &Machine) -> Job {
    let name = machine.name;
    let steps = vec![
        actions::CHECKOUT
            .step("Check out the sources")
            .with("persist-credentials", false),
        Step::run(
            "Build the wheel",
            format!(
                "cargo xtask wheel --out wheels\ncd wheels\nshasum --algorithm 256 ./*.whl > wheel-{name}.sha256\n"
            ),
        ),
        upload(
            &format!("wheel-{name}"),
            "wheels/*.whl\nwheels/*.sha256\n".to_owned(),
        ),
    ];
    let permissions = Permissions::none().and("contents", "read", "checks out the sources");
    job(
        format!("wheel-{name}"),
        format!("Wheel for {name}"),
        machine.runner,
        permissions,
        steps,
    )
}

fn bill_of_materials() -> Job {
    let steps = vec![
        actions::CHECKOUT
            .step("Check out the sources")
            .with("persist-credentials", false),
        Step::run("Write the bill of materials", BILL_OF_MATERIALS),
        upload(
            "bill-of-materials",
            "bill/*.cdx.json\nbill/bill-of-materials.sha256\n".to_owned(),
        ),
    ];
    let permissions = Permissions::none().and("contents", "read", "checks out the sources");
    job(
        "bill-of-materials".to_owned(),
        "Write the bill of materials".to_owned(),
        ARCHIVES[0].runner,
        permissions,
        steps,
    )
}

fn publish() -> Job {
    let steps = vec![
        actions::DOWNLOAD_ARTIFACT
            .step("Gather what was made")
            .with("merge-multiple", true),
        actions::ATTEST_BUILD_PROVENANCE
            .step("Sign where it comes from")
            .with("subject-path", "programs-*.tar.gz\n*.whl\n*.cdx.json\n"),
        Step::run("Publish the release", PUBLISH)
            .env("GH_TOKEN", "${{ github.token }}")
            .env("GH_REPO", "${{ github.repository }}"),
    ];
    let permissions = Permissions::none()
        .and("contents", "write", "creates the release")
        .and(
            "id-token",
            "write",
            "proves to the signer which run this is",
        )
        .and(
            "attestations",
            "write",
            "keeps the signed statement with the repository",
        );
    job(
        "publish".to_owned(),
        "Publish".to_owned(),
        ARCHIVES[0].runner,
        permissions,
        steps,
    )
}

fn job(id: String, name: String, runner: &str, permissions: Permissions, steps: Vec<Step>) -> Job {
    Job {
        id,
        name,
        needs: Vec::new(),
        r#if: None,
        runs_on: RunsOn::Label(runner.to_owned()),
        timeout_minutes: 30,
        environment: None,
        permissions,
        concurrency: None,
        outputs: IndexMap::new(),
        steps: steps.into_iter().map(Into::into).collect(),
    }
}

fn upload(name: &str, path: String) -> Step {
    actions::UPLOAD_ARTIFACT
        .step("Hand it on")
        .with("name", name)
        .with("path", path)
        .with("if-no-files-found", "error")
        .with("retention-days", 1)
}
