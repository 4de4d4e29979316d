//! The log of a run: while it grows, if it never pauses, if it never ends, if it cannot be read, and if it is longer
//! than memory.

mod harness;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use domino_sandbox::{Fault, JobFault, Misbehaviour};
use harness::{STAGES, Scene, Setup, eventually};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-job");

const JOBS: &str = "
[job.train]
command = \"train.py\"

[job.wait]
command = \"wait.py\"

[job.fail]
command = \"fail.py\"
";

const FAIL: &str = "print('a row of a table')\nraise SystemExit(3)\n";

const LOG: &str = "GET /v4/jobs/*/logsWithProblemSuggestions";

fn scene() -> Scene {
    scene_with("")
}

/// With these lines at the top of the stage file.
fn scene_with(lines: &str) -> Scene {
    let stages = format!("{lines}{STAGES}{JOBS}");
    let train = "for n in range(30): print('epoch', n)\n";
    let wait = "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n";
    Setup {
        stages: &stages,
        files: &[("train.py", train), ("wait.py", wait), ("fail.py", FAIL)],
        ..Setup::of(PROGRAM)
    }
    .scene()
}

/// Whatever the log says, it never says that it is complete.
fn never_complete() -> Fault {
    let set = vec![("/logset/isComplete".to_owned(), Value::from(false))];
    Fault::on(
        LOG,
        Misbehaviour::Edit {
            set,
            remove: vec![],
        },
    )
}

fn status(status: u16) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed: false,
    }
}

#[test]
fn a_log_that_never_pauses_neither_outlasts_the_time_nor_hides_the_end() {
    let scene = scene();
    scene.sandbox.faults().add_job_fault(JobFault {
        log_never_pauses: true,
        ..JobFault::default()
    });
    let started = Instant::now();
    scene
        .run(&["start", "wait", "--stage", "dev", "--timeout", "1s"])
        .exits(6)
        .tells("run 1 of job `wait` is still");
    // What there is of the log ends, although the log does not.
    scene.run(&["logs", "wait", "--stage", "dev"]).exits(0);
    assert!(started.elapsed() < Duration::from_secs(30));
    scene.run(&["stop", "wait", "--stage", "dev"]).exits(0);
    scene
        .run(&["start", "train", "--stage", "dev"])
        .exits(0)
        .tells("| epoch 29");
}

#[test]
fn a_log_that_never_says_that_it_is_complete_adds_two_seconds_and_not_more() {
    let scene = scene();
    scene.sandbox.faults().add(never_complete());
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert!(run.stderr.contains("| epoch 29"), "{run}");
    assert!(!run.stderr.contains("warning:"), "{run}");
    let requests = scene.sandbox.requests();
    let seen_over = requests
        .iter()
        .rfind(|r| r.path.contains("/v4/jobs/") && !r.path.contains("logs"));
    let waited = requests.last().unwrap().started - seen_over.unwrap().started;
    // A busy machine gets some time more.
    assert!(waited < Duration::from_secs(6), "{waited:?}");
    let logs = scene
        .run(&["logs", "train", "--stage", "dev", "--follow"])
        .exits(0);
    assert!(logs.stdout.contains("epoch 29"), "{logs}");
}

#[test]
fn a_log_that_cannot_be_read_is_named_and_changes_nothing_else() {
    let mut scene = scene();
    scene.on_github("77");
    scene.sandbox.faults().add(Fault::on(LOG, status(403)));
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    let warning = "the log of run 1 was not read to its end";
    assert!(
        run.stdout.contains(warning) || run.stderr.contains(warning),
        "{run}"
    );
    assert!(
        scene.summary().contains("403 Forbidden"),
        "{}",
        scene.summary()
    );
}

#[test]
fn a_domino_without_v4s_route_of_logs_is_asked_by_the_public_one() {
    let scene = scene();
    scene.sandbox.faults().add(Fault::on(LOG, status(404)));
    let run = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    assert_eq!(run.stderr.matches("| epoch ").count(), 30, "{run}");
    assert!(!run.stderr.contains("warning:"), "{run}");
}

#[test]
fn where_anybody_may_read_the_log_on_github_less_of_the_remote_one_is_shown() {
    for (word, live, at_the_end) in [
        ("stream", true, false),
        ("on-failure", false, true),
        ("never", false, false),
    ] {
        let mut scene = scene_with(&format!("[pipeline]\nremote-logs = \"{word}\"\n"));
        scene.on_github("77");
        let train = scene.run(&["start", "train", "--stage", "dev"]).exits(0);
        assert_eq!(train.stderr.contains("| epoch 29"), live, "{word}: {train}");
        let fail = scene.run(&["start", "fail", "--stage", "dev"]).exits(5);
        assert_eq!(
            fail.stderr.contains("| a row of a table"),
            live,
            "{word}: {fail}"
        );
        assert_eq!(
            fail.stderr.contains("\n  a row of a table"),
            at_the_end,
            "{word}: {fail}"
        );
        let in_summary = scene.summary().contains("a row of a table");
        assert_eq!(
            in_summary,
            live || at_the_end,
            "{word}: {}",
            scene.summary()
        );
        // Who asks for the log gets it.
        let logs = scene.run(&["logs", "fail", "--stage", "dev"]).exits(0);
        assert!(logs.stdout.contains("a row of a table"), "{word}: {logs}");
    }
}

#[test]
fn a_log_as_json_is_one_document_with_the_lines_in_it() {
    let scene = scene();
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    let run = scene
        .run(&["logs", "train", "--stage", "dev", "--format", "json"])
        .exits(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let lines = document["log"].as_array().unwrap();
    assert_eq!(lines.last().unwrap(), "epoch 29");
    assert_eq!(document["outcome"], "unchanged");
    // A document that was begun is ended, whatever comes.
    scene
        .run(&["start", "wait", "--stage", "dev", "--no-wait"])
        .exits(0);
    let arguments = [
        "logs", "wait", "--stage", "dev", "--follow", "--format", "json",
    ];
    let from = scene.sandbox.requests().len();
    let running = scene.start(&arguments);
    eventually("the log is read more than once", || {
        let requests = scene.sandbox.requests();
        let logs = requests
            .iter()
            .skip(from)
            .filter(|r| r.path.contains("logs"));
        logs.filter(|r| {
            r.reply
                .to_owned()
                .unwrap_or_default()
                .to_string()
                .contains("waiting")
        })
        .count()
            > 0
            && requests
                .iter()
                .skip(from)
                .filter(|r| r.path.contains("logs"))
                .count()
                > 3
    });
    running.signal("INT");
    let run = running.end().exits(130);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(document["log"].to_string().contains("waiting"), "{run}");
    assert_eq!(document["exit"], 130);
}

/// Twelve of the largest pages, and more than twice what is remembered of them. A million would only take longer.
const LINES: u64 = 120_000;

#[test]
fn a_log_longer_than_memory_passes_through_in_constant_memory() {
    let mut scene = scene();
    scene.run(&["start", "train", "--stage", "dev"]).exits(0);
    let tape = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, sandbox) = (tape.local_addr().unwrap(), scene.sandbox.url().to_owned());
    std::thread::spawn(move || {
        for stream in tape.incoming() {
            let sandbox = sandbox.clone();
            // A connection that ends badly shows as a log that is cut.
            std::thread::spawn(move || answer(stream.unwrap(), &sandbox).ok());
        }
    });
    scene.variable("DOMINO_API_HOST", &format!("http://{address}"));
    let mut running = scene.start(&["logs", "train", "--stage", "dev"]);
    let (id, mut lines, mut peaks) = (running.id(), 0, Vec::new());
    running.each_line(|line| {
        let number = line.split(' ').nth(1).unwrap();
        assert_eq!(number.parse(), Ok(lines), "{line}");
        lines += 1;
        if lines % (LINES / 10) == 0 {
            peaks.extend(peak_memory(id));
        }
    });
    running.end().exits(0);
    assert_eq!(lines, LINES);
    // The second half, 18 MB of text, needs nothing that the first half did not need.
    if let (Some(half), Some(whole)) = (peaks.get(4), peaks.last()) {
        assert!(whole - half < 8 * 1024, "{peaks:?} KiB");
    }
}

/// The most memory that a process has had so far, in KiB, where the system tells.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Makes up the log, and passes every other request on to the sandbox. One request a connection.
fn answer(mut stream: TcpStream, sandbox: &str) -> std::io::Result<()> {
    let (mut head, mut reader) = (String::new(), BufReader::new(stream.try_clone()?));
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    if !head.contains("/logsWithProblemSuggestions?") {
        let mut behind = TcpStream::connect(sandbox.trim_start_matches("http://"))?;
        let once = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        behind.write_all(once.as_bytes())?;
        let mut reply = Vec::new();
        behind.read_to_end(&mut reply)?;
        return stream.write_all(&reply);
    }
    let from = head.split("latestTimeNano=").nth(1).unwrap_or_default();
    let from: u64 = from
        .chars()
        .map_while(|c| c.to_digit(10))
        .fold(0, |n, digit| n * 10 + u64::from(digit));
    let to = (from + 10_000).min(LINES);
    let filler = "x".repeat(280);
    let mut page = String::with_capacity(4 << 20);
    for number in from..to {
        let comma = if number == from { "" } else { "," };
        page.push_str(&format!(
            r#"{comma}{{"timestamp":0,"logType":"stdout","log":"line {number} {filler}","size":1}}"#
        ));
    }
    let page = format!(
        r#"{{"logset":{{"logContent":[{page}],"isComplete":{},"pagination":{{"limit":10000,"offset":0,"latestTimeNano":"{to}"}}}}}}"#,
        to == LINES
    );
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    )
}
