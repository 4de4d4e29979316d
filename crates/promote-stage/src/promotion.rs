//! A promotion in progress: what is to move, the journal of its steps, and the one place that carries out a step.

use domino_core::client::ApiError;
use domino_core::error::{Context as _, Result};
use domino_core::step::Step;

use crate::journal::{Journal, JournalStep, StepState, Write};
use crate::registry::listed;
use crate::registry_writer::RegistryWriter;
use crate::transition::Transition;

/// A version that is entering a stage.
#[derive(Debug)]
pub(crate) struct Promotion<'a> {
    pub(crate) registry: RegistryWriter<'a>,
    pub(crate) transition: Transition<'a>,
    pub(crate) journal: Journal,
}

impl<'a> Promotion<'a> {
    /// Declares the steps of a transition.
    pub(crate) fn of(registry: RegistryWriter<'a>, transition: Transition<'a>) -> Result<Self> {
        let journal = Journal::of(&transition)
            .context("nothing was moved: the record of the promotion could not be begun")?;
        Ok(Self {
            registry,
            transition,
            journal,
        })
    }

    /// Carries out one step.
    pub(crate) async fn write(&self, step: &JournalStep) -> Result<(), ApiError> {
        let Some(write) = &step.write else {
            return Ok(());
        };
        step.state.set(StepState::Started);
        match write {
            Write::Stage(version, stage) => self.registry.set_stage(*version, stage).await?,
            Write::Tag(version, key, value) => self.registry.set_tag(*version, key, value).await?,
            Write::Alias(alias, Some(version)) => self.registry.set_alias(alias, *version).await?,
            Write::Alias(alias, None) => self.registry.delete_alias(alias).await?,
        }
        step.state.set(StepState::Done);
        Ok(())
    }

    /// Reports, however it ended, what the experiment manager lacks and which versions are archived now.
    pub(crate) fn report(&self, step: &mut Step) {
        for lack in self.registry.missing_features() {
            step.warn(&lack, None);
        }
        if let Some(run) = self.registry.run() {
            step.report.fact("in the context of", format!("run {run}"));
        }
        let archived = self.journal.archived();
        if !archived.is_empty() {
            let numbers: Vec<String> = archived.iter().map(ToString::to_string).collect();
            step.report.output("archived", numbers.join(","));
            step.report.fact("archived", listed(&archived));
        }
    }
}
