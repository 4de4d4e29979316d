//! A workflow file as types: the part of GitHub's syntax that a rehearsal understands.
//!
//! Reading is in `read/reader.rs`, which names every key it does not know. Whether what was read can be run here is
//! for the crate `rehearsal` to say.

mod reader;

use crate::expression::Expression;
use crate::template::Template;
use crate::value::{Value, parse_number};

/// One workflow file.
#[derive(Debug)]
pub struct Workflow {
    /// The file's name, such as `deploy-jobs.yml`.
    pub file: String,
    /// What GitHub shows.
    pub name: String,
    /// What starts it.
    pub triggers: Triggers,
    /// Environment variables of every job.
    pub env: Vec<(String, Field)>,
    /// The group of which one run at a time goes on.
    pub concurrency: Option<Concurrency>,
    /// What GitHub calls a run, which must at least be right.
    pub run_name: Option<Field>,
    /// What `run:` steps do when they do not say.
    pub defaults: Defaults,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Job>,
}

/// `on:`, as far as it matters to a push and to a run started by hand.
#[derive(Debug, Default)]
pub struct Triggers {
    /// The branches whose push starts it: empty for every branch, nothing when no push does.
    pub push: Option<Vec<String>>,
    /// The inputs of a run started by hand; nothing when it cannot be.
    pub dispatch: Option<Vec<Input>>,
}

/// An input of `workflow_dispatch`.
#[derive(Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What it is when nobody says.
    pub default: Option<String>,
    /// What it may be, where it is a choice.
    pub options: Vec<String>,
    /// `string`, `boolean`, …
    pub kind: String,
}

/// A text of the file and its line.
#[derive(Debug, Clone)]
pub struct Field {
    /// Counted from 1.
    pub line: u64,
    /// The text, parsed.
    pub template: Template,
}

/// An `if:`.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Counted from 1.
    pub line: u64,
    /// What it says.
    pub expression: Expression,
}

/// `defaults.run`.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The shell.
    pub shell: Option<Field>,
    /// Where steps run, from the workspace.
    pub working_directory: Option<Field>,
}

/// `concurrency:`.
#[derive(Debug)]
pub struct Concurrency {
    /// The name of the group, which all workflows of a repository share.
    pub group: Field,
    /// Whether what comes later ends what goes on.
    pub cancel_in_progress: Option<Field>,
    /// Whether all that come later wait in their order, and not the last one only.
    pub queues_all: bool,
}

impl Concurrency {
    /// Its texts.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        std::iter::once(&self.group).chain(&self.cancel_in_progress)
    }
}

/// One job.
#[derive(Debug)]
pub struct Job {
    /// Its key under `jobs`.
    pub id: String,
    /// The line of its key's value.
    pub line: u64,
    /// What GitHub shows; the id when not given.
    pub name: Option<Field>,
    /// The jobs that come before.
    pub needs: Vec<String>,
    /// Whether it runs.
    pub condition: Option<Condition>,
    /// The runner's labels.
    pub runs_on: Vec<Field>,
    /// The GitHub environment it is bound to.
    pub environment: Option<Environment>,
    /// Environment variables of every step.
    pub env: Vec<(String, Field)>,
    /// What later jobs see of it.
    pub outputs: Vec<(String, Field)>,
    /// How long it may take; GitHub's 360 minutes when not given.
    pub timeout_minutes: Option<Field>,
    /// The group of which one job at a time goes on.
    pub concurrency: Option<Concurrency>,
    /// What `run:` steps do when they do not say.
    pub defaults: Defaults,
    /// What it does.
    pub steps: Vec<Step>,
}

/// `environment:`.
#[derive(Debug)]
pub struct Environment {
    /// Its name.
    pub name: Field,
    /// What GitHub links to after the deployment.
    pub url: Option<Field>,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// The line it begins on.
    pub line: u64,
    /// The name by which other steps know it.
    pub id: Option<String>,
    /// What GitHub shows; made from what it does when not given.
    pub name: Option<Field>,
    /// What it does.
    pub what: What,
    /// Environment variables of its own.
    pub env: Vec<(String, Field)>,
    /// Whether it runs.
    pub condition: Option<Condition>,
    /// Whether its failure is no failure of the job.
    pub continue_on_error: Option<Field>,
    /// How long it may take.
    pub timeout_minutes: Option<Field>,
    /// Whether the next step begins without waiting for it.
    pub background: bool,
}

/// What a step does.
#[derive(Debug)]
pub enum What {
    /// A script.
    Run {
        /// The script.
        script: Field,
        /// The shell that reads it.
        shell: Option<Field>,
        /// Where it runs, from the workspace.
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
    /// It ends the step of this id.
    Cancel(String),
    /// It begins these side by side, and waits for all of them.
    Parallel(Vec<Step>),
}

impl Job {
    /// All its steps, those of a group in the place of the group.
    pub fn every_step(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().flat_map(|step| match &step.what {
            What::Parallel(group) => group.as_slice(),
            _ => std::slice::from_ref(step),
        })
    }
}

impl Workflow {
    /// The file's name without its ending: how people call it.
    pub fn stem(&self) -> &str {
        self.file
            .rsplit_once('.')
            .map_or(&self.file, |(stem, _)| stem)
    }
}

impl Input {
    /// Why it cannot be given this text, if it cannot.
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

    /// Its value, from the text that was given.
    pub fn value(&self, text: &str) -> Value {
        match self.kind.as_str() {
            "boolean" => Value::Bool(text == "true"),
            "number" => Value::Number(parse_number(text)),
            _ => Value::String(text.to_owned()),
        }
    }
}

impl Step {
    /// The name GitHub would show if none is given.
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
