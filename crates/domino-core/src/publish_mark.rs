//! The mark that a publish leaves in the description of an endpoint's version: what the version was made for. By it
//! a later run recognises its work, and the next stage knows what this one serves where Domino does not tell.

use std::fmt;

use crate::api::model_apis::ModelApiVersion;
use crate::api::registered_models::VersionNumber;
use crate::commit::Commit;

/// What one version of an endpoint was made for. Reads `[staging/wine-quality v7 3f2a91c0b1d2 run 123 after 4 state
/// 9c1d2e3f4a5b]` at the end of the version's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishMark {
    /// The stage.
    pub stage: String,
    /// The model, as the stage file calls it.
    pub model: String,
    /// The version of the registered model; nothing for a function.
    pub version: Option<VersionNumber>,
    /// The commit that the publish was for.
    pub commit: Commit,
    /// The id of the GitHub workflow run that it was a step of, if it was.
    pub workflow_run: Option<String>,
    /// The number of the endpoint's version that served until then, if one did.
    pub after: Option<u64>,
    /// All that was wished, in short.
    pub state: String,
}

/// A mark that was found in a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMark {
    /// The version of the registered model.
    pub version: Option<VersionNumber>,
    /// The beginning of the commit's id.
    pub commit: String,
    /// The id of the GitHub workflow run.
    pub workflow_run: Option<String>,
    /// The number of the endpoint's version that served until then.
    pub after: Option<u64>,
    /// What the wishes were, in short.
    pub state: String,
}

impl fmt::Display for PublishMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}/{}", self.stage, self.model)?;
        if let Some(version) = self.version {
            write!(f, " v{version}")?;
        }
        write!(f, " {}", self.commit.short())?;
        if let Some(run) = &self.workflow_run {
            write!(f, " run {run}")?;
        }
        if let Some(after) = self.after {
            write!(f, " after {after}")?;
        }
        write!(f, " state {}]", self.state)
    }
}

impl FoundMark {
    /// The mark of a version. The older routes have one description for an endpoint and its first version, which is
    /// the endpoint's.
    pub fn of(
        version: &ModelApiVersion,
        endpoint_description: &str,
        stage: &str,
        model: &str,
    ) -> Option<Self> {
        Self::in_text(&version.description, stage, model).or_else(|| {
            (version.number == Some(1))
                .then(|| Self::in_text(endpoint_description, stage, model))
                .flatten()
        })
    }

    /// The last mark of this model and stage in a text.
    pub fn in_text(text: &str, stage: &str, model: &str) -> Option<Self> {
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
        let (mut workflow_run, mut after, mut state) = (None, None, None);
        while let (Some(key), Some(value)) = (words.next(), words.next()) {
            match key {
                "run" => workflow_run = Some(value.to_owned()),
                "after" => after = value.parse().ok(),
                "state" => state = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(Self {
            version,
            commit: word.to_owned(),
            workflow_run,
            after,
            state: state?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(version: Option<u64>, run: Option<&str>) -> PublishMark {
        PublishMark {
            stage: "staging".into(),
            model: "wine-quality".into(),
            version: version.map(VersionNumber::new),
            commit: Commit::whole(&"ab".repeat(20)).unwrap(),
            workflow_run: run.map(str::to_owned),
            after: run.map(|_| 4),
            state: "0123456789ab".into(),
        }
    }

    #[test]
    fn a_mark_reads_well_and_is_found_again() {
        let of_a_workflow = mark(Some(7), Some("123"));
        assert_eq!(
            of_a_workflow.to_string(),
            "[staging/wine-quality v7 abababababab run 123 after 4 state 0123456789ab]"
        );
        let found = |run: Option<&str>| FoundMark {
            version: Some(VersionNumber::new(7)),
            commit: "abababababab".into(),
            workflow_run: run.map(str::to_owned),
            after: run.map(|_| 4),
            state: "0123456789ab".into(),
        };
        for run in [Some("123"), None] {
            let text = format!("Predicts [x] {}", mark(Some(7), run));
            assert_eq!(
                FoundMark::in_text(&text, "staging", "wine-quality"),
                Some(found(run))
            );
        }
        let function = mark(None, None).to_string();
        assert_eq!(
            FoundMark::in_text(&function, "staging", "wine-quality")
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
            assert_eq!(FoundMark::in_text(text, stage, model), None, "{text}");
        }
    }
}
