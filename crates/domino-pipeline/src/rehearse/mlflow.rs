//! A real MLflow server in place of the sandbox's own registry: started before a rehearsal, ended after it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A server that runs until it is dropped.
pub struct Mlflow {
    /// Its address.
    pub uri: String,
    script: PathBuf,
    store: String,
}

impl Mlflow {
    /// Starts the pinned server of this project; the first start installs it.
    ///
    /// # Errors
    /// When it cannot be installed or does not come up.
    pub fn start() -> anyhow::Result<Self> {
        let script = crate::repository::root().join("tests/mlflow/start.sh");
        let output = Command::new("bash")
            .arg(&script)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", script.display()))?;
        if !output.status.success() {
            bail!("MLflow did not start");
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
                .with_context(|| format!("MLflow's start did not tell {name}"))
        };
        Ok(Self {
            uri: value("MLFLOW_TRACKING_URI")?,
            store: value("MLFLOW_STORE")?,
            script,
        })
    }
}

impl Drop for Mlflow {
    fn drop(&mut self) {
        let ended = Command::new("bash")
            .arg(&self.script)
            .arg("stop")
            .arg(&self.store)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        if !ended.is_ok_and(|status| status.success()) {
            eprintln!("warning: MLflow at {} could not be ended", self.uri);
        }
    }
}
