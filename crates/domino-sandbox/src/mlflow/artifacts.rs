//! The files of runs, as MLflow's server keeps them for its clients: below one folder, by their
//! paths. Which run a file belongs to shows only in its path.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::refusal::Refusal;

/// The folder with every file.
pub(super) struct Artifacts(PathBuf);

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name, or for an upstream server the path, whose last part is the name.
    pub(crate) path: String,
    pub(crate) is_folder: bool,
    size: u64,
}

impl Entry {
    /// Reads an entry of a listing.
    pub(super) fn of(json: &Value) -> Option<Self> {
        Some(Entry {
            path: json["path"].as_str()?.to_owned(),
            is_folder: json["is_dir"].as_bool().unwrap_or(false),
            size: json["file_size"].as_u64().unwrap_or(0),
        })
    }

    fn json(&self, folder: &str) -> Value {
        let path = match folder {
            "" => self.path.clone(),
            folder => format!("{folder}/{}", self.path),
        };
        let mut json = json!({ "path": path, "is_dir": self.is_folder });
        if !self.is_folder {
            json["file_size"] = self.size.into();
        }
        json
    }
}

/// A listing as it is replied, each path below `folder`; an empty one has no list.
pub(super) fn listing(entries: &[Entry], folder: &str) -> Value {
    if entries.is_empty() {
        return json!({});
    }
    let files: Vec<Value> = entries.iter().map(|entry| entry.json(folder)).collect();
    json!({ "files": files })
}

impl Artifacts {
    pub(super) fn new(folder: &Path) -> Self {
        Artifacts(folder.join("mlflow"))
    }

    pub(super) fn put(&self, path: &str, content: &[u8]) -> Result<(), Refusal> {
        let path = self.place(path)?;
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, content));
        written.map_err(|problem| Refusal::internal(problem.to_string()))
    }

    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, Refusal> {
        std::fs::read(self.place(path)?)
            .map_err(|_| Refusal::missing(format!("No such artifact: '{path}'")))
    }

    /// What is in a folder, by name; nothing when there is no such folder.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Entry>, Refusal> {
        let folder = match path {
            "" => self.0.clone(),
            path => self.place(path)?,
        };
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Ok(Vec::new());
        };
        let mut entries: Vec<Entry> = entries
            .flatten()
            .filter_map(|entry| {
                let facts = entry.metadata().ok()?;
                Some(Entry {
                    path: entry.file_name().into_string().ok()?,
                    is_folder: facts.is_dir(),
                    size: facts.len(),
                })
            })
            .collect();
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Where the file of this path lies. No path leads out of the folder.
    fn place(&self, path: &str) -> Result<PathBuf, Refusal> {
        let is_plain = |segment: &str| {
            !["", ".", ".."].contains(&segment) && !segment.contains(['\\', '\0', ':'])
        };
        if path.split('/').all(is_plain) {
            Ok(self.0.join(path))
        } else {
            Err(Refusal::invalid("Invalid path"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_by_their_paths_and_none_leads_out() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(folder.path());
        artifacts
            .put("1/run/artifacts/model/a.txt", b"one")
            .unwrap();
        assert_eq!(
            artifacts.read("1/run/artifacts/model/a.txt").unwrap(),
            b"one"
        );
        let listed = artifacts.list("1/run/artifacts").unwrap();
        assert_eq!(
            listing(&listed, ""),
            json!({ "files": [{ "path": "model", "is_dir": true }] })
        );
        let listed = artifacts.list("1/run/artifacts/model").unwrap();
        assert_eq!(
            listing(&listed, "model"),
            json!({ "files": [{ "path": "model/a.txt", "is_dir": false, "file_size": 3 }] })
        );
        assert_eq!(listing(&artifacts.list("nowhere").unwrap(), ""), json!({}));
        for path in ["../x", "a/../../x", "/etc/passwd", "a//b", ""] {
            assert!(artifacts.put(path, b"").is_err(), "{path}");
        }
        assert!(
            artifacts
                .read("1/run/artifacts/model")
                .unwrap_err()
                .is_missing()
        );
    }
}
