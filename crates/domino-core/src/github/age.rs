//! How long ago this workflow run was created.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{WorkflowRun, refusal};
use crate::error::CommandError;

#[derive(Deserialize)]
struct Wire {
    created_at: Timestamp,
}

impl WorkflowRun {
    /// `GET /repos/{owner}/{repo}/actions/runs/{run_id}`: how long ago the run was created, by GitHub's own clock.
    /// Running it again does not change that. Needs `actions: read`. Contract: GitHub's published OpenAPI
    /// description.
    pub(crate) async fn age(&self) -> Result<SignedDuration, CommandError> {
        let (repository, id) = (&self.repository, self.id);
        let path = format!("{}/repos/{repository}/actions/runs/{id}", self.prefix);
        let run: Wire = self.reader.read(&path, &[]).await.map_err(|error| {
            refusal(
                "when this run was made",
                "the step needs `GITHUB_TOKEN`, and its job `permissions: actions: read`",
                &error,
            )
        })?;
        Ok(self.reader.now().duration_since(run.created_at))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn a_run_is_as_old_as_githubs_clock_says() {
        let server = MockServer::start().await;
        let date = Timestamp::now() + SignedDuration::from_hours(100);
        let answer = ResponseTemplate::new(200)
            .insert_header(
                "date",
                date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            )
            .set_body_json(
                json!({"id": 77, "created_at": date - SignedDuration::from_mins(7),
                                  "run_started_at": date}),
            );
        Mock::given(method("GET"))
            .and(path("/repos/acme/wine/actions/runs/77"))
            .and(header("authorization", "Bearer canary-github-1"))
            .respond_with(answer)
            .expect(1)
            .mount(&server)
            .await;
        let told = |name: &str| {
            Some(match name {
                "GITHUB_API_URL" => server.uri(),
                "GITHUB_REPOSITORY" => "acme/wine".to_owned(),
                "GITHUB_RUN_ID" => "77".to_owned(),
                _ => "canary-github-1".to_owned(),
            })
        };
        let connection = connection("https://domino.example.com");
        let run = WorkflowRun::of_this_step(&connection, told).unwrap();
        let age = run.age().await.unwrap().as_secs();
        assert!((415..=425).contains(&age), "{age}");
    }
}
