//! A later attempt at a workflow run: were the failed jobs run again, or all of them?
//!
//! Running the failed jobs again leaves out those that succeeded. So a job that succeeded before and runs again was
//! chosen by a person, who wants it done once more.

use crate::client::Connection;
use crate::error::Result;
use crate::github::WorkflowRun;
use crate::variable::variable;

/// What is known about this attempt at the workflow run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rerun {
    /// It is the first attempt, or this is no workflow run.
    First,
    /// This job had not succeeded before.
    OfWhatFailed,
    /// This job had succeeded before: somebody ran all jobs again, or this one.
    OfWhatSucceeded,
    /// It is a later attempt, and GitHub could not tell more; the text is the reason.
    Unknown(String),
}

/// Whether this is a later attempt at the workflow run.
pub fn is_rerun() -> bool {
    attempt() > 1
}

fn attempt() -> u64 {
    let attempt = variable("GITHUB_RUN_ATTEMPT");
    attempt
        .and_then(|attempt| attempt.parse().ok())
        .unwrap_or(1)
}

impl Rerun {
    /// Asks GitHub, unless it is the first attempt.
    pub async fn of_this_job(connection: &Connection) -> Self {
        if !is_rerun() {
            return Self::First;
        }
        match had_succeeded(connection).await {
            Ok(Some(true)) => Self::OfWhatSucceeded,
            Ok(Some(false)) => Self::OfWhatFailed,
            Ok(None) => Self::Unknown("GitHub does not tell this job's earlier attempts".into()),
            Err(error) => Self::Unknown(format!("{error:#}")),
        }
    }
}

async fn had_succeeded(connection: &Connection) -> Result<Option<bool>> {
    let Some(runner) = variable("RUNNER_NAME") else {
        return Ok(None);
    };
    let run = WorkflowRun::of_this_step(connection, variable)?;
    run.had_succeeded(attempt(), &runner).await
}
