//! File patterns as `hashFiles` and the artifact actions read them: `**`, `*`, `?`, `[]`, exclusions with `!`.
//!
//! A pattern that names a folder means everything in it. Symbolic links are not followed into folders.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use sha2::{Digest, Sha256};

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// What a set of patterns found.
#[derive(Debug)]
pub struct Selection {
    /// The files, in the order of their paths.
    pub files: Vec<PathBuf>,
    /// Where the search of each including pattern begins: its part before the first wildcard.
    pub roots: Vec<PathBuf>,
}

/// Whether dot files are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenFiles {
    /// They are selected like any other file.
    Include,
    /// A file whose name begins with a dot, or that is in such a folder, is left out.
    Exclude,
}

/// Finds the files that the patterns select. Relative patterns start at `base`.
///
/// # Errors
/// A pattern or a folder that cannot be read.
pub fn find(base: &Path, patterns: &[String], hidden: HiddenFiles) -> Result<Selection, String> {
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns.iter().map(|pattern| pattern.trim()) {
        if pattern.is_empty() || pattern.starts_with('#') {
            continue;
        }
        let (excludes, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern.trim()),
            None => (false, pattern),
        };
        let root = base.join(literal_part(pattern));
        let whole = base.join(pattern).components().collect::<PathBuf>();
        let matcher = Pattern::new(&escape_base(&whole, &root))
            .map_err(|error| format!("pattern `{pattern}` cannot be read: {error}"))?;
        if excludes {
            files.retain(|file| !selects(&matcher, file));
            continue;
        }
        walk(&root, hidden, &mut |file| {
            if selects(&matcher, &file) && !files.contains(&file) {
                files.push(file);
            }
        })?;
        roots.push(root.components().collect());
    }
    // A root below another root is part of it.
    let tops: Vec<PathBuf> = roots
        .iter()
        .filter(|root| {
            !roots
                .iter()
                .any(|other| *root != other && root.starts_with(other))
        })
        .cloned()
        .collect();
    files.sort();
    Ok(Selection { files, roots: tops })
}

/// The hash that `hashFiles` returns: the SHA-256 of each file's SHA-256; empty when no file is found.
///
/// # Errors
/// As [`find`], or a file that cannot be read.
pub fn hash_files(workspace: &Path, patterns: &[String]) -> Result<String, String> {
    let found = find(workspace, patterns, HiddenFiles::Include)?;
    let mut hash = Sha256::new();
    for file in &found.files {
        let content =
            std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        hash.update(Sha256::digest(content));
    }
    if found.files.is_empty() {
        return Ok(String::new());
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The segments before the first one with a wildcard.
fn literal_part(pattern: &str) -> PathBuf {
    let mut literal = PathBuf::new();
    for segment in Path::new(pattern).components() {
        if segment
            .as_os_str()
            .to_string_lossy()
            .contains(['*', '?', '['])
        {
            break;
        }
        literal.push(segment);
    }
    literal
}

/// The pattern with the special characters of its literal beginning escaped.
fn escape_base(whole: &Path, root: &Path) -> String {
    let root: PathBuf = root.components().collect();
    let rest = whole.strip_prefix(&root).unwrap_or(Path::new(""));
    let mut pattern = Pattern::escape(&root.to_string_lossy());
    if !rest.as_os_str().is_empty() {
        pattern.push('/');
        pattern.push_str(&rest.to_string_lossy());
    }
    pattern
}

/// Whether the pattern names the file, or a folder that it is in.
fn selects(pattern: &Pattern, file: &Path) -> bool {
    file.ancestors()
        .any(|path| pattern.matches_path_with(path, OPTIONS))
}

fn walk(path: &Path, hidden: HiddenFiles, visit: &mut dyn FnMut(PathBuf)) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", path.display());
    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(());
    };
    if !metadata.is_dir() {
        visit(path.components().collect());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(problem)? {
        let entry = entry.map_err(problem)?;
        if hidden == HiddenFiles::Exclude && entry.file_name().as_encoded_bytes().starts_with(b".")
        {
            continue;
        }
        let kind = entry.file_type().map_err(problem)?;
        if kind.is_symlink() && entry.path().is_dir() {
            continue;
        }
        walk(&entry.path(), hidden, visit)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        folder
    }

    fn found(folder: &Path, patterns: &[&str], hidden: HiddenFiles) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let found = find(folder, &patterns, hidden).unwrap();
        let name = |file: &PathBuf| {
            file.strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        found.files.iter().map(name).collect()
    }

    #[test]
    fn patterns_select_files_and_the_files_of_folders() {
        let folder = tree(&[
            "a/one.txt",
            "a/b/two.txt",
            "a/b/three.md",
            ".x/four.txt",
            "five.txt",
        ]);
        for (patterns, wanted) in [
            (vec!["a"], vec!["a/b/three.md", "a/b/two.txt", "a/one.txt"]),
            (
                vec!["a/*"],
                vec!["a/b/three.md", "a/b/two.txt", "a/one.txt"],
            ),
            (vec!["a/*.txt"], vec!["a/one.txt"]),
            (
                vec!["**/*.txt"],
                vec![".x/four.txt", "a/b/two.txt", "a/one.txt", "five.txt"],
            ),
            (vec!["**", "!a"], vec![".x/four.txt", "five.txt"]),
            (
                vec!["a", "!**/*.md", " # note", ""],
                vec!["a/b/two.txt", "a/one.txt"],
            ),
            (vec!["none/*"], vec![]),
        ] {
            assert_eq!(
                found(folder.path(), &patterns, HiddenFiles::Include),
                wanted,
                "{patterns:?}"
            );
        }
        assert_eq!(
            found(folder.path(), &["**/*.txt"], HiddenFiles::Exclude),
            ["a/b/two.txt", "a/one.txt", "five.txt"]
        );
    }

    #[test]
    fn hash_files_changes_with_the_content_and_is_empty_without_files() {
        let folder = tree(&["Cargo.lock"]);
        let hash = || hash_files(folder.path(), &["**/Cargo.lock".into()]).unwrap();
        let first = hash();
        assert_eq!(first.len(), 64);
        std::fs::write(folder.path().join("Cargo.lock"), "other").unwrap();
        assert_ne!(hash(), first);
        assert_eq!(hash_files(folder.path(), &["*.none".into()]).unwrap(), "");
    }
}
