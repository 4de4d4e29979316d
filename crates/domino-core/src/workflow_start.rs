//! When this workflow run was created, by Domino's clock: what was started for it is not older.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::client::Connection;
use crate::github::WorkflowRun;
use crate::variable::variable;

/// How far the clocks of GitHub and Domino may differ without harm.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// How long we wait for GitHub: if it does not tell, more is read from Domino.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Asks GitHub; absent if it does not tell.
pub async fn workflow_start(connection: &Connection) -> Option<Timestamp> {
    let run = WorkflowRun::of_this_step(connection, variable).ok()?;
    let age = tokio::time::timeout(ANSWERED_WITHIN, run.age()).await;
    let age = age.ok()?.ok()?;
    connection.reader().now().checked_sub(age + MARGIN).ok()
}
