//! The Domino of a rehearsal: a sandbox with data from the stage file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domino_sandbox::{MlflowContext, Pace, Sandbox, Seed};
use toml::Table;

use super::args::Args;
use super::kept_domino::KeptDomino;
use super::mlflow::Mlflow;
use super::packages;
use super::settings::{ADMINISTRATOR, Domino};
use super::subject::Subject;

/// Which writes its experiment manager accepts from outside of a run: none, if the stage file says that runs promote.
fn mlflow_context(stage_file: &str) -> MlflowContext {
    let file: Option<Table> = stage_file.parse().ok();
    let promote =
        file.and_then(|file| Some(file.get("pipeline")?.get("promote")?.as_str()? == "inside"));
    match promote {
        Some(true) => MlflowContext::Inside,
        _ => MlflowContext::None,
    }
}

/// Starts a sandbox with everything that the stage file names, or with what a set-up finds; its newest commit is the
/// rehearsed one. Its runs find our programs if they exist.
///
/// # Errors
/// When the stage file or the file of faults cannot be read, there is no such Python, or no port is available.
pub fn start(
    subject: &Subject,
    args: &Args,
    mlflow: Option<&Mlflow>,
    programs: Option<PathBuf>,
) -> anyhow::Result<Domino> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &subject.stage_file)?;
    let model_token = random_text(40);
    let python = args.python.as_deref().map(packages::python).transpose()?;
    warn_of_missing(subject, python.as_deref());
    let seed = Seed::from_stage_file(file.path())?;
    let seed = match args.from_empty {
        true => seed
            .without_projects()
            .without_service_accounts()
            .admin(ADMINISTRATOR),
        false => seed,
    };
    let sandbox = Sandbox::start(domino_sandbox::Options {
        repository: subject.repository.root.clone(),
        head: Some(subject.commit.sha.clone()),
        version: args.domino_version,
        apps_v1: args.apps_v1,
        // Only a person at a terminal wants to see the statuses change.
        delays: if std::io::stdout().is_terminal() {
            Pace::human()
        } else {
            Pace::instant()
        },
        seed,
        model_token: Some(model_token.clone()),
        mlflow: mlflow.map(|mlflow| mlflow.uri.clone()),
        mlflow_context: mlflow_context(&subject.stage_file),
        python,
        programs,
        ..domino_sandbox::Options::default()
    })?;
    if let Some(faults) = &args.faults {
        sandbox.faults().load(faults)?;
    }
    let accounts = sandbox.accounts().into_iter();
    let reached = KeptDomino {
        url: sandbox.url().to_owned(),
        version: args.domino_version.to_string(),
        tokens: accounts
            .map(|account| (account.user_name.clone(), account.token.clone()))
            .collect(),
        model_token,
        environments: Vec::new(),
    };
    Ok(Domino::Own(Arc::new(sandbox), reached))
}

/// Says which packages the runs will not find, before one of them ends at an `import`.
fn warn_of_missing(subject: &Subject, python: Option<&Path>) {
    let file = subject.repository.root.join(packages::REQUIREMENTS);
    let Ok(requirements) = std::fs::read_to_string(file) else {
        return;
    };
    let missing = packages::missing(&requirements, python);
    if !missing.is_empty() {
        eprintln!(
            "warning: the Python of the runs lacks `{}`, which {} asks for; `--python {1}` gives the runs what it asks for",
            missing.join("`, `"),
            packages::REQUIREMENTS
        );
    }
}

/// A random text that cannot be guessed.
pub fn random_text(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(length)
        .collect()
}
