//! Builds `domino-pipeline` as far as a verb needs it, and becomes it.
//!
//! A person sees cargo's own progress while something is compiled, and nothing when everything is fresh. Arguments,
//! the exit code and signals are the program's: it takes the place of this process.

use std::collections::HashSet;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use crate::verbs::Verb;

/// The package and its program.
const PROGRAM: &str = "domino-pipeline";

/// Builds the program and runs it with these arguments, of which the first is the verb.
pub fn run(verb: &Verb, root: &Path, arguments: &[String]) -> ExitCode {
    let program = match program() {
        Ok(program) => program,
        Err(error) => return failed("cannot tell where cargo puts programs", &error),
    };
    let stamp = program.with_file_name(verb.features.stamp());
    if !stamp.exists() {
        announce(verb, root);
    }
    match build(verb, root, &program) {
        // Without the stamp, the next call is announced as the first once more.
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

/// Beside this program: cargo puts what it builds for one profile into one folder.
fn program() -> io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(PROGRAM))
}

fn cargo(root: &Path, subcommand: &str, verb: &Verb) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg(subcommand)
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .args(["--package", PROGRAM])
        .args(verb.features.arguments());
    cargo
}

/// Says what a first call is going to take, before it takes it.
fn announce(verb: &Verb, root: &Path) {
    let name = verb.name;
    eprintln!(
        "`{name}` is a verb of {PROGRAM}, which is compiled once; the next call starts at once"
    );
    let tree = cargo(root, "tree", verb)
        .args(["--prefix", "none", "--edges", "normal,build"])
        .stderr(Stdio::inherit())
        .output();
    // Without a count there is still cargo's own progress.
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

/// Runs cargo. What comes back is its exit code.
fn build(verb: &Verb, root: &Path, program: &Path) -> io::Result<i32> {
    let mut cargo = cargo(root, "build", verb);
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
    let forwarding = child
        .stderr
        .take()
        .map(|stderr| thread::spawn(move || forward(stderr)));
    let mut all_fresh = true;
    if let Some(stdout) = child.stdout.take() {
        for message in BufReader::new(stdout).lines() {
            all_fresh &= !message?.contains("\"fresh\":false");
        }
    }
    let status = child.wait()?;
    if let Some(forwarding) = forwarding {
        // It has nothing to give back, and a panic in it has been shown.
        let _ = forwarding.join();
    }
    if terminal && all_fresh && status.success() {
        // Cargo said that it had nothing to do; that line goes again.
        eprint!("\x1b[1A\x1b[2K");
    }
    Ok(status.code().unwrap_or(1))
}

/// Passes on what cargo says, but for its word that it is done.
fn forward(stderr: impl Read) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if !line.trim_start().starts_with("Finished ") {
            eprintln!("{line}");
        }
    }
}
