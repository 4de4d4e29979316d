//! A workflow file as types: the part of GitHub's syntax that a rehearsal understands.
//!
//! `read/reader.rs` reads it and names every key that it does not know. The crate `rehearsal` checks whether what was
//! read can be run here.

mod reader;

use crate::expression::Expression;
use crate::template::Template;
use crate::value::{Value, parse_number};

/// One workflow file.
#[derive(Debug)]
pub struct Workflow {
    /// The file's name, such as `deploy-jobs.yml`.
    pub file: String,
    /// The name that GitHub shows.
    pub name: String,
    /// What starts it.
    pub triggers: Triggers,
    /// Environment variables of every job.
    pub env: Vec<(String, Field)>,
    /// The group in which one run at a time is allowed.
    pub concurrency: Option<Concurrency>,
    /// The name of a run, which must at least be valid.
    pub run_name: Option<Field>,
    /// The defaults of `run:` steps.
    pub defaults: Defaults,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Job>,
}

/// `on:`, as far as it matters for a push and for a run started by hand.
#[derive(Debug, Default)]
pub struct Triggers {
    /// The branches whose push starts it: empty for every branch, absent if no push does.
    pub push: Option<Vec<String>>,
    /// The inputs of a run started by hand; absent if that is not possible.
    pub dispatch: Option<Vec<Input>>,
}

/// An input of `workflow_dispatch`.
#[derive(Debug)]
pub struct Input {
    /// The key under `inputs`, which the expression `inputs.<name>` uses.
    pub name: String,
    /// The value if the person gives none.
    pub default: Option<String>,
    /// The allowed values, if it is a choice.
    pub options: Vec<String>,
    /// The type: `string`, `boolean`, …
    pub kind: String,
}

/// A text of the file and its line.
#[derive(Debug, Clone)]
pub struct Field {
    /// The line, counted from 1.
    pub line: u64,
    /// The text, parsed.
    pub template: Template,
}

/// An `if:`.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The line, counted from 1.
    pub line: u64,
    /// The condition, parsed.
    pub expression: Expression,
}

/// `defaults.run` of a workflow or a job.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The shell of steps that set none; absent for GitHub's own choice.
    pub shell: Option<Field>,
    /// Where steps run, relative to the workspace.
    pub working_directory: Option<Field>,
}

/// `concurrency:` of a workflow or a job.
#[derive(Debug)]
pub struct Concurrency {
    /// The name of the group, which all workflows of a repository share.
    pub group: Field,
    /// Whether a newer member cancels the running one.
    pub cancel_in_progress: Option<Field>,
    /// Whether all newer members wait in order, and not only the newest one.
    pub queues_all: bool,
}

impl Concurrency {
    /// The fields that may contain expressions.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        std::iter::once(&self.group).chain(&self.cancel_in_progress)
    }
}

/// A job as the file describes it.
#[derive(Debug)]
pub struct Job {
    /// Its key under `jobs`.
    pub id: String,
    /// The line of the value of its key.
    pub line: u64,
    /// The name that GitHub shows; the id if absent.
    pub name: Option<Field>,
    /// The ids of the jobs that it needs.
    pub needs: Vec<String>,
    /// Whether it runs.
    pub condition: Option<Condition>,
    /// The labels of the runner.
    pub runs_on: Vec<Field>,
    /// The GitHub environment that it enters.
    pub environment: Option<Environment>,
    /// Environment variables of every step.
    pub env: Vec<(String, Field)>,
    /// Its outputs, for later jobs.
    pub outputs: Vec<(String, Field)>,
    /// Its time limit; GitHub's 360 minutes if absent.
    pub timeout_minutes: Option<Field>,
    /// The group in which one job at a time is allowed.
    pub concurrency: Option<Concurrency>,
    /// The defaults of `run:` steps.
    pub defaults: Defaults,
    /// Its steps, in the order of the file.
    pub steps: Vec<Step>,
}

/// `environment:` of a job.
#[derive(Debug)]
pub struct Environment {
    /// The environment's name, which may be an expression.
    pub name: Field,
    /// The link that GitHub shows after the deployment.
    pub url: Option<Field>,
}

/// A step as the file describes it.
#[derive(Debug)]
pub struct Step {
    /// The line it begins on.
    pub line: u64,
    /// The id by which other steps refer to it.
    pub id: Option<String>,
    /// The name that GitHub shows; made from its content if absent.
    pub name: Option<Field>,
    /// What it does.
    pub what: What,
    /// Environment variables of its own.
    pub env: Vec<(String, Field)>,
    /// Whether it runs.
    pub condition: Option<Condition>,
    /// Whether the job continues when it fails.
    pub continue_on_error: Option<Field>,
    /// Its time limit.
    pub timeout_minutes: Option<Field>,
    /// Whether the next step begins without waiting for it.
    pub background: bool,
}

/// What a step does.
#[derive(Debug)]
pub enum What {
    /// A script.
    Run {
        /// The text of `run:`, which may contain expressions.
        script: Field,
        /// The shell that runs it.
        shell: Option<Field>,
        /// Where it runs, relative to the workspace.
        working_directory: Option<Field>,
    },
    /// An action.
    Uses {
        /// `owner/name@ref`, as written.
        action: String,
        /// Its inputs.
        with: Vec<(String, Field)>,
    },
    /// It waits for the steps of these ids.
    Wait(Vec<String>),
    /// It waits for every step that still runs.
    WaitAll,
    /// It stops the step of this id.
    Cancel(String),
    /// It begins these steps side by side, and waits for all of them.
    Parallel(Vec<Step>),
}

impl Job {
    /// All its steps; a group is replaced by its steps.
    pub fn every_step(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().flat_map(|step| match &step.what {
            What::Parallel(group) => group.as_slice(),
            _ => std::slice::from_ref(step),
        })
    }
}

impl Workflow {
    /// The file's name without its extension, by which people call it.
    pub fn stem(&self) -> &str {
        self.file
            .rsplit_once('.')
            .map_or(&self.file, |(stem, _)| stem)
    }
}

impl Input {
    /// Why this text is not allowed as its value, if it is not.
    pub fn objection(&self, text: &str) -> Option<String> {
        let is_one = |allowed: &[&str]| allowed.contains(&text);
        match self.kind.as_str() {
            "boolean" if !is_one(&["true", "false"]) => Some("it is `true` or `false`".to_owned()),
            "choice" if !self.options.iter().any(|option| option == text) => {
                Some(format!("it is one of {}", self.options.join(", ")))
            }
            _ => None,
        }
    }

    /// Its value, from the given text.
    pub fn value(&self, text: &str) -> Value {
        match self.kind.as_str() {
            "boolean" => Value::Bool(text == "true"),
            "number" => Value::Number(parse_number(text)),
            _ => Value::String(text.to_owned()),
        }
    }
}

impl Step {
    /// The name that GitHub shows if none is given.
    pub fn default_name(&self) -> String {
        match &self.what {
            What::Run { script, .. } => {
                let first = script
                    .template
                    .source
                    .lines()
                    .map(str::trim)
                    .find(|line| !line.is_empty());
                format!("Run {}", first.unwrap_or_default())
            }
            What::Uses { action, .. } => format!("Run {action}"),
            What::Wait(_) => "Wait".to_owned(),
            What::WaitAll => "Wait for all".to_owned(),
            What::Cancel(_) => "Cancel".to_owned(),
            What::Parallel(_) => "Parallel group".to_owned(),
        }
    }
}
