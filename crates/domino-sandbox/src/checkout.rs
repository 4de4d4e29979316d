//! Fetches the code of a run: finds the commit of a git reference in the repository and clones it. The repository
//! itself is only read.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::git_ref::GitRef;

/// Why there is no code, in the words of the run's log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoCode(pub(crate) String);

/// The full id of the commit that `git_ref` means in `repository`.
pub(crate) async fn resolve(repository: &Path, git_ref: &GitRef) -> Result<String, NoCode> {
    let value = git_ref.value.as_deref().unwrap_or_default();
    let candidates = match git_ref.kind.as_str() {
        "head" => vec!["HEAD".to_owned()],
        // A checkout made by a pipeline has its other branches only as the remote's.
        "branches" => vec![
            format!("refs/heads/{value}"),
            format!("refs/remotes/origin/{value}"),
        ],
        "tags" => vec![format!("refs/tags/{value}")],
        "commitId" if is_hex(value) => vec![value.to_owned()],
        "commitId" => Vec::new(),
        word => {
            return Err(NoCode(format!(
                "java.lang.IllegalStateException: Unknown reference type: {word}"
            )));
        }
    };
    for candidate in candidates {
        let commit = format!("{candidate}^{{commit}}");
        let asked = ["rev-parse", "--verify", "--quiet", &commit];
        if let Ok(found) = finished(git(repository, &asked).await) {
            return Ok(found);
        }
    }
    Err(NoCode(match git_ref.kind.as_str() {
        "commitId" => format!("fatal: reference is not a tree: {value}"),
        "head" => "fatal: ambiguous argument 'HEAD': unknown revision".to_owned(),
        _ => format!("fatal: couldn't find remote ref {value}"),
    }))
}

fn is_hex(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Clones `commit` of `repository` into the folder `into`, sharing its objects. The repository may be given as any
/// folder in it, and may be a worktree of another.
pub(crate) async fn check_out(repository: &Path, commit: &str, into: &Path) -> Result<(), NoCode> {
    let asked = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
    let source = finished(git(repository, &asked).await)?;
    let into = into.to_string_lossy();
    let clone = [
        "clone",
        "--quiet",
        "--shared",
        "--no-checkout",
        "--",
        &source,
        &into,
    ];
    finished(git(Path::new("."), &clone).await)?;
    let checkout = ["checkout", "--quiet", "--detach", commit];
    finished(git(Path::new(&*into), &checkout).await)?;
    Ok(())
}

/// What git printed, if it succeeded.
fn finished(ran: std::io::Result<Output>) -> Result<String, NoCode> {
    match ran {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Err(NoCode(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
        Err(problem) => Err(NoCode(format!("git could not be started: {problem}"))),
    }
}

/// Runs git in `folder`, without hooks, prompts, or the variables of a git that called us.
async fn git(folder: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "advice.detachedHead=false",
        ])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
}
