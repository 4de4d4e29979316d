//! The git repository of a scene. Most scenes of a test binary begin with the same one: git creates it once, and the
//! others are written from memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// What git made of some files: its own folder by path, and the commit.
#[derive(Clone)]
struct Made {
    git: Vec<(PathBuf, Vec<u8>)>,
    commit: String,
}

/// Makes a folder a repository with these files in one commit, and gives the commit.
pub fn begin(folder: &Path, files: &[(&str, &str)]) -> String {
    static MADE: Mutex<Option<HashMap<String, Made>>> = Mutex::new(None);
    for (name, text) in files {
        write(&folder.join(name), text.as_bytes());
    }
    let key = format!("{files:?}");
    // Two scenes that want the same at once wait for one another; making it takes longer than waiting.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default();
    if let Some(made) = made.get(&key) {
        for (path, bytes) in &made.git {
            write(&folder.join(path), bytes);
        }
        // Git takes a folder without them for no repository.
        for empty in [".git/refs/tags", ".git/objects/info", ".git/objects/pack"] {
            std::fs::create_dir_all(folder.join(empty)).unwrap();
        }
        return made.commit.clone();
    }
    git(folder, &["init", "-q", "-b", "main", "--template="]);
    std::fs::create_dir_all(folder.join(".git/info")).unwrap();
    std::fs::write(folder.join(".git/info/exclude"), ".output\n.summary\n").unwrap();
    let commit = commit(folder);
    let mut files = Vec::new();
    gather(folder, Path::new(".git"), &mut files);
    made.insert(
        key,
        Made {
            git: files,
            commit: commit.clone(),
        },
    );
    commit
}

/// Commits everything and gives the commit.
pub fn commit(folder: &Path) -> String {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "change"]);
    git(folder, &["rev-parse", "HEAD"])
}

/// Everything in git that a test needs, with a fixed author and no settings of the machine.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// The files of a folder below `top`, with their paths from there.
fn gather(top: &Path, folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(top.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            gather(top, &path, files);
        } else {
            files.push((path, std::fs::read(entry.path()).unwrap()));
        }
    }
}
