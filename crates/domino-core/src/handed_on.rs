//! What one step hands on to the next about a version: its number, and what distinguishes it from another version of
//! that number. A number means something only in the registry that assigned it.

use std::str::FromStr;

use crate::api::registered_models::VersionNumber;
use crate::error::{CommandError, Result};
use crate::variable::{is_on_github, variable};
use crate::version_identity::VersionIdentity;

/// The step output that identifies the published version, beyond its number.
pub const IDENTITY_OUTPUT: &str = "version-identity";

/// The variable that passes it to the next step.
const IDENTITY: &str = "MODEL_VERSION_IDENTITY";

/// A version that may be empty: GitHub passes an output that does not exist as an empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenVersion(Option<VersionNumber>);

impl FromStr for GivenVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Ok(Self(None)),
            text => text.parse().map(|version| Self(Some(version))),
        }
    }
}

impl GivenVersion {
    /// The version, if one is given. On GitHub an empty one was lost on the way, and what the stage before serves now
    /// may differ from what was approved.
    pub fn number(given: Option<Self>) -> Result<Option<VersionNumber>, CommandError> {
        match given {
            Some(Self(None)) if is_on_github() => Err(CommandError::usage(
                "`MODEL_VERSION` is empty: the job before handed no version on",
            )
            .hint(
                "GitHub drops an output that holds the value of a secret, and the job before then says `Skip output`: a \
                 secret as short as `1` or `true` does that to every number; make that secret longer or remove it, and \
                 run all jobs again; to take what the stage before serves, leave `MODEL_VERSION` out",
            )),
            given => Ok(given.and_then(|given| given.0)),
        }
    }
}

impl VersionIdentity {
    /// What the step before handed on, if anything.
    pub fn handed_on() -> Result<Option<Self>, CommandError> {
        let Some(text) = variable(IDENTITY) else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|problem| {
            CommandError::usage(format!(
                "`{IDENTITY}` does not tell which version is meant: {problem}"
            ))
            .hint(format!(
                "hand on the output `{IDENTITY_OUTPUT}` of the step that published it, as it is"
            ))
        })
    }

    /// The text of the step output.
    pub fn output(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// Why the version that was handed on is not the one of that number here; absent if run and source agree.
    pub fn differs_from(&self, here: &Self) -> Option<String> {
        let is_told = !self.run_id.is_empty() || !self.source.is_empty();
        let agrees = self.name == here.name
            && self.version == here.version
            && self.run_id == here.run_id
            && self.source == here.source;
        (!is_told || !agrees).then(|| format!("{self} was handed on, and here is {here}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_or_nothing() {
        let given = |text: &str| text.parse::<GivenVersion>();
        assert_eq!(given(" 7 "), Ok(GivenVersion(Some(VersionNumber::new(7)))));
        assert_eq!(given(""), Ok(GivenVersion(None)));
        assert!(given("latest").is_err());
    }

    #[test]
    fn only_the_same_run_and_source_are_the_same_version() {
        let one = VersionIdentity {
            name: "wine".into(),
            version: VersionNumber::new(1),
            run_id: "r1".into(),
            created: 1,
            source: "runs:/r1/model".into(),
        };
        let copy = VersionIdentity {
            created: 2,
            ..one.clone()
        };
        assert_eq!(one.differs_from(&copy), None);
        for other in [
            VersionIdentity {
                run_id: "r2".into(),
                ..one.clone()
            },
            VersionIdentity {
                source: "runs:/r2/model".into(),
                ..one.clone()
            },
        ] {
            assert!(one.differs_from(&other).unwrap().contains("was handed on"));
        }
        let untold = VersionIdentity {
            run_id: String::new(),
            source: String::new(),
            ..one
        };
        assert!(untold.differs_from(&untold).is_some());
    }
}
