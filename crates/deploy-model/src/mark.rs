//! The marks that a publish leaves in descriptions, by which a later one recognises its work: what a version was
//! made for and from which wishes, and which environment variables an endpoint was created with.

use std::collections::BTreeMap;
use std::fmt;

use domino_core::api::model_apis::{DesiredModelApi, ModelApiSource};
use domino_core::api::registered_models::VersionNumber;
use domino_core::commit::Commit;
use serde_json::json;

/// What one version of an endpoint was made for. Reads `[staging/wine-quality v7 3f2a91c0b1d2 run 123 state
/// 9c1d2e3f4a5b]` at the end of the version's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) stage: String,
    pub(crate) model: String,
    pub(crate) version: Option<VersionNumber>,
    pub(crate) commit: Commit,
    pub(crate) workflow_run: Option<String>,
    pub(crate) state: String,
}

/// A mark that was found in a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The version of the registered model.
    pub(crate) version: Option<VersionNumber>,
    /// The beginning of the commit's id.
    pub(crate) commit: String,
    /// What the wishes were, in short.
    pub(crate) state: String,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}/{}", self.stage, self.model)?;
        if let Some(version) = self.version {
            write!(f, " v{version}")?;
        }
        write!(f, " {}", self.commit.short())?;
        if let Some(run) = &self.workflow_run {
            write!(f, " run {run}")?;
        }
        write!(f, " state {}]", self.state)
    }
}

impl Found {
    /// The last mark of this model and stage in a description.
    pub(crate) fn in_text(text: &str, stage: &str, model: &str) -> Option<Self> {
        let head = format!("[{stage}/{model} ");
        let (_, rest) = text.rsplit_once(&head)?;
        let (inner, _) = rest.split_once(']')?;
        let mut words = inner.split(' ');
        let mut word = words.next()?;
        let version = word
            .strip_prefix('v')
            .and_then(|number| number.parse().ok());
        if version.is_some() {
            word = words.next()?;
        }
        let mut state = None;
        while let (Some(key), Some(value)) = (words.next(), words.next()) {
            if key == "state" {
                state = Some(value.to_owned());
            }
        }
        Some(Self {
            version,
            commit: word.to_owned(),
            state: state?,
        })
    }
}

/// All that is wished of an endpoint and its version, in short: the same wishes give the same text. A function
/// is built from the repository's head, so that for one the commit belongs to the wishes.
pub(crate) fn state_of(desired: &DesiredModelApi, commit: &Commit) -> String {
    let source = match &desired.source {
        ModelApiSource::Registered { name, version } => json!([name, version]),
        ModelApiSource::Function { file, function } => json!([file, function, commit]),
    };
    short(&json!([
        desired.name,
        desired.description,
        desired.environment_id,
        desired.hardware_tier_id,
        desired.replicas,
        desired.environment_variables,
        desired.logs_requests,
        source,
    ]))
}

/// The description of an endpoint: what people read, and which environment variables it was created with, since
/// Domino tells them to nobody.
pub(crate) fn described(description: &str, variables: &BTreeMap<String, String>) -> String {
    match variables_mark(variables) {
        None => description.to_owned(),
        Some(mark) => format!("{description} {mark}").trim().to_owned(),
    }
}

/// Whether an endpoint of this description was created with these environment variables.
pub(crate) fn has_variables(description: &str, variables: &BTreeMap<String, String>) -> bool {
    match variables_mark(variables) {
        None => !description.contains("[variables "),
        Some(mark) => description.contains(&mark),
    }
}

fn variables_mark(variables: &BTreeMap<String, String>) -> Option<String> {
    (!variables.is_empty()).then(|| format!("[variables {}]", short(&json!(variables))))
}

/// Twelve hexadecimal digits of a value (FNV-1a). It tells changes from one another and protects nothing.
fn short(value: &serde_json::Value) -> String {
    let hash = value
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{:012x}", hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn mark(version: Option<u64>, run: Option<&str>) -> Mark {
        Mark {
            stage: "staging".into(),
            model: "wine-quality".into(),
            version: version.map(VersionNumber::new),
            commit: Commit::whole(&"ab".repeat(20)).unwrap(),
            workflow_run: run.map(str::to_owned),
            state: "0123456789ab".into(),
        }
    }

    #[test]
    fn a_mark_reads_well_and_is_found_again() {
        let of_a_workflow = mark(Some(7), Some("123"));
        assert_eq!(
            of_a_workflow.to_string(),
            "[staging/wine-quality v7 abababababab run 123 state 0123456789ab]"
        );
        let found = Found {
            version: Some(VersionNumber::new(7)),
            commit: "abababababab".into(),
            state: "0123456789ab".into(),
        };
        for mark in [of_a_workflow, mark(Some(7), None)] {
            let text = format!("Predicts [x] {mark}");
            assert_eq!(
                Found::in_text(&text, "staging", "wine-quality"),
                Some(found.clone())
            );
        }
        let function = mark(None, None).to_string();
        assert_eq!(
            Found::in_text(&function, "staging", "wine-quality")
                .unwrap()
                .version,
            None
        );
    }

    #[test]
    fn another_stage_or_model_and_text_by_hand_are_no_marks() {
        let text = mark(Some(7), None).to_string();
        for (text, stage, model) in [
            (text.as_str(), "stag", "wine-quality"),
            (&text, "staging", "wine"),
            ("", "staging", "wine-quality"),
            ("[staging/wine-quality by hand]", "staging", "wine-quality"),
            ("[staging/wine-quality v7", "staging", "wine-quality"),
        ] {
            assert_eq!(Found::in_text(text, stage, model), None, "{text}");
        }
    }

    #[test]
    fn an_endpoint_remembers_its_variables_and_not_their_values() {
        let variables = |level: &str| BTreeMap::from([("LOG_LEVEL".to_owned(), level.to_owned())]);
        let description = described("Predicts", &variables("info"));
        assert!(description.starts_with("Predicts [variables "));
        assert!(!description.contains("info"));
        assert!(has_variables(&description, &variables("info")));
        assert!(!has_variables(&description, &variables("debug")));
        assert!(!has_variables(&description, &BTreeMap::new()));
        assert_eq!(described("Predicts", &BTreeMap::new()), "Predicts");
        assert!(has_variables("by hand", &BTreeMap::new()));
    }
}
