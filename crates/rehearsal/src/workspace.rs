//! The folders that a job sees: its workspace and its temporary folder, both empty when it begins.
//!
//! Jobs that run side by side have folders of their own, each those of one runner. A runner's checkout is kept
//! between jobs and restored when `actions/checkout` asks for one. So its path and the times of unchanged files stay
//! the same, and cargo, which compares both, builds only once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use github_workflow::evaluate::Files;
use tempfile::TempDir;

use crate::file_pattern;
use crate::repository::{Commit, Repository, git, text};

/// The runners of a rehearsal: folders for as many jobs as run at once.
#[derive(Debug)]
pub struct Workspaces {
    base: PathBuf,
    origin: Option<PathBuf>,
    taken: Mutex<Vec<usize>>,
    // Held until the end: the lock, or the folder that is removed with the rehearsal.
    _held: Held,
}

/// The folders of one job; dropping it gives them back.
#[derive(Debug)]
pub struct Workspace<'p> {
    /// The folder of `GITHUB_WORKSPACE`.
    pub folder: PathBuf,
    /// The folder of `RUNNER_TEMP`.
    pub temp: PathBuf,
    /// The folder of `RUNNER_TOOL_CACHE`.
    pub tools: PathBuf,
    /// The value of `RUNNER_NAME`.
    pub runner: String,
    base: PathBuf,
    kept: PathBuf,
    number: usize,
    pool: &'p Workspaces,
}

#[derive(Debug)]
#[expect(dead_code, reason = "they are held, not read")]
enum Held {
    Lock(File),
    Folder(TempDir),
}

/// How much of the history a checkout fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// The commit alone, as `actions/checkout` does by default.
    CommitOnly,
    /// Every commit, branch and tag.
    Everything,
}

impl Files for Workspace<'_> {
    fn hash(&self, patterns: &[String]) -> Result<String, String> {
        file_pattern::hash_files(&self.folder, patterns)
    }
}

impl Workspaces {
    /// Takes a lasting folder for checkouts, or a temporary one if none is given or another rehearsal uses it.
    ///
    /// # Errors
    /// When no folder can be created.
    pub fn take(lasting: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(base) = lasting {
            std::fs::create_dir_all(base)
                .with_context(|| format!("cannot make {}", base.display()))?;
            let lock = File::create(base.join("lock"))?;
            if lock.try_lock().is_ok() {
                return Self::within(base, Held::Lock(lock));
            }
        }
        let folder = tempfile::Builder::new().prefix("rehearsal-").tempdir()?;
        let base = folder.path().to_owned();
        Self::within(&base, Held::Folder(folder))
    }

    fn within(base: &Path, held: Held) -> anyhow::Result<Self> {
        Ok(Self {
            base: base.canonicalize()?,
            origin: None,
            taken: Mutex::default(),
            _held: held,
        })
    }

    /// The folder that contains all the others.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Makes what checkouts call `origin` a repository of its own in this folder, with the objects of `repository`: what a
    /// job pushes arrives there, and nowhere else.
    ///
    /// # Errors
    /// git's own words.
    pub fn with_origin(mut self, folder: &Path, repository: &Repository) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        if !folder.join("HEAD").is_file() {
            let mut init = git(folder);
            init.args(["init", "--quiet", "--bare", "--template="]);
            text(init)?;
            let info = folder.join("objects/info");
            std::fs::create_dir_all(&info)?;
            std::fs::write(
                info.join("alternates"),
                format!("{}\n", repository.objects()?.display()),
            )?;
        }
        self.origin = Some(folder.canonicalize()?);
        Ok(self)
    }

    /// The folders of the first runner that is free, emptied.
    ///
    /// # Errors
    /// When one cannot be emptied or created.
    pub fn free(&self) -> anyhow::Result<Workspace<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (1..).find(|number| !taken.contains(number)).unwrap_or(1);
        taken.push(number);
        drop(taken);
        let base = self.base.join(format!("runner-{number}"));
        let workspace = Workspace {
            folder: base.join("workspace"),
            temp: base.join("temp"),
            tools: base.join("tools"),
            runner: format!("rehearsal-{number}"),
            kept: base.join("kept"),
            base,
            number,
            pool: self,
        };
        workspace.begin_job()?;
        Ok(workspace)
    }
}

impl Workspace<'_> {
    /// The folder that contains the others of this runner.
    pub fn base(&self) -> &Path {
        &self.base
    }

    fn begin_job(&self) -> anyhow::Result<()> {
        self.clear()?;
        for folder in [&self.folder, &self.temp, &self.tools] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(())
    }

    /// Keeps the checkout for the next job and removes the rest.
    fn end_job(&self) -> anyhow::Result<()> {
        if self.folder.join(".git").is_dir() {
            remove(&self.kept)?;
            std::fs::rename(&self.folder, &self.kept).context("cannot put the checkout aside")?;
        }
        self.clear()
    }

    fn clear(&self) -> anyhow::Result<()> {
        for folder in [&self.folder, &self.temp, &self.tools] {
            remove(folder)?;
        }
        Ok(())
    }

    /// What `actions/checkout` writes: the commit's files, and nothing else.
    ///
    /// # Errors
    /// git's own message.
    pub fn check_out(
        &self,
        repository: &Repository,
        slug: &str,
        branch: &str,
        commit: &Commit,
        history: History,
    ) -> anyhow::Result<()> {
        if !self.folder.join(".git").is_dir() && self.kept.is_dir() {
            remove(&self.folder)?;
            std::fs::rename(&self.kept, &self.folder).context("cannot bring the checkout back")?;
        }
        let fresh = || {
            remove(&self.folder)?;
            std::fs::create_dir_all(&self.folder)?;
            self.update(repository, slug, branch, commit, history)
        };
        match self.update(repository, slug, branch, commit, history) {
            Ok(()) => Ok(()),
            // A kept checkout may be in any state: a job could do anything with it.
            Err(_) => fresh(),
        }
    }

    fn update(
        &self,
        repository: &Repository,
        slug: &str,
        branch: &str,
        commit: &Commit,
        history: History,
    ) -> anyhow::Result<()> {
        let git_folder = self.folder.join(".git");
        // Only its index is needed; hooks, settings and refs that a job left are not restored. It is moved and not
        // copied, because git recognises a file that was changed right after the index was written by the index's own
        // time.
        let index = self.base.join("index");
        let had_index = std::fs::rename(git_folder.join("index"), &index).is_ok();
        remove(&git_folder)?;
        self.git(&["init", "--quiet", "--template="])?;
        if had_index {
            std::fs::rename(&index, git_folder.join("index"))
                .context("cannot bring the index back")?;
        }
        let alternates = git_folder.join("objects/info");
        std::fs::create_dir_all(&alternates)?;
        std::fs::write(
            alternates.join("alternates"),
            format!("{}\n", repository.objects()?.display()),
        )?;
        let shallow = match history {
            History::CommitOnly => format!("{}\n", commit.sha),
            History::Everything => repository.shallow()?,
        };
        if !shallow.is_empty() {
            std::fs::write(git_folder.join("shallow"), shallow)?;
        }
        if history == History::Everything {
            for (sha, name) in repository.refs()? {
                let name = name.replacen("refs/heads/", "refs/remotes/origin/", 1);
                self.git(&["update-ref", &name, &sha])?;
            }
        }
        self.git(&[
            "update-ref",
            &format!("refs/remotes/origin/{branch}"),
            &commit.sha,
        ])?;
        let address = format!("https://github.com/{slug}");
        self.git(&["remote", "add", "origin", &address])?;
        if let Some(origin) = &self.pool.origin {
            let instead = format!("url.{}.insteadOf", origin.display());
            self.git(&["config", &instead, &address])?;
        }
        self.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")])?;
        self.git(&["update-ref", "HEAD", &commit.sha])?;
        self.git(&["reset", "--quiet", "--hard", "HEAD"])?;
        self.git(&["clean", "--quiet", "-ffdx"])?;
        Ok(())
    }

    fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command: Command = git(&self.folder);
        // The person's own settings must not change what a checkout on GitHub would hold.
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
            .env("GIT_CEILING_DIRECTORIES", &self.base)
            .args(args);
        text(command)
    }
}

impl Drop for Workspace<'_> {
    fn drop(&mut self) {
        // The next job of this runner empties the folder first, so what cannot be removed now does no harm.
        let _ = self.end_job();
        let mut taken = self
            .pool
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.retain(|number| *number != self.number);
    }
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("cannot remove {}", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::sample;

    #[test]
    fn each_job_begins_empty_and_its_checkout_is_exactly_the_commit() {
        let (folder, repository) = sample(&[("a.txt", "1"), (".gitignore", "ignored\n")]);
        let base = tempfile::tempdir().unwrap();
        let workspaces = Workspaces::take(Some(base.path())).unwrap();
        let commit = repository.head().unwrap();
        std::fs::write(folder.path().join("a.txt"), "uncommitted").unwrap();
        let check_out = |workspace: &Workspace<'_>| {
            workspace
                .check_out(
                    &repository,
                    "example/wine",
                    "main",
                    &commit,
                    History::CommitOnly,
                )
                .unwrap()
        };

        let workspace = workspaces.free().unwrap();
        check_out(&workspace);
        let a = workspace.folder.join("a.txt");
        assert_eq!(std::fs::read_to_string(&a).unwrap(), "1");
        let folder = workspace.folder.clone();
        let modified = |name: &str| {
            let file = folder.join(name);
            std::fs::metadata(file).unwrap().modified().unwrap()
        };
        let made = modified(".gitignore");
        for (name, text) in [
            ("a.txt", "2"),
            ("stray", "x"),
            ("ignored", "x"),
            (".git/hooks/post-checkout", "x"),
        ] {
            let path = workspace.folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        drop(workspace);
        assert!(!folder.exists());

        let workspace = workspaces.free().unwrap();
        assert_eq!(workspace.folder, folder);
        assert_eq!(std::fs::read_dir(&workspace.folder).unwrap().count(), 0);
        check_out(&workspace);
        for name in ["stray", "ignored", ".git/hooks/post-checkout"] {
            assert!(!workspace.folder.join(name).exists(), "{name}");
        }
        assert_eq!(std::fs::read_to_string(&a).unwrap(), "1");
        assert_eq!(modified(".gitignore"), made);
        assert_eq!(workspace.git(&["rev-parse", "HEAD"]).unwrap(), commit.sha);
        assert_eq!(
            workspace
                .git(&["rev-parse", "--abbrev-ref", "HEAD"])
                .unwrap(),
            "main"
        );
        assert_eq!(workspace.git(&["status", "--porcelain"]).unwrap(), "");
    }

    #[test]
    fn a_checkout_has_no_history_unless_it_is_asked_for() {
        let (folder, repository) = sample(&[("a.txt", "1")]);
        std::fs::write(folder.path().join("a.txt"), "2").unwrap();
        let commit = repository.uncommitted().unwrap();
        let workspaces = Workspaces::take(None).unwrap();
        for (history, count) in [(History::CommitOnly, "1"), (History::Everything, "2")] {
            let workspace = workspaces.free().unwrap();
            workspace
                .check_out(&repository, "example/wine", "main", &commit, history)
                .unwrap();
            assert_eq!(
                workspace.git(&["rev-list", "--count", "HEAD"]).unwrap(),
                count
            );
            assert_eq!(
                std::fs::read_to_string(workspace.folder.join("a.txt")).unwrap(),
                "2"
            );
        }
    }

    #[test]
    fn jobs_at_once_do_not_share_a_workspace_and_later_ones_use_it_again() {
        let workspaces = Workspaces::take(None).unwrap();
        let first = workspaces.free().unwrap();
        let second = workspaces.free().unwrap();
        let (folder, runner) = (first.folder.clone(), first.runner.clone());
        assert_ne!((&folder, &runner), (&second.folder, &second.runner));
        drop(first);
        let third = workspaces.free().unwrap();
        assert_eq!(
            (third.folder.clone(), third.runner.clone()),
            (folder, runner)
        );
    }

    #[test]
    fn two_rehearsals_at_once_do_not_share_a_folder() {
        let base = tempfile::tempdir().unwrap();
        let first = Workspaces::take(Some(base.path())).unwrap();
        let second = Workspaces::take(Some(base.path())).unwrap();
        assert_ne!(first.base(), second.base());
        let temporary = second.base().to_owned();
        drop(second);
        assert!(!temporary.exists());
        drop(first);
        // A process that another test starts at this moment holds the lock until it has executed its program.
        let lasting = base.path().canonicalize().unwrap();
        let free_again = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            let third = Workspaces::take(Some(base.path())).unwrap();
            third.base().starts_with(&lasting)
        });
        assert!(free_again);
    }
}
