//! The files of a project in Domino's own file system, which are the artifacts of a git-based project. They are kept in
//! memory; runs neither read nor write them here.

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::id;

/// The files that were uploaded, each with the commit that it came with.
#[derive(Debug, Default)]
pub(super) struct ProjectFiles {
    /// Oldest first, without the one that a project begins with.
    commits: Vec<String>,
    all: Vec<ProjectFile>,
}

/// One file.
#[derive(Debug)]
pub(super) struct ProjectFile {
    path: String,
    content: String,
    key: String,
    modified: Value,
    /// How many commits there were once it was uploaded.
    since: usize,
}

impl ProjectFile {
    /// In a list; an upload is answered with the path as a text.
    pub(super) fn listed(&self) -> Value {
        let mut facts = self.facts();
        facts["path"] = json!({ "canonicalizedPathString": self.path, "separator": "/" });
        facts
    }

    fn facts(&self) -> Value {
        json!({
            "path": self.path,
            "lastModified": self.modified,
            "size": self.content.len(),
            "key": self.key,
        })
    }
}

impl ProjectFiles {
    /// The commits that came after the first, newest first.
    pub(super) fn commits(&self) -> impl Iterator<Item = &String> {
        self.commits.iter().rev()
    }

    /// Whether this commit has this file.
    pub(super) fn has(&self, path: &str, commit: &str) -> bool {
        let at = self.commits.iter().position(|known| known == commit);
        at.is_some_and(|at| {
            let mut all = self.all.iter();
            all.any(|file| file.path == path && file.since <= at + 1)
        })
    }

    /// The files directly in a folder.
    pub(super) fn in_folder(&self, folder: &str) -> impl Iterator<Item = &ProjectFile> {
        self.all.iter().filter(move |file| {
            let (parent, _) = file.path.rsplit_once('/').unwrap_or_default();
            parent == folder
        })
    }

    /// Every file, with what is in it.
    pub(super) fn state(&self) -> Value {
        let all = self.all.iter();
        all.map(|file| json!({ "path": file.path, "content": file.content }))
            .collect()
    }

    /// Puts a file there in a new commit, in place of one of the same path.
    pub(super) fn upload(&mut self, path: String, content: String) -> Value {
        self.commits.push(id::commit_id());
        let file = ProjectFile {
            path,
            content,
            key: id::commit_id(),
            modified: Moment::now(0).milliseconds(),
            since: self.commits.len(),
        };
        let mut told = file.facts();
        told["goalIds"] = json!([]);
        self.all.retain(|known| known.path != file.path);
        self.all.push(file);
        told
    }
}
