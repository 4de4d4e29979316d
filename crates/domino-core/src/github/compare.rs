//! How two commits of the repository relate, as GitHub knows it when the checkout does not.

use serde::Deserialize;

use super::{opened, refusal, set};
use crate::client::Connection;
use crate::commit::Commit;
use crate::error::{CommandError, Exit, Result};

/// How one commit relates to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// They are the same commit.
    Identical,
    /// The head contains everything of the base, and more.
    Ahead,
    /// The base contains everything of the head, and more.
    Behind,
    /// Each contains commits that the other does not.
    Diverged,
}

#[derive(Deserialize)]
struct Wire {
    status: Comparison,
}

/// `GET /repos/{owner}/{repo}/compare/{base}...{head}`, only its `status`. `per_page=1` limits the list of commits,
/// which is not read, to one. Needs `contents: read` and the runner's variables. Contract: GitHub's published OpenAPI
/// description.
pub(crate) async fn compare(
    connection: &Connection,
    variable: impl Fn(&str) -> Option<String>,
    base: &str,
    head: &Commit,
) -> Result<Comparison> {
    let set = |name: &str| set(&variable, name);
    let needed = |name: &str| {
        set(name).ok_or_else(|| CommandError::new(Exit::Usage, format!("`{name}` is not set")))
    };
    let repository = needed("GITHUB_REPOSITORY")?;
    let token = needed("GITHUB_TOKEN")?;
    let (reader, prefix) = opened(connection, set("GITHUB_API_URL"), &repository, token)?;
    let path = format!("{prefix}/repos/{repository}/compare/{base}...{head}");
    let wire: Wire = reader
        .read(&path, &[("per_page", "1")])
        .await
        .map_err(|error| {
            refusal(
                "how the two commits stand to each other",
                "the step needs `GITHUB_TOKEN`, and its job `permissions: contents: read`",
                &error,
            )
        })?;
    Ok(wire.status)
}
