//! Which version of a registered model is meant, beyond its number: numbers start again when a model is deleted or
//! renamed and created again, and a copy keeps the tags of the original.
//!
//! It is stored with what was decided about a version, and compared before that counts. It decides nothing itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::mlflow::ModelVersion;
use crate::api::registered_models::VersionNumber;
use crate::error::CommandError;

/// What distinguishes a version from every other, even from one of the same name and number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VersionIdentity {
    /// The registered model's name.
    pub name: String,
    /// The version's number.
    pub version: VersionNumber,
    /// The run that created it; empty if it was not created by a run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run_id: String,
    /// When it was registered, in epoch milliseconds.
    pub created: i64,
    /// Where its files are.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

impl VersionIdentity {
    /// The identity of a version.
    pub fn of(version: &ModelVersion) -> Self {
        Self {
            name: version.name.clone(),
            version: version.version,
            run_id: version.run_id.clone(),
            created: version.creation_timestamp,
            source: version.source.clone(),
        }
    }

    /// Whether the version did not exist yet at this time, in epoch milliseconds: anything that was made from this
    /// name and number then was made from another version.
    pub fn is_younger_than(&self, millisecond: i64) -> bool {
        match millisecond % 1000 {
            // The time was written to the second.
            0 => self.created.div_euclid(1000) > millisecond.div_euclid(1000),
            _ => self.created > millisecond,
        }
    }

    /// Refuses to believe that the endpoint of a stage serves this version if it has had that number since a time at
    /// which the version did not exist, in epoch milliseconds: those are the files of another version.
    pub fn check_served(&self, since: Option<i64>, stage: &str) -> Result<(), CommandError> {
        let Some(since) = since.filter(|since| self.is_younger_than(*since)) else {
            return Ok(());
        };
        let (number, name) = (self.version, &self.name);
        let since = jiff::Timestamp::from_second(since.div_euclid(1000)).unwrap_or_default();
        Err(CommandError::refused(format!(
            "stage `{stage}` serves another version {number} of `{name}`: its endpoint has had it since {since}, and what \
             the experiment manager has now is {self}"
        ))
        .hint(format!(
            "`{name}` was deleted or renamed, and made again: publish the new version {number} there with \
             `deploy-model publish` and `--force-version REASON`"
        )))
    }
}

impl fmt::Display for VersionIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {} of `{}`", self.version, self.name)?;
        if let Ok(created) = jiff::Timestamp::from_millisecond(self.created) {
            write!(f, ", registered {created}")?;
        }
        match self.run_id.as_str() {
            "" => f.write_str(" without a run")?,
            run => write!(f, " by run {run}")?,
        }
        match self.source.as_str() {
            "" => Ok(()),
            source => write!(f, " from {source}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> VersionIdentity {
        VersionIdentity {
            name: "wine".into(),
            version: VersionNumber::new(7),
            run_id: "r1".into(),
            created: 1_767_323_045_250,
            source: "runs:/r1/model".into(),
        }
    }

    #[test]
    fn an_identity_is_read_as_it_is_written_and_shown_in_full() {
        let text = serde_json::to_string(&identity()).unwrap();
        assert_eq!(
            serde_json::from_str::<VersionIdentity>(&text).unwrap(),
            identity()
        );
        assert_eq!(
            identity().to_string(),
            "version 7 of `wine`, registered 2026-01-02T03:04:05.25Z by run r1 from runs:/r1/model"
        );
    }

    #[test]
    fn what_is_older_than_a_version_was_made_of_another() {
        let created = identity().created;
        assert!(identity().is_younger_than(created - 1));
        assert!(!identity().is_younger_than(created));
        assert!(!identity().is_younger_than(created - created % 1000));
        assert!(identity().is_younger_than(created - created % 1000 - 1000));
    }

    #[test]
    fn an_endpoint_that_had_the_number_before_the_version_was_made_serves_another_one() {
        let created = identity().created;
        for since in [None, Some(created)] {
            assert!(identity().check_served(since, "staging").is_ok());
        }
        let refused = identity().check_served(Some(created - 2_000), "staging");
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .starts_with("stage `staging` serves another version 7 of `wine`")
        );
    }
}
