//! One issue of a repository that is maintained: opened when there is something to say, updated while there is,
//! closed when there is nothing more. It is found again by a key in its text that no reader sees.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{connected, failure, set};
use crate::client::{ApiError, Connection, Reader, Writer, write_once};
use crate::error::{CommandError, Exit, Result};

/// The most pages of open issues that are searched, a hundred issues each.
const MOST_PAGES: usize = 20;
/// What to do when the token may not read or write issues.
const PERMISSION: &str = "the step needs `GITHUB_TOKEN`, and its job `permissions: issues: write`";

/// Maintains one issue of a repository.
#[derive(Debug)]
pub struct IssueKeeper {
    reader: Reader,
    writer: Writer,
    path: String,
    delay_scale: f64,
}

/// What happened to the issue, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// There was no issue, and none is needed.
    None,
    /// A new one was opened.
    Opened(u64),
    /// It was updated.
    Updated(u64),
    /// It has the same text already.
    Unchanged(u64),
    /// It was closed.
    Closed(u64),
}

#[derive(Debug, Clone, Deserialize)]
struct Issue {
    number: u64,
    title: String,
    body: Option<String>,
    /// The list contains pull requests as well.
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Serialize)]
struct Content<'a> {
    title: &'a str,
    body: &'a str,
}

#[derive(Serialize)]
struct Closing {
    state: &'static str,
    state_reason: &'static str,
}

impl IssueKeeper {
    /// For the repository that the runner's variables name. `connection` provides only its limits; nothing is sent
    /// yet.
    pub fn open(
        connection: &Connection,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let needed = |name: &str| {
            set(&variable, name).ok_or_else(|| {
                CommandError::new(
                    Exit::Usage,
                    format!("no issue can be kept: `{name}` is not set"),
                )
                .hint("this is for a step of `drift.yml`, which sets it")
            })
        };
        let repository = needed("GITHUB_REPOSITORY")?;
        let token = needed("GITHUB_TOKEN")?;
        let api = set(&variable, "GITHUB_API_URL");
        let (github, prefix) = connected(connection, api, &repository, token)?;
        Ok(Self {
            reader: github.reader(),
            writer: github.writer(),
            path: format!("{prefix}/repos/{repository}/issues"),
            delay_scale: github.delay_scale(),
        })
    }

    /// Sets the text of the issue with this key to `body`, or closes it if there is none.
    pub async fn keep(&self, key: &str, title: &str, body: Option<&str>) -> Result<Kept> {
        let existing = self.find(key).await.map_err(told)?;
        match (existing, body) {
            (None, None) => Ok(Kept::None),
            (Some(issue), None) => {
                let closing = Closing {
                    state: "closed",
                    state_reason: "completed",
                };
                self.change(issue.number, &closing).await?;
                Ok(Kept::Closed(issue.number))
            }
            (Some(issue), Some(body)) => {
                let body = with_key(key, body);
                if issue.title == title && issue.body.as_deref() == Some(&body) {
                    return Ok(Kept::Unchanged(issue.number));
                }
                self.change(issue.number, &Content { title, body: &body })
                    .await?;
                Ok(Kept::Updated(issue.number))
            }
            (None, Some(body)) => {
                let body = with_key(key, body);
                let content = Content { title, body: &body };
                let written = write_once(
                    self.delay_scale,
                    async || {
                        self.writer
                            .write::<_, Issue>(Method::POST, &self.path, Some(&content))
                            .await
                    },
                    async || self.find(key).await,
                );
                Ok(Kept::Opened(
                    written.await.map_err(told)?.into_inner().number,
                ))
            }
        }
    }

    /// `GET /repos/{owner}/{repo}/issues?state=open`, page after page until it is found. Contract: GitHub's published
    /// OpenAPI description.
    async fn find(&self, key: &str) -> Result<Option<Issue>, ApiError> {
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let query = [
                ("state", "open"),
                ("per_page", "100"),
                ("page", page.as_str()),
            ];
            let issues: Vec<Issue> = self.reader.read(&self.path, &query).await?;
            let is_last = issues.len() < 100;
            let is_it = |issue: &Issue| {
                let body = issue.body.as_deref().unwrap_or_default();
                issue.pull_request.is_none() && body.starts_with(&comment(key))
            };
            let found = issues.into_iter().find(is_it);
            if found.is_some() || is_last {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// `PATCH /repos/{owner}/{repo}/issues/{number}`, which has the same result however often it is sent.
    async fn change(&self, number: u64, change: &impl Serialize) -> Result<()> {
        let path = format!("{}/{number}", self.path);
        let changed = self.writer.write_only(Method::PATCH, &path, Some(change));
        changed.await.map_err(told)
    }
}

fn told(error: ApiError) -> CommandError {
    failure("cannot read or write the issue", PERMISSION, &error)
}

fn comment(key: &str) -> String {
    format!("<!-- {key} -->")
}

fn with_key(key: &str, body: &str) -> String {
    format!("{}\n{body}", comment(key))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{body_json, method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    const ISSUES: &str = "/repos/example/wine/issues";

    async fn github(open: Value) -> (MockServer, IssueKeeper) {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path(ISSUES))
            .and(query_param("state", "open"))
            .respond_with(ResponseTemplate::new(200).set_body_json(open))
            .mount(&server)
            .await;
        let uri = server.uri();
        let keeper = IssueKeeper::open(&connection(&uri), |name| match name {
            "GITHUB_REPOSITORY" => Some("example/wine".into()),
            "GITHUB_TOKEN" => Some("token".into()),
            "GITHUB_API_URL" => Some(uri.clone()),
            _ => None,
        });
        (server, keeper.unwrap())
    }

    fn issue(number: u64, body: &str) -> Value {
        json!({"number": number, "title": "Drift", "body": body})
    }

    #[tokio::test]
    async fn an_issue_is_opened_once_and_has_its_key() {
        let mut pull = issue(2, "<!-- drift -->\nold");
        pull["pull_request"] = json!({});
        let (server, keeper) = github(json!([issue(1, "of somebody"), pull])).await;
        Mock::given(method("POST"))
            .and(path(ISSUES))
            .and(body_json(
                json!({"title": "Drift", "body": "<!-- drift -->\nnew"}),
            ))
            .respond_with(ResponseTemplate::new(201).set_body_json(issue(7, "")))
            .expect(1)
            .mount(&server)
            .await;
        let kept = keeper.keep("drift", "Drift", Some("new")).await.unwrap();
        assert_eq!(kept, Kept::Opened(7));
        assert_eq!(
            keeper.keep("drift", "Drift", None).await.unwrap(),
            Kept::None
        );
    }

    #[tokio::test]
    async fn it_is_changed_only_when_it_says_something_else_and_closed_at_the_end() {
        let (server, keeper) = github(json!([issue(7, "<!-- drift -->\nold")])).await;
        for change in [
            json!({"title": "Drift", "body": "<!-- drift -->\nnew"}),
            json!({"state": "closed", "state_reason": "completed"}),
        ] {
            Mock::given(method("PATCH"))
                .and(path(format!("{ISSUES}/7")))
                .and(body_json(change))
                .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
                .expect(1)
                .mount(&server)
                .await;
        }
        let keep = async |body| keeper.keep("drift", "Drift", body).await.unwrap();
        assert_eq!(keep(Some("old")).await, Kept::Unchanged(7));
        assert_eq!(keep(Some("new")).await, Kept::Updated(7));
        assert_eq!(keep(None).await, Kept::Closed(7));
    }

    #[tokio::test]
    async fn a_token_that_may_not_write_issues_is_told_the_permission() {
        let (server, keeper) = github(json!([])).await;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(403).set_body_json(json!({"message": "no"})))
            .mount(&server)
            .await;
        let failure = keeper
            .keep("drift", "Drift", Some("new"))
            .await
            .unwrap_err();
        assert_eq!(failure.to_do(), Some(PERMISSION));
    }
}
