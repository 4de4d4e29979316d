//! One process of a step: started in a group of its own, its lines read live, ended the way GitHub's runner ends it.
//!
//! The runner sends SIGINT to the shell that it started and to nothing below it, later SIGTERM, and then kills the
//! whole tree. This does the same: a step that only works when every process receives Ctrl-C must not pass here.

mod ending;
mod limits;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use self::ending::Termination;
pub use self::limits::{End, Grace, Limits};

/// The process groups that steps left running; they end with their job.
#[derive(Debug, Default)]
pub struct Leftovers {
    groups: Vec<Pid>,
}

impl Leftovers {
    /// Adds the process groups of another step.
    pub fn take(&mut self, mut others: Self) {
        self.groups.append(&mut others.groups);
    }

    /// Ends them, and returns how many there were.
    pub fn end(&mut self) -> usize {
        let mut ended = 0;
        for group in self.groups.drain(..) {
            ended += usize::from(kill_process_group(group, Signal::KILL).is_ok());
        }
        ended
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.end();
    }
}

/// How often the deadline and the interrupt are checked while a process prints nothing.
const GLANCE: Duration = Duration::from_millis(20);

/// A line without an end is passed on in pieces of this size.
const LONGEST_LINE: u64 = 1 << 20;

/// Runs a process to its end. `on_line` is called for each line of its stdout and stderr, and without a line when
/// nothing was printed for a moment.
pub fn run(
    command: &mut Command,
    limits: &Limits<'_>,
    leftovers: &mut Leftovers,
    on_line: &mut dyn FnMut(Option<&str>),
) -> End {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return End::NotStarted(error.to_string()),
    };
    let group = Pid::from_child(&child);
    let lines = read_lines(&mut child);
    let end = follow(&mut child, group, limits, &lines, on_line);
    if test_kill_process_group(group).is_ok() {
        leftovers.groups.push(group);
    }
    end
}

fn follow(
    child: &mut Child,
    group: Pid,
    limits: &Limits<'_>,
    lines: &Receiver<Vec<u8>>,
    on_line: &mut dyn FnMut(Option<&str>),
) -> End {
    let mut ending: Option<Termination> = None;
    let mut exited: Option<(std::process::ExitStatus, Instant)> = None;
    let mut open = true;
    loop {
        if open {
            match lines.recv_timeout(GLANCE) {
                Ok(line) => on_line(Some(&String::from_utf8_lossy(&line))),
                Err(RecvTimeoutError::Timeout) => on_line(None),
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        } else if exited.is_none() {
            std::thread::sleep(GLANCE);
            on_line(None);
        }
        if exited.is_none() {
            match child.try_wait() {
                Ok(Some(status)) => exited = Some((status, Instant::now())),
                Ok(None) => {}
                Err(error) => return End::NotStarted(error.to_string()),
            }
        }
        if let Some((status, since)) = exited {
            if open && since.elapsed() < limits.grace.output {
                continue;
            }
            return match ending {
                Some(ending) => {
                    // What the shell left running ends with it, because the runner kills the whole tree.
                    let _ = kill_process_group(group, Signal::KILL);
                    ending.end
                }
                None => status.code().map_or_else(
                    || End::Signal(status.signal().unwrap_or_default()),
                    End::Exit,
                ),
            };
        }
        match &mut ending {
            Some(ending) => ending.escalate(group, limits),
            None => ending = Termination::begin(group, limits),
        }
    }
}

fn read_lines(child: &mut Child) -> Receiver<Vec<u8>> {
    // Bounded, so that a step that prints faster than the console reads has to wait.
    let (sender, receiver) = sync_channel(1024);
    let stdout = child
        .stdout
        .take()
        .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
    let stderr = child
        .stderr
        .take()
        .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
    for pipe in [stdout, stderr].into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || read_pipe(pipe, &sender));
    }
    receiver
}

fn read_pipe(pipe: Box<dyn Read + Send>, lines: &SyncSender<Vec<u8>>) {
    let mut pipe = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        match pipe
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if lines.send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::Interrupt;

    const QUICK: Grace = Grace {
        after_interrupt: Duration::from_millis(100),
        after_terminate: Duration::from_millis(100),
        after_timeout: Duration::from_millis(100),
        output: Duration::from_millis(100),
    };

    /// A shell that receives interrupts even when the caller of the tests ignores them: a shell cannot reset that by
    /// itself.
    fn shell(script: &str) -> Command {
        let begin = "import os, signal, sys\n\
                     signal.signal(signal.SIGINT, signal.SIG_DFL)\n\
                     os.execvp('bash', ['bash', '-c', sys.argv[1]])";
        let mut command = Command::new("python3");
        command.args(["-ISc", begin, script]);
        command
    }

    fn bash(script: &str, limits: &Limits<'_>) -> (End, Vec<String>) {
        let mut lines = Vec::new();
        let mut leftovers = Leftovers::default();
        let mut command = shell(script);
        let end = run(&mut command, limits, &mut leftovers, &mut |line| {
            lines.extend(line.map(str::to_owned))
        });
        (end, lines)
    }

    static CALM: std::sync::LazyLock<Interrupt> = std::sync::LazyLock::new(Interrupt::default);

    fn free() -> Limits<'static> {
        Limits {
            deadline: None,
            interrupt: &CALM,
            stop: None,
            survives_cancel: false,
            grace: QUICK,
        }
    }

    #[test]
    fn lines_of_both_outputs_arrive_and_the_exit_code_is_told() {
        let (end, mut lines) = bash("echo one; echo two >&2; printf three; exit 3", &free());
        lines.sort();
        assert_eq!(
            (end, lines),
            (
                End::Exit(3),
                vec!["one".into(), "three".into(), "two".into()]
            )
        );
        assert_eq!(bash("kill -9 $$", &free()).0, End::Signal(9));
        let mut missing = Command::new("/no/such/program");
        let end = run(
            &mut missing,
            &free(),
            &mut Leftovers::default(),
            &mut |_| {},
        );
        assert!(matches!(end, End::NotStarted(_)), "{end:?}");
    }

    #[test]
    fn a_process_that_takes_too_long_is_interrupted_then_killed_with_its_children() {
        // Long enough for a shell to begin on a busy machine.
        let soon = || Some(Instant::now() + Duration::from_secs(3));
        let limits = Limits {
            deadline: soon(),
            ..free()
        };
        let (end, lines) = bash(
            "trap 'echo heard; exit 0' INT; while :; do sleep 0.01; done",
            &limits,
        );
        assert_eq!((end, lines), (End::TimedOut, vec!["heard".into()]));

        let limits = Limits {
            deadline: soon(),
            ..free()
        };
        let (end, lines) = bash("trap '' INT TERM; sleep 30 & echo $!; wait; wait", &limits);
        assert_eq!(end, End::TimedOut);
        assert_ended(&lines[0]);
    }

    fn interrupted(script: &str, ask: &dyn Fn(&str, &Interrupt)) -> (End, Vec<String>) {
        // Only what the test asks for may end the process.
        let patient = Grace {
            after_interrupt: Duration::from_secs(60),
            output: Duration::from_secs(60),
            ..QUICK
        };
        let interrupt = Interrupt::default();
        let limits = Limits {
            interrupt: &interrupt,
            stop: None,
            survives_cancel: false,
            grace: patient,
            deadline: None,
        };
        let mut lines = Vec::new();
        let mut command = shell(script);
        let end = run(
            &mut command,
            &limits,
            &mut Leftovers::default(),
            &mut |line| {
                let Some(line) = line else { return };
                lines.push(line.to_owned());
                ask(line, &interrupt);
            },
        );
        (end, lines)
    }

    #[test]
    fn only_the_shell_hears_the_interrupt() {
        let child = "trap 'echo child heard' INT; echo ready; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.02; done; echo done";
        let (end, lines) =
            interrupted(&format!("bash -c \"{child}\"; true"), &|line, interrupt| {
                if line == "ready" {
                    interrupt.ask(2);
                }
            });
        assert_eq!(
            (end, lines),
            (End::Cancelled, vec!["ready".into(), "done".into()])
        );
    }

    #[test]
    fn a_second_interrupt_kills_at_once() {
        let script = "trap 'echo shell heard' INT; sleep 30 & echo $!; wait; sleep 30";
        let (end, lines) = interrupted(script, &|_, interrupt| interrupt.ask(2));
        assert_eq!(end, End::Cancelled);
        assert_eq!(lines[1], "shell heard");
        assert_ended(&lines[0]);
    }

    #[test]
    fn what_a_step_leaves_in_the_background_ends_with_the_job() {
        let mut leftovers = Leftovers::default();
        let mut lines = Vec::new();
        let mut command = Command::new("bash");
        command.args(["-c", "sleep 30 & echo $!"]);
        let end = run(&mut command, &free(), &mut leftovers, &mut |line| {
            lines.extend(line.map(str::to_owned))
        });
        assert_eq!(end, End::Exit(0));
        assert_eq!(leftovers.end(), 1);
        assert_ended(&lines[0]);
    }

    fn assert_ended(pid: &str) {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            // A killed process that nobody has waited for is a zombie, which counts as ended.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let gone = rustix::process::test_kill_process(pid).is_err();
            if gone
                || stat
                    .rsplit(')')
                    .next()
                    .is_some_and(|rest| rest.trim_start().starts_with('Z'))
            {
                return;
            }
            assert!(Instant::now() < deadline, "process {pid} still runs");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
