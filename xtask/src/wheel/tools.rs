//! The tools that build and check the wheel, from PyPI by hash, and how one is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The virtual environment of the tools.
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// The tools of `tools.txt`, installed below this folder unless they are there already.
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub fn install(packaging: &Path, folder: &Path) -> Result<Self, String> {
        let tools = Self {
            folder: folder.join("tools"),
        };
        let requirements = packaging.join("tools.txt");
        let wanted = fs::read_to_string(&requirements)
            .map_err(|error| format!("cannot read `{}`: {error}", requirements.display()))?;
        let installed = tools.folder.join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(tools);
        }
        eprintln!(
            "wheel: installing the tools of {} into {}",
            requirements.display(),
            tools.folder.display()
        );
        let mut venv = Command::new("python3");
        run_tool(venv.args(["-m", "venv", "--clear"]).arg(&tools.folder))?;
        let mut pip = tools.command("pip");
        pip.args(["install", "--disable-pip-version-check", "--no-input"])
            .args(["--only-binary", ":all:", "--require-hashes"]);
        run_tool(pip.arg("--requirement").arg(&requirements))?;
        fs::write(&installed, wanted)
            .map_err(|error| format!("cannot write `{}`: {error}", installed.display()))?;
        Ok(tools)
    }

    /// A tool. What it calls by name it finds beside itself first.
    pub fn command(&self, name: &str) -> Command {
        let bin = self.folder.join("bin");
        let mut path = bin.clone().into_os_string();
        if let Some(inherited) = std::env::var_os("PATH") {
            path.push(":");
            path.push(inherited);
        }
        let mut command = Command::new(bin.join(name));
        command.env("PATH", path);
        command
    }
}

/// Runs a tool, which speaks for itself.
///
/// # Errors
/// When it cannot be run, or fails.
pub fn run_tool(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status();
    let status = status.map_err(|error| format!("cannot run `{name}`: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{name}` failed ({status})"))
    }
}
