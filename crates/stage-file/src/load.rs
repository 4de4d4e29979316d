//! Finds a stage file, reads it, and returns it only if every rule holds.
//!
//! `read.rs` interprets the tables; `shape.rs` and `validate.rs` report what is wrong with them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::found::Findings;
use super::problem::{Problem, Problems, Severity, StageFileError};
use super::read::file;
use super::tree::Tree;
use super::{StageFile, shape, validate};

/// The name the file has when none is given.
const NAME: &str = "stages.toml";

/// More than any pipeline needs, and small enough to read and parse at once.
const LARGEST: u64 = 1024 * 1024;

impl StageFile {
    /// Reads and checks the file at this path.
    ///
    /// Warnings do not fail it; they are in [`StageFile::warnings`].
    pub fn load(path: &Path) -> Result<Self, StageFileError> {
        Self::read(&text_of(path, path)?, path)
    }

    /// Loads the file that was named, or else the `stages.toml` of this folder or of the nearest folder
    /// above it that has one, up to the top of the git repository.
    pub fn find(given: Option<&Path>) -> Result<Self, StageFileError> {
        let Some(given) = given else {
            let here = std::env::current_dir().map_err(|source| StageFileError::Unreadable {
                path: NAME.into(),
                source,
            })?;
            return Self::find_from(&here);
        };
        Self::load(given)
    }

    fn find_from(here: &Path) -> Result<Self, StageFileError> {
        let folders = repository_folders(here);
        for (above, folder) in folders.iter().enumerate() {
            let path = folder.join(NAME);
            if path.is_file() {
                // Shown relative to the current folder, as compilers do.
                let displayed: PathBuf = std::iter::repeat_n("..", above).chain([NAME]).collect();
                let text = text_of(&path, &displayed)?;
                return Self::read(&text, &displayed);
            }
        }
        Err(StageFileError::NotFound {
            looked_in: folders.iter().map(|&folder| folder.to_owned()).collect(),
        })
    }

    /// Reads and checks a text that is not, or not yet, in a file. The path is only for messages.
    pub fn read(text: &str, path: &Path) -> Result<Self, StageFileError> {
        Self::read_at(text, path, Timestamp::now())
    }

    /// Reads and checks a text as of this moment: schedules may end with a year.
    pub(super) fn read_at(text: &str, path: &Path, now: Timestamp) -> Result<Self, StageFileError> {
        let tree = match Tree::parse(text) {
            Ok(tree) => tree,
            Err(error) => {
                let list = vec![Problem {
                    line: error.line,
                    severity: Severity::Error,
                    message: error.message,
                    name: "syntax",
                    path: Vec::new(),
                }];
                return Err(Problems {
                    path: path.to_owned(),
                    list,
                }
                .into());
            }
        };
        let file = file(&tree, text, path);
        let mut findings = Findings::new(&tree);
        shape::check(&mut findings);
        validate::check(&file, now, &mut findings);
        let list = findings.into_problems(&file.pipeline.accept);
        if list
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(Problems {
                path: path.to_owned(),
                list,
            }
            .into());
        }
        Ok(Self {
            warnings: list,
            ..file
        })
    }
}

/// The text of the file, which messages call by the other path.
fn text_of(path: &Path, displayed: &Path) -> Result<String, StageFileError> {
    let displayed = || displayed.to_owned();
    let unreadable = |source| StageFileError::Unreadable {
        path: displayed(),
        source,
    };
    let length = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StageFileError::Missing { path: displayed() });
        }
        other => other.map_err(unreadable)?.len(),
    };
    if length > LARGEST {
        let why = format!("it has {length} bytes, and a stage file has at most {LARGEST}");
        return Err(unreadable(std::io::Error::other(why)));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// The folder and those above it that belong to the same repository. Without a repository only the folder: a file
/// that somebody left further up must not decide where a credential is sent.
fn repository_folders(here: &Path) -> Vec<&Path> {
    match here
        .ancestors()
        .position(|folder| folder.join(".git").exists())
    {
        Some(top) => here.ancestors().take(top + 1).collect(),
        None => vec![here],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "[stage.dev]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n";

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("repository/src/project")).unwrap();
        std::fs::create_dir(folder.path().join("repository/.git")).unwrap();
        folder
    }

    #[test]
    fn the_file_is_found_from_any_folder_of_the_repository() {
        let folder = repository();
        let top = folder.path().join("repository");
        std::fs::write(top.join("stages.toml"), MINIMAL).unwrap();
        for (from, path) in [
            ("", "stages.toml"),
            ("src", "../stages.toml"),
            ("src/project", "../../stages.toml"),
        ] {
            let file = StageFile::find_from(&top.join(from)).unwrap();
            assert_eq!(file.path, Path::new(path));
        }
    }

    #[test]
    fn the_nearest_file_is_the_one() {
        let folder = repository();
        let top = folder.path().join("repository");
        std::fs::write(top.join("stages.toml"), "not even TOML").unwrap();
        std::fs::write(top.join("src/stages.toml"), MINIMAL).unwrap();
        let file = StageFile::find_from(&top.join("src/project")).unwrap();
        assert_eq!(file.path, Path::new("../stages.toml"));
    }

    #[test]
    fn a_file_above_the_repository_is_never_taken() {
        let folder = repository();
        std::fs::write(folder.path().join("stages.toml"), MINIMAL).unwrap();
        let top = folder.path().join("repository");
        let error = StageFile::find_from(&top.join("src")).unwrap_err();
        let StageFileError::NotFound { looked_in } = error else {
            panic!("{error}")
        };
        assert_eq!(looked_in, [top.join("src"), top]);
    }

    #[test]
    fn without_a_repository_only_this_folder_is_looked_in() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        std::fs::create_dir(&below).unwrap();
        std::fs::write(folder.path().join("stages.toml"), MINIMAL).unwrap();
        let error = StageFile::find_from(&below).unwrap_err();
        assert!(matches!(error, StageFileError::NotFound { looked_in } if looked_in == [below]));
    }

    #[test]
    fn a_file_that_was_named_is_the_only_one_looked_at() {
        let folder = repository();
        let path = folder.path().join("pipeline.toml");
        let error = StageFile::find(Some(&path)).unwrap_err();
        assert!(matches!(error, StageFileError::Missing { path: missing } if missing == path));
        std::fs::write(&path, MINIMAL).unwrap();
        assert_eq!(StageFile::find(Some(&path)).unwrap().stages[0].name, "dev");
    }

    #[test]
    fn a_file_that_is_no_text_or_too_long_is_unreadable_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stages.toml");
        let why = || {
            let error = StageFile::load(&path).unwrap_err();
            let StageFileError::Unreadable { source, .. } = error else {
                panic!("{error}")
            };
            source.to_string()
        };
        std::fs::write(&path, b"[stage.dev]\nhost = \"\xff\"").unwrap();
        assert!(why().contains("UTF-8"), "{}", why());
        std::fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
        assert_eq!(
            why(),
            "it has 1048577 bytes, and a stage file has at most 1048576"
        );
    }

    fn syntax_error(text: &str) -> String {
        StageFile::read(text, Path::new("stages.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_syntax_error_is_told_alone_with_its_line() {
        assert_eq!(
            syntax_error("[stage.dev]\nhost = domino.example.com\nunknown = 1\n"),
            "stages.toml:2: not TOML: string values must be quoted, expected literal string; \
             the line is `host = domino.example.com`\n1 error"
        );
        let twice = syntax_error("[stage.dev]\n[stage.prod]\n[stage.dev]\n");
        assert!(
            twice.starts_with("stages.toml:3: not TOML: duplicate key"),
            "{twice}"
        );
    }

    #[test]
    fn a_line_that_may_hold_a_secret_is_not_shown() {
        for line in [
            "api-key = hunter2hunter2",
            "x = ghp_0123456789abcdef0123456789",
        ] {
            let error = syntax_error(&format!("[stage.dev]\n{line}\n"));
            assert!(error.contains("the line is not shown"), "{error}");
            assert!(
                !error.contains("hunter2") && !error.contains("ghp_"),
                "{error}"
            );
        }
    }

    #[test]
    fn warnings_do_not_fail_a_file() {
        let text = format!("{MINIMAL}[job.train]\ncommand = \"train.py\"\n");
        let file = StageFile::read(&text, Path::new("stages.toml")).unwrap();
        assert_eq!(file.warnings().len(), 1);
        assert_eq!(file.warnings()[0].name, "no-tier");
        assert_eq!(file.warnings()[0].line, Some(1));
    }
}
