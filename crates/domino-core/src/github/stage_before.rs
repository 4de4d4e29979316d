//! Whether this workflow deployed an earlier stage at the commit of this run: what stands for the job of the stage before
//! in a run that begins at a later stage.
//!
//! The result of that job counts, in whichever run of the same workflow file it ended green.

use serde::Deserialize;

use super::{WorkflowRun, refusal};
use crate::error::CommandError;

/// The most runs of one commit that are looked at, newest first: each is a request.
const MOST: usize = 20;
/// What to do when the token may not ask.
const PERMISSION: &str = "the step needs `GITHUB_TOKEN`, and its job `permissions: actions: read`";

#[derive(Deserialize)]
struct Own {
    #[serde(default)]
    workflow_id: u64,
    #[serde(default)]
    head_sha: String,
}

#[derive(Deserialize)]
struct Runs {
    #[serde(default)]
    workflow_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
}

#[derive(Deserialize)]
struct Jobs {
    #[serde(default)]
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    #[serde(default)]
    name: String,
    #[serde(default)]
    run_attempt: u64,
    conclusion: Option<String>,
}

/// What GitHub tells of a stage at the commit of this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StageBefore {
    /// The run whose job deployed it.
    Green(u64),
    /// The run whose job ended otherwise or goes on, and how.
    NotGreen(u64, String),
    /// No run of this workflow deployed it at this commit.
    NotDeployed,
}

impl WorkflowRun {
    /// Looks for the job that deploys to `stage` in the runs of this workflow at this commit: `GET …/actions/runs/{run_id}`,
    /// `GET …/actions/workflows/{workflow_id}/runs?head_sha=…` and `GET …/actions/runs/{run_id}/jobs`, which need `actions:
    /// read`. Contract: GitHub's published OpenAPI description.
    pub(crate) async fn stage_before(&self, stage: &str) -> Result<StageBefore, CommandError> {
        let actions = format!("{}/repos/{}/actions", self.prefix, self.repository);
        let not_read = |error| refusal("what this workflow did at this commit", PERMISSION, &error);
        let own = format!("{actions}/runs/{}", self.id);
        let own: Own = self.reader.read(&own, &[]).await.map_err(not_read)?;
        let runs = format!("{actions}/workflows/{}/runs", own.workflow_id);
        let most = MOST.to_string();
        let query = [("head_sha", own.head_sha.as_str()), ("per_page", &most)];
        let runs: Runs = self.reader.read(&runs, &query).await.map_err(not_read)?;
        let mut told = StageBefore::NotDeployed;
        for run in runs.workflow_runs.iter().filter(|run| run.id != self.id) {
            let path = format!("{actions}/runs/{}/jobs", run.id);
            let query = [("filter", "all"), ("per_page", "100")];
            let jobs: Jobs = self.reader.read(&path, &query).await.map_err(not_read)?;
            match (jobs.result_of(stage), &told) {
                (Some(result), _) if result == "success" => return Ok(StageBefore::Green(run.id)),
                (Some(result), StageBefore::NotDeployed) => {
                    told = StageBefore::NotGreen(run.id, result);
                }
                _ => {}
            }
        }
        Ok(told)
    }
}

impl Jobs {
    /// How the job that deploys to a stage ended in its last attempt; nothing where it was left out.
    fn result_of(&self, stage: &str) -> Option<String> {
        let end = format!(" to {stage}");
        let is_it = |job: &&Job| job.name.starts_with("Deploy ") && job.name.ends_with(&end);
        let job = self.jobs.iter().filter(is_it);
        let job = job.max_by_key(|job| job.run_attempt)?;
        match job.conclusion.as_deref() {
            Some("skipped") => None,
            Some(word) => Some(word.to_owned()),
            None => Some("not ended yet".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn job(name: &str, attempt: u64, conclusion: Value) -> Value {
        json!({"name": name, "run_attempt": attempt, "conclusion": conclusion})
    }

    async fn looked(runs: &[(u64, Value)]) -> StageBefore {
        let server = MockServer::start().await;
        let answer = async |route: String, body: Value| {
            let reply = ResponseTemplate::new(200).set_body_json(body);
            Mock::given(path(route))
                .respond_with(reply)
                .mount(&server)
                .await;
        };
        let actions = "/repos/acme/wine/actions";
        let own = json!({"id": 9, "workflow_id": 5, "head_sha": "a1b2"});
        answer(format!("{actions}/runs/9"), own).await;
        let listed: Vec<Value> = runs.iter().map(|(id, _)| json!({"id": id})).collect();
        let reply = ResponseTemplate::new(200).set_body_json(json!({"workflow_runs": listed}));
        Mock::given(path(format!("{actions}/workflows/5/runs")))
            .and(query_param("head_sha", "a1b2"))
            .respond_with(reply)
            .mount(&server)
            .await;
        for (id, jobs) in runs.iter().filter(|(id, _)| *id != 9) {
            answer(format!("{actions}/runs/{id}/jobs"), json!({"jobs": jobs})).await;
        }
        let variable = |name: &str| match name {
            "GITHUB_API_URL" => Some(server.uri()),
            "GITHUB_REPOSITORY" => Some("acme/wine".to_owned()),
            "GITHUB_RUN_ID" => Some("9".to_owned()),
            "GITHUB_TOKEN" => Some("t".to_owned()),
            _ => None,
        };
        let run = WorkflowRun::of_this_step(&connection(&server.uri()), variable).unwrap();
        run.stage_before("dev").await.unwrap()
    }

    #[tokio::test]
    async fn the_job_of_the_stage_counts_in_its_last_attempt_and_in_any_other_run() {
        let green = json!([
            job("Deploy apps to dev", 1, json!("failure")),
            job("Deploy apps to dev", 2, json!("success")),
        ]);
        let red = json!([job("Deploy apps to dev", 1, json!("failure"))]);
        let other = json!([
            job("Deploy apps to dev-2", 1, json!("success")),
            job("Record what dev got", 1, json!("success")),
            job("Deploy apps to dev", 1, json!("skipped")),
        ]);
        let going_on = json!([job("Deploy apps to dev", 1, Value::Null)]);
        let green_of = |id| StageBefore::Green(id);
        assert_eq!(
            looked(&[(9, json!([])), (7, green.clone())]).await,
            green_of(7)
        );
        assert_eq!(looked(&[(8, red.clone()), (7, green)]).await, green_of(7));
        assert_eq!(
            looked(&[(8, red), (7, other.clone())]).await,
            StageBefore::NotGreen(8, "failure".into())
        );
        assert_eq!(
            looked(&[(8, going_on)]).await,
            StageBefore::NotGreen(8, "not ended yet".into())
        );
        assert_eq!(
            looked(&[(9, json!([])), (7, other)]).await,
            StageBefore::NotDeployed
        );
        assert_eq!(looked(&[]).await, StageBefore::NotDeployed);
    }
}
