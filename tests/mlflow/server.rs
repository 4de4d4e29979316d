//! A real MLflow server for a test binary: started once for each release line, by the script beside this file, and
//! stopped when the binary ends, however it ends.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Once, OnceLock};

/// The lines to test against, such as `3 2`. Starting a line for the first time installs it from PyPI.
pub const VARIABLE: &str = "MLFLOW_LINES";
/// One worker of line 2 takes one request at a time, which would hide what several promotions do to each other.
const WORKERS: &str = "4";

struct Server {
    uri: String,
    /// Ends the server when its input closes, which it does when this process is gone.
    _reaper: Child,
}

/// The two lines that there are, without rights and with; all can be starting at once.
static SERVERS: [OnceLock<Server>; 4] = [const { OnceLock::new() }; 4];

/// The address of the server of a line; `None`, and said so, when tests against it were not asked for.
pub fn uri(line: &'static str) -> Option<String> {
    started(line, false)
}

/// The same of a server with rights, where everybody is `editor` who does not give another user name.
#[allow(dead_code, reason = "each test binary uses the part it needs")]
pub fn uri_with_roles(line: &'static str) -> Option<String> {
    started(line, true)
}

fn started(line: &'static str, roles: bool) -> Option<String> {
    let lines = std::env::var(VARIABLE).unwrap_or_default();
    if !lines.split_whitespace().any(|asked| asked == line) {
        not_run(&lines);
        return None;
    }
    let server = &SERVERS[usize::from(line == "3") + 2 * usize::from(roles)];
    Some(server.get_or_init(|| start(line, roles)).uri.clone())
}

/// Straight to the terminal: a passing test's own output is swallowed.
fn not_run(lines: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let which = match lines.trim() {
            "" => format!("any real MLflow server; set {VARIABLE} to \"3 2\" for that"),
            lines => format!("a line of MLflow that is not among {VARIABLE}={lines:?}"),
        };
        let _ = writeln!(std::io::stderr(), "NOT RUN: the tests against {which}");
    });
}

fn start(line: &str, roles: bool) -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mlflow/start.sh");
    let output = Command::new("bash")
        .arg(&script)
        .env("MLFLOW_LINE", line)
        .env("MLFLOW_WORKERS", WORKERS)
        .env("MLFLOW_ROLES", if roles { "1" } else { "" })
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let value = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.strip_prefix('='))
            .unwrap()
            .to_owned()
    };
    // In a session of its own, so that an interrupted test run does not end it before its work.
    let reaper = Command::new("setsid")
        .args([
            "sh",
            "-c",
            "read -r _; exec bash \"$1\" stop \"$2\"",
            "reaper",
        ])
        .arg(&script)
        .arg(value("MLFLOW_STORE"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Server {
        uri: value("MLFLOW_TRACKING_URI"),
        _reaper: reaper,
    }
}
