//! Whether the commit to deploy is older or newer than the one that runs, so that nothing goes backwards by accident.
//!
//! git in the checkout is asked first. A workflow's checkout is shallow, so GitHub is asked when git does not know.
//! Nothing is decided here: the caller says whether an older commit is refused.

use std::path::Path;
use std::process::Command;

use crate::client::Connection;
use crate::commit::Commit;
use crate::github::{Comparison, compare};

/// How the commit to deploy relates to the one that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOrder {
    /// It is the commit that runs.
    Same,
    /// It contains everything that runs, and more.
    Newer,
    /// What runs contains all of it, and more: deploying it is a step back.
    Older,
    /// Each contains commits that the other does not, as after a forced push or on another branch.
    Diverged,
    /// Neither git nor GitHub could tell; the text is the reason.
    Unknown(String),
}

impl CommitOrder {
    /// Asks git in this folder, then GitHub. `variable` reads the runner's variables; `connection` provides only its
    /// limits.
    pub async fn of(
        wanted: &Commit,
        running: &Commit,
        connection: &Connection,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        if wanted == running {
            return Self::Same;
        }
        if let Some(order) = in_checkout(Path::new("."), wanted, running) {
            return order;
        }
        Self::on_github(wanted, running.as_str(), connection, variable).await
    }

    /// Asks GitHub only, which also accepts the beginning of the id of what runs.
    pub async fn on_github(
        wanted: &Commit,
        running: &str,
        connection: &Connection,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        match compare(connection, variable, running, wanted).await {
            Ok(Comparison::Identical) => Self::Same,
            Ok(Comparison::Ahead) => Self::Newer,
            Ok(Comparison::Behind) => Self::Older,
            Ok(Comparison::Diverged) => Self::Diverged,
            Err(error) => Self::Unknown(format!(
                "git does not know both commits here, and GitHub could not be asked: {error}"
            )),
        }
    }
}

/// What git knows in `folder`; `None` if it does not have both commits, or not the history between them.
fn in_checkout(folder: &Path, wanted: &Commit, running: &Commit) -> Option<CommitOrder> {
    // In a truncated history a yes is still true; a no is not.
    if is_ancestor(folder, running, wanted)? {
        return Some(CommitOrder::Newer);
    }
    if is_ancestor(folder, wanted, running)? {
        return Some(CommitOrder::Older);
    }
    (!is_shallow(folder)?).then_some(CommitOrder::Diverged)
}

/// Exit code 0 is yes and 1 is no; anything else means that git does not know one of them.
fn is_ancestor(folder: &Path, ancestor: &Commit, of: &Commit) -> Option<bool> {
    let output = git(folder)
        .args(["merge-base", "--is-ancestor"])
        .args([ancestor.as_str(), of.as_str()])
        .output()
        .ok()?;
    match output.status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

fn is_shallow(folder: &Path) -> Option<bool> {
    let output = git(folder)
        .args(["rev-parse", "--is-shallow-repository"])
        .output()
        .ok()?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    command
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{header, method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn run(folder: &Path, arguments: &[&str]) -> String {
        let output = git(folder)
            .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"])
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "protocol.file.allow=always",
            ])
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(folder: &Path, message: &str) -> Commit {
        run(
            folder,
            &["commit", "--quiet", "--allow-empty", "--message", message],
        );
        Commit::whole(&run(folder, &["rev-parse", "HEAD"])).unwrap()
    }

    #[test]
    fn git_tells_newer_older_and_diverged() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        run(at, &["init", "--quiet", "--initial-branch", "main"]);
        let first = commit(at, "first");
        let second = commit(at, "second");
        run(at, &["checkout", "--quiet", "-b", "side", first.as_str()]);
        let side = commit(at, "side");
        let order = |wanted, running| in_checkout(at, wanted, running);
        assert_eq!(order(&second, &first), Some(CommitOrder::Newer));
        assert_eq!(order(&first, &second), Some(CommitOrder::Older));
        assert_eq!(order(&side, &second), Some(CommitOrder::Diverged));
        let elsewhere = Commit::whole(&"a".repeat(40)).unwrap();
        assert_eq!(order(&second, &elsewhere), None, "git does not have it");
    }

    #[test]
    fn a_shallow_checkout_does_not_take_a_cut_for_a_parting_of_ways() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole");
        std::fs::create_dir(&whole).unwrap();
        run(&whole, &["init", "--quiet", "--initial-branch", "main"]);
        let first = commit(&whole, "first");
        commit(&whole, "second");
        let third = commit(&whole, "third");
        let shallow = folder.path().join("shallow");
        let from = format!("file://{}", whole.display());
        let to = shallow.display().to_string();
        run(
            folder.path(),
            &["clone", "--quiet", "--depth", "1", &from, &to],
        );
        run(
            &shallow,
            &["fetch", "--quiet", "--depth", "1", "origin", first.as_str()],
        );
        assert_eq!(in_checkout(&shallow, &third, &first), None);
    }

    #[tokio::test]
    async fn github_is_asked_where_git_does_not_know() {
        let (wanted, running) = ("a".repeat(40), "b".repeat(40));
        for (status, order) in [
            ("ahead", CommitOrder::Newer),
            ("behind", CommitOrder::Older),
            ("diverged", CommitOrder::Diverged),
            ("identical", CommitOrder::Same),
        ] {
            let server = MockServer::start().await;
            Mock::given(method("GET"))
                .and(path(format!(
                    "/repos/acme/wine/compare/{running}...{wanted}"
                )))
                .and(query_param("per_page", "1"))
                .and(header("authorization", "Bearer canary-github-1"))
                .respond_with(ResponseTemplate::new(200).set_body_json(
                    json!({"status": status, "ahead_by": 1, "behind_by": 0, "commits": []}),
                ))
                .expect(1)
                .mount(&server)
                .await;
            let variable = |name: &str| match name {
                "GITHUB_API_URL" => Some(server.uri()),
                "GITHUB_REPOSITORY" => Some("acme/wine".to_owned()),
                "GITHUB_TOKEN" => Some("canary-github-1".to_owned()),
                _ => None,
            };
            let (wanted, running) = (
                Commit::whole(&wanted).unwrap(),
                Commit::whole(&running).unwrap(),
            );
            let connection = connection("https://domino.example.com");
            assert_eq!(
                CommitOrder::of(&wanted, &running, &connection, variable).await,
                order
            );
        }
    }

    #[tokio::test]
    async fn what_nobody_knows_is_said_with_the_reason() {
        let (wanted, running) = ("a".repeat(40), "b".repeat(40));
        let (wanted, running) = (
            Commit::whole(&wanted).unwrap(),
            Commit::whole(&running).unwrap(),
        );
        let connection = connection("https://domino.example.com");
        let order = CommitOrder::of(&wanted, &running, &connection, |_| None).await;
        let CommitOrder::Unknown(reason) = order else {
            panic!("{order:?}");
        };
        assert!(
            reason.contains("`GITHUB_REPOSITORY` is not set"),
            "{reason}"
        );
    }
}
