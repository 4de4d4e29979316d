//! The artifacts of one workflow run: what `actions/upload-artifact` keeps and `actions/download-artifact` restores.
//!
//! As on GitHub, files lose their permissions, dot files are left out unless asked for, empty folders are not kept,
//! and an artifact is deleted when its retention ends. Days pass only when a rehearsal says so.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::file_pattern::{self, HiddenFiles};

/// GitHub keeps an artifact for this many days, unless a workflow or an organisation sets fewer.
pub const MOST_DAYS: u32 = 90;

/// What a person is told when no artifact has that name: the action's own words.
const HINT: &str = "Please ensure that your artifact is not expired and the artifact was uploaded using a compatible \
                    version of toolkit/upload-artifact.";

/// Where the artifacts of one workflow run are kept.
#[derive(Debug)]
pub struct Artifacts {
    folder: PathBuf,
    time: RunTime,
    kept: Mutex<Vec<Artifact>>,
}

/// When an attempt at a run takes place, and how long artifacts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTime {
    /// The attempt, counted from 1. An artifact of an earlier attempt may be uploaded again.
    pub attempt: u64,
    /// The day, counted from that of the first attempt.
    pub day: u32,
    /// The most days that the repository keeps artifacts.
    pub most_days: u32,
}

impl RunTime {
    /// The first attempt, in a repository that has GitHub's own limit.
    pub const FIRST: Self = Self {
        attempt: 1,
        day: 0,
        most_days: MOST_DAYS,
    };
}

/// An uploaded artifact, whose retention may be over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    name: String,
    attempt: u64,
    /// The day of its upload, counted as [`RunTime::day`].
    day: u32,
    /// How many days it is kept after its upload.
    days: u32,
}

/// How files are uploaded.
#[derive(Debug, Clone, Copy)]
pub struct Upload {
    /// Whether dot files are uploaded too.
    pub hidden: HiddenFiles,
    /// Whether an artifact of the same name is replaced.
    pub overwrite: bool,
    /// How many days it is kept; as long as possible when absent.
    pub days: Option<u32>,
}

/// What an upload did.
#[derive(Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// It kept this many files for this many days.
    Files(usize, u32),
    /// It found no file.
    Nothing,
}

impl Artifacts {
    /// Keeps artifacts in a folder of their own, together with those that earlier attempts kept there.
    pub fn new(folder: PathBuf, time: RunTime, kept: Vec<Artifact>) -> Self {
        Self {
            folder,
            time,
            kept: Mutex::new(kept),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Artifact>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The artifacts to hand to a later attempt.
    pub fn list(&self) -> Vec<Artifact> {
        self.kept().clone()
    }

    fn folder_of(&self, artifact: &Artifact) -> PathBuf {
        let attempt = format!("attempt-{}", artifact.attempt);
        self.folder.join(attempt).join(&artifact.name)
    }

    /// How many days an artifact is kept under the repository's present limit.
    fn days_of(&self, artifact: &Artifact) -> u32 {
        artifact.days.min(self.time.most_days)
    }

    fn is_gone(&self, artifact: &Artifact) -> bool {
        self.time.day >= artifact.day + self.days_of(artifact)
    }

    /// Keeps the files that the lines of `path` select.
    ///
    /// # Errors
    /// A sentence in GitHub's sense: a name that is taken or not allowed, files that cannot be read.
    pub fn upload(
        &self,
        name: &str,
        workspace: &Path,
        path: &str,
        how: Upload,
    ) -> Result<Uploaded, String> {
        if name.is_empty()
            || name.contains(['"', ':', '<', '>', '|', '*', '?', '\r', '\n', '\\', '/'])
        {
            return Err(format!(
                "`{name}` is not a name GitHub takes for an artifact"
            ));
        }
        // Jobs that run side by side may want the same name, and only one gets it.
        let mut kept = self.kept();
        let most = self.time.most_days;
        let artifact = Artifact {
            name: name.to_owned(),
            attempt: self.time.attempt,
            day: self.time.day,
            days: how.days.filter(|days| *days > 0).unwrap_or(most).min(most),
        };
        let folder = self.folder_of(&artifact);
        let taken = kept
            .iter()
            .position(|taken| taken.name == name && taken.attempt == artifact.attempt);
        if let Some(at) = taken {
            if !how.overwrite {
                return Err(format!(
                    "409 Conflict: an artifact named `{name}` already exists on this run"
                ));
            }
            std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
            kept.remove(at);
        }
        let patterns: Vec<String> = path.lines().map(str::to_owned).collect();
        let found = file_pattern::find(workspace, &patterns, how.hidden)?;
        if found.files.is_empty() {
            return Ok(Uploaded::Nothing);
        }
        let root = common_folder(&found.roots);
        for file in &found.files {
            let relative = file.strip_prefix(&root).unwrap_or(file);
            copy(file, &folder.join(relative))?;
        }
        let days = artifact.days;
        kept.push(artifact);
        Ok(Uploaded::Files(found.files.len(), days))
    }

    /// The number by which GitHub would know an artifact; here its position in this run, counted from 1.
    pub fn id(&self, name: &str) -> Option<usize> {
        let kept = self.kept();
        let at = kept.iter().rposition(|known| known.name == name);
        at.map(|at| at + 1)
    }

    /// The newest of each name that has not expired.
    fn newest<'a>(&self, kept: &'a [Artifact]) -> Vec<&'a Artifact> {
        let mut newest: Vec<&Artifact> = Vec::new();
        for artifact in kept.iter().filter(|artifact| !self.is_gone(artifact)) {
            newest.retain(|known| known.name != artifact.name);
            newest.push(artifact);
        }
        newest
    }

    /// Copies the artifacts whose names match a pattern, the newest of each name; none is no error. With `merge` all of
    /// them go into this folder, else each into one of its own.
    ///
    /// # Errors
    /// A pattern that cannot be read, a file that cannot be written.
    pub fn download_matching(
        &self,
        pattern: &str,
        merge: bool,
        into: &Path,
    ) -> Result<usize, String> {
        let pattern = glob::Pattern::new(pattern)
            .map_err(|error| format!("input `pattern` cannot be read: {error}"))?;
        let kept = self.kept().clone();
        let matching = self.newest(&kept).into_iter();
        let matching = matching.filter(|artifact| pattern.matches(&artifact.name));
        let each = matching.map(|artifact| {
            let into = match merge {
                true => into.to_owned(),
                false => into.join(&artifact.name),
            };
            copy_all(&self.folder_of(artifact), &into)
        });
        each.sum()
    }

    /// Copies one artifact, the newest of its name, into a folder. Without a name it copies all, each into a folder
    /// of its own.
    ///
    /// # Errors
    /// A sentence in GitHub's sense: no such artifact, or it has expired; a file that cannot be written.
    pub fn download(&self, name: Option<&str>, into: &Path) -> Result<usize, String> {
        let kept = self.kept().clone();
        let newest = self.newest(&kept);
        let Some(name) = name else {
            let each = newest
                .iter()
                .map(|artifact| copy_all(&self.folder_of(artifact), &into.join(&artifact.name)));
            return each.sum();
        };
        if let Some(artifact) = newest.iter().find(|artifact| artifact.name == name) {
            return copy_all(&self.folder_of(artifact), into);
        }
        let gone = kept.iter().rfind(|artifact| artifact.name == name);
        let gone = gone.map_or_else(String::new, |artifact| {
            format!(
                " It was kept for {}, and this is {} after its upload.",
                days(self.days_of(artifact)),
                days(self.time.day - artifact.day)
            )
        });
        Err(format!(
            "Unable to download artifact(s): Artifact not found for name: {name}. {HINT}{gone}"
        ))
    }
}

/// A number of days in words.
pub fn days(count: u32) -> String {
    match count {
        1 => "1 day".to_owned(),
        count => format!("{count} days"),
    }
}

/// The folder that all roots have in common; for a single file, its folder.
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

    const PLAIN: Upload = Upload {
        hidden: HiddenFiles::Exclude,
        overwrite: false,
        days: None,
    };

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
            let artifacts = Artifacts::new(store.path().to_owned(), RunTime::FIRST, Vec::new());
            artifacts
                .upload("programs", work.path(), path, PLAIN)
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
        let artifacts = Artifacts::new(store.path().to_owned(), RunTime::FIRST, Vec::new());
        let upload = |name: &str, path: &str, overwrite: bool| {
            artifacts.upload(name, work.path(), path, Upload { overwrite, ..PLAIN })
        };
        assert_eq!(upload("one", "none", false), Ok(Uploaded::Nothing));
        assert_eq!(upload("one", "a", false), Ok(Uploaded::Files(1, 90)));
        assert!(upload("one", "b", false).unwrap_err().contains("409"));
        assert_eq!(upload("one", "b", true), Ok(Uploaded::Files(1, 90)));
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

    #[test]
    fn an_artifact_is_gone_when_its_days_are_over_and_a_later_attempt_may_upload_it_anew() {
        let work = tempfile::tempdir().unwrap();
        let store = tempfile::tempdir().unwrap();
        let at = |attempt, day, most_days, kept| {
            let time = RunTime {
                attempt,
                day,
                most_days,
            };
            Artifacts::new(store.path().to_owned(), time, kept)
        };
        write(&work.path().join("a"), "first");
        let first = at(1, 0, 5, Vec::new());
        let for_long = Upload {
            days: Some(32),
            ..PLAIN
        };
        let kept = first.upload("one", work.path(), "a", for_long);
        assert_eq!(kept, Ok(Uploaded::Files(1, 5)), "no longer than allowed");
        let into = tempfile::tempdir().unwrap();
        let download = |artifacts: &Artifacts| artifacts.download(Some("one"), into.path());
        assert_eq!(download(&at(2, 4, 90, first.list())), Ok(1));
        let late = at(2, 6, 90, first.list());
        let error = download(&late).unwrap_err();
        assert!(
            error.contains(
                "Artifact not found for name: one. Please ensure that your artifact is not expired"
            ) && error.ends_with("It was kept for 5 days, and this is 6 days after its upload."),
            "{error}"
        );
        assert!(
            download(&at(2, 4, 3, first.list())).is_err(),
            "kept shorter since"
        );
        assert_eq!(late.download(None, into.path()), Ok(0));
        write(&work.path().join("a"), "second");
        assert_eq!(
            late.upload("one", work.path(), "a", PLAIN),
            Ok(Uploaded::Files(1, 90))
        );
        assert_eq!(download(&late), Ok(1));
        let text = std::fs::read_to_string(into.path().join("a")).unwrap();
        assert_eq!(text, "second");
    }
}
