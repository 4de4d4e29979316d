//! Runs a command as a run of Domino does: in a process group of its own, with an environment of its own, its output
//! into a log; and ends whole groups. It does not know what the command is for.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::locked::Locked;
use crate::log::{Kind, Log};
use crate::run_proxy::RunProxy;

/// How long a stopped process may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);
/// How long output may still come once the process has ended and its group is killed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Every process group that is alive.
pub(crate) struct Processes {
    groups: Locked<HashSet<Pid>>,
    is_ending: AtomicBool,
    clock: Clock,
    /// The `python3` to run with, if not the one in `PATH`.
    python: Option<PathBuf>,
    /// The folder with the programs of the image.
    programs: Option<PathBuf>,
    path: OnceLock<OsString>,
}

/// What to run.
pub(crate) struct Task<'a> {
    /// The command as the user wrote it.
    pub(crate) command: &'a str,
    pub(crate) folder: &'a Path,
    /// The environment, except what every process has.
    pub(crate) variables: Vec<(String, String)>,
    /// Addresses that the variables name.
    pub(crate) proxy: Option<RunProxy>,
}

/// A running process group. Dropping it kills the group.
pub(crate) struct Running {
    processes: Arc<Processes>,
    child: Child,
    group: Pid,
    reading: Vec<JoinHandle<()>>,
    /// A process that was asked to end still needs it.
    _proxy: Option<RunProxy>,
}

/// A text quoted as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The command as a shell is to run it: a script with its interpreter, anything else as it is.
fn shell_line(command: &str) -> String {
    let script = command.split_whitespace().next().unwrap_or_default();
    let interpreter = match script.rsplit_once('.') {
        Some((_, "py")) => "python3 ",
        Some((_, "sh")) => "bash ",
        Some((_, "R" | "r")) => "Rscript ",
        _ => "",
    };
    format!("{interpreter}{}", command.trim_start())
}

/// Where programs are searched: where python3 really is, then among those of the image, and then in `PATH`.
fn search_path(python: Option<&Path>, programs: Option<&Path>) -> OsString {
    let told = std::env::var_os("PATH").unwrap_or_default();
    let folders = folder_of(python).into_iter();
    let folders = folders.chain(programs.map(Path::to_owned));
    let folders = folders.chain(std::env::split_paths(&told));
    std::env::join_paths(folders).unwrap_or(told)
}

/// Where this python3, or else that of `PATH`, really is. A version manager replaces it by a script, which takes longer
/// to find the interpreter than many a job takes to run; so it is asked once, however many sandboxes this process has.
fn folder_of(python: Option<&Path>) -> Option<PathBuf> {
    static OF_PATH: OnceLock<Option<PathBuf>> = OnceLock::new();
    match python {
        Some(python) => asked(python),
        None => OF_PATH.get_or_init(|| asked(Path::new("python3"))).clone(),
    }
}

fn asked(python: &Path) -> Option<PathBuf> {
    let told = std::process::Command::new(python)
        .args([
            "-c",
            "import os, sys; print(os.path.dirname(sys.executable))",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    // Without python3 a job in it fails with the shell's own words.
    let told = told.ok().filter(|told| told.status.success())?;
    let folder = PathBuf::from(String::from_utf8(told.stdout).ok()?.trim());
    folder.is_absolute().then_some(folder)
}

impl Processes {
    /// No process yet; the lines of each get their time from `clock`.
    pub(crate) fn new(clock: Clock, python: Option<PathBuf>, programs: Option<PathBuf>) -> Self {
        Processes {
            groups: Locked::default(),
            is_ending: AtomicBool::new(false),
            clock,
            python,
            programs,
            path: OnceLock::new(),
        }
    }

    fn search_path(&self) -> &OsStr {
        self.path
            .get_or_init(|| search_path(self.python.as_deref(), self.programs.as_deref()))
    }

    /// Kills every group, and lets nothing new start.
    pub(crate) async fn end_all(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        for group in self.groups.lock().iter() {
            kill(*group, Signal::KILL);
        }
        // Each run removes its group from the list once its process has ended.
        let deadline = tokio::time::Instant::now() + LAST_WORDS;
        while !self.groups.lock().is_empty() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Starts `task` with its output going into `log`.
pub(crate) fn start(
    processes: &Arc<Processes>,
    task: Task<'_>,
    log: Arc<Log>,
) -> io::Result<Running> {
    if processes.is_ending.load(Ordering::Relaxed) {
        return Err(io::Error::other("the sandbox is stopping"));
    }
    let inherited = ["HOME", "LANG"];
    let inherited = inherited
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut child = Command::new("bash")
        .arg("-c")
        .arg(shell_line(task.command))
        .current_dir(task.folder)
        .env_clear()
        .env("PATH", processes.search_path())
        .envs(inherited)
        .envs(task.variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let group = child
        .id()
        .and_then(|id| Pid::from_raw(id as i32))
        .ok_or_else(|| io::Error::other("the process has no id"))?;
    processes.groups.lock().insert(group);
    let mut reading = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let clock = processes.clock.clone();
        let log = log.clone();
        reading.push(tokio::spawn(read(clock, stdout, Kind::Stdout, log)));
    }
    if let Some(stderr) = child.stderr.take() {
        let clock = processes.clock.clone();
        reading.push(tokio::spawn(read(clock, stderr, Kind::Stderr, log)));
    }
    Ok(Running {
        processes: processes.clone(),
        child,
        group,
        reading,
        _proxy: task.proxy,
    })
}

impl Running {
    /// The id of the first process, which is that of its group.
    pub(crate) fn id(&self) -> i32 {
        self.group.as_raw_pid()
    }

    /// Waits until the process ends, what it left behind is killed and all output is read.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        // As in a container, nothing outlives the first process.
        kill(self.group, Signal::KILL);
        let read = async {
            for reading in self.reading.drain(..) {
                // A reader only fails when the runtime ends, when no reader is needed any longer.
                let _ = reading.await;
            }
        };
        // A process that left the group may hold the output open forever.
        let _ = tokio::time::timeout(LAST_WORDS, read).await;
        self.processes.groups.lock().remove(&self.group);
        status
    }

    /// Asks the group to end, and kills it after a while.
    pub(crate) async fn stop(mut self) {
        kill(self.group, Signal::TERM);
        if tokio::time::timeout(GRACE, self.child.wait())
            .await
            .is_err()
        {
            kill(self.group, Signal::KILL);
        }
        // The exit status of a stopped process has no meaning.
        let _ = self.ended().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The number may belong to another process once the group is off the list.
        if self.processes.groups.lock().remove(&self.group) {
            kill(self.group, Signal::KILL);
        }
    }
}

/// Signals a group; one that has ended needs no signal.
fn kill(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

async fn read(clock: Clock, mut from: impl AsyncRead + Unpin, kind: Kind, log: Arc<Log>) {
    let mut bytes = Vec::new();
    loop {
        bytes.reserve(64 << 10);
        match from.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => break,
            Ok(_) => log.take_lines(kind, &mut bytes, clock.now()),
        }
    }
    if !bytes.is_empty() {
        log.say(kind, &String::from_utf8_lossy(&bytes), clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::shell_line;

    #[test]
    fn a_script_is_run_by_its_interpreter_and_a_command_by_the_shell() {
        assert_eq!(
            shell_line("src/train.py --epochs 3"),
            "python3 src/train.py --epochs 3"
        );
        assert_eq!(shell_line(" app.sh"), "bash app.sh");
        assert_eq!(shell_line("fit.R"), "Rscript fit.R");
        assert_eq!(shell_line("python -m pkg"), "python -m pkg");
        assert_eq!(shell_line("echo main.py"), "echo main.py");
    }
}
