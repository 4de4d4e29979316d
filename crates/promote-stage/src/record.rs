//! What a promotion writes down at the version, as one tag a stage: for people and for a rerun. It is a record and no
//! proof, because whoever may edit a version may edit its tags; so no gate takes it for an approval.

use std::collections::BTreeMap;

use domino_core::api::mlflow::ModelVersion;
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::{CommandError, Result};
pub(crate) use domino_core::let_in::{demoted, demoted_key, has_entered, was_let_in};
use domino_core::let_in::{record_key, tells_of};
use domino_core::version_identity::VersionIdentity;
use serde::{Deserialize, Serialize};

/// What earlier releases wrote beside the records. They tell of the last promotion of then, and nothing reads them.
const OF_EARLIER_RELEASES: [&str; 6] = [
    "promote.status",
    "promote.request_id",
    "promote.approved_by",
    "promote.from",
    "promote.to",
    "promote.at",
];
/// Values up to this length pass on every server.
const LONGEST_VALUE: usize = 4_500;

/// How one version got into one stage.
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
    /// Who told of the workflow run and its approval, where a run of Domino wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told_by: Option<String>,
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
    /// Since which day the stage is to go on holding it, whatever is merged later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<String>,
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

impl Record {
    /// The tag that keeps the record of one stage.
    pub(crate) fn key(stage: &str) -> String {
        record_key(stage)
    }

    /// The record of one stage at a version. One that tells of another version is none: a copy of a version has the
    /// tags of the original. Nor is one that was edited beyond understanding.
    pub(crate) fn of(version: &ModelVersion, stage: &str) -> Option<Self> {
        let record = Self::in_tags(&version.tags, stage)?;
        tells_of(record.of.as_ref(), &record.at, version).then_some(record)
    }

    /// The other version that the record at this one tells of.
    pub(crate) fn foreign(version: &ModelVersion, stage: &str) -> Option<VersionIdentity> {
        let known = Self::in_tags(&version.tags, stage)?.of;
        known.filter(|known| *known != VersionIdentity::of(version))
    }

    /// The record that a version has among its tags, whichever version it tells of.
    fn in_tags(tags: &BTreeMap<String, String>, stage: &str) -> Option<Self> {
        serde_json::from_str(tags.get(&Self::key(stage))?).ok()
    }

    /// The record as the value of its tag.
    pub(crate) fn value(&self) -> Result<String> {
        let value = serde_json::to_string(self)?;
        match value.len() > LONGEST_VALUE {
            true => Err(CommandError::message(
                "the record of the promotion is too long for a tag",
            )),
            false => Ok(value),
        }
    }

    /// The time in epoch milliseconds.
    pub(crate) fn at_millisecond(&self) -> Option<i64> {
        let at: jiff::Timestamp = self.at.parse().ok()?;
        Some(at.as_millisecond())
    }
}

/// The tags of earlier releases at a version that would say something wrong of another promotion.
pub(crate) fn outdated(tags: &BTreeMap<String, String>) -> Vec<&'static str> {
    let mut outdated = OF_EARLIER_RELEASES.to_vec();
    outdated.retain(|key| tags.get(*key).is_some_and(|value| !value.is_empty()));
    outdated
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
            told_by: None,
            replaced: Some(VersionNumber::new(6)),
            reason: None,
            of: None,
            replaced_of: None,
            held_before: false,
            hold: None,
        }
    }

    /// A version's tags with this record of stage `prod`.
    fn tags_of(record: &Record) -> BTreeMap<String, String> {
        BTreeMap::from([(Record::key("prod"), record.value().unwrap())])
    }

    #[test]
    fn a_record_is_written_as_a_tag_and_read_again() {
        let pending = record(Status::Pending);
        let kept = tags_of(&pending);
        assert!(
            kept["promote.in.prod"].contains("\"approved-by\":[\"ann (GitHub)\",\"bob (Domino)\"]")
        );
        assert_eq!(Record::in_tags(&kept, "prod"), Some(pending.clone()));
        assert_eq!(Record::in_tags(&kept, "staging"), None);
        assert_eq!(pending.at_millisecond(), Some(1_767_323_045_000));
        let of_length = |length: usize| {
            let with = |reason: &str| Record {
                reason: Some(reason.into()),
                ..pending.clone()
            };
            let rest = with("").value().unwrap().len();
            with(&"x".repeat(length - rest)).value()
        };
        assert_eq!(of_length(LONGEST_VALUE).unwrap().len(), LONGEST_VALUE);
        assert!(of_length(LONGEST_VALUE + 1).is_err());
    }

    #[test]
    fn an_attempt_that_failed_does_not_take_away_that_the_version_had_been_there() {
        let kept = |status, held_before, demoted: bool| {
            let record = Record {
                held_before,
                ..record(status)
            };
            let mut version = version(7, "None", json!({}));
            version.tags = tags_of(&record);
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
        copy.tags = tags_of(&record);
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
    fn a_record_without_an_identity_that_is_older_than_its_version_is_none() {
        let mut version = version(7, "None", json!({}));
        let record = record(Status::Done);
        version.tags = tags_of(&record);
        assert!(was_let_in(&version, "prod"));
        version.creation_timestamp = record.at_millisecond().unwrap() + 2_000;
        assert_eq!(Record::of(&version, "prod"), None);
        assert!(!was_let_in(&version, "prod"));
    }

    #[test]
    fn that_a_version_had_to_leave_does_not_come_with_a_copy_or_an_empty_tag() {
        let mut version = version(
            7,
            "None",
            json!({demoted_key("prod"): "version 6 was put back"}),
        );
        assert_eq!(demoted(&version, "prod"), Some("version 6 was put back"));
        let record = Record {
            of: Some(VersionIdentity::of(&version)),
            ..record(Status::Done)
        };
        version.tags.extend(tags_of(&record));
        assert!(demoted(&version, "prod").is_some());
        let mut copy = version.clone();
        copy.source = "models:/wine/7".into();
        assert_eq!(demoted(&copy, "prod"), None);
        version.tags.insert(demoted_key("prod"), String::new());
        assert_eq!(demoted(&version, "prod"), None);
        assert!(was_let_in(&version, "prod"));
    }

    #[test]
    fn times_are_written_to_the_second() {
        assert_eq!(timestamp(1_767_323_045_999), "2026-01-02T03:04:05Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59Z");
        assert_eq!(timestamp(i64::MAX), "");
    }

    #[test]
    fn what_earlier_releases_wrote_does_not_stay() {
        let tags = [
            ("promote.to", "staging"),
            ("promote.status", ""),
            ("data", "c"),
        ];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(outdated(&BTreeMap::from(tags)), ["promote.to"]);
    }

    #[test]
    fn a_record_that_was_edited_beyond_understanding_is_none() {
        let tags = BTreeMap::from([("promote.in.prod".to_owned(), "by hand".to_owned())]);
        assert_eq!(Record::in_tags(&tags, "prod"), None);
    }
}
