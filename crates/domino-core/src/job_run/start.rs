//! Starting a run once: where the reply is lost it is looked for, and of two starts at the same moment one gives way.

use std::collections::HashSet;

use super::at_once::BeforeStart;
use super::interrupted::Interruption;
use super::search::Search;
use crate::api::GitRef;
use crate::api::jobs::{Job as Run, JobId, NewJob};
use crate::client::{ApiError, Writer, Written, write_once};
use crate::error::{Context as _, Result};
use crate::place::ResolvedPlacement;
use crate::step::{Interrupts, Step, Through};

/// A run to start.
#[derive(Debug)]
pub struct NewRun<'a> {
    /// What it runs and what its title ends with.
    pub search: Search<'a>,
    /// What its title begins with.
    pub title: &'a str,
    /// On what it runs.
    pub place: &'a ResolvedPlacement,
    /// The earlier runs with this marker: none of them was started by a start whose reply was lost.
    pub earlier: &'a HashSet<JobId>,
    /// The number of the newest run of the project.
    pub newest: u64,
    /// Runs of the same commit that others started are left alone.
    pub beside: bool,
}

impl NewRun<'_> {
    /// Starts it. Another start of the same that was first gets its way, and its run is the one that comes back.
    pub async fn start(
        &self,
        step: &mut Step,
        interrupts: &mut Interrupts,
        interruption: &Interruption<'_>,
    ) -> Result<Run> {
        let (writer, words) = (interruption.writer, interruption.words);
        let written = match interrupts.finish(self.launch(writer)).await {
            Through::Completed(written) => written.with_context(|| words.cannot.clone())?,
            Through::Interrupted(signal, written) => {
                let started = written.map(|written| written.map(Written::into_inner));
                let stopping = interruption.at_the_start(step, interrupts, signal, started);
                return Err(stopping.await);
            }
        };
        if let Written::Recovered(run) = &written {
            let text = format!(
                "the reply to the start was lost; Domino has started it as run {}",
                run.number
            );
            step.warn(&text, None);
        }
        let run = written.into_inner();
        let before = BeforeStart {
            search: self.search,
            earlier: self.earlier,
            newest: self.newest,
            beside: self.beside,
        };
        let first = before.first_of_two(step, writer, run.clone());
        match interrupts.finish(first).await {
            Through::Completed(first) => first.with_context(|| words.cannot.clone()),
            Through::Interrupted(signal, first) => {
                let run = first.and_then(Result::ok).unwrap_or(run);
                let stopping = interruption.at_the_start(step, interrupts, signal, Some(Ok(run)));
                Err(stopping.await)
            }
        }
    }

    /// Where the reply is lost, the run is looked for among those that did not exist before.
    async fn launch(&self, writer: &Writer) -> Result<Written<Run>, ApiError> {
        let new = self.new_job();
        let reader = writer.reader();
        write_once(
            reader.delay_scale(),
            async || writer.start_job(&new).await,
            async || {
                let found = self.search.find_after(&reader, self.newest).await?;
                let mut marked = found.marked.into_iter();
                Ok(marked.find(|run| !self.earlier.contains(&run.id)))
            },
        )
        .await
    }

    fn new_job(&self) -> NewJob {
        let Search {
            command,
            marker,
            project,
            ..
        } = self.search;
        let (environment_id, environment_revision_spec) = match &self.place.environment {
            Some((environment, revision)) => (Some(environment.id.clone()), Some(revision.clone())),
            None => (None, None),
        };
        NewJob {
            project_id: project.id.clone(),
            command_to_run: command.to_owned(),
            title: format!("{} {marker}", self.title),
            main_repo_git_ref: GitRef::commit(&marker.commit),
            override_hardware_tier_id: self.place.tier.as_ref().map(|tier| tier.id.clone()),
            environment_id,
            environment_revision_spec,
            settings: self.place.settings.job(),
        }
    }
}
