//! The stage that a version is in, and whether it was admitted there, by the tags that its promotions left on it.
//!
//! It is a record and no proof: whoever may edit a version may edit its tags. The program that writes a record knows
//! what else it contains.

use serde::Deserialize;

use crate::api::mlflow::{ModelStage, ModelVersion};
use crate::version_identity::VersionIdentity;

/// The tag that replaces the stage of a version if the experiment manager no longer has stages.
pub const STAGE_TAG: &str = "promote.stage";

/// The part of a record that says whether the version was admitted.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    status: String,
    #[serde(default)]
    at: String,
    #[serde(default)]
    held_before: bool,
    #[serde(default)]
    of: Option<VersionIdentity>,
}

impl Entry {
    fn in_tags(version: &ModelVersion, stage: &str) -> Option<Self> {
        serde_json::from_str(version.tags.get(&record_key(stage))?).ok()
    }

    fn is_of(&self, version: &ModelVersion) -> bool {
        tells_of(self.of.as_ref(), &self.at, version)
    }
}

/// Whether a record is about this version: a copy of a version has the tags of the original. A record of an earlier
/// release says only when it was written, `at`; it cannot be about a version that was created later.
pub fn tells_of(of: Option<&VersionIdentity>, at: &str, version: &ModelVersion) -> bool {
    let identity = VersionIdentity::of(version);
    match of {
        Some(of) => *of == identity,
        None => {
            let at: Option<jiff::Timestamp> = at.parse().ok();
            at.is_none_or(|at| !identity.is_younger_than(at.as_millisecond()))
        }
    }
}

/// The tag that holds the record of one stage.
pub fn record_key(stage: &str) -> String {
    format!("promote.in.{stage}")
}

/// The tag that says that a version was demoted from a stage, so that nothing promotes it again automatically.
pub fn demoted_key(stage: &str) -> String {
    format!("promote.demoted.{stage}")
}

/// Why a version was demoted from a stage, if it was. A tag without a value counts as none, because not everybody who
/// may write a tag may delete it. A tag that came with a copy says nothing about the copy.
pub fn demoted<'a>(version: &'a ModelVersion, stage: &str) -> Option<&'a str> {
    let why = version.tags.get(&demoted_key(stage))?;
    let is_of_this = Entry::in_tags(version, stage).is_none_or(|entry| entry.is_of(version));
    (is_of_this && !why.is_empty()).then_some(why)
}

/// Whether the record of a version says that it was admitted to a stage, now or earlier. A record about another
/// version does not count, nor one that was edited beyond recognition.
pub fn has_entered(version: &ModelVersion, stage: &str) -> bool {
    let entry = Entry::in_tags(version, stage).filter(|entry| entry.is_of(version));
    entry.is_some_and(|entry| entry.status == "done" || entry.held_before)
}

/// Whether a version was admitted to a stage according to its record, and has not been demoted since.
pub fn was_let_in(version: &ModelVersion, stage: &str) -> bool {
    has_entered(version, stage) && demoted(version, stage).is_none()
}

/// The stage of a version; by its tag if the experiment manager no longer has stages.
pub fn stage_of(version: &ModelVersion) -> ModelStage {
    match (&version.current_stage, version.tags.get(STAGE_TAG)) {
        (ModelStage::None, Some(word)) => ModelStage::from(word.as_str()),
        (stage, _) => stage.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Version 7 of `wine`, registered at 00:00:05 on 2026-01-02.
    fn version(stage: &str, tags: &[(&str, String)]) -> ModelVersion {
        let tags: Vec<Value> = tags
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        serde_json::from_value(json!({
            "name": "wine", "version": "7", "current_stage": stage, "status": "READY", "run_id": "r1",
            "creation_timestamp": 1_767_312_005_000_i64, "last_updated_timestamp": 1_767_312_005_000_i64, "tags": tags,
        }))
        .unwrap()
    }

    /// The version with this record of stage `prod`.
    fn recorded(record: &Value) -> ModelVersion {
        version("None", &[("promote.in.prod", record.to_string())])
    }

    fn own() -> VersionIdentity {
        VersionIdentity::of(&version("None", &[]))
    }

    fn of_another() -> VersionIdentity {
        VersionIdentity {
            run_id: "r2".into(),
            ..own()
        }
    }

    #[test]
    fn a_version_has_entered_where_a_record_of_its_own_says_so() {
        for (record, entered) in [
            (json!({"status": "done"}), true),
            (json!({"status": "done", "of": own()}), true),
            (json!({"status": "done", "of": of_another()}), false),
            (json!({"status": "pending", "of": own()}), false),
            (json!({"status": "undone", "of": own()}), false),
            (
                json!({"status": "undone", "of": own(), "held-before": true}),
                true,
            ),
            (
                json!({"status": "undone", "of": of_another(), "held-before": true}),
                false,
            ),
            (json!({"held-before": true}), false),
            (json!("by hand"), false),
        ] {
            let version = recorded(&record);
            assert_eq!(has_entered(&version, "prod"), entered, "{record}");
            assert_eq!(was_let_in(&version, "prod"), entered, "{record}");
            assert!(!has_entered(&version, "staging"), "{record}");
        }
        assert!(!has_entered(&version("None", &[]), "prod"));
    }

    #[test]
    fn a_record_that_names_no_version_tells_of_those_that_were_there_when_it_was_written() {
        let version = version("None", &[]);
        for (at, tells) in [
            ("2026-01-02T00:00:04Z", false),
            ("2026-01-02T00:00:05Z", true),
            ("2026-01-02T00:00:06Z", true),
            ("", true),
        ] {
            assert_eq!(tells_of(None, at, &version), tells, "{at}");
            let entered = has_entered(&recorded(&json!({"status": "done", "at": at})), "prod");
            assert_eq!(entered, tells, "{at}");
        }
        // A record that names its version needs no time.
        assert!(tells_of(Some(&own()), "2026-01-02T00:00:04Z", &version));
        assert!(!tells_of(
            Some(&of_another()),
            "2026-01-02T00:00:06Z",
            &version
        ));
    }

    #[test]
    fn a_version_that_had_to_leave_is_let_in_no_more() {
        let done = |of: VersionIdentity| {
            let record = json!({"status": "done", "of": of}).to_string();
            ("promote.in.prod", record)
        };
        let left = |why: &str| ("promote.demoted.prod", why.to_owned());
        let demoted_for = |tags: &[(&str, String)]| {
            let version = version("None", tags);
            let why = demoted(&version, "prod").map(str::to_owned);
            assert_eq!(demoted(&version, "staging"), None);
            (why, was_let_in(&version, "prod"))
        };
        let why = Some("rmse rose".to_owned());
        assert_eq!(
            demoted_for(&[done(own()), left("rmse rose")]),
            (why.clone(), false)
        );
        assert_eq!(demoted_for(&[left("rmse rose")]), (why, false));
        assert_eq!(demoted_for(&[done(own()), left("")]), (None, true));
        assert_eq!(demoted_for(&[done(own())]), (None, true));
        // The tags came with a copy.
        assert_eq!(
            demoted_for(&[done(of_another()), left("rmse rose")]),
            (None, false)
        );
    }

    #[test]
    fn the_tags_are_those_that_are_written() {
        assert_eq!(record_key("prod"), "promote.in.prod");
        assert_eq!(demoted_key("prod"), "promote.demoted.prod");
    }

    #[test]
    fn a_stage_is_told_by_a_tag_only_where_there_are_no_stages() {
        let tag = || [(STAGE_TAG, "Production".to_owned())];
        assert_eq!(stage_of(&version("None", &tag())), ModelStage::Production);
        assert_eq!(stage_of(&version("Staging", &tag())), ModelStage::Staging);
        assert_eq!(stage_of(&version("None", &[])), ModelStage::None);
    }
}
