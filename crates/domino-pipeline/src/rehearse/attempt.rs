//! One attempt at all runs of a rehearsal, and what it leaves for the next.
//!
//! The crate `rehearsal` runs a workflow; `kept.rs` writes what is left.

use github_workflow::read::Workflow;
use rehearsal::again::{self, Again};
use rehearsal::artifacts::{Artifacts, RunTime};
use rehearsal::github::Run;
use rehearsal::runner::Runner;
use rehearsal::workflow;
use rehearsal::workflow_run::WorkflowRun;

use super::kept::{Kept, KeptFolder, KeptRun};
use super::kept_domino::KeptDomino;

/// An attempt at the runs of a rehearsal.
pub struct Attempt {
    /// Which jobs run again; absent in a first attempt, in which all run.
    pub again: Option<Again>,
    /// The person who runs them again.
    pub actor: Option<String>,
    /// How many runs there were before, of other events.
    pub runs_before: usize,
}

impl Attempt {
    /// Runs the workflows side by side. Returns what a later attempt needs.
    ///
    /// # Errors
    /// When this machine does not allow it.
    pub fn run(
        &self,
        runner: &Runner,
        workflows: &[&Workflow],
        folder: &KeptFolder,
        mut kept: Kept,
        domino: &KeptDomino,
    ) -> anyhow::Result<Kept> {
        let mut runs: Vec<WorkflowRun<'_>> = workflows
            .iter()
            .enumerate()
            .map(|(at, workflow)| {
                self.run_of(runner, self.runs_before + at, workflow, folder, &kept)
            })
            .collect();
        workflow::run_all(runner, &mut runs)?;
        for run in &runs {
            let left = KeptRun {
                file: run.workflow.file.clone(),
                id: run.run.id,
                attempt: run.run.attempt,
                artifacts: run.artifacts.list(),
            };
            // Of runs that were started one after the other, the last can be run again.
            kept.runs.retain(|known| known.file != left.file);
            kept.runs.push(left);
        }
        kept.jobs = runner.records.all();
        kept.approvals = runner.approvals.all_given();
        kept.domino = Some(domino.clone());
        Ok(kept)
    }

    fn run_of<'w>(
        &self,
        runner: &Runner,
        at: usize,
        workflow: &'w Workflow,
        folder: &KeptFolder,
        kept: &Kept,
    ) -> WorkflowRun<'w> {
        let run = runner.github.run_of(workflow, at as u64);
        let earlier = kept.runs.iter().find(|known| known.file == workflow.file);
        let (run, stays, artifacts) = match earlier.zip(self.again) {
            None => (run, Vec::new(), Vec::new()),
            Some((earlier, again)) => {
                let records = &runner.records;
                let stays = again::results_that_stay(workflow, earlier.id, records, again);
                // If no job of a run is run again, it is no new attempt.
                let attempts = u64::from(stays.len() < workflow.jobs.len());
                let actor = self.actor.clone();
                let run = Run {
                    id: earlier.id,
                    attempt: earlier.attempt + attempts,
                    triggering_actor: actor.unwrap_or_else(|| runner.github.actor.clone()),
                    ..run
                };
                (run, stays, earlier.artifacts.clone())
            }
        };
        let time = RunTime {
            attempt: run.attempt,
            day: kept.day,
            most_days: kept.artifact_days,
        };
        let artifacts = Artifacts::new(folder.artifacts_of(run.id), time, artifacts);
        let cancel = runner.interrupt.part();
        WorkflowRun::new(at, workflow, run, artifacts, cancel, stays)
    }
}
