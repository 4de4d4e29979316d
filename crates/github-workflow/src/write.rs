//! The part of GitHub's workflow syntax that our files use, as types that can carry comments.
//!
//! A value of these types is a complete workflow; it only writes YAML. The code that creates one decides which file
//! contains what and which third-party actions there are.

mod group;
mod trigger;

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_saphyr::{Commented, SpaceAfter};

pub use self::group::refer_to_groups;
pub use self::trigger::{
    Choice, ChoiceType, Dispatch, Filter, Flag, FlagType, FormField, Pattern, TextField, TextType,
    Timed, Triggers,
};

/// One workflow file.
#[derive(Debug, Clone, Serialize)]
pub struct Workflow {
    /// The name that GitHub's list of workflows shows.
    pub name: String,
    /// What starts a run.
    pub on: Triggers,
    /// The token's permissions in a job that sets none of its own: none at all.
    pub permissions: Permissions,
    /// Which runs wait for each other.
    pub concurrency: SpaceAfter<Concurrency>,
    /// The jobs, in the order in which they run.
    #[serde(serialize_with = "by_id")]
    pub jobs: Vec<Job>,
}

impl Workflow {
    /// The workflow as YAML, without a header.
    ///
    /// # Errors
    /// When a value cannot be written as YAML.
    pub fn to_yaml(&self) -> Result<String, serde_saphyr::ser::Error> {
        // Nothing is ever folded: a folded command or path would make a review harder.
        let options = serde_saphyr::ser_options! {
            compact_list_indent: false,
            folded_wrap_chars: usize::MAX,
        };
        let yaml = serde_saphyr::to_string_with_options(self, options)?;
        Ok(format!("{}\n", yaml.trim_end()))
    }
}

/// The permissions of the job's token, each with its reason.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Permissions(IndexMap<&'static str, Commented<&'static str>>);

impl Permissions {
    /// No permissions.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a permission, with its reason.
    pub fn and(mut self, scope: &'static str, access: &'static str, reason: &str) -> Self {
        self.0.insert(scope, Commented(access, reason.to_owned()));
        self
    }
}

/// Which runs or jobs wait for each other.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Concurrency {
    /// The name of the group; its members wait for each other.
    pub group: Commented<String>,
    /// Whether a newer member cancels the running one.
    pub cancel_in_progress: bool,
    /// `max`: all that wait are kept, up to a hundred. Without it only the newest is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<&'static str>,
}

/// The runners that take a job.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum RunsOn {
    /// Runners with one label.
    Label(String),
    /// Runners with all of these labels.
    Labels(Vec<String>),
    /// Runners of a group with these labels.
    Group {
        /// The name of the group in the organisation.
        group: String,
        /// Labels that the runner must have as well; may be empty.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        labels: Vec<String>,
    },
}

/// A job to write.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Job {
    /// Its key in the file.
    #[serde(skip)]
    pub id: String,
    /// The name that GitHub shows.
    pub name: String,
    /// The jobs that must have succeeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The condition under which the job runs, with the reason for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#if: Option<Commented<String>>,
    /// The runners that take it.
    pub runs_on: RunsOn,
    /// The job's time limit in minutes.
    pub timeout_minutes: u32,
    /// The GitHub environment whose rules it must pass and whose secrets it gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The permissions of the job's token.
    pub permissions: Permissions,
    /// Which jobs wait for each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// The outputs for later jobs.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Expression>,
    /// The steps of the job.
    pub steps: Vec<JobStep>,
}

/// One step of a job, or several that run side by side.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum JobStep {
    /// One step.
    One(Box<Step>),
    /// Steps that begin together; the job waits for all of them.
    Parallel {
        /// The steps of the group.
        parallel: Vec<Step>,
    },
}

impl From<Step> for JobStep {
    fn from(step: Step) -> Self {
        Self::One(Box::new(step))
    }
}

impl JobStep {
    /// The steps, each by itself.
    pub fn each(&self) -> &[Step] {
        match self {
            Self::One(step) => std::slice::from_ref(step),
            Self::Parallel { parallel } => parallel,
        }
    }
}

impl Job {
    /// All its steps; a group is replaced by its steps.
    pub fn every_step(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().flat_map(JobStep::each)
    }

    /// An output of this job, as a job that needs it sees it.
    pub fn output(&self, name: &str) -> Expression {
        Expression(format!("needs.{}.outputs.{name}", self.id))
    }

    /// How this job ended, as a job that needs it sees it.
    pub fn result(&self) -> Expression {
        Expression(format!("needs.{}.result", self.id))
    }

    /// The job, run only after another one has succeeded.
    pub fn after(mut self, earlier: &Self) -> Self {
        self.needs.push(earlier.id.clone());
        self
    }
}

/// The GitHub environment of a job, as it is written.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// The name in the repository's settings; GitHub compares it without case.
    pub name: String,
    /// The address where the deployment can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Expression>,
}

/// One step of a job: an action or a command.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// The name that GitHub shows.
    pub name: String,
    /// The id by which other steps refer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The condition under which the step runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#if: Option<String>,
    /// Whether the job continues if the step fails, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continue_on_error: Option<Commented<bool>>,
    /// A third-party action by commit, its version as the comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<Commented<String>>,
    /// The inputs of the action.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub with: IndexMap<&'static str, Input>,
    /// A command for the shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Environment variables of this step only.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<Cow<'static, str>, Variable>,
    /// The step's time limit in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<u32>,
}

/// The value of an environment variable.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Variable {
    /// The value alone.
    Plain(String),
    /// The value with a comment.
    WithReason(Commented<String>),
}

impl Step {
    /// A step that runs a command.
    pub fn run(name: impl Into<String>, command: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            run: Some(command.into()),
            ..Self::default()
        }
    }

    /// An output of this step, as the rest of its job sees it.
    ///
    /// # Panics
    /// When the step has no id, because nothing could refer to it.
    pub fn output(&self, name: &str) -> Expression {
        let id = self
            .id
            .as_deref()
            .expect("a step whose output is used has an id");
        Expression(format!("steps.{id}.outputs.{name}"))
    }

    /// How this step ended, as the rest of its job sees it: `success`, `failure`, `cancelled` or `skipped`.
    ///
    /// # Panics
    /// When the step has no id, as [`Step::output`] does.
    pub fn outcome(&self) -> Expression {
        let id = self
            .id
            .as_deref()
            .expect("a step whose outcome is used has an id");
        Expression(format!("steps.{id}.outcome"))
    }

    /// The step with an id that others can refer to.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The step with one more input for its action.
    pub fn with(mut self, name: &'static str, value: impl Into<Input>) -> Self {
        self.with.insert(name, value.into());
        self
    }

    /// The step with one more environment variable, and a comment for a reader or a linter.
    pub fn env_with_reason(mut self, name: &'static str, value: String, reason: &str) -> Self {
        let value = Commented(value, reason.to_owned());
        self.env.insert(name.into(), Variable::WithReason(value));
        self
    }

    /// The step with one more environment variable.
    pub fn env(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.env
            .insert(name.into(), Variable::Plain(value.to_string()));
        self
    }

    /// The step with a time limit.
    pub fn minutes(mut self, minutes: u32) -> Self {
        self.timeout_minutes = Some(minutes);
        self
    }
}

/// An input of an action: YAML distinguishes text from booleans and numbers.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Input {
    /// On or off.
    Switch(bool),
    /// A number, written without quotes.
    Number(u32),
    /// Anything else.
    Text(String),
}

impl From<bool> for Input {
    fn from(switch: bool) -> Self {
        Self::Switch(switch)
    }
}

impl From<u32> for Input {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// An expression that GitHub evaluates during the run, without the braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(String);

impl Expression {
    /// Its text, for use in another expression.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{{{ {} }}}}", self.0)
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Text as a literal inside an expression.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A list of jobs is a map in the file; the blank line between two is for the reader.
fn by_id<S: Serializer>(jobs: &[Job], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(jobs.len()))?;
    for job in jobs {
        map.serialize_entry(&job.id, &SpaceAfter(job))?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_cannot_end_a_literal() {
        assert_eq!(literal("it's' || true"), "'it''s'' || true'");
    }
}
