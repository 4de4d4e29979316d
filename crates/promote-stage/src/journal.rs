//! A promotion as a journal: each of its writes, in the order of writing, declared beside its rollback. It writes
//! nothing itself.

use std::cell::Cell;
use std::fmt;

use domino_core::api::mlflow::ModelStage;
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::Result;

use crate::record::{Record, Status};
use crate::transition::{Alias, Previous, TagChange, Transition};

/// All steps of a promotion, phase by phase.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The record is set to "pending".
    pub(crate) begin: Vec<JournalStep>,
    /// The version enters the stage; absent if it is there already.
    pub(crate) enter: Option<JournalStep>,
    /// The versions that leave the stage.
    pub(crate) leave: Vec<Departure>,
    /// The aliases are set.
    pub(crate) announce: Vec<JournalStep>,
    /// The record is set to "done".
    pub(crate) close: Vec<JournalStep>,
}

/// A version that leaves the stage.
#[derive(Debug)]
pub(crate) struct Departure {
    pub(crate) version: VersionNumber,
    /// Written before: the tags that say that it was demoted.
    pub(crate) tags: Vec<JournalStep>,
    pub(crate) archive: JournalStep,
}

/// One write, declared beside its rollback.
#[derive(Debug)]
pub(crate) struct JournalStep {
    /// `None` if nothing needs to be written.
    pub(crate) write: Option<Write>,
    pub(crate) inverse: Inverse,
    pub(crate) state: Cell<StepState>,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepState {
    /// Nothing was sent.
    Planned,
    /// It was sent, and may have been carried out.
    Started,
    /// It was carried out.
    Done,
    /// It was carried out, and rolled back.
    RolledBack,
}

/// A write of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Write {
    Stage(VersionNumber, ModelStage),
    /// An empty value means no tag.
    Tag(VersionNumber, String, String),
    /// Without a version the alias is deleted.
    Alias(String, Option<VersionNumber>),
}

/// The rollback of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inverse {
    /// The version returns to where it came from.
    LeaveStage,
    /// This version returns to the stage, if the stage is empty otherwise.
    ReturnToStage(VersionNumber),
    /// The alias stops pointing to a version that is not in the stage.
    Alias(Alias),
    /// The alias of the version before gets its earlier value, if it still has the value that was written.
    PreviousAlias(Alias, VersionNumber),
    /// The tag gets this value.
    Tag(VersionNumber, String, String),
    /// Nothing is rolled back.
    Nothing,
}

impl JournalStep {
    fn new(write: Write, inverse: Inverse) -> Self {
        Self {
            write: Some(write),
            inverse,
            state: Cell::new(StepState::Planned),
        }
    }

    fn tag(change: &TagChange) -> Self {
        let (version, key) = (change.version, &change.key);
        Self::new(
            Write::Tag(version, key.clone(), change.value.clone()),
            Inverse::Tag(version, key.clone(), change.before.clone()),
        )
    }
}

impl Journal {
    /// Declares every step. It is an error if the record does not fit into a tag.
    pub(crate) fn of(transition: &Transition<'_>) -> Result<Self> {
        let others = transition.others.iter();
        Ok(Self {
            begin: begin(transition)?,
            enter: transition.enters().then(|| {
                let write = Write::Stage(transition.version, transition.to.clone());
                JournalStep::new(write, Inverse::LeaveStage)
            }),
            leave: others.map(|other| leave(transition, *other)).collect(),
            announce: announce(transition),
            close: close(transition)?,
        })
    }

    /// The steps in the order in which they are rolled back: first the stage, then the aliases, then the tags.
    pub(crate) fn for_rollback(&self) -> Vec<&JournalStep> {
        let archive = self.leave.iter().map(|departure| &departure.archive);
        let tags = self.leave.iter().flat_map(|departure| &departure.tags);
        let mut steps: Vec<&JournalStep> = (self.enter.iter())
            .chain(archive)
            .chain(tags)
            .chain(self.announce.iter().rev())
            .chain(self.begin.iter().rev())
            .collect();
        steps.sort_by_key(|step| matches!(step.inverse, Inverse::Tag(..)));
        steps
    }

    /// The versions that are archived now.
    pub(crate) fn archived(&self) -> Vec<VersionNumber> {
        let archived = |departure: &&Departure| departure.archive.state.get() == StepState::Done;
        let archived = self.leave.iter().filter(archived);
        archived.map(|departure| departure.version).collect()
    }
}

/// The record is set to "pending", and tags of earlier releases that would be wrong are cleared.
fn begin(transition: &Transition<'_>) -> Result<Vec<JournalStep>> {
    let (version, key) = (transition.version, Record::key(transition.stage));
    let pending = JournalStep::new(
        Write::Tag(
            version,
            key.clone(),
            transition.record_value(Status::Pending)?,
        ),
        Inverse::Tag(version, key, transition.record_value(Status::RolledBack)?),
    );
    let outdated = transition.outdated.iter().map(|key| {
        let write = Write::Tag(version, (*key).to_owned(), String::new());
        JournalStep::new(write, Inverse::Nothing)
    });
    Ok([pending].into_iter().chain(outdated).collect())
}

fn leave(transition: &Transition<'_>, version: VersionNumber) -> Departure {
    let tags = transition.demoted_tags.iter();
    let tags = tags.filter(|tag| tag.version == version);
    let archive = Write::Stage(version, ModelStage::Archived);
    Departure {
        version,
        tags: tags.map(JournalStep::tag).collect(),
        archive: JournalStep::new(archive, Inverse::ReturnToStage(version)),
    }
}

fn announce(transition: &Transition<'_>) -> Vec<JournalStep> {
    let (version, alias) = (transition.version, &transition.alias);
    let mut steps = Vec::new();
    if let Previous::Is(previous) = transition.previous {
        let alias = &transition.previous_alias;
        steps.push(JournalStep::new(
            Write::Alias(alias.name.clone(), Some(previous)),
            Inverse::PreviousAlias(alias.clone(), previous),
        ));
    }
    // Even if the alias needs no write: a rollback must not leave it on a version that is not in the stage.
    let mut own = JournalStep::new(
        Write::Alias(alias.name.clone(), Some(version)),
        Inverse::Alias(alias.clone()),
    );
    own.write.take_if(|_| alias.before == Some(version));
    steps.push(own);
    steps.extend(transition.own_demoted_tag.iter().map(JournalStep::tag));
    steps
}

/// None of this is rolled back: it is written once it is certain that the stage holds the version alone. The alias
/// that a demotion uses is deleted last, so that a rerun finds it.
fn close(transition: &Transition<'_>) -> Result<Vec<JournalStep>> {
    let (version, key) = (transition.version, Record::key(transition.stage));
    let done = Write::Tag(version, key, transition.record_value(Status::Done)?);
    let goes = transition.previous == Previous::Goes;
    let previous = goes.then(|| Write::Alias(transition.previous_alias.name.clone(), None));
    let steps = [done].into_iter().chain(previous);
    Ok(steps
        .map(|write| JournalStep::new(write, Inverse::Nothing))
        .collect())
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(version, stage) => write!(f, "version {version} to `{stage}`"),
            Self::Tag(_, key, value) if value.is_empty() => write!(f, "tag `{key}` to be emptied"),
            Self::Tag(_, key, _) => write!(f, "tag `{key}`"),
            Self::Alias(alias, Some(version)) => write!(f, "alias `{alias}` to version {version}"),
            Self::Alias(alias, None) => write!(f, "alias `{alias}` to be taken away"),
        }
    }
}

impl fmt::Display for Inverse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaveStage | Self::Nothing => Ok(()),
            Self::ReturnToStage(version) => write!(f, "version {version}"),
            Self::Alias(alias) | Self::PreviousAlias(alias, _) => {
                write!(f, "alias `{}`", alias.name)
            }
            Self::Tag(version, key, _) => write!(f, "tag `{key}` of version {version}"),
        }
    }
}

#[cfg(test)]
mod tests;
