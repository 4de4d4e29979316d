//! The Domino of a rehearsal: a sandbox seeded from the stage file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use domino_sandbox::{MlflowContext, Pace, Sandbox, Seed, Version};
use toml::Table;

use super::subject::Subject;

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

/// What runs find on their machine.
#[derive(Debug, Default)]
pub struct Image {
    /// The interpreter, in place of the one in `PATH`.
    pub python: Option<PathBuf>,
    /// The folder with our programs.
    pub programs: Option<PathBuf>,
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

/// Starts a sandbox with what the stage file names, whose newest commit is the rehearsed one.
///
/// # Errors
/// When the stage file or the file of faults cannot be read, or there is no port to be had.
pub fn start_sandbox(
    subject: &Subject,
    version: Version,
    faults: Option<&Path>,
    model_token: &str,
    mlflow: Option<String>,
    image: Image,
) -> anyhow::Result<Arc<Sandbox>> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &subject.stage_file)?;
    let sandbox = Sandbox::start(domino_sandbox::Options {
        repository: subject.repository.root.clone(),
        head: Some(subject.commit.sha.clone()),
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
        mlflow_context: mlflow_context(&subject.stage_file),
        python: image.python,
        programs: image.programs,
        ..domino_sandbox::Options::default()
    })?;
    if let Some(faults) = faults {
        sandbox.faults().load(faults)?;
    }
    Ok(Arc::new(sandbox))
}
