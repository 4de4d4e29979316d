//! The note at a version of what was requested in Domino. A governance bundle identifies a version only by name and
//! number; the note says which version of that name and number it was.

use domino_core::api::governance::Bundle;
use domino_core::api::mlflow::ModelVersion;
use domino_core::error::{CommandError, Result};
use domino_core::version_identity::VersionIdentity;
use serde::{Deserialize, Serialize};

use crate::record::timestamp;

/// The version that a bundle was created for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RequestNote {
    bundle: String,
    of: VersionIdentity,
}

impl RequestNote {
    /// The tag that holds the note of one stage.
    pub(crate) fn key(stage: &str) -> String {
        format!("promote.request.{stage}")
    }

    /// The note that a bundle is for this version, as the value of its tag.
    pub(crate) fn value(bundle: &Bundle, version: &ModelVersion) -> Result<String> {
        Ok(serde_json::to_string(&Self {
            bundle: bundle.id.as_str().to_owned(),
            of: VersionIdentity::of(version),
        })?)
    }

    fn is_for(&self, bundle: &Bundle, version: &ModelVersion) -> bool {
        self.bundle == bundle.id.as_str() && self.of == VersionIdentity::of(version)
    }
}

/// Refuses a bundle that was created for another version of the same name and number. If there is no note, as with
/// requests of earlier releases, a bundle that is older than the version counts as such.
pub(crate) fn check(version: &ModelVersion, stage: &str, bundle: &Bundle) -> Result<()> {
    let note = version.tags.get(&RequestNote::key(stage));
    let note = note.and_then(|text| serde_json::from_str::<RequestNote>(text).ok());
    let is_for_it = note.is_some_and(|note| note.is_for(bundle, version));
    let identity = VersionIdentity::of(version);
    let made = bundle.created_millisecond();
    let Some(made) = made.filter(|made| !is_for_it && identity.is_younger_than(*made)) else {
        return Ok(());
    };
    let (name, number) = (&version.name, version.version);
    Err(CommandError::refused(format!(
        "bundle `{}` is for another version {number} of `{name}`: it was made at {}, and what the experiment manager \
         has now is {identity}",
        bundle.name,
        timestamp(made)
    ))
    .hint("archive the bundle in Domino, then ask for this version with promote-stage request"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::tests::version;

    #[test]
    fn a_bundle_counts_for_the_version_that_it_was_made_for() {
        let bundle = |created: &str| -> Bundle {
            let json = json!({"id": "b1", "name": "wine", "state": "Active", "createdAt": created});
            serde_json::from_value(json).unwrap()
        };
        // Registered one second after the epoch.
        let mut seven = version(7, "Staging", json!({}));
        let refused =
            |seven: &ModelVersion, created| check(seven, "prod", &bundle(created)).is_err();
        assert!(refused(&seven, "1970-01-01T00:00:00.900Z"));
        assert!(!refused(&seven, "1970-01-01T00:00:01.100Z"));
        // The note is more reliable than two clocks.
        let note = RequestNote::value(&bundle("1970-01-01T00:00:00.900Z"), &seven).unwrap();
        assert_eq!(RequestNote::key("prod"), "promote.request.prod");
        seven.tags.insert(RequestNote::key("prod"), note);
        assert!(!refused(&seven, "1970-01-01T00:00:00.900Z"));
        seven.run_id = "r2".into();
        assert!(refused(&seven, "1970-01-01T00:00:00.900Z"));
    }
}
