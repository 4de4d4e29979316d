//! The SHA-256 of the wheel that this program was installed from, if the installer recorded its file.
//!
//! `direct_url.json` (PEP 610) is next to what was installed from a file; after an installation from an index there
//! is none.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

#[derive(Deserialize)]
struct DirectUrl {
    url: String,
}

/// The digest, in hexadecimal, of the wheel that the program at `program` was installed from.
pub(super) fn sha256_behind(program: &Path) -> Option<String> {
    let environment = program.parent()?.parent()?;
    let wheel = wheel_file(&environment.join("lib"))?;
    let digest = Sha256::digest(fs::read(wheel).ok()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `lib/python3.12/site-packages/domino_deploy-1.2.0.dist-info/direct_url.json` names it.
fn wheel_file(lib: &Path) -> Option<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let note = folders(lib)
        .iter()
        .flat_map(|python| folders(&python.join("site-packages")))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("domino_deploy-"))
        })
        .find_map(|info| fs::read_to_string(info.join("direct_url.json")).ok())?;
    let note: DirectUrl = serde_json::from_str(&note).ok()?;
    let path = note.url.strip_prefix("file://")?;
    path.ends_with(".whl").then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wheel_is_found_by_the_installers_note() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("domino_deploy-1.2.0-py3-none-any.whl");
        fs::write(&wheel, b"abc").unwrap();
        let info = folder
            .path()
            .join("env/lib/python3.12/site-packages/domino_deploy-1.2.0.dist-info");
        fs::create_dir_all(&info).unwrap();
        let program = folder.path().join("env/bin/domino-pipeline");
        assert_eq!(sha256_behind(&program), None, "installed from an index");
        let note = format!(
            "{{\"url\": \"file://{}\", \"archive_info\": {{}}}}",
            wheel.display()
        );
        fs::write(info.join("direct_url.json"), note).unwrap();
        assert_eq!(
            sha256_behind(&program).as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }
}
