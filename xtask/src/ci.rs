//! `cargo xtask ci`: runs every check of the list here, even after one has failed.
//!
//! The list is in `checks.rs`, from which `ci.yml` is generated as well.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::checks::CHECKS;

/// Runs every check; the exit code is 1 if one failed.
pub fn run(root: &Path) -> ExitCode {
    let mut failed = Vec::new();
    for check in CHECKS {
        eprintln!("\n== {}", check.name);
        let status = Command::new("bash")
            .args([
                "--noprofile",
                "--norc",
                "-euo",
                "pipefail",
                "-c",
                check.command,
            ])
            .envs(check.env.iter().copied())
            .current_dir(root)
            .status();
        match status {
            Ok(status) if status.success() => {}
            Ok(_) => {
                eprintln!("== {} failed", check.name);
                failed.push(check.name);
            }
            Err(error) => {
                eprintln!("error: cannot run bash\n  caused by: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "\nerror: {} of {} checks failed: {}",
        failed.len(),
        CHECKS.len(),
        failed.join(", ")
    );
    ExitCode::FAILURE
}
