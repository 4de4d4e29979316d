//! The Domino of a rehearsal: a sandbox seeded from the stage file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use domino_sandbox::{Pace, Sandbox, Seed, Version};
use rehearsal::repository::Repository;

/// The interpreter that a person names by itself, or by its virtual environment.
///
/// # Errors
/// When there is none.
pub fn python(named: &Path) -> anyhow::Result<PathBuf> {
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

/// Starts a sandbox with what the stage file names.
///
/// # Errors
/// When the stage file or the file of faults cannot be read, or there is no port to be had.
pub fn start_sandbox(
    repository: &Repository,
    stage_file: &str,
    version: Version,
    faults: Option<&Path>,
    model_token: &str,
    mlflow: Option<String>,
    python: Option<PathBuf>,
) -> anyhow::Result<Arc<Sandbox>> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), stage_file)?;
    let sandbox = Sandbox::start(domino_sandbox::Options {
        repository: repository.root.clone(),
        version,
        // A person wants to see the statuses go by; nobody else does.
        delays: if std::io::stdout().is_terminal() {
            Pace::human()
        } else {
            Pace::instant()
        },
        seed: Seed::from_stage_file(file.path())?,
        model_token: Some(model_token.to_owned()),
        mlflow,
        python,
        ..domino_sandbox::Options::default()
    })?;
    if let Some(faults) = faults {
        sandbox.faults().load(faults)?;
    }
    Ok(Arc::new(sandbox))
}
