//! A job.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::placement::{self, Placement};
use crate::run_settings::RunSettings;
use crate::schedule::Schedule;
use crate::stage::Stage;

/// `[job.<name>]`: a command that is run, once in each deployment or on a schedule.
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
    /// What its runs have beside the stage's tier and environment.
    #[serde(flatten)]
    pub settings: RunSettings,
    /// How long a run may take, such as `5h`; one hour when not given.
    pub timeout: Option<String>,
    /// Whether a step that starts a run waits until it ends, where its stage says nothing else.
    pub wait: bool,
    /// The names of the stages that it is deployed to: those that the file says; else the first one where a model is
    /// trained by it, and all where none is.
    #[serde(skip)]
    pub deployed_to: Vec<String>,
    /// Whether a model is trained by it: its run is then part of the model's deployment.
    #[serde(skip)]
    pub trains: bool,
    /// The jobs that come before it in every stage, by name.
    pub after: Vec<String>,
    /// Files, and folders with a `/` at their end, whose change deploys it beside those of its command; nothing where
    /// the file does not say.
    pub paths: Option<Vec<String>>,
    /// What differs in one stage, by the stage's name.
    pub stages: BTreeMap<String, Placement>,
}

impl Job {
    /// How long a run may take where the file does not say.
    const TIMEOUT: Duration = Duration::from_secs(60 * 60);

    /// Whether it is deployed to this stage.
    pub fn is_deployed_to(&self, stage: &Stage) -> bool {
        self.deployed_to.contains(&stage.name)
    }

    /// What its runs have in this stage: what the stage's table says, over what the job's own does.
    pub fn settings_in(&self, stage: &Stage) -> RunSettings {
        let there = self.stages.get(&stage.name);
        there.map_or_else(
            || self.settings.clone(),
            |placement| placement.settings.over(&self.settings),
        )
    }

    /// Whether a step that starts a run in this stage waits until it ends.
    pub fn waits(&self, stage: &Stage) -> bool {
        let there = self.stages.get(&stage.name);
        there
            .and_then(|placement| placement.wait)
            .unwrap_or(self.wait)
    }

    /// How long a run may take.
    pub fn timeout(&self, stage: &Stage) -> Duration {
        let timeout = placement::timeout(&self.stages, &stage.name, self.timeout.as_deref());
        timeout.unwrap_or(Self::TIMEOUT)
    }
}
