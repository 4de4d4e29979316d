//! One job that runs: what its steps leave for one another, what expressions see of it, and how it ends.
//!
//! `job.rs` decides whether it runs; `step.rs` runs a single step.

use std::time::Instant;

use anyhow::Context;
use github_workflow::context::{self, ExpressionSite, offered};
use github_workflow::evaluate::{Scope, Status};
use github_workflow::limits::MOST_SUMMARIES;
use github_workflow::read::{Condition, Field, Job};
use github_workflow::value::Value;

use crate::console::{Console, Look};
use crate::github::runner_context;
use crate::interrupt::Interrupt;
use crate::process::Leftovers;
use crate::runner::Runner;
use crate::workflow_run::{JobResult, WorkflowRun};
use crate::workspace::Workspace;

/// The state of a job while its steps run.
pub struct JobRun<'r, 'w> {
    /// What is shared by all jobs.
    pub runner: &'r Runner,
    /// The run it belongs to.
    pub workflow_run: &'r WorkflowRun<'w>,
    /// The job as the file has it.
    pub job: &'w Job,
    /// Its folders.
    pub workspace: &'r Workspace<'r>,
    /// Where it prints.
    pub console: Console,
    /// What ends it.
    pub interrupt: Interrupt,
    /// The name of its environment, if it has one.
    pub environment: Option<String>,
    /// The `vars` context: the variables of its environment.
    pub vars: Vec<(String, String)>,
    /// The `secrets` context: the secrets of its environment.
    pub secrets: Vec<(String, String)>,
    /// Environment variables: the workflow's, the job's, and those that steps set for later ones.
    pub env: Vec<(String, String)>,
    /// Folders that steps put in front of `PATH`, the last one first.
    pub path: Vec<String>,
    /// The steps that have finished, as `steps` shows them.
    pub steps: Vec<(String, Value)>,
    /// `success`, `failure` or `cancelled`.
    pub status: &'static str,
    /// When its time is up.
    pub deadline: Instant,
    /// Whether its time was up, and was extended for the steps that run all the same.
    pub is_late: bool,
    /// Processes that steps left running in the background.
    pub leftovers: Leftovers,
    /// What steps wrote for the summary.
    pub summary: String,
    /// How many steps wrote to the summary.
    pub summaries: usize,
    /// How many steps have begun.
    pub begun: usize,
}

/// Whether a condition allows something to run. Without a status function, everything before it must have succeeded.
///
/// # Errors
/// An expression that cannot be evaluated.
pub fn is_wanted(
    condition: Option<&Condition>,
    scope: &Scope<'_>,
    status: Status,
) -> Result<bool, String> {
    match condition {
        None => Ok(status.success),
        Some(condition) if !condition.expression.asks_for_status() && !status.success => Ok(false),
        Some(condition) => Ok(scope.value(&condition.expression)?.is_truthy()),
    }
}

/// A field that holds a number of minutes.
///
/// # Errors
/// When it is not a number.
pub fn minutes(scope: &Scope<'_>, field: &Field) -> Result<f64, String> {
    let text = scope.text(&field.template)?;
    text.trim()
        .parse()
        .ok()
        .filter(|minutes: &f64| (0.0..=1e6).contains(minutes))
        .ok_or_else(|| format!("`{text}` is not a number of minutes"))
}

impl JobRun<'_, '_> {
    /// The contexts as they are now, with these environment variables.
    pub fn contexts(&self, env: &[(String, String)]) -> Vec<(&'static str, Value)> {
        let runner = self.runner;
        vec![
            (
                "github",
                runner
                    .github
                    .context(&self.workflow_run.run, &self.job.id, Some(self.workspace)),
            ),
            ("needs", self.workflow_run.needs(self.job)),
            ("vars", Value::strings(self.vars.iter().cloned())),
            ("secrets", Value::strings(self.secrets.iter().cloned())),
            (
                "inputs",
                Value::object(self.workflow_run.run.inputs.iter().cloned()),
            ),
            ("env", context::env(env.iter().cloned())),
            ("job", Value::strings([("status", self.status)])),
            ("runner", runner_context(self.workspace)),
            ("steps", Value::object(self.steps.iter().cloned())),
        ]
    }

    /// What an expression at this site sees now, with these environment variables.
    pub fn scope(&self, site: ExpressionSite, env: &[(String, String)]) -> Scope<'_> {
        let status = Status {
            success: self.status == "success",
            failure: self.status == "failure",
            cancelled: self.status == "cancelled",
        };
        Scope {
            contexts: offered(site, &self.contexts(env)),
            status: Some(status),
            files: Some(self.workspace),
        }
    }

    /// Sets a variable, replacing one of the same name.
    pub fn set_variable(variables: &mut Vec<(String, String)>, name: &str, value: String) {
        variables.retain(|(known, _)| known != name);
        variables.push((name.to_owned(), value));
    }

    /// Sets the variables of the workflow and of the job.
    ///
    /// # Errors
    /// An expression that cannot be evaluated.
    pub fn set_env(&mut self) -> Result<(), String> {
        let layers = [
            (ExpressionSite::WorkflowEnv, &self.workflow_run.workflow.env),
            (ExpressionSite::JobEnv, &self.job.env),
        ];
        for (site, fields) in layers {
            let scope = self.scope(site, &[]);
            let values: Vec<(String, String)> = fields
                .iter()
                .map(|(name, field)| Ok((name.clone(), scope.text(&field.template)?)))
                .collect::<Result<_, String>>()?;
            for (name, value) in values {
                Self::set_variable(&mut self.env, &name, value);
            }
        }
        Ok(())
    }

    /// Adds what a step wrote to the summary, unless it is more than GitHub would show.
    pub fn add_summary(&mut self, text: &str) {
        let console = &self.console;
        self.summaries += 1;
        if self.summaries > MOST_SUMMARIES {
            console.step_note(
                Look::Warning,
                &format!("its summary is left out, as on GitHub: a job shows {MOST_SUMMARIES}"),
            );
            return;
        }
        self.summary.push_str(&console.masked(text));
        self.summary.push_str("\n\n");
    }

    /// Ends processes that steps left running, and hands on outputs, address and summary.
    ///
    /// # Errors
    /// When the summary cannot be written.
    pub fn finish(mut self) -> anyhow::Result<JobResult> {
        let runner = self.runner;
        let console = self.console.clone();
        let ended = self.leftovers.end();
        if ended > 0 {
            console.line(
                Look::Dim,
                &format!("   ended {ended} process groups that steps left in the background"),
            );
        }
        let mut outputs = Vec::new();
        let scope = self.scope(ExpressionSite::JobOutputs, &self.env);
        for (name, field) in &self.job.outputs {
            match scope.text(&field.template) {
                Ok(value) if console.hides(&value) => console.line(
                    Look::Warning,
                    &format!("   output `{name}` is left out, as on GitHub: it may hold a secret"),
                ),
                Ok(value) => outputs.push((name.clone(), value)),
                Err(error) => runner.unsupported(format!(
                    "output `{name}` of job `{}` in {}: {error}",
                    self.job.id, self.workflow_run.workflow.file
                )),
            }
        }
        if let Some(url) = self
            .job
            .environment
            .as_ref()
            .and_then(|environment| environment.url.as_ref())
        {
            match self
                .scope(ExpressionSite::EnvironmentUrl, &self.env)
                .text(&url.template)
            {
                Ok(url) if url.is_empty() || self.status != "success" => {}
                Ok(url) => console.line(Look::Plain, &format!("   deployed: {url}")),
                Err(error) => runner.unsupported(format!(
                    "`environment.url` of job `{}` in {}: {error}",
                    self.job.id, self.workflow_run.workflow.file
                )),
            }
        }
        if !self.summary.is_empty() {
            let file = format!("{}.{}.md", self.workflow_run.workflow.stem(), self.job.id);
            std::fs::create_dir_all(&runner.summaries)
                .and_then(|()| std::fs::write(runner.summaries.join(file), &self.summary))
                .with_context(|| format!("cannot write to {}", runner.summaries.display()))?;
        }
        Ok(JobResult {
            result: self.status,
            outputs,
        })
    }
}
