//! The artifacts of one workflow run: what `actions/upload-artifact` keeps and `actions/download-artifact` brings.
//!
//! As on GitHub, files lose their permissions on the way, dot files stay behind unless asked for, and empty folders are
//! not kept.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::file_pattern::{self, HiddenFiles};

/// Where the artifacts of one workflow run are kept.
#[derive(Debug)]
pub struct Artifacts {
    folder: PathBuf,
    uploaded: Vec<String>,
}

/// What an upload did.
#[derive(Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// It kept this many files.
    Files(usize),
    /// It found no file.
    Nothing,
}

impl Artifacts {
    /// Keeps artifacts in a folder of their own.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            uploaded: Vec::new(),
        }
    }

    /// Keeps the files that the lines of `path` select.
    ///
    /// # Errors
    /// A sentence in GitHub's sense: a name that is taken or not allowed, files that cannot be read.
    pub fn upload(
        &mut self,
        name: &str,
        workspace: &Path,
        path: &str,
        hidden: HiddenFiles,
        overwrite: bool,
    ) -> Result<Uploaded, String> {
        if name.is_empty()
            || name.contains(['"', ':', '<', '>', '|', '*', '?', '\r', '\n', '\\', '/'])
        {
            return Err(format!(
                "`{name}` is not a name GitHub takes for an artifact"
            ));
        }
        if self.uploaded.iter().any(|taken| taken == name) {
            if !overwrite {
                return Err(format!(
                    "409 Conflict: an artifact named `{name}` already exists on this run"
                ));
            }
            std::fs::remove_dir_all(self.folder.join(name)).map_err(|error| error.to_string())?;
        }
        let patterns: Vec<String> = path.lines().map(str::to_owned).collect();
        let found = file_pattern::find(workspace, &patterns, hidden)?;
        if found.files.is_empty() {
            return Ok(Uploaded::Nothing);
        }
        let root = common_folder(&found.roots);
        for file in &found.files {
            let relative = file.strip_prefix(&root).unwrap_or(file);
            copy(file, &self.folder.join(name).join(relative))?;
        }
        if !self.uploaded.iter().any(|known| known == name) {
            self.uploaded.push(name.to_owned());
        }
        Ok(Uploaded::Files(found.files.len()))
    }

    /// The number GitHub would know an artifact by; here its place in this run, counted from 1.
    pub fn id(&self, name: &str) -> Option<usize> {
        self.uploaded
            .iter()
            .position(|known| known == name)
            .map(|at| at + 1)
    }

    /// Brings one artifact into a folder, or with no name all of them, each in a folder of its own.
    ///
    /// # Errors
    /// A sentence in GitHub's sense: no such artifact, a file that cannot be written.
    pub fn download(&self, name: Option<&str>, into: &Path) -> Result<usize, String> {
        match name {
            Some(name) if self.id(name).is_none() => Err(format!(
                "unable to download artifact(s): artifact not found for name: {name}"
            )),
            Some(name) => copy_all(&self.folder.join(name), into),
            None => self
                .uploaded
                .iter()
                .map(|name| copy_all(&self.folder.join(name), &into.join(name)))
                .sum(),
        }
    }
}

/// What all roots have in common; of a single file, its folder.
fn common_folder(roots: &[PathBuf]) -> PathBuf {
    let mut common = roots.first().cloned().unwrap_or_default();
    while !roots.iter().all(|root| root.starts_with(&common)) {
        common.pop();
    }
    if common.is_file() {
        common.pop();
    }
    common
}

fn copy_all(from: &Path, into: &Path) -> Result<usize, String> {
    let found = file_pattern::find(from, &[".".into()], HiddenFiles::Include)?;
    for file in &found.files {
        copy(file, &into.join(file.strip_prefix(from).unwrap_or(file)))?;
    }
    Ok(found.files.len())
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copy = || {
        std::fs::create_dir_all(to.parent().unwrap_or(Path::new("/")))?;
        std::fs::copy(from, to)?;
        std::fs::set_permissions(to, PermissionsExt::from_mode(0o644))
    };
    copy().map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let found = file_pattern::find(folder, &[".".into()], HiddenFiles::Include).unwrap();
        let name = |file: &PathBuf| {
            file.strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        found.files.iter().map(name).collect()
    }

    #[test]
    fn files_arrive_below_what_their_paths_have_in_common_and_lose_their_permissions() {
        let work = tempfile::tempdir().unwrap();
        for name in [
            "out/bin/tool",
            "out/bin/deep/other",
            "out/readme",
            "out/.hidden",
            "out/empty/.keep",
        ] {
            write(&work.path().join(name), name);
        }
        for (path, wanted) in [
            ("out/bin/tool", vec!["tool"]),
            ("out", vec!["bin/deep/other", "bin/tool", "readme"]),
            (
                "out/bin\nout/readme",
                vec!["bin/deep/other", "bin/tool", "readme"],
            ),
            (
                "out/bin/tool\nout/bin/deep/other",
                vec!["deep/other", "tool"],
            ),
            ("out/**/t*\n!out/readme", vec!["bin/tool"]),
        ] {
            let store = tempfile::tempdir().unwrap();
            let mut artifacts = Artifacts::new(store.path().to_owned());
            artifacts
                .upload("programs", work.path(), path, HiddenFiles::Exclude, false)
                .unwrap();
            let into = tempfile::tempdir().unwrap();
            assert_eq!(
                artifacts.download(Some("programs"), into.path()).unwrap(),
                wanted.len()
            );
            assert_eq!(names(into.path()), wanted, "{path}");
            let mode = std::fs::metadata(into.path().join(wanted[0]))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o644);
        }
    }

    #[test]
    fn names_are_taken_once_and_missing_ones_are_named() {
        let work = tempfile::tempdir().unwrap();
        write(&work.path().join("a"), "a");
        write(&work.path().join("b"), "b");
        let store = tempfile::tempdir().unwrap();
        let mut artifacts = Artifacts::new(store.path().to_owned());
        let mut upload = |name: &str, path: &str, overwrite: bool| {
            artifacts.upload(name, work.path(), path, HiddenFiles::Exclude, overwrite)
        };
        assert_eq!(upload("one", "none", false), Ok(Uploaded::Nothing));
        assert_eq!(upload("one", "a", false), Ok(Uploaded::Files(1)));
        assert!(upload("one", "b", false).unwrap_err().contains("409"));
        assert_eq!(upload("one", "b", true), Ok(Uploaded::Files(1)));
        assert!(
            upload("../up", "a", false)
                .unwrap_err()
                .contains("not a name")
        );
        assert!(
            artifacts
                .download(Some("two"), work.path())
                .unwrap_err()
                .contains("not found for name: two")
        );
        let into = tempfile::tempdir().unwrap();
        artifacts.download(None, into.path()).unwrap();
        assert_eq!(names(into.path()), ["one/b"]);
    }
}
