//! What a promotion changes: which version moves where, which ones leave, and which aliases and tags are set.
//! Planning it only reads.

use domino_core::api::mlflow::{ModelStage, ModelVersion};
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::Result;
use domino_core::step::{ChangeKind, Plan};

use crate::record::{Record, Status};
use crate::registry::Registry;

/// A version that enters a stage, for the first time or again.
#[derive(Debug)]
pub(crate) struct Transition<'a> {
    pub(crate) version: VersionNumber,
    /// The experiment manager's stage that it comes from.
    pub(crate) from: ModelStage,
    /// The experiment manager's stage that it moves to.
    pub(crate) to: ModelStage,
    /// The stage's name in stages.toml.
    pub(crate) stage: &'a str,
    /// The versions that were in the stage when this was planned. They are archived.
    pub(crate) others: Vec<VersionNumber>,
    /// The alias of what the stage holds.
    pub(crate) alias: Alias,
    /// The alias of what the stage held before.
    pub(crate) previous_alias: Alias,
    /// What happens to that alias.
    pub(crate) previous: Previous,
    pub(crate) record: Record,
    /// Whether an earlier record of the version does not say "done".
    pub(crate) is_unfinished: bool,
    /// Tags of an earlier promotion that would be wrong now.
    pub(crate) outdated: Vec<&'static str>,
    /// The tags of the versions that leave, each written before its version does.
    pub(crate) demoted_tags: Vec<TagChange>,
    /// The removal of the version's own `demoted` tag, if it returns.
    pub(crate) own_demoted_tag: Option<TagChange>,
}

/// An alias, and the version that it pointed to when this was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) before: Option<VersionNumber>,
}

/// What happens to the alias of the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Previous {
    /// It is set to this version.
    Is(VersionNumber),
    /// It is deleted, because the version that it pointed to has returned.
    Goes,
    /// No write, because it is right or somebody else's decision.
    Stays,
}

/// A tag that gets another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagChange {
    pub(crate) version: VersionNumber,
    pub(crate) key: String,
    /// Its new value. An empty one means no tag: whoever may write tags may not always delete them.
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

    /// Whether there is nothing to do.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.replaces() && self.previous == Previous::Stays && !self.is_unfinished
    }

    /// Keeps somebody's decision where the aliases point.
    pub(crate) fn leave_aliases(&mut self) {
        self.alias.before = Some(self.version);
        self.previous = Previous::Stays;
    }

    /// Adds the moves and the aliases to a plan.
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

    /// The record with this status, as the value of its tag.
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
    /// The change that empties a tag, if the version has it.
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

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::tests::record;
    use crate::registry::tests::version;

    pub(crate) fn number(number: u64) -> VersionNumber {
        VersionNumber::new(number)
    }

    /// Version 7 is alone in stage `prod` and all aliases point to it: there is nothing to do.
    pub(crate) fn settled() -> Transition<'static> {
        let alias = |name: &str, before| Alias {
            name: name.into(),
            before: Some(number(before)),
        };
        Transition {
            version: number(7),
            from: ModelStage::Production,
            to: ModelStage::Production,
            stage: "prod",
            others: Vec::new(),
            alias: alias("prod", 7),
            previous_alias: alias("prod-previous", 5),
            previous: Previous::Stays,
            record: record(Status::Pending),
            is_unfinished: false,
            outdated: Vec::new(),
            demoted_tags: Vec::new(),
            own_demoted_tag: None,
        }
    }

    #[test]
    fn a_promotion_is_nothing_only_where_all_is_as_it_should_be() {
        type Change = fn(&mut Transition<'_>);
        let changes: [(Change, [bool; 3]); 7] = [
            (|_| {}, [false, false, true]),
            (
                |given| given.from = ModelStage::Staging,
                [true, true, false],
            ),
            (|given| given.alias.before = None, [false, true, false]),
            (
                |given| given.alias.before = Some(number(6)),
                [false, true, false],
            ),
            (|given| given.others = vec![number(6)], [false, true, false]),
            (
                |given| given.previous = Previous::Goes,
                [false, false, false],
            ),
            (|given| given.is_unfinished = true, [false, false, false]),
        ];
        for (change, wanted) in changes {
            let mut given = settled();
            change(&mut given);
            let told = [given.enters(), given.replaces(), given.is_nothing()];
            assert_eq!(told, wanted, "enters, replaces, is nothing: {given:?}");
        }
    }

    #[test]
    fn a_decision_where_the_aliases_lead_is_kept() {
        let mut given = Transition {
            previous: Previous::Is(number(6)),
            ..settled()
        };
        given.alias.before = Some(number(6));
        given.leave_aliases();
        assert!(given.is_nothing(), "{given:?}");
    }

    /// A transition as a plan shows it.
    fn described(given: &Transition<'_>) -> Vec<String> {
        let mut plan = Plan::default();
        given.describe(&mut plan);
        let changes = plan.changes.iter();
        changes
            .map(|change| format!("{:?} {}", change.kind, change.what))
            .collect()
    }

    #[test]
    fn a_plan_shows_what_moves_and_what_points_where() {
        assert_eq!(described(&settled()), ["Keep version 7 in `Production`"]);
        let mut enters = Transition {
            from: ModelStage::Staging,
            others: vec![number(6), number(4)],
            previous: Previous::Is(number(6)),
            ..settled()
        };
        enters.alias.before = Some(number(6));
        assert_eq!(
            described(&enters),
            [
                "Update version 7: `Staging` → `Production`",
                "Update version 6: `Production` → `Archived`",
                "Update version 4: `Production` → `Archived`",
                "Update alias `prod-previous` → version 6",
                "Update alias `prod` → version 7",
            ]
        );
        let goes = Transition {
            previous: Previous::Goes,
            ..settled()
        };
        assert_eq!(
            described(&goes),
            [
                "Keep version 7 in `Production`",
                "Remove alias `prod-previous`"
            ]
        );
    }

    #[test]
    fn the_record_is_written_with_how_far_the_promotion_is() {
        for status in [Status::Pending, Status::Done, Status::RolledBack] {
            let value = settled().record_value(status).unwrap();
            let read: Record = serde_json::from_str(&value).unwrap();
            assert_eq!(read, record(status));
        }
    }

    #[test]
    fn a_tag_is_emptied_only_where_it_says_something() {
        let removal = |tags| TagChange::removal(&version(7, "None", tags), "demoted".into());
        assert_eq!(removal(json!({})), None);
        assert_eq!(removal(json!({"demoted": "", "other": "x"})), None);
        let change = TagChange {
            version: number(7),
            key: "demoted".into(),
            value: String::new(),
            before: "version 6 was put back".into(),
        };
        assert_eq!(
            removal(json!({"demoted": "version 6 was put back"})),
            Some(change)
        );
    }
}
