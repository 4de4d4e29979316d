//! A job.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::placement::Placement;
use crate::schedule::Schedule;

/// `[job.<name>]`: a command that is run, once a deployment or on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// The name, from the table's header.
    pub name: String,
    /// The command as Domino runs it, such as `src/project/jobs/train.py --epochs 3`.
    pub command: String,
    /// What people read in Domino's list; the name when not given.
    pub title: String,
    /// When it runs by itself; without one it runs once a deployment.
    pub schedule: Option<Schedule>,
    /// What differs in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}
