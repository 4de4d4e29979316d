//! What a promotion changes: which version goes where, what leaves, and which aliases and tags follow. It is planned by
//! reading, and writes nothing.

use domino_core::api::mlflow::{ModelStage, ModelVersion};
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::Result;
use domino_core::step::{ChangeKind, Plan};

use crate::record::{Record, Status};
use crate::registry::Registry;

/// A version that goes into a stage, for the first time or again.
#[derive(Debug)]
pub(crate) struct Transition<'a> {
    pub(crate) version: VersionNumber,
    /// The experiment manager's stage that it comes from.
    pub(crate) from: ModelStage,
    /// The one that it goes to.
    pub(crate) to: ModelStage,
    /// The stage, as in stages.toml.
    pub(crate) stage: &'a str,
    /// The versions that were in the stage when this was planned. They are archived.
    pub(crate) others: Vec<VersionNumber>,
    /// The alias of what the stage holds.
    pub(crate) alias: Alias,
    /// The alias of what the stage held before.
    pub(crate) previous_alias: Alias,
    /// What becomes of that alias.
    pub(crate) previous: Previous,
    pub(crate) record: Record,
    /// Whether an earlier record of the version does not say "done".
    pub(crate) is_unfinished: bool,
    /// Tags of an earlier promotion that would be wrong now.
    pub(crate) outdated: Vec<&'static str>,
    /// What is written at the versions that leave, each before it does.
    pub(crate) demoted_tags: Vec<TagChange>,
    /// The removal of the version's own `demoted` tag, since it may be here again.
    pub(crate) own_demoted_tag: Option<TagChange>,
}

/// An alias, and the version that it pointed to when this was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) before: Option<VersionNumber>,
}

/// What becomes of the alias of the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Previous {
    /// It points to this version.
    Is(VersionNumber),
    /// It is deleted, because the version that it pointed to is back.
    Goes,
    /// It stays as it is.
    Stays,
}

/// A tag that gets another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagChange {
    pub(crate) version: VersionNumber,
    pub(crate) key: String,
    /// Its value from now on. An empty one stands for no tag: whoever may write tags may not always delete them.
    pub(crate) value: String,
    /// Its value when this was planned.
    pub(crate) before: String,
}

impl Transition<'_> {
    /// Whether the version is not in the stage yet.
    pub(crate) fn enters(&self) -> bool {
        self.from != self.to
    }

    /// Whether the stage, or its alias, gets another version.
    pub(crate) fn replaces(&self) -> bool {
        self.enters() || self.alias.before != Some(self.version) || !self.others.is_empty()
    }

    /// Whether all is as it should be.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.replaces() && self.previous == Previous::Stays && !self.is_unfinished
    }

    /// Somebody's decision where the aliases lead is kept.
    pub(crate) fn leave_aliases(&mut self) {
        self.alias.before = Some(self.version);
        self.previous = Previous::Stays;
    }

    /// Adds what moves and what points where to a plan.
    pub(crate) fn describe(&self, plan: &mut Plan) {
        let (version, from, to) = (self.version, &self.from, &self.to);
        match self.enters() {
            true => {
                let text = format!("version {version}: `{from}` → `{to}`");
                plan.change(ChangeKind::Update, text)
            }
            false => plan.change(ChangeKind::Keep, format!("version {version} in `{to}`")),
        };
        let mut update = |text: String| {
            plan.change(ChangeKind::Update, text);
        };
        for other in &self.others {
            update(format!("version {other}: `{to}` → `Archived`"));
        }
        let (alias, previous_alias) = (&self.alias.name, &self.previous_alias.name);
        if let Previous::Is(previous) = self.previous {
            update(format!("alias `{previous_alias}` → version {previous}"));
        }
        if self.alias.before != Some(version) {
            update(format!("alias `{alias}` → version {version}"));
        }
        if self.previous == Previous::Goes {
            plan.change(ChangeKind::Remove, format!("alias `{previous_alias}`"));
        }
    }

    /// The record when it says this, as the value of its tag.
    pub(crate) fn record_value(&self, status: Status) -> Result<String> {
        let record = Record {
            status,
            ..self.record.clone()
        };
        record.value()
    }
}

impl Alias {
    /// The alias as the registry has it.
    pub(crate) fn now(registry: &Registry, name: String) -> Self {
        let before = registry.alias(&name);
        Self { name, before }
    }
}

impl TagChange {
    /// A tag that from now on says nothing, when the version has it.
    pub(crate) fn removal(version: &ModelVersion, key: String) -> Option<Self> {
        let before = version.tags.get(&key).filter(|value| !value.is_empty())?;
        Some(Self {
            version: version.version,
            key,
            value: String::new(),
            before: before.clone(),
        })
    }
}
