//! Whether this job of the workflow run succeeded in an earlier attempt at it.

use serde::Deserialize;

use super::{WorkflowRun, refusal};
use crate::error::CommandError;

/// The most jobs that GitHub returns in a page. A run with more jobs is not read further.
const PAGE: &str = "100";

#[derive(Deserialize)]
struct Wire {
    total_count: Option<usize>,
    #[serde(default)]
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    name: Option<String>,
    run_attempt: Option<u64>,
    status: Option<String>,
    conclusion: Option<String>,
    runner_name: Option<String>,
}

impl WorkflowRun {
    /// `GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs`, with the jobs of all attempts: how this job ended in
    /// the last attempt before `attempt` in which it ended. This job is the one that is in progress on this runner.
    /// `None` if that cannot be identified.
    ///
    /// The list of one attempt would not be enough: whether it names jobs that were not run again has changed over
    /// time. Needs `actions: read`. Contract: GitHub's published OpenAPI description.
    pub(crate) async fn had_succeeded(
        &self,
        attempt: u64,
        runner: &str,
    ) -> Result<Option<bool>, CommandError> {
        let path = format!(
            "{}/repos/{}/actions/runs/{}/jobs",
            self.prefix, self.repository, self.id
        );
        let query = [("filter", "all"), ("per_page", PAGE)];
        let wire: Wire = self.reader.read(&path, &query).await.map_err(|error| {
            refusal(
                "what became of the earlier attempts at this run",
                "the step needs `GITHUB_TOKEN`, and its job `permissions: actions: read`",
                &error,
            )
        })?;
        Ok(wire.had_succeeded(attempt, runner))
    }
}

impl Wire {
    fn had_succeeded(&self, attempt: u64, runner: &str) -> Option<bool> {
        if self.total_count? > self.jobs.len() {
            return None;
        }
        let is_this = |job: &&Job| {
            job.run_attempt == Some(attempt)
                && job.status.as_deref() == Some("in_progress")
                && job.runner_name.as_deref() == Some(runner)
        };
        let mut this = self.jobs.iter().filter(is_this);
        let (Some(name), None) = (this.next()?.name.as_deref(), this.next()) else {
            return None;
        };
        let is_earlier = |job: &&Job| {
            job.name.as_deref() == Some(name) && job.run_attempt.is_some_and(|at| at < attempt)
        };
        let earlier = self.jobs.iter().filter(is_earlier);
        let last = earlier.max_by_key(|job| job.run_attempt);
        Some(last.is_some_and(|job| job.conclusion.as_deref() == Some("success")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn job(name: &str, attempt: u64, status: &str, conclusion: Value) -> Value {
        json!({"id": 1, "name": name, "run_attempt": attempt, "status": status, "conclusion": conclusion,
               "runner_name": format!("runner of {name}")})
    }

    fn told(jobs: &[Value]) -> Option<bool> {
        let wire = json!({"total_count": jobs.len(), "jobs": jobs});
        let wire: Wire = serde_json::from_value(wire).unwrap();
        wire.had_succeeded(3, "runner of dev")
    }

    #[test]
    fn the_last_end_of_the_same_job_decides() {
        let now = job("dev", 3, "in_progress", Value::Null);
        let ended = |attempt, conclusion: &str| job("dev", attempt, "completed", json!(conclusion));
        let build = job("build", 1, "completed", json!("success"));
        for (earlier, succeeded) in [
            (vec![ended(1, "success")], true),
            (vec![ended(1, "failure"), ended(2, "success")], true),
            (vec![ended(2, "failure"), ended(1, "success")], false),
            (vec![ended(1, "cancelled")], false),
            (vec![], false),
        ] {
            let jobs = [vec![now.clone(), build.clone()], earlier].concat();
            assert_eq!(told(&jobs), Some(succeeded), "{jobs:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        let other = job("staging", 3, "in_progress", Value::Null);
        assert_eq!(told(&[other]), None);
        let now = job("dev", 3, "in_progress", Value::Null);
        assert_eq!(told(&[now.clone(), now.clone()]), None, "two on one runner");
        let wire = json!({"total_count": 101, "jobs": [now]});
        let wire: Wire = serde_json::from_value(wire).unwrap();
        assert_eq!(wire.had_succeeded(3, "runner of dev"), None);
        let empty: Wire = serde_json::from_value(json!({})).unwrap();
        assert_eq!(empty.had_succeeded(3, "runner of dev"), None);
    }
}
