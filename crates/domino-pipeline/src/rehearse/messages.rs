//! What a rehearsal prints before its first workflow and after its last.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use domino_core::receipt::{NOTES, Notes};
use github_workflow::problem::Problem;
use rehearsal::console::{self, Console, Look};
use rehearsal::report::{CANNOT, Report};
use rehearsal::runner::Runner;

use super::kept::KeptFolder;
use super::kept_domino::KeptDomino;
use super::mlflow::Mlflow;
use super::settings::{APPROVER, AUTHOR, Domino, STEPS_USER};
use crate::repository;

/// Prints why there is nothing to rehearse.
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

/// Hides the credentials of the sandbox from now on.
pub fn hide_credentials(console: &Console, domino: &Domino) {
    let reached = domino.reached();
    console.mask(&reached.model_token);
    for secret in reached.secrets() {
        console.mask(secret);
    }
    for (_, token) in &reached.tokens {
        console.mask(token);
    }
    if let Domino::Own(sandbox, _) = domino {
        for account in sandbox.accounts() {
            console.mask(&account.api_key);
        }
    }
}

/// Says which Domino, and which MLflow, the steps are sent to.
pub fn announce(console: &Console, domino: &Domino, mlflow: Option<&Mlflow>) {
    if let Some(mlflow) = mlflow {
        let uri = &mlflow.uri;
        console.line(
            Look::Plain,
            &format!("experiments and registered models are kept by MLflow at {uri}"),
        );
    }
    let KeptDomino { url, version, .. } = domino.reached();
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

/// Prints how long the sandbox stays up, and what to export to use it. Its credentials were generated at its start
/// and open nothing else, so they are shown here.
pub fn stays_up(
    console: &Console,
    domino: &KeptDomino,
    folder: &KeptFolder,
    programs: Option<&Path>,
    until: &str,
) {
    let url = &domino.url;
    console.line(
        Look::Bold,
        &format!("the sandbox stays up at {url} until {until}"),
    );
    println!("export DOMINO_API_HOST={url}");
    for (variable, user, what) in [
        ("DOMINO_TOKEN", STEPS_USER, "as which the steps sign in"),
        ("AUTHOR_TOKEN", AUTHOR, "who pushed"),
        ("APPROVER_TOKEN", APPROVER, "who approves in Domino"),
    ] {
        let token = domino.token_of(user);
        if !token.is_empty() {
            println!("export {variable}={token}  # {user}, {what}");
        }
    }
    for environment in &domino.environments {
        let mut secrets = environment.secrets.iter();
        if let Some((_, token)) = secrets.find(|(name, _)| name == "DOMINO_TOKEN") {
            let (variable, name) = (&environment.token_variable, &environment.name);
            println!("export {variable}={token}  # of {name}, as which its steps sign in");
        }
    }
    let token = &domino.model_token;
    println!("export DOMINO_MODEL_TOKEN={token}  # what every endpoint takes");
    if let Some(programs) = programs {
        println!("export PATH=\"{}:$PATH\"", programs.display());
    }
    let again = format!(
        "{} rehearse --rerun failed --kept {}",
        repository::called_as(),
        folder.path.display()
    );
    if Notes::of(&folder.origin()).exist() {
        let (me, origin) = (repository::called_as(), folder.origin());
        let history = format!("{me} history --offline --repository {}", origin.display());
        console.line(Look::Plain, &format!("what ran where: {history}"));
    }
    console.line(
        Look::Plain,
        &format!("run it again, as on GitHub (`all` in place of `failed`): {again}"),
    );
}

/// Says how many receipts arrived as git notes in the stand-in for the repository on GitHub.
pub fn tell_of_receipts(console: &Console, origin: &Path) {
    let notes = Notes::of(origin);
    if !notes.exist() {
        return;
    }
    let told = notes.read().map(|history| {
        let flaws: Vec<String> = history.check().iter().map(ToString::to_string).collect();
        let chain = match flaws.is_empty() {
            true => "their chain is whole".to_owned(),
            false => format!("their chain is broken: {}", flaws.join("; ")),
        };
        let count = history.kept.len();
        format!("receipts: {count} as git notes in {NOTES}; {chain}")
    });
    let told = told.unwrap_or_else(|error| format!("receipts: {error:#}"));
    console.line(Look::Plain, &told);
}

/// Prints table, summaries and verdict; returns the exit code.
pub fn conclude(runner: &Runner, took: Duration) -> u8 {
    let report: &Report = &runner.report();
    report.show(&runner.console, console::width());
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
