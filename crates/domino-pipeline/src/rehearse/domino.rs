//! The Domino of a rehearsal: a sandbox seeded from the stage file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use domino_sandbox::{MlflowContext, Pace, Sandbox, Seed};
use toml::Table;

use super::args::Args;
use super::kept_domino::KeptDomino;
use super::mlflow::Mlflow;
use super::settings::Domino;
use super::subject::Subject;

/// The interpreter that a person names by itself, or by its virtual environment.
///
/// # Errors
/// When there is none.
fn python(named: &Path) -> anyhow::Result<PathBuf> {
    let inside = named.join("bin/python3");
    let python = if inside.is_file() {
        inside
    } else {
        named.to_owned()
    };
    anyhow::ensure!(
        python.is_file(),
        "there is no Python at {}: `--python` takes a virtual environment, or a python3",
        named.display()
    );
    // A link is not followed: by its place Python knows its environment.
    std::path::absolute(&python).with_context(|| format!("cannot find {}", python.display()))
}

/// What its experiment manager takes from outside of a run: no write, where the stage file says that runs promote.
fn mlflow_context(stage_file: &str) -> MlflowContext {
    let file: Option<Table> = stage_file.parse().ok();
    let promote =
        file.and_then(|file| Some(file.get("pipeline")?.get("promote")?.as_str()? == "inside"));
    match promote {
        Some(true) => MlflowContext::Inside,
        _ => MlflowContext::None,
    }
}

/// Starts a sandbox with what the stage file names, whose newest commit is the rehearsed one. Its runs find our programs where they are there.
///
/// # Errors
/// When the stage file or the file of faults cannot be read, there is no such Python, or there is no port to be had.
pub fn start(
    subject: &Subject,
    args: &Args,
    mlflow: Option<&Mlflow>,
    programs: Option<PathBuf>,
) -> anyhow::Result<Domino> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &subject.stage_file)?;
    let model_token = random_text(40);
    let sandbox = Sandbox::start(domino_sandbox::Options {
        repository: subject.repository.root.clone(),
        head: Some(subject.commit.sha.clone()),
        version: args.domino_version,
        // A person wants to see the statuses go by; nobody else does.
        delays: if std::io::stdout().is_terminal() {
            Pace::human()
        } else {
            Pace::instant()
        },
        seed: Seed::from_stage_file(file.path())?,
        model_token: Some(model_token.clone()),
        mlflow: mlflow.map(|mlflow| mlflow.uri.clone()),
        mlflow_context: mlflow_context(&subject.stage_file),
        python: args.python.as_deref().map(python).transpose()?,
        programs,
        ..domino_sandbox::Options::default()
    })?;
    if let Some(faults) = &args.faults {
        sandbox.faults().load(faults)?;
    }
    let accounts = sandbox.accounts().iter();
    let reached = KeptDomino {
        url: sandbox.url().to_owned(),
        version: args.domino_version.to_string(),
        tokens: accounts
            .map(|account| (account.user_name.clone(), account.token.clone()))
            .collect(),
        model_token,
    };
    Ok(Domino::Own(Arc::new(sandbox), reached))
}

/// A text that nobody guesses.
pub fn random_text(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(length)
        .collect()
}
