//! Receipts as git notes on the deployed commits: one line each, all in one ref that a clone does not have unless it
//! is fetched. It only reads and writes the local ref; it is decided elsewhere who fetches and pushes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::chain::Flaw;
use super::history::History;
use super::seal::{Kept, SealedReceipt, Unsealed};
use crate::error::{CommandError, Exit, Result};

/// Where the notes are, in the repository and on GitHub.
pub const NOTES: &str = "refs/notes/deployments";

/// Who adds notes, as git has it: the receipts themselves say who deployed.
const RECORDER: &str = "domino-pipeline";

/// The notes of a repository on this machine.
#[derive(Debug, Clone)]
pub struct Notes {
    folder: PathBuf,
    name: String,
}

impl Notes {
    /// The notes of the repository that `folder` is in.
    pub fn of(folder: &Path) -> Self {
        Self::named(folder, NOTES)
    }

    /// The same under another ref.
    pub fn named(folder: &Path, name: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Whether there are any.
    pub fn exist(&self) -> bool {
        let verify = ["rev-parse", "--verify", "--quiet", &self.name];
        self.git(&verify)
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// All receipts; empty if there are no notes.
    ///
    /// # Errors
    /// git's own message.
    pub fn read(&self) -> Result<History> {
        if !self.exist() {
            return Ok(History::of(Vec::new(), Vec::new(), true));
        }
        let tree = self.run(&["ls-tree", "-r", "-z", &self.name])?;
        let tree = String::from_utf8_lossy(&tree);
        let notes: Vec<(&str, String)> = tree.split('\0').filter_map(entry).collect();
        let blobs: String = notes.iter().map(|(blob, _)| format!("{blob}\n")).collect();
        let texts = self.blobs(blobs)?;
        let (mut kept, mut unreadable) = (Vec::new(), Vec::new());
        for ((_, commit), text) in notes.iter().zip(texts) {
            let at = format!("the note of {}", commit.get(..7).unwrap_or(commit));
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                match SealedReceipt::read(line) {
                    Ok(sealed) => kept.push(Kept {
                        sealed,
                        at: at.clone(),
                        commit: Some(commit.clone()),
                    }),
                    Err(Unsealed(why)) => {
                        let at = at.clone();
                        unreadable.push(Flaw::Unreadable { at, why });
                    }
                }
            }
        }
        Ok(History::of(kept, unreadable, true))
    }

    /// Adds lines to the note of a commit, which need not be in this repository.
    ///
    /// # Errors
    /// git's own message.
    pub fn add(&self, commit: &str, lines: &[&str]) -> Result<()> {
        let mut text = String::new();
        let listed = self.git(&["notes", "--ref", &self.name, "list", commit]);
        if let Ok(blob) = output_of(listed) {
            let blob = String::from_utf8_lossy(&blob).trim().to_owned();
            text += &String::from_utf8_lossy(&self.run(&["cat-file", "blob", &blob])?);
        }
        for line in lines {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text += line;
            text.push('\n');
        }
        let name = &self.name;
        let add = ["notes", "--ref", name, "add", "--force", "--file", "-"];
        let mut git = self.git(&add);
        git.arg(commit);
        // A runner has no name of its own, and without one git writes no note.
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), RECORDER);
            git.env(format!("GIT_{who}_EMAIL"), format!("{RECORDER}@localhost"));
        }
        given(git, text).map(drop)
    }

    /// Each object in its turn, as text.
    fn blobs(&self, names: String) -> Result<Vec<String>> {
        let all = given(self.git(&["cat-file", "--batch"]), names)?;
        let mut rest = all.as_slice();
        let mut texts = Vec::new();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = String::from_utf8_lossy(&rest[..end]);
            let size = head.rsplit(' ').next().and_then(|size| size.parse().ok());
            let body = size.and_then(|size: usize| rest[end + 1..].get(..size));
            let Some(body) = body else {
                return Err(cannot(&format!("git answered `{head}`")));
            };
            texts.push(String::from_utf8_lossy(body).into_owned());
            rest = rest.get(end + 1 + body.len() + 1..).unwrap_or_default();
        }
        Ok(texts)
    }

    fn run(&self, args: &[&str]) -> Result<Vec<u8>> {
        output_of(self.git(args))
    }

    fn git(&self, args: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.folder).args(args);
        git
    }
}

/// A note of `git ls-tree`: its blob and its commit, whose name git may have spread over folders.
fn entry(line: &str) -> Option<(&str, String)> {
    let (head, path) = line.split_once('\t')?;
    let blob = head.rsplit(' ').next()?;
    let commit = path.replace('/', "");
    let is_commit =
        matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then_some((blob, commit))
}

/// Runs git with this on its stdin.
fn given(mut git: Command, text: String) -> Result<Vec<u8>> {
    let mut child = git
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|problem| cannot(&format!("git: {problem}")))?;
    let stdin = child.stdin.take();
    // git answers while it still reads, and waits until somebody reads the answer.
    let writer = std::thread::spawn(move || {
        let mut stdin = stdin?;
        stdin.write_all(text.as_bytes()).ok()
    });
    let output = child.wait_with_output();
    // git's exit code tells whether it has read everything.
    drop(writer.join());
    told(output)
}

fn output_of(mut git: Command) -> Result<Vec<u8>> {
    told(git.stdin(Stdio::null()).output())
}

fn told(output: std::io::Result<std::process::Output>) -> Result<Vec<u8>> {
    let output = output.map_err(|problem| cannot(&format!("git: {problem}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(cannot(&format!("git says: {}", said.trim())))
}

fn cannot(why: &str) -> CommandError {
    CommandError::new(
        Exit::Usage,
        format!("the receipts in `{NOTES}` cannot be used: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::receipt;
    use super::*;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::of(folder.path());
        notes.run(&["init", "--quiet"]).unwrap();
        // As on a runner, where nobody has said who they are.
        for (key, value) in [
            ("user.name", ""),
            ("user.email", ""),
            ("user.useConfigOnly", "true"),
        ] {
            notes.run(&["config", key, value]).unwrap();
        }
        folder
    }

    #[test]
    fn receipts_are_read_from_the_notes_as_they_were_added_to_commits_that_git_need_not_have() {
        let folder = repository();
        let notes = Notes::of(folder.path());
        assert!(!notes.exist());
        assert_eq!(notes.read().unwrap().kept, []);
        let sealed = [1, 2, 3].map(|at| SealedReceipt::seal(receipt(at)).unwrap());
        let commit = &sealed[0].receipt.commit;
        notes.add(commit, &[&sealed[0].line]).unwrap();
        notes.add(commit, &[&sealed[1].line, "no receipt"]).unwrap();
        let other = "b".repeat(40);
        notes.add(&other, &[&sealed[2].line]).unwrap();
        let history = notes.read().unwrap();
        assert!(history.receipts().eq(&sealed));
        assert_eq!(history.kept[1].commit.as_ref(), Some(commit));
        assert_eq!(history.kept[2].commit, Some(other));
        let [Flaw::Unreadable { at, .. }] = &history.unreadable[..] else {
            panic!("{:?}", history.unreadable)
        };
        assert_eq!(at, "the note of 0000000");
    }

    #[test]
    fn a_note_is_known_also_where_git_spreads_its_name_over_folders() {
        let commit = "a".repeat(40);
        let spread = format!("100644 blob b10b\t{}/{}", &commit[..2], &commit[2..]);
        assert_eq!(entry(&spread), Some(("b10b", commit)));
        assert_eq!(entry("100644 blob b10b\treadme"), None);
    }
}
