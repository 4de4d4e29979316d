//! Builds as much of `domino-pipeline` as a verb needs, and becomes that program.
//!
//! A person sees cargo's own progress while something is compiled, and nothing if everything is fresh. Arguments, the
//! exit code and signals are the program's: it replaces this process.

use std::collections::HashSet;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::verbs::{Features, Verb};

/// The package and its program.
const PROGRAM: &str = "domino-pipeline";

/// Builds the program and runs it with these arguments; the first of them is the verb.
pub fn run(verb: &Verb, root: &Path, arguments: &[String]) -> ExitCode {
    let program = match program() {
        Ok(program) => program,
        Err(error) => return failed("cannot tell where cargo puts programs", &error),
    };
    let features = verb.features(arguments);
    let stamp = program.with_file_name(features.stamp());
    if !stamp.exists() {
        announce(verb, features, root);
    }
    match build(features, root, &program) {
        // Without the stamp, the next call is announced as the first again.
        Ok(0) => drop(std::fs::write(stamp, "")),
        Ok(code) => return ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => return failed("cannot run cargo", &error),
    }
    let error = Command::new(&program)
        .args(arguments)
        .env("DOMINO_PIPELINE_ROOT", root)
        .env("DOMINO_PIPELINE_CALLED_AS", "cargo xtask")
        .exec();
    failed(&format!("cannot run `{}`", program.display()), &error)
}

fn failed(what: &str, error: &io::Error) -> ExitCode {
    eprintln!("error: {what}\n  caused by: {error}");
    ExitCode::FAILURE
}

/// The program, beside this one: cargo puts everything that it builds for one profile into one folder.
fn program() -> io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(PROGRAM))
}

fn cargo(root: &Path, subcommand: &str, features: Features) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg(subcommand)
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .args(["--package", PROGRAM])
        .args(features.arguments());
    if !features.incremental() && std::env::var_os("CARGO_INCREMENTAL").is_none() {
        cargo.env("CARGO_INCREMENTAL", "0");
    }
    cargo
}

/// Says what a first call will build, before it does.
fn announce(verb: &Verb, features: Features, root: &Path) {
    let name = verb.name;
    eprintln!(
        "`{name}` is a verb of {PROGRAM}, which is compiled once; the next call starts at once"
    );
    let tree = cargo(root, "tree", features)
        .args(["--prefix", "none", "--edges", "normal,build"])
        .stderr(Stdio::inherit())
        .output();
    // Without a count, cargo's own progress still shows.
    if let Ok(tree) = tree
        && tree.status.success()
    {
        let text = String::from_utf8_lossy(&tree.stdout);
        let crates: HashSet<String> = text
            .lines()
            .map(|line| line.split_whitespace().take(2).collect())
            .collect();
        eprintln!("compiling {} crates:", crates.len());
    }
}

/// Runs cargo, and returns its exit code.
fn build(features: Features, root: &Path, program: &Path) -> io::Result<i32> {
    let mut cargo = cargo(root, "build", features);
    cargo.arg("--message-format=json-render-diagnostics");
    let folder = program.parent().and_then(Path::file_name);
    if folder.is_some_and(|folder| folder == "release") {
        cargo.arg("--release");
    }
    let terminal = io::stderr().is_terminal();
    let stderr = if terminal {
        Stdio::inherit()
    } else {
        Stdio::piped()
    };
    let mut child = cargo.stdout(Stdio::piped()).stderr(stderr).spawn()?;
    let quiet = Arc::new(Quiet::new());
    let forwarding = child.stderr.take().map(|stderr| {
        let quiet = Arc::clone(&quiet);
        thread::spawn(move || forward(stderr, &quiet))
    });
    let mut all_fresh = true;
    if let Some(stdout) = child.stdout.take() {
        let messages = messages(stdout);
        loop {
            match messages.recv_timeout(STILL) {
                Ok(message) => {
                    all_fresh &= !message.contains("\"fresh\":false");
                    quiet.count(&message);
                }
                // On a terminal, cargo itself shows progress.
                Err(RecvTimeoutError::Timeout) if terminal => {}
                Err(RecvTimeoutError::Timeout) => quiet.break_silence(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }
    let status = child.wait()?;
    if let Some(forwarding) = forwarding {
        // The thread returns nothing, and a panic in it has been printed.
        let _ = forwarding.join();
    }
    if terminal && all_fresh && status.success() {
        // Cargo said that it had nothing to do; that line is removed again.
        eprint!("\x1b[1A\x1b[2K");
    }
    Ok(status.code().unwrap_or(1))
}

/// How long nothing may be printed when cargo shows no progress of its own.
const STILL: Duration = Duration::from_secs(15);

/// Cargo's messages for programs, line by line.
fn messages(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for message in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

/// When something was last printed, and how far cargo is.
struct Quiet {
    begun: Instant,
    /// In milliseconds after the start.
    last_said: AtomicU64,
    compiled: AtomicU64,
}

impl Quiet {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            last_said: AtomicU64::default(),
            compiled: AtomicU64::default(),
        }
    }

    fn said(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_said.store(now, Ordering::Relaxed);
    }

    fn count(&self, message: &str) {
        if message.contains("\"compiler-artifact\"") {
            self.compiled.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn break_silence(&self) {
        let last_said = Duration::from_millis(self.last_said.load(Ordering::Relaxed));
        let now = self.begun.elapsed();
        if now.saturating_sub(last_said) >= STILL {
            let compiled = self.compiled.load(Ordering::Relaxed);
            eprintln!(
                "   Compiling for {} s so far; {compiled} parts are done",
                now.as_secs()
            );
            self.said();
        }
    }
}

/// Passes on what cargo prints, except that it is done.
fn forward(stderr: impl Read, quiet: &Quiet) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if !line.trim_start().starts_with("Finished ") {
            eprintln!("{line}");
            quiet.said();
        }
    }
}
