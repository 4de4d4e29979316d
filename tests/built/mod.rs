//! The programs of this build. A test of the whole workspace has built them already, with the features of the whole;
//! building them separately would compile most of their dependencies a second time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The programs that workflows install.
pub const PROGRAMS: [&str; 4] = ["deploy-job", "deploy-app", "deploy-model", "promote-stage"];

/// The folder that holds the programs, built from the sources as they are now.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_domino-pipeline"))
        .parent()
        .unwrap();
    if !PROGRAMS.iter().all(|program| is_fresh(folder, program)) {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked"])
            .args(PROGRAMS.iter().flat_map(|program| ["--package", program]))
            .env("CARGO_TARGET_DIR", folder.parent().unwrap())
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .output()
            .unwrap();
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
    }
    folder.to_owned()
}

/// Whether a program is newer than every source that cargo noted beside it.
fn is_fresh(folder: &Path, program: &str) -> bool {
    let modified = |path: &Path| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    let noted = std::fs::read_to_string(folder.join(format!("{program}.d"))).unwrap_or_default();
    let Some((made, (_, sources))) = modified(&folder.join(program)).zip(noted.split_once(": "))
    else {
        return false;
    };
    // A path with a blank in it is found nowhere, and the program built.
    sources
        .split_whitespace()
        .all(|source| modified(Path::new(source)).is_some_and(|changed| changed <= made))
}
