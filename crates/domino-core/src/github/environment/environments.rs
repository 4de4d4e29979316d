//! The environments of a GitHub repository: the client that reads them, their names, and lists read to their end.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::{ApiError, Connection, Reader, segment};
use crate::credential::Credential;
use crate::error::CommandError;
use crate::github::{connected, refusal};

/// What to do when the token may not read.
pub(super) const PERMISSION: &str = "use a `GITHUB_TOKEN` that may read the repository's environments, variables and secrets' names";
/// The most pages of a list that are read, a hundred things each.
const MOST_PAGES: usize = 50;

/// The environments of a GitHub repository.
#[derive(Debug)]
pub struct Environments {
    pub(super) connection: Connection,
    pub(super) reader: Reader,
    /// The path of the repository.
    pub(super) repository: String,
    /// The path of its environments.
    path: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    environments: Vec<Called>,
}

#[derive(Deserialize)]
struct Called {
    name: Option<String>,
}

impl Environments {
    /// The environments of the repository `owner/name`; `api` is GitHub's address if it is not github.com.
    /// `connection` provides only its limits.
    pub fn of(
        connection: &Connection,
        api: Option<String>,
        repository: &str,
        token: &str,
    ) -> Result<Self, CommandError> {
        let (connection, prefix) = connected(connection, api, repository, token.to_owned())?;
        let repository = format!("{prefix}/repos/{repository}");
        Ok(Self {
            reader: connection.reader(),
            connection,
            path: format!("{repository}/environments"),
            repository,
        })
    }

    /// The token as a credential, to be hidden in all that is shown.
    pub fn credential(token: &str) -> Credential {
        Credential::GitHubToken(token.to_owned().into())
    }

    /// `GET /repos/{owner}/{repo}/environments`: all names. A repository that the token cannot see is an error, so an
    /// environment that is not listed does not exist. Contract: GitHub's published OpenAPI description.
    pub async fn names(&self) -> Result<Vec<String>, CommandError> {
        let all = self.all(&self.path, &[], |page: Page| page.environments);
        let all = all
            .await
            .map_err(|error| refusal("the environments of the repository", PERMISSION, &error))?;
        Ok(all.into_iter().filter_map(|one| one.name).collect())
    }

    /// The path of one environment.
    pub(super) fn of_name(&self, name: &str) -> String {
        format!("{}/{}", self.path, segment(name))
    }

    /// One of GitHub's lists, page after page to its end; `list` takes the entries out of a page.
    pub(super) async fn all<P: DeserializeOwned, T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        list: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, ApiError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let paging = [("per_page", "100"), ("page", page.as_str())];
            let things = list(self.reader.read(path, &[query, &paging].concat()).await?);
            let is_last = things.len() < 100;
            all.extend(things);
            if is_last {
                return Ok(all);
            }
        }
        Err(ApiError::endless(path, MOST_PAGES))
    }

    pub(super) fn told<T>(
        &self,
        name: &str,
        answer: Result<T, ApiError>,
    ) -> Result<T, CommandError> {
        let what = format!("GitHub environment `{name}`");
        answer.map_err(|error| refusal(&what, PERMISSION, &error))
    }
}
