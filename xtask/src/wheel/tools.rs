//! The tools that build and check the wheel, from PyPI, pinned by hash, and how one is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The virtual environment of the tools.
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Installs the tools of `tools.txt` below this folder, unless they are installed already.
    ///
    /// # Errors
    /// When one of them cannot be installed.
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

    /// A tool. Programs that it calls are looked for beside it first.
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

/// Runs a tool, which prints its own messages.
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
