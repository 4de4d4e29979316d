//! What a rehearsal says before its first workflow and after its last.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use domino_sandbox::{Sandbox, Version};
use github_workflow::problem::Problem;
use rehearsal::console::{Console, Look};
use rehearsal::interrupt::Interrupt;
use rehearsal::report::{CANNOT, Report};
use rehearsal::runner::Runner;

use super::mlflow::Mlflow;

/// Says why there is nothing to rehearse.
pub fn nothing_to_rehearse(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
    ExitCode::from(CANNOT)
}

/// Names what cannot be rehearsed; nothing was run.
pub fn refuse(console: &Console, problems: &[Problem]) -> ExitCode {
    console.blank();
    for problem in problems {
        console.line(Look::Bad, &format!("cannot rehearse: {problem}"));
    }
    let count = problems.len();
    let word = if count == 1 { "problem" } else { "problems" };
    console.line(Look::Bold, &format!("{count} {word}; nothing was run"));
    ExitCode::from(CANNOT)
}

/// Has no credential of the sandbox shown from now on.
pub fn hide_credentials(console: &Console, sandbox: &Sandbox, model_token: &str) {
    console.mask(model_token);
    for account in sandbox.accounts() {
        console.mask(&account.api_key);
        console.mask(&account.token);
    }
}

/// Says which Domino, and which MLflow, the steps are sent to.
pub fn announce(console: &Console, sandbox: &Sandbox, version: Version, mlflow: Option<&Mlflow>) {
    if let Some(mlflow) = mlflow {
        let uri = &mlflow.uri;
        console.line(
            Look::Plain,
            &format!("experiments and registered models are kept by MLflow at {uri}"),
        );
    }
    let url = sandbox.url();
    console.line(
        Look::Plain,
        &format!("Domino {version} is the sandbox at {url}; jobs with an environment find it as DOMINO_API_HOST"),
    );
}

/// Says where cargo keeps what it compiles, and what else a person should know.
pub fn announce_folders(console: &Console, build_folder: Option<&Path>, notes: &[String]) {
    if let Some(folder) = build_folder {
        let folder = folder.display();
        console.line(
            Look::Plain,
            &format!("cargo keeps what it compiles in {folder} (CARGO_BUILD_BUILD_DIR)"),
        );
    }
    for note in notes {
        console.line(Look::Dim, &format!("note: {note}"));
    }
}

/// Leaves the sandbox up until Ctrl-C.
pub fn keep(console: &Console, sandbox: &Sandbox, interrupt: &Interrupt) {
    let url = sandbox.url();
    console.line(
        Look::Bold,
        &format!("the sandbox stays up at {url} until Ctrl-C"),
    );
    while !interrupt.asked() {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Shows table, summaries and verdict; the exit code comes back.
pub fn conclude(runner: &Runner, took: Duration) -> u8 {
    let report: &Report = &runner.report.borrow();
    report.show(&runner.console);
    runner.console.blank();
    if runner
        .summaries
        .read_dir()
        .is_ok_and(|mut files| files.next().is_some())
    {
        runner.console.line(
            Look::Plain,
            &format!("summaries: {}", runner.summaries.display()),
        );
    }
    let (look, verdict) = report.verdict(took);
    runner.console.line(look, &verdict);
    report.exit_code()
}
