//! A repository whose pipeline is rehearsed by the real program, and a rehearsal that keeps running.
//!
//! The tests check what can be seen of either.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/rehearse");
pub const WORKFLOW: &str = ".github/workflows/deploy-jobs.yml";
pub const CANARY: &str = "canary-of-the-person";

/// A repository with the fixture's files committed.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// With everything committed.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(Path::new(FIXTURE), folder.path());
        let project = Self { folder };
        project.git(&["init", "--quiet"]);
        project.commit();
        project
    }

    /// The path of a file of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a text in a file that holds it.
    pub fn change(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} does not hold {from}");
        std::fs::write(self.path(name), text.replace(from, to)).unwrap();
        self
    }

    /// Commits everything.
    pub fn commit(&self) -> &Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Train better"]);
        self
    }

    fn git(&self, args: &[&str]) {
        let status = Command::new("git")
            .arg("-C")
            .arg(self.folder.path())
            .args([
                "-c",
                "user.name=test",
                "-c",
                "user.email=test@example.com",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args)
            .status()
            .unwrap();
        assert!(status.success(), "git {args:?}");
    }

    /// `rehearse` with these arguments, in the environment of a person who has much set.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_domino-pipeline"));
        command
            .arg("rehearse")
            .arg("--summary-dir")
            .arg(self.path("summaries"))
            .args(args);
        command.current_dir(self.folder.path());
        for name in [
            "DOMINO_API_HOST",
            "DOMINO_TOKEN",
            "DOMINO_USER_API_KEY",
            "DOMINO_ENV",
            "GITHUB_TOKEN",
            "GITHUB_SHA",
        ] {
            command.env(name, CANARY);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs that to its end.
    pub fn rehearse(&self, args: &[&str]) -> Rehearsed {
        Rehearsed::from(self.command(args).output().unwrap())
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What a rehearsal said, and its exit code.
pub struct Rehearsed {
    /// The exit code.
    pub code: i32,
    /// What it said on both outputs.
    pub text: String,
}

impl From<Output> for Rehearsed {
    fn from(output: Output) -> Self {
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        Self {
            code: output.status.code().unwrap(),
            text,
        }
    }
}

impl Rehearsed {
    /// Holds it to have said something.
    pub fn tells(&self, what: &str) {
        assert!(
            self.text.contains(what),
            "`{what}` is missing:\n{}",
            self.text
        );
    }
}

/// A rehearsal that goes on while the test looks at it. It ends with the test.
pub struct Ongoing {
    /// Its process.
    pub child: Child,
    /// What it has said so far.
    pub lines: Vec<String>,
}

impl Ongoing {
    /// Starts it and reads its output until a line holds `wanted`.
    pub fn until(command: &mut Command, wanted: &str) -> Self {
        let mut ongoing = Self {
            child: command.spawn().unwrap(),
            lines: Vec::new(),
        };
        for line in BufReader::new(ongoing.child.stdout.as_mut().unwrap()).lines() {
            ongoing.lines.push(line.unwrap());
            if ongoing
                .lines
                .last()
                .is_some_and(|line| line.contains(wanted))
            {
                return ongoing;
            }
        }
        panic!("never said `{wanted}`: {:#?}", ongoing.lines);
    }

    /// Interrupts it; its exit code comes back.
    pub fn interrupt(&mut self) -> i32 {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(status.success());
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            assert!(Instant::now() < deadline, "the rehearsal did not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Ongoing {
    /// Kills it, so that it can clean up nothing.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        // Both fail where it has ended already, which is how it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
