//! The repository that is rehearsed: which commit, the content of its files, and what is not committed.
//!
//! It only reads the user's repository, except that it writes loose objects when uncommitted changes are rehearsed.
//! Branch, index and working tree stay as they are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// A git repository on this machine.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The top of its working tree.
    pub root: PathBuf,
}

/// A commit of the repository, with what an event tells about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full SHA.
    pub sha: String,
    /// The commit before it; zeros if there is none, as on GitHub.
    pub before: String,
    /// The first line of its message.
    pub title: String,
}

impl Commit {
    /// Its abbreviated SHA.
    pub fn short(&self) -> &str {
        self.sha.get(..7).unwrap_or(&self.sha)
    }
}

impl Repository {
    /// The repository that contains a folder.
    ///
    /// # Errors
    /// When there is none, or git is not installed.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let here = Self {
            root: folder.to_owned(),
        };
        let root = here
            .text(&["rev-parse", "--show-toplevel"])
            .with_context(|| format!("{} is not in a git repository", folder.display()))?;
        Ok(Self { root: root.into() })
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// When there is no commit yet.
    pub fn head(&self) -> anyhow::Result<Commit> {
        self.commit("HEAD").context("nothing is committed yet")
    }

    /// A commit of everything in the working tree, on top of the one that is checked out.
    ///
    /// # Errors
    /// When git cannot create it.
    pub fn uncommitted(&self) -> anyhow::Result<Commit> {
        let folder = tempfile::tempdir()?;
        let index = folder.path().join("index");
        let git = |args: &[&str]| {
            let mut git = self.git(args);
            git.env("GIT_INDEX_FILE", &index);
            for name in ["AUTHOR", "COMMITTER"] {
                git.env(format!("GIT_{name}_NAME"), "rehearsal");
                git.env(format!("GIT_{name}_EMAIL"), "rehearsal@example.com");
            }
            text(git)
        };
        // Starting from the real index saves git from reading every file again.
        let real: PathBuf = self
            .text(&["rev-parse", "--path-format=absolute", "--git-path", "index"])?
            .into();
        if real.exists() {
            std::fs::copy(&real, &index)?;
            // git recognises a file that was changed right after the index was written by the index's own time.
            let written = std::fs::metadata(&real)?.modified()?;
            std::fs::File::options()
                .append(true)
                .open(&index)?
                .set_modified(written)?;
        } else {
            git(&["read-tree", "HEAD"])?;
        }
        git(&["add", "--all"])?;
        let tree = git(&["write-tree"])?;
        let sha = git(&[
            "commit-tree",
            &tree,
            "-p",
            "HEAD",
            "-m",
            "Uncommitted changes, as rehearsed",
        ])?;
        self.commit(&sha)
    }

    /// The paths that differ between the commit and the working tree.
    ///
    /// # Errors
    /// When git fails.
    pub fn changes(&self) -> anyhow::Result<Vec<String>> {
        let status = self.text(&["status", "--porcelain", "-z", "--no-renames"])?;
        Ok(status
            .split('\0')
            .filter_map(|entry| entry.get(3..))
            .map(str::to_owned)
            .collect())
    }

    /// A file's text in a commit; absent if the commit does not have it.
    ///
    /// # Errors
    /// When git fails otherwise, or the file is not text.
    pub fn file(&self, commit: &Commit, path: &str) -> anyhow::Result<Option<String>> {
        let names = self.text(&[
            "ls-tree",
            "--name-only",
            "--full-tree",
            &commit.sha,
            "--",
            path,
        ])?;
        if names.is_empty() {
            return Ok(None);
        }
        let output = self
            .git(&["cat-file", "blob", &format!("{}:{path}", commit.sha)])
            .output()?;
        anyhow::ensure!(output.status.success(), "git cannot read {path}");
        let text =
            String::from_utf8(output.stdout).with_context(|| format!("{path} is not text"))?;
        Ok(Some(text))
    }

    /// The names of the files in a folder of a commit.
    ///
    /// # Errors
    /// When git fails.
    pub fn files(&self, commit: &Commit, folder: &str) -> anyhow::Result<Vec<String>> {
        let folder = format!("{folder}/");
        let names = self.text(&[
            "ls-tree",
            "--name-only",
            "--full-tree",
            "-z",
            &commit.sha,
            "--",
            &folder,
        ])?;
        let names = names
            .split('\0')
            .filter_map(|name| name.strip_prefix(folder.as_str()));
        Ok(names.map(str::to_owned).collect())
    }

    /// Where git keeps the objects of this repository.
    ///
    /// # Errors
    /// When git fails.
    pub fn objects(&self) -> anyhow::Result<PathBuf> {
        Ok(self
            .text(&[
                "rev-parse",
                "--path-format=absolute",
                "--git-path",
                "objects",
            ])?
            .into())
    }

    /// The commits at which the history of a shallow clone ends, one a line.
    ///
    /// # Errors
    /// When git fails.
    pub fn shallow(&self) -> anyhow::Result<String> {
        let file = self.text(&[
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "shallow",
        ])?;
        Ok(std::fs::read_to_string(file).unwrap_or_default())
    }

    /// Branches and tags, as `<sha> <ref>` lines.
    ///
    /// # Errors
    /// When git fails.
    pub fn refs(&self) -> anyhow::Result<Vec<(String, String)>> {
        let refs = self.text(&[
            "for-each-ref",
            "--format=%(objectname) %(refname)",
            "refs/heads",
            "refs/tags",
        ])?;
        let refs = refs.lines().filter_map(|line| line.split_once(' '));
        Ok(refs
            .map(|(sha, name)| (sha.to_owned(), name.to_owned()))
            .collect())
    }

    /// `owner/name` on GitHub, from the remote `origin`; a stand-in if that does not tell.
    pub fn slug(&self) -> String {
        let origin = self
            .text(&["config", "--get", "remote.origin.url"])
            .unwrap_or_default();
        slug_of(&origin).unwrap_or_else(|| {
            let name = self
                .root
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            format!("example/{}", name.unwrap_or_else(|| "project".into()))
        })
    }

    /// A commit by any name that git accepts.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn commit(&self, name: &str) -> anyhow::Result<Commit> {
        let name = format!("{name}^{{commit}}");
        let line = self.text(&[
            "log",
            "-1",
            "--no-show-signature",
            "--format=%H %P%n%s",
            &name,
            "--",
        ])?;
        let (names, title) = line.split_once('\n').unwrap_or((&line, ""));
        let mut names = names.split_whitespace();
        let sha = names.next().context("git named no commit")?.to_owned();
        let before = names
            .next()
            .map_or_else(|| "0".repeat(sha.len()), str::to_owned);
        Ok(Commit {
            sha,
            before,
            title: title.to_owned(),
        })
    }

    fn git(&self, args: &[&str]) -> Command {
        let mut git = git(&self.root);
        git.args(args);
        git
    }

    fn text(&self, args: &[&str]) -> anyhow::Result<String> {
        text(self.git(args))
    }
}

/// git in a folder, without the environment variables that point to other repositories.
pub fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            git.env_remove(name);
        }
    }
    git.env("GIT_OPTIONAL_LOCKS", "0").arg("-C").arg(folder);
    git
}

/// What a command prints, without the last line end.
///
/// # Errors
/// git's own message when it fails.
pub fn text(mut command: Command) -> anyhow::Result<String> {
    let output = command.output().context("git cannot be started")?;
    if !output.status.success() {
        let verb = command
            .get_args()
            .nth(2)
            .map(|verb| verb.to_string_lossy().into_owned());
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        anyhow::bail!("`git {}` failed: {words}", verb.unwrap_or_default());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

fn slug_of(origin: &str) -> Option<String> {
    let rest = origin
        .split_once("github.com")?
        .1
        .trim_start_matches([':', '/']);
    let (owner, name) = rest.trim_end_matches('/').split_once('/')?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    (!owner.is_empty() && !name.is_empty() && !name.contains('/'))
        .then(|| format!("{owner}/{name}"))
}

/// A repository with these files committed, for tests.
#[cfg(test)]
pub fn sample(files: &[(&str, &str)]) -> (tempfile::TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut git = git(folder.path());
        git.args([
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "init.defaultBranch=main",
        ]);
        git.args(args);
        text(git).unwrap();
    };
    run(&["init", "--quiet"]);
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    run(&["add", "--all"]);
    run(&["commit", "--quiet", "--allow-empty", "-m", "First"]);
    let repository = Repository::open(folder.path()).unwrap();
    (folder, repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_read_and_not_the_working_tree() {
        let (folder, repository) = sample(&[("a/one.txt", "committed"), ("a/b/two.txt", "x")]);
        std::fs::write(folder.path().join("a/one.txt"), "changed").unwrap();
        std::fs::write(folder.path().join("new file.txt"), "new").unwrap();
        let head = repository.head().unwrap();
        assert_eq!(head.title, "First");
        assert_eq!(head.before, "0".repeat(40));
        assert_eq!(
            repository.file(&head, "a/one.txt").unwrap().unwrap(),
            "committed"
        );
        assert_eq!(repository.file(&head, "none.txt").unwrap(), None);
        assert_eq!(repository.files(&head, "a").unwrap(), ["b", "one.txt"]);
        assert_eq!(repository.changes().unwrap(), ["a/one.txt", "new file.txt"]);
    }

    #[test]
    fn uncommitted_changes_become_a_commit_and_nothing_of_the_user_s_moves() {
        let (folder, repository) = sample(&[("kept.txt", "1"), ("gone.txt", "2")]);
        std::fs::write(folder.path().join("kept.txt"), "changed").unwrap();
        std::fs::write(folder.path().join("new.txt"), "new").unwrap();
        std::fs::remove_file(folder.path().join("gone.txt")).unwrap();
        let head = repository.head().unwrap();
        let before = (
            repository.changes().unwrap(),
            std::fs::read(folder.path().join(".git/index")).unwrap(),
        );
        let commit = repository.uncommitted().unwrap();
        assert_eq!(commit.before, head.sha);
        assert_eq!(
            repository.file(&commit, "kept.txt").unwrap().unwrap(),
            "changed"
        );
        assert_eq!(repository.file(&commit, "new.txt").unwrap().unwrap(), "new");
        assert_eq!(repository.file(&commit, "gone.txt").unwrap(), None);
        assert_eq!(repository.head().unwrap(), head);
        let after = (
            repository.changes().unwrap(),
            std::fs::read(folder.path().join(".git/index")).unwrap(),
        );
        assert_eq!(after, before);
    }

    #[test]
    fn a_folder_outside_any_repository_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:#}", Repository::open(folder.path()).unwrap_err());
        assert!(error.contains("is not in a git repository"), "{error}");
    }

    #[test]
    fn the_name_on_github_is_read_from_the_remote() {
        for (origin, slug) in [
            ("https://github.com/acme/wine.git", Some("acme/wine")),
            ("git@github.com:acme/wine", Some("acme/wine")),
            ("ssh://git@github.com/acme/wine/", Some("acme/wine")),
            ("https://example.com/acme/wine", None),
            ("", None),
        ] {
            assert_eq!(slug_of(origin).as_deref(), slug, "{origin}");
        }
    }
}
