//! The workflow runs of a repository that wait for somebody before a job of theirs enters an environment.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Login, opened, refusal, set};
use crate::client::{Connection, Reader};
use crate::error::{CommandError, Result};

/// The most runs that are read, newest first: each is a request.
const MOST: usize = 20;
/// What to do when the token may not ask.
const PERMISSION: &str = "the token must be allowed to read the repository's actions (in a job: `permissions: actions: read`)";

/// Reads which runs of a repository wait.
#[derive(Debug)]
pub struct WaitingRuns {
    reader: Reader,
    prefix: String,
    repository: String,
}

/// A run that waits to enter an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingRun {
    /// The run's number in addresses.
    pub id: u64,
    /// The workflow and the reason for the run: `Deploy apps: Fix the axis`.
    pub what: String,
    /// The SHA of the commit that it deploys.
    pub commit: String,
    /// When the run was created.
    pub since: Option<Timestamp>,
    /// Who started it.
    pub started_by: Option<String>,
    /// The environment that it waits to enter.
    pub environment: String,
    /// Whose approval it waits for: logins, and teams as `team:<slug>`. Empty while only the wait timer runs.
    pub waits_for: Vec<String>,
}

#[derive(Deserialize)]
struct Runs {
    #[serde(default)]
    workflow_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
    name: Option<String>,
    display_title: Option<String>,
    head_sha: String,
    created_at: Option<Timestamp>,
    triggering_actor: Option<Login>,
}

#[derive(Deserialize)]
struct Pending {
    environment: Environment,
    #[serde(default)]
    reviewers: Vec<Reviewer>,
}

#[derive(Deserialize)]
struct Environment {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Reviewer {
    reviewer: Option<Whom>,
}

#[derive(Deserialize)]
struct Whom {
    login: Option<String>,
    slug: Option<String>,
}

impl WaitingRuns {
    /// The runs of `repository`, read with `token`. `connection` provides only its limits.
    pub fn open(
        connection: &Connection,
        repository: String,
        token: String,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let (reader, prefix) = opened(
            connection,
            set(&variable, "GITHUB_API_URL"),
            &repository,
            token,
        )?;
        Ok(Self {
            reader,
            prefix,
            repository,
        })
    }

    /// `GET /repos/{owner}/{repo}/actions/runs?status=waiting` and `…/runs/{run_id}/pending_deployments`. Both need
    /// `actions: read`. Contract: GitHub's published OpenAPI description.
    pub async fn all(&self) -> Result<Vec<WaitingRun>> {
        let runs = format!("{}/repos/{}/actions/runs", self.prefix, self.repository);
        let most = MOST.to_string();
        let query = [("status", "waiting"), ("per_page", most.as_str())];
        let found: Runs = self.reader.read(&runs, &query).await.map_err(not_read)?;
        let pages = found.workflow_runs.into_iter().map(async |run| {
            let path = format!("{runs}/{}/pending_deployments", run.id);
            let pending: Vec<Pending> = self.reader.read(&path, &[]).await.map_err(not_read)?;
            Ok::<_, CommandError>(run.waits(pending))
        });
        let all = futures_util::future::try_join_all(pages).await?;
        Ok(all.into_iter().flatten().collect())
    }
}

fn not_read(error: crate::client::ApiError) -> CommandError {
    refusal("what waits for an approval", PERMISSION, &error)
}

impl Run {
    fn waits(&self, pending: Vec<Pending>) -> Vec<WaitingRun> {
        let names = [&self.name, &self.display_title];
        let what: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        let by = self.triggering_actor.as_ref();
        let one = |pending: Pending| {
            let whom = pending.reviewers.into_iter().filter_map(|one| one.reviewer);
            let whom =
                whom.filter_map(|one| one.login.or(one.slug.map(|team| format!("team:{team}"))));
            Some(WaitingRun {
                id: self.id,
                what: what.join(": "),
                commit: self.head_sha.clone(),
                since: self.created_at,
                started_by: by.and_then(|by| by.login.clone()),
                environment: pending.environment.name?,
                waits_for: whom.collect(),
            })
        };
        pending.into_iter().filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn of(uri: &str) -> WaitingRuns {
        let connection = connection(uri);
        WaitingRuns::open(&connection, "example/wine".into(), "token".into(), |name| {
            (name == "GITHUB_API_URL").then(|| uri.to_owned())
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_run_is_told_once_for_each_environment_that_it_waits_to_enter() {
        let server = MockServer::start().await;
        Mock::given(path("/repos/example/wine/actions/runs"))
            .and(query_param("status", "waiting"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"total_count": 1, "workflow_runs": [
                {"id": 7, "name": "Deploy apps", "display_title": "Fix the axis", "head_sha": "abc",
                 "created_at": "2026-11-30T12:00:00Z", "triggering_actor": {"login": "ben"}},
            ]})))
            .mount(&server)
            .await;
        Mock::given(path(
            "/repos/example/wine/actions/runs/7/pending_deployments",
        ))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!([
            {"environment": {"id": 1, "name": "PROD"}, "wait_timer": 0, "reviewers": [
                {"type": "User", "reviewer": {"login": "ann"}},
                {"type": "Team", "reviewer": {"slug": "leads", "name": "Leads"}},
            ]},
            {"environment": {"id": 2, "name": "EU"}, "wait_timer": 30, "reviewers": []},
        ])))
        .mount(&server)
        .await;
        let waiting = of(&server.uri()).all().await.unwrap();
        let told: Vec<(&str, &[String])> = waiting
            .iter()
            .map(|one| (one.environment.as_str(), &one.waits_for[..]))
            .collect();
        let reviewers = ["ann".to_owned(), "team:leads".to_owned()];
        assert_eq!(told, [("PROD", &reviewers[..]), ("EU", &[])]);
        assert_eq!(waiting[0].what, "Deploy apps: Fix the axis");
        assert_eq!(waiting[0].started_by.as_deref(), Some("ben"));
    }

    #[tokio::test]
    async fn a_token_that_may_not_ask_is_told_the_permission() {
        let server = MockServer::start().await;
        Mock::given(path("/repos/example/wine/actions/runs"))
            .respond_with(ResponseTemplate::new(403).set_body_json(json!({"message": "no"})))
            .mount(&server)
            .await;
        let failure = of(&server.uri()).all().await.unwrap_err();
        assert_eq!(failure.to_do(), Some(PERMISSION));
    }
}
