//! The deployments that GitHub lists: of which commit, to which environment, when, by whom, and whether it succeeded.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Login, connected, refusal, set};
use crate::client::{Connection, Reader};
use crate::error::{CommandError, Exit, Result};

/// The most pages of deployments of one environment, a hundred each.
const MOST_PAGES: usize = 50;
/// What to do when the token may not.
const PERMISSION: &str = "the token needs `deployments: read`";

/// The deployments of a repository.
#[derive(Debug)]
pub struct Deployments {
    reader: Reader,
    path: String,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub struct GitHubDeployment {
    id: u64,
    /// The whole commit.
    pub sha: String,
    /// When it was begun.
    pub created_at: Timestamp,
    creator: Option<Login>,
}

#[derive(Deserialize)]
struct Status {
    state: String,
}

impl GitHubDeployment {
    /// Who began it.
    pub fn by(&self) -> Option<&str> {
        self.creator.as_ref()?.login.as_deref()
    }
}

impl Deployments {
    /// Of this repository, `owner/name`, with the token of `GITHUB_TOKEN`. `connection` lends its limits only; nothing is
    /// sent yet.
    ///
    /// # Errors
    /// Without a token, or when the repository has no such name.
    pub fn open(
        connection: &Connection,
        variable: impl Fn(&str) -> Option<String>,
        repository: &str,
    ) -> Result<Self> {
        let token = set(&variable, "GITHUB_TOKEN")
            .ok_or_else(|| CommandError::new(Exit::Usage, "`GITHUB_TOKEN` is not set"))?;
        let api = set(&variable, "GITHUB_API_URL");
        let (github, prefix) = connected(connection, api, repository, token)?;
        Ok(Self {
            reader: github.reader(),
            path: format!("{prefix}/repos/{repository}/deployments"),
        })
    }

    /// `GET /repos/{owner}/{repo}/deployments?environment=…`, newest first, page after page until they are older than
    /// `from`. Those of `until` and later are left out. Contract: GitHub's published OpenAPI description.
    ///
    /// # Errors
    /// GitHub's own words.
    pub async fn of(
        &self,
        environment: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<GitHubDeployment>> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let query = [
                ("environment", environment),
                ("per_page", "100"),
                ("page", page.as_str()),
            ];
            let listed: Vec<GitHubDeployment> = self
                .reader
                .read(&self.path, &query)
                .await
                .map_err(|error| {
                    refusal("the deployments of the repository", PERMISSION, &error)
                })?;
            let is_last = listed.len() < 100 || listed.iter().any(|one| one.created_at < from);
            let within = |one: &GitHubDeployment| from <= one.created_at && one.created_at < until;
            found.extend(listed.into_iter().filter(within));
            if is_last {
                return Ok(found);
            }
        }
        Err(CommandError::new(
            Exit::Refused,
            format!("environment `{environment}` has more deployments than are read"),
        )
        .hint("ask for a shorter period, or a later one"))
    }

    /// `GET /repos/{owner}/{repo}/deployments/{id}/statuses`: whether it succeeded. One that was replaced since is
    /// `inactive`, and had succeeded. Contract: GitHub's published OpenAPI description.
    ///
    /// # Errors
    /// GitHub's own words.
    pub async fn succeeded(&self, deployment: &GitHubDeployment) -> Result<bool> {
        let path = format!("{}/{}/statuses", self.path, deployment.id);
        let statuses: Vec<Status> = self
            .reader
            .read(&path, &[("per_page", "100")])
            .await
            .map_err(|error| refusal("how a deployment ended", PERMISSION, &error))?;
        let good = |status: &Status| matches!(status.state.as_str(), "success" | "inactive");
        Ok(statuses.iter().any(good))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{header, method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn those_of_a_period_are_read_page_after_page_and_asked_how_they_ended() {
        let server = MockServer::start().await;
        let one = |id: u64, at: &str| {
            json!({"id": id, "sha": "a".repeat(40), "created_at": at, "environment": "PROD",
                   "creator": {"login": "ann"}})
        };
        let first: Vec<_> = (0..100).map(|id| one(id, "2026-11-30T08:00:00Z")).collect();
        let second = [
            one(100, "2026-11-02T08:00:00Z"),
            one(101, "2026-10-02T08:00:00Z"),
        ];
        for (page, listed) in [("1", json!(first)), ("2", json!(second))] {
            Mock::given(method("GET"))
                .and(path("/repos/example/wine/deployments"))
                .and(query_param("environment", "PROD"))
                .and(query_param("per_page", "100"))
                .and(query_param("page", page))
                .and(header("authorization", "Bearer canary-github-1"))
                .respond_with(ResponseTemplate::new(200).set_body_json(listed))
                .expect(1)
                .mount(&server)
                .await;
        }
        for (id, states) in [(100, vec!["inactive", "success"]), (7, vec!["failure"])] {
            let states: Vec<_> = states.iter().map(|state| json!({"state": state})).collect();
            Mock::given(method("GET"))
                .and(path(format!(
                    "/repos/example/wine/deployments/{id}/statuses"
                )))
                .respond_with(ResponseTemplate::new(200).set_body_json(states))
                .mount(&server)
                .await;
        }
        let uri = server.uri();
        let variable = |name: &str| match name {
            "GITHUB_TOKEN" => Some("canary-github-1".to_owned()),
            "GITHUB_API_URL" => Some(uri.clone()),
            _ => None,
        };
        let github = Deployments::open(&connection(&uri), variable, "example/wine").unwrap();
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, until) = (time("2026-11-01T00:00:00Z"), time("2026-11-30T00:00:00Z"));
        let found = github.of("PROD", from, until).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].id, found[0].by()), (100, Some("ann")));
        assert!(github.succeeded(&found[0]).await.unwrap());
        let failed = GitHubDeployment {
            id: 7,
            creator: None,
            sha: String::new(),
            created_at: from,
        };
        assert!(!github.succeeded(&failed).await.unwrap());
    }
}
