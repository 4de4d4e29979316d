//! What a promotion writes down at the version, as tags: for people and for a rerun. It is a record and no proof,
//! because whoever may edit a version may edit its tags; so no gate takes it for an approval.

use std::collections::BTreeMap;

use domino_core::api::mlflow::ModelVersion;
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Result};
use domino_core::let_in::record_key;
pub(crate) use domino_core::let_in::{demoted_key, has_entered, was_let_in};
use domino_core::variable::variable;
use domino_core::version_identity::VersionIdentity;
use serde::{Deserialize, Serialize};

/// How far the last promotion of the version got: `pending`, `done` or `undone`.
pub(crate) const STATUS: &str = "promote.status";
/// What was approved: the id of a governance bundle, else the workflow run.
pub(crate) const REQUEST_ID: &str = "promote.request_id";
/// Who approved.
pub(crate) const APPROVED_BY: &str = "promote.approved_by";
/// The stage before, as in stages.toml; of a version that was put back and has no record, where the experiment manager
/// had it.
pub(crate) const FROM: &str = "promote.from";
/// The stage, as in stages.toml.
pub(crate) const TO: &str = "promote.to";
/// When, in RFC 3339.
pub(crate) const AT: &str = "promote.at";
/// Values up to this length pass on every server.
const LONGEST_VALUE: usize = 4_500;

/// How one version got into one stage; kept for each stage, since the other tags tell of the last one only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Record {
    /// How far it got.
    pub(crate) status: Status,
    /// When, in RFC 3339.
    pub(crate) at: String,
    /// The stage before; of a version that was put back and has no record, where the experiment manager had it.
    pub(crate) from: String,
    /// Since when the version had been there, in epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
    /// Who approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) approved_by: Vec<String>,
    /// What was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// The page of the workflow run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<String>,
    /// The version that was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaced: Option<VersionNumber>,
    /// Why a rule was skipped, or the version was rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Which version it tells of. Records of earlier releases do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<VersionIdentity>,
    /// Which version was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaced_of: Option<VersionIdentity>,
    /// Whether the version had been let into the stage before this, which an attempt that fails does not take away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) held_before: bool,
}

/// How far a promotion got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It was begun.
    Pending,
    /// It was finished and verified.
    Done,
    /// It could not be finished, and was rolled back.
    #[serde(rename = "undone")]
    RolledBack,
}

impl Status {
    /// The word in the tag.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::RolledBack => "undone",
        }
    }
}

impl Record {
    /// The tag that keeps the record of one stage.
    pub(crate) fn key(stage: &str) -> String {
        record_key(stage)
    }

    /// The record of one stage at a version. One that tells of another version is none: a copy of a version has the
    /// tags of the original. Nor is one that was edited beyond understanding.
    pub(crate) fn of(version: &ModelVersion, stage: &str) -> Option<Self> {
        let record = Self::in_tags(&version.tags, stage)?;
        record.foreign_to(version).is_none().then_some(record)
    }

    /// The other version that the record at this one tells of.
    pub(crate) fn foreign(version: &ModelVersion, stage: &str) -> Option<VersionIdentity> {
        Self::in_tags(&version.tags, stage)?.foreign_to(version)
    }

    fn foreign_to(&self, version: &ModelVersion) -> Option<VersionIdentity> {
        let known = self.of.clone();
        known.filter(|known| *known != VersionIdentity::of(version))
    }

    fn in_tags(tags: &BTreeMap<String, String>, stage: &str) -> Option<Self> {
        serde_json::from_str(tags.get(&Self::key(stage))?).ok()
    }

    /// The record as the value of its tag.
    pub(crate) fn value(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// The time in epoch milliseconds.
    pub(crate) fn at_millisecond(&self) -> Option<i64> {
        let at: jiff::Timestamp = self.at.parse().ok()?;
        Some(at.as_millisecond())
    }

    /// Every tag of a promotion of this record into `stage`, in the order of writing: that it is pending comes first,
    /// how it ended last.
    pub(crate) fn tags(&self, stage: &str) -> Result<Vec<(String, String)>> {
        let mut tags = vec![(STATUS.to_owned(), self.status.word().to_owned())];
        if self.status == Status::Pending {
            tags.extend(
                [
                    (FROM, self.from.clone()),
                    (TO, stage.to_owned()),
                    (AT, self.at.clone()),
                ]
                .map(|(key, value)| (key.to_owned(), value)),
            );
            let optional = [
                (REQUEST_ID, self.request_id.clone()),
                (
                    APPROVED_BY,
                    (!self.approved_by.is_empty()).then(|| self.approved_by.join(", ")),
                ),
            ];
            for (key, value) in optional {
                tags.extend(value.map(|value| (key.to_owned(), value)));
            }
        }
        tags.push((Self::key(stage), self.value()?));
        for (_, value) in &mut tags {
            if value.len() > LONGEST_VALUE {
                return Err(CommandError::message(
                    "the record of the promotion is too long for a tag",
                ));
            }
        }
        if self.status != Status::Pending {
            tags.reverse();
        }
        Ok(tags)
    }

    /// The tags of an earlier promotion that would say something wrong of this one.
    pub(crate) fn outdated(&self, tags: &BTreeMap<String, String>) -> Vec<&'static str> {
        let mut outdated = Vec::new();
        if self.request_id.is_none() && tags.contains_key(REQUEST_ID) {
            outdated.push(REQUEST_ID);
        }
        if self.approved_by.is_empty() && tags.contains_key(APPROVED_BY) {
            outdated.push(APPROVED_BY);
        }
        outdated
    }
}

/// The page of the workflow run that this is a step of.
pub(crate) fn workflow_run() -> Option<String> {
    let of = variable;
    let server = of("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".into());
    let (repository, run) = (of("GITHUB_REPOSITORY")?, of("GITHUB_RUN_ID")?);
    Some(format!("{server}/{repository}/actions/runs/{run}"))
}

/// A time in epoch milliseconds, to the second, as people and programs read it.
pub(crate) fn timestamp(millisecond: i64) -> String {
    jiff::Timestamp::from_second(millisecond.div_euclid(1000))
        .map(|at| at.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::tests::version;

    pub(crate) fn record(status: Status) -> Record {
        Record {
            status,
            at: "2026-01-02T03:04:05Z".into(),
            from: "staging".into(),
            since: Some(1_000),
            approved_by: vec!["ann (GitHub)".into(), "bob (Domino)".into()],
            request_id: Some("b1".into()),
            run: None,
            replaced: Some(VersionNumber::new(6)),
            reason: None,
            of: None,
            replaced_of: None,
            held_before: false,
        }
    }

    #[test]
    fn a_record_is_written_as_tags_and_read_again() {
        let pending = record(Status::Pending);
        let tags = pending.tags("prod").unwrap();
        let keys: Vec<&str> = tags.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                STATUS,
                FROM,
                TO,
                AT,
                REQUEST_ID,
                APPROVED_BY,
                "promote.in.prod"
            ]
        );
        let kept: BTreeMap<String, String> = tags.into_iter().collect();
        assert_eq!(kept[APPROVED_BY], "ann (GitHub), bob (Domino)");
        assert_eq!(Record::in_tags(&kept, "prod"), Some(pending.clone()));
        assert_eq!(Record::in_tags(&kept, "staging"), None);
        assert_eq!(pending.at_millisecond(), Some(1_767_323_045_000));
    }

    #[test]
    fn done_is_the_last_word() {
        let tags = record(Status::Done).tags("prod").unwrap();
        let keys: Vec<&str> = tags.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["promote.in.prod", STATUS]);
    }

    #[test]
    fn an_attempt_that_failed_does_not_take_away_that_the_version_had_been_there() {
        let kept = |status, held_before, demoted: bool| {
            let record = Record {
                held_before,
                ..record(status)
            };
            let mut version = version(7, "None", json!({}));
            version.tags = record.tags("prod").unwrap().into_iter().collect();
            if demoted {
                let why = "version 6 was put back".to_owned();
                version.tags.insert(demoted_key("prod"), why);
            }
            was_let_in(&version, "prod")
        };
        assert!(kept(Status::Done, false, false));
        assert!(kept(Status::RolledBack, true, false));
        for never in [Status::Pending, Status::RolledBack] {
            assert!(!kept(never, false, false));
        }
        assert!(!kept(Status::Done, false, true), "it had to leave");
        assert!(!was_let_in(&version(7, "None", json!({})), "prod"));
    }

    #[test]
    fn a_record_of_another_version_is_none() {
        let original = version(7, "None", json!({}));
        let record = Record {
            of: Some(VersionIdentity::of(&original)),
            ..record(Status::Done)
        };
        let mut copy = original.clone();
        copy.tags = record.tags("prod").unwrap().into_iter().collect();
        assert_eq!(Record::of(&copy, "prod"), Some(record.clone()));
        assert_eq!(Record::foreign(&copy, "prod"), None);
        for change in [
            |copy: &mut ModelVersion| copy.name = "beer".into(),
            |copy: &mut ModelVersion| copy.run_id = "r2".into(),
            |copy: &mut ModelVersion| copy.creation_timestamp += 1,
            |copy: &mut ModelVersion| copy.source = "models:/wine/7".into(),
        ] {
            let mut other = copy.clone();
            change(&mut other);
            assert_eq!(Record::of(&other, "prod"), None);
            assert_eq!(Record::foreign(&other, "prod"), record.of);
            assert!(was_let_in(&copy, "prod") && !was_let_in(&other, "prod"));
        }
    }

    #[test]
    fn what_an_earlier_promotion_said_of_approvals_does_not_stay() {
        let mut record = record(Status::Pending);
        let kept: BTreeMap<String, String> = record.tags("staging").unwrap().into_iter().collect();
        assert_eq!(record.outdated(&kept), [""; 0]);
        record.approved_by.clear();
        record.request_id = None;
        assert_eq!(record.outdated(&kept), [REQUEST_ID, APPROVED_BY]);
    }

    #[test]
    fn a_record_that_was_edited_beyond_understanding_is_none() {
        let tags = BTreeMap::from([("promote.in.prod".to_owned(), "by hand".to_owned())]);
        assert_eq!(Record::in_tags(&tags, "prod"), None);
    }
}
