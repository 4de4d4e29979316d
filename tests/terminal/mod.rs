//! A person at a terminal: runs a program on one, answers what it asks, and reads what it shows.
//!
//! The terminal is that of Python's standard library. There are no fixed pauses: an answer is given as soon as its
//! question is shown.

use std::process::{Command, Stdio};

/// The columns, then question and answer in turns, then `--` and the command.
const TERMINAL: &str = r#"
import fcntl, os, pty, signal, struct, sys, termios
signal.alarm(180)  # a question that never comes must not be waited for without end
columns, rest = int(sys.argv[1]), sys.argv[2:]
answers, command = rest[:rest.index("--")], rest[rest.index("--") + 1:]
process, terminal = pty.fork()
if process == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    os.execvp(command[0], command)
shown, looked_at = b"", 0
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    while answers and (at := shown.find(answers[0].encode(), looked_at)) >= 0:
        looked_at = at + len(answers[0].encode())
        os.write(terminal, answers[1].encode() + b"\n")
        answers = answers[2:]
os.write(1, shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"#;

/// Runs `command` on a terminal of this width. Its exit code comes back, and what it showed, without colours.
pub fn run(command: &Command, columns: usize, answers: &[(&str, &str)]) -> (i32, String) {
    let mut terminal = Command::new("python3");
    terminal.args(["-I", "-c", TERMINAL, &columns.to_string()]);
    for (question, answer) in answers {
        terminal.args([question, answer]);
    }
    terminal
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        terminal.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.env("TERM", "xterm").env("NO_COLOR", "1");
    let output = terminal.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.is_empty(), "{said}");
    let shown = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), shown.replace("\r\n", "\n"))
}
