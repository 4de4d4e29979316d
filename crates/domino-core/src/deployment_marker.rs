//! The marker at the end of a title or description in Domino. It says what a run, a schedule or an endpoint's version
//! was made for. With it a later run finds its work again, and the next stage knows what this one serves if Domino
//! does not tell.
//!
//! Fingerprints of a whole publish are in `fingerprint`. Nothing here asks Domino.

mod fingerprint;

use std::fmt;

pub use self::fingerprint::{
    fingerprint_of_text, fingerprint_of_variables, state_of, text_and_variables,
};
use crate::api::model_apis::ModelApiVersion;
use crate::api::registered_models::VersionNumber;
use crate::commit::Commit;
use crate::hold::Hold;
use stage_file::StageFile;

/// The key of the tag that we set on a version of an app. Its value is a marker.
pub const APP_TAG: &str = "deploy-app";

/// What everything that is deployed of an entity in a stage has in common. Reads `[dev/train]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityMarker {
    /// The stage's name in the stage file.
    pub stage: String,
    /// The job's or model's name in the stage file.
    pub entity: String,
}

/// What one run or one version of an endpoint was made for. Reads `[dev/train 3f2a91c0b1d2 run 1234567]`, or with
/// everything that a model's has `[staging/wine-quality v7 3f2a91c0b1d2 run 123 after 4 state 9c1d2e3f4a5b]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentMarker {
    /// The entity and the stage.
    pub of: EntityMarker,
    /// The version of the registered model; absent for a function and a job.
    pub version: Option<VersionNumber>,
    /// The commit that is deployed.
    pub commit: Commit,
    /// The id of the GitHub workflow run that it was a step of; absent if a person started it.
    pub workflow_run: Option<String>,
    /// The number of the endpoint's version that served until then, if one did.
    pub after: Option<u64>,
    /// The fingerprint of everything that was wanted of an endpoint; a job has none.
    pub state: Option<String>,
    /// What we last wrote to the endpoint itself; a job has none.
    pub written: Option<Written>,
    /// That it stays there.
    pub hold: Option<Hold>,
}

/// What a marker says if nobody knows the environment variables.
pub const UNKNOWN: &str = "unknown";

/// What we last wrote to an endpoint itself. With it "somebody changed it since" can be distinguished from "the stage
/// file changed".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// How many replicas we asked for.
    pub replicas: u32,
    /// The fingerprint of the description.
    pub text: String,
    /// The fingerprint of the environment variables, or `none`.
    pub variables: String,
}

/// The marker of an endpoint's version, as it was found in a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMarker {
    /// The version of the registered model.
    pub version: Option<VersionNumber>,
    /// The beginning of the commit's id.
    pub commit: String,
    /// The id of the GitHub workflow run.
    pub workflow_run: Option<String>,
    /// The number of the endpoint's version that served until then.
    pub after: Option<u64>,
    /// The fingerprint of what was wanted.
    pub state: String,
    /// What we last wrote to the endpoint itself; an earlier release did not say.
    pub written: Option<Written>,
    /// That it stays there.
    pub hold: Option<Hold>,
}

/// The marker of a scheduled job, as it was found in a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleMarker {
    /// The whole of it.
    pub text: String,
    /// Whether we paused the job when we wrote it.
    pub is_paused: bool,
    /// That it stays there.
    pub hold: Option<Hold>,
}

impl EntityMarker {
    /// The marker of an entity in a stage.
    pub fn new(stage: &str, entity: &str) -> Self {
        Self {
            stage: stage.to_owned(),
            entity: entity.to_owned(),
        }
    }

    /// Whether a title ends with this marker and nothing more than it.
    pub fn ends(&self, title: &str) -> bool {
        title.ends_with(&self.to_string())
    }

    /// The marker of a scheduled job. It records whether we paused it, so that a pause by somebody else can be
    /// distinguished from ours.
    pub fn of_schedule(&self, is_paused: bool, hold: Option<&Hold>) -> String {
        let paused = if is_paused { " paused" } else { "" };
        let hold = hold.map(|hold| format!(" {hold}")).unwrap_or_default();
        format!("[{}/{}{paused}{hold}]", self.stage, self.entity)
    }

    /// The marker of a scheduled job in a title, wherever it stands there.
    pub fn schedule_in(&self, title: &str) -> Option<ScheduleMarker> {
        let head = format!("[{}/{}", self.stage, self.entity);
        title.match_indices(&head).find_map(|(at, _)| {
            let (inner, _) = title[at + head.len()..].split_once(']')?;
            let (is_paused, rest) = match inner.strip_prefix(" paused") {
                Some(rest) => (true, rest),
                None => (false, inner),
            };
            let hold = match rest {
                "" => None,
                rest => Some(Hold::read(rest.strip_prefix(' ')?)?),
            };
            Some(ScheduleMarker {
                text: format!("{head}{inner}]"),
                is_paused,
                hold,
            })
        })
    }

    /// The last marker of a text, of any entity and stage.
    pub fn last_in(text: &str) -> Option<Self> {
        let (_, marker) = text.rsplit_once('[')?;
        let (inner, _) = marker.split_once(']')?;
        let (stage, entity) = inner.split(' ').next()?.split_once('/')?;
        let named = StageFile::is_name(stage) && StageFile::is_name(entity);
        named.then(|| Self::new(stage, entity))
    }

    /// The id of the GitHub workflow run in the last marker of this entity.
    pub fn workflow_run_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let head = format!("[{}/{} ", self.stage, self.entity);
        let (_, rest) = text.rsplit_once(&head)?;
        let (inner, _) = rest.split_once(']')?;
        let mut words = inner.split(' ');
        words.find(|word| *word == "run")?;
        words.next()
    }

    /// Whether the last marker of a title is of this entity, with any commit.
    pub fn is_of(&self, title: &str) -> bool {
        let head = format!("{}/{}", self.stage, self.entity);
        title
            .rsplit_once('[')
            .and_then(|(_, marker)| marker.strip_prefix(&head))
            .is_some_and(|rest| rest.starts_with([' ', ']']))
    }
}

impl DeploymentMarker {
    /// The marker of a commit of this entity, in the workflow run that this is a step of, if it is.
    pub fn new(of: EntityMarker, commit: &Commit) -> Self {
        let workflow_run = std::env::var("GITHUB_RUN_ID").ok();
        Self {
            of,
            version: None,
            commit: commit.clone(),
            workflow_run: workflow_run.filter(|id| !id.is_empty()),
            after: None,
            state: None,
            written: None,
            hold: None,
        }
    }

    /// Says that it is not known which environment variables the endpoint has.
    pub fn forget_variables(&mut self) {
        if let Some(written) = &mut self.written {
            written.variables = UNKNOWN.to_owned();
        }
    }

    /// Whether a title ends with exactly this marker.
    pub fn ends(&self, title: &str) -> bool {
        title.ends_with(&self.to_string())
    }

    /// Whether the last marker of a title is of the same entity and commit, whoever deployed it.
    pub fn is_of_same_commit(&self, title: &str) -> bool {
        let head = format!(
            "{}/{} {}",
            self.of.stage,
            self.of.entity,
            self.commit.short()
        );
        title
            .rsplit_once('[')
            .and_then(|(_, marker)| marker.strip_prefix(&head))
            .is_some_and(|rest| rest.starts_with([' ', ']']))
    }
}

impl fmt::Display for EntityMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}/{}]", self.stage, self.entity)
    }
}

impl fmt::Display for DeploymentMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}/{}", self.of.stage, self.of.entity)?;
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
        if let Some(state) = &self.state {
            write!(f, " state {state}")?;
        }
        if let Some(written) = &self.written {
            let Written {
                replicas,
                text,
                variables,
            } = written;
            write!(f, " replicas {replicas} text {text} variables {variables}")?;
        }
        if let Some(hold) = &self.hold {
            write!(f, " {hold}")?;
        }
        f.write_str("]")
    }
}

impl FoundMarker {
    /// The marker of an endpoint's version. The older routes have one description for an endpoint and its first
    /// version, which is the endpoint's.
    pub fn of(
        version: &ModelApiVersion,
        endpoint_description: &str,
        model: &EntityMarker,
    ) -> Option<Self> {
        Self::in_text(&version.description, model).or_else(|| {
            (version.number == Some(1))
                .then(|| Self::in_text(endpoint_description, model))
                .flatten()
        })
    }

    /// The last marker of a model in a text.
    pub fn in_text(text: &str, model: &EntityMarker) -> Option<Self> {
        let head = format!("[{}/{} ", model.stage, model.entity);
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
        let (mut replicas, mut text, mut variables) = (None, None, None);
        let (mut since, mut from) = (None, None);
        while let (Some(key), Some(value)) = (words.next(), words.next()) {
            match key {
                "run" => workflow_run = Some(value.to_owned()),
                "after" => after = value.parse().ok(),
                "state" => state = Some(value.to_owned()),
                "replicas" => replicas = value.parse().ok(),
                "text" => text = Some(value.to_owned()),
                "variables" => variables = Some(value.to_owned()),
                "hold" => since = value.parse().ok(),
                "from" => from = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(Self {
            version,
            commit: word.to_owned(),
            workflow_run,
            after,
            state: state?,
            written: replicas
                .zip(text)
                .zip(variables)
                .map(|((replicas, text), variables)| Written {
                    replicas,
                    text,
                    variables,
                }),
            hold: since.map(|since| Hold { since, from }),
        })
    }
}

#[cfg(test)]
mod tests;
