//! The credentials of a scene, which every program gets, and the places where they must never appear: text, files,
//! addresses of requests, arguments of processes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The user's key.
pub const KEY: &str = "canary-key-4f1d0c";
/// The token, which is sent where both are there.
pub const TOKEN: &str = "canary-token-93ab77";
/// The access token that every model endpoint takes.
pub const MODEL_TOKEN: &str = "canary-model-5c2e91";
/// The same as user and password of HTTP Basic, in base64.
pub const MODEL_PAIR: &str = "Y2FuYXJ5LW1vZGVsLTVjMmU5MTpjYW5hcnktbW9kZWwtNWMyZTkx";
/// The token that GitHub gives to a job.
pub const GITHUB_TOKEN: &str = "canary-github-d80b36";

/// How each of them begins, and how the header of a model endpoint carries its own.
const CANARIES: &[&str] = &[
    "canary-key",
    "canary-token",
    "canary-model",
    "canary-github",
    // The tokens of service accounts that the sandbox makes.
    "service-token-",
    // The beginning of `MODEL_PAIR`.
    "Y2FuYXJ5LW1",
];

/// The variables that hold them.
pub const VARIABLES: &[(&str, &str)] = &[
    ("DOMINO_TOKEN", TOKEN),
    ("DOMINO_USER_API_KEY", KEY),
    ("DOMINO_MODEL_TOKEN", MODEL_TOKEN),
    ("GITHUB_TOKEN", GITHUB_TOKEN),
];

/// Fails when a credential is in the text.
#[track_caller]
pub fn none_in(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "a credential in {what}:\n{text}");
    }
}

/// Looks at the arguments of a process and of all that it starts, until it ends; the first process of each test
/// binary is watched. Without `/proc` nothing can be seen.
pub fn watch_arguments(process: u32) -> Option<std::thread::JoinHandle<Vec<String>>> {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.load(Ordering::Relaxed) {
        return None;
    }
    let mut seen = family(process);
    // One that has ended already shows nothing, and the next one is watched.
    if seen.first().is_none_or(String::is_empty) || WATCHED.swap(true, Ordering::Relaxed) {
        return None;
    }
    Some(std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(1));
            let family = family(process);
            // The arguments of a process that has ended and was not waited for are empty.
            if family.first().is_none_or(String::is_empty) {
                return seen;
            }
            for arguments in family {
                if !seen.contains(&arguments) {
                    seen.push(arguments);
                }
            }
        }
    }))
}

/// The arguments of a process, and then those of all below it.
fn family(process: u32) -> Vec<String> {
    let read = |path: String| std::fs::read_to_string(path);
    let Ok(own) = read(format!("/proc/{process}/cmdline")) else {
        return Vec::new();
    };
    let children = read(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let mut all = vec![own.replace('\0', " ")];
    for child in children.split_whitespace() {
        all.extend(child.parse().map(family).unwrap_or_default());
    }
    all
}
