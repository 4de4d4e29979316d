//! One job: its condition, its environment's gate, its steps in order, and what it hands on.
//!
//! What a single step does is `step.rs`'s; this keeps what steps leave for one another.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::approval::Answer;
use super::console::Look;
use super::github::runner_context;
use super::pipeline::{Done, Pipeline};
use super::process::Leftovers;
use super::report::{Outcome, Row};
use super::runner::Runner;
use super::step;
use github_workflow::context::{self, ExpressionSite, offered};
use github_workflow::evaluate::{Scope, Status};
use github_workflow::read::{Condition, Field, Job, Workflow};
use github_workflow::value::Value;

/// A job that runs.
pub struct Running<'r, 'w> {
    /// What is shared by all jobs.
    pub runner: &'r Runner,
    /// The run it belongs to.
    pub pipeline: &'r mut Pipeline<'w>,
    /// What the file says.
    pub job: &'w Job,
    /// The name of its environment.
    pub environment: Option<String>,
    /// `vars`
    pub vars: Vec<(String, String)>,
    /// `secrets`
    pub secrets: Vec<(String, String)>,
    /// Environment variables: the workflow's, the job's, and those that steps set for later ones.
    pub env: Vec<(String, String)>,
    /// Folders that steps put in front of `PATH`, the last one first.
    pub path: Vec<String>,
    /// The steps that are through, as `steps` shows them.
    pub steps: Vec<(String, Value)>,
    /// `success`, `failure` or `cancelled`.
    pub status: &'static str,
    /// When it must be through.
    pub deadline: Instant,
    /// What steps left in the background.
    pub leftovers: Leftovers,
    /// What steps wrote for the summary.
    pub summary: String,
    /// How many steps have begun.
    pub begun: usize,
}

/// What GitHub gives a job that does not say.
const LONGEST_JOB_MINUTES: f64 = 360.0;

/// Runs a job, or not, as its condition and its gate have it.
///
/// # Errors
/// When this machine does not let it.
pub fn run<'w>(runner: &Runner, pipeline: &mut Pipeline<'w>, job: &'w Job) -> anyhow::Result<Done> {
    let cancelled = runner.interrupt.asked();
    let status = pipeline.status(job, cancelled);
    let contexts = vec![
        (
            "github",
            runner
                .github
                .context(&pipeline.run, &job.id, &runner.workspace),
        ),
        ("needs", pipeline.needs(job)),
        ("vars", Value::object::<String>([])),
        ("inputs", Value::object(pipeline.run.inputs.iter().cloned())),
    ];
    let scope = |place| Scope {
        contexts: offered(place, &contexts),
        status: Some(status),
        files: None,
    };

    let wanted = match wanted(
        job.condition.as_ref(),
        &scope(ExpressionSite::JobCondition),
        status,
    ) {
        Ok(wanted) => wanted,
        Err(error) => return Ok(not_evaluated(runner, pipeline, job, "if", &error)),
    };
    let name = match job
        .name
        .as_ref()
        .map(|name| scope(ExpressionSite::Job).text(&name.template))
        .transpose()
    {
        Ok(name) => name.unwrap_or_else(|| job.id.clone()),
        Err(error) => return Ok(not_evaluated(runner, pipeline, job, "name", &error)),
    };
    if !wanted {
        let (why, outcome) = if cancelled {
            ("cancelled", Outcome::Cancelled)
        } else {
            ("skipped", Outcome::Skipped)
        };
        runner.console.line(Look::Dim, &format!("── {name}: {why}"));
        add_row(runner, pipeline.workflow, job, outcome);
        return Ok(if cancelled {
            Done {
                result: "cancelled",
                ..Done::skipped()
            }
        } else {
            Done::skipped()
        });
    }
    runner.console.line(Look::Bold, &format!("── {name}"));

    let environment = match &job.environment {
        Some(environment) => match scope(ExpressionSite::Job).text(&environment.name.template) {
            Ok(name) => Some(name).filter(|name| !name.is_empty()),
            Err(error) => return Ok(not_evaluated(runner, pipeline, job, "environment", &error)),
        },
        None => None,
    };
    if let Some(environment) = &environment {
        let Some(gate) = runner.gates.of_environment(environment) else {
            let why = format!("no stage of stages.toml has the GitHub environment `{environment}`");
            return Ok(not_evaluated(runner, pipeline, job, "environment", &why));
        };
        match runner.approvals.ask(
            gate,
            pipeline.run.id,
            &runner.domino,
            &runner.console,
            &runner.interrupt,
        ) {
            Answer::Open => {}
            Answer::Refused => {
                add_row(runner, pipeline.workflow, job, Outcome::NotApproved);
                return Ok(Done {
                    result: "failure",
                    ..Done::skipped()
                });
            }
            Answer::Interrupted => {
                add_row(runner, pipeline.workflow, job, Outcome::Cancelled);
                return Ok(Done {
                    result: "cancelled",
                    ..Done::skipped()
                });
            }
        }
    }

    let minutes = match &job.timeout_minutes {
        None => LONGEST_JOB_MINUTES,
        Some(field) => match minutes(&scope(ExpressionSite::Job), field) {
            Ok(minutes) => minutes,
            Err(error) => {
                return Ok(not_evaluated(
                    runner,
                    pipeline,
                    job,
                    "timeout-minutes",
                    &error,
                ));
            }
        },
    };
    runner.workspace.begin_job()?;
    runner
        .github
        .write_event(&pipeline.run, &runner.workspace)?;
    let mut running = Running {
        runner,
        pipeline,
        job,
        vars: runner.vars(environment.as_deref()),
        secrets: runner.secrets(environment.as_deref()),
        environment,
        env: Vec::new(),
        path: Vec::new(),
        steps: Vec::new(),
        status: "success",
        deadline: Instant::now() + Duration::from_secs_f64(minutes * 60.0),
        leftovers: Leftovers::default(),
        summary: String::new(),
        begun: 0,
    };
    if let Err(error) = running.set_env() {
        return Ok(not_evaluated(runner, running.pipeline, job, "env", &error));
    }
    for step in &job.steps {
        step::run(&mut running, step);
    }
    running.finish()
}

/// Whether a condition lets something run. Without a status function, everything before must have succeeded, too.
///
/// # Errors
/// What cannot be evaluated.
pub fn wanted(
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

/// A number of minutes.
///
/// # Errors
/// When it is none.
pub fn minutes(scope: &Scope<'_>, field: &Field) -> Result<f64, String> {
    let text = scope.text(&field.template)?;
    text.trim()
        .parse()
        .ok()
        .filter(|minutes: &f64| (0.0..=1e6).contains(minutes))
        .ok_or_else(|| format!("`{text}` is not a number of minutes"))
}

/// Notes a job none of whose steps ran.
pub fn add_row(runner: &Runner, workflow: &Workflow, job: &Job, outcome: Outcome) {
    runner.report.borrow_mut().rows.push(Row {
        workflow: workflow.stem().to_owned(),
        job: job.id.clone(),
        step: String::new(),
        outcome,
        took: None,
        link: None,
    });
}

fn not_evaluated(
    runner: &Runner,
    pipeline: &Pipeline<'_>,
    job: &Job,
    what: &str,
    error: &str,
) -> Done {
    let what = format!(
        "`{what}` of job `{}` in {}: {error}",
        job.id, pipeline.workflow.file
    );
    runner
        .console
        .line(Look::Bad, &format!("── cannot rehearse {what}"));
    runner.untruthful(what);
    add_row(runner, pipeline.workflow, job, Outcome::Failure(None));
    Done {
        result: "failure",
        ..Done::skipped()
    }
}

impl Running<'_, '_> {
    /// The contexts as they are now, with these environment variables.
    pub fn contexts(&self, env: &[(String, String)]) -> Vec<(&'static str, Value)> {
        let runner = self.runner;
        vec![
            (
                "github",
                runner
                    .github
                    .context(&self.pipeline.run, &self.job.id, &runner.workspace),
            ),
            ("needs", self.pipeline.needs(self.job)),
            ("vars", Value::strings(self.vars.iter().cloned())),
            ("secrets", Value::strings(self.secrets.iter().cloned())),
            (
                "inputs",
                Value::object(self.pipeline.run.inputs.iter().cloned()),
            ),
            ("env", context::env(env.iter().cloned())),
            ("job", Value::strings([("status", self.status)])),
            ("runner", runner_context(&runner.workspace)),
            ("steps", Value::object(self.steps.iter().cloned())),
        ]
    }

    /// What an expression sees in this place now, with these environment variables.
    pub fn scope(&self, place: ExpressionSite, env: &[(String, String)]) -> Scope<'_> {
        let status = Status {
            success: self.status == "success",
            failure: self.status == "failure",
            cancelled: self.status == "cancelled",
        };
        Scope {
            contexts: offered(place, &self.contexts(env)),
            status: Some(status),
            files: Some(&self.runner.workspace),
        }
    }

    /// Sets a variable, in place of one of the same name.
    pub fn set_variable(variables: &mut Vec<(String, String)>, name: &str, value: String) {
        variables.retain(|(known, _)| known != name);
        variables.push((name.to_owned(), value));
    }

    fn set_env(&mut self) -> Result<(), String> {
        let layers = [
            (ExpressionSite::WorkflowEnv, &self.pipeline.workflow.env),
            (ExpressionSite::JobEnv, &self.job.env),
        ];
        for (place, fields) in layers {
            let scope = self.scope(place, &[]);
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

    fn finish(mut self) -> anyhow::Result<Done> {
        let runner = self.runner;
        let console = &runner.console;
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
                Ok(value) if runner.console.hides(&value) => console.line(
                    Look::Warning,
                    &format!("   output `{name}` is left out, as on GitHub: it may hold a secret"),
                ),
                Ok(value) => outputs.push((name.clone(), value)),
                Err(error) => runner.untruthful(format!(
                    "output `{name}` of job `{}` in {}: {error}",
                    self.job.id, self.pipeline.workflow.file
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
                Err(error) => runner.untruthful(format!(
                    "`environment.url` of job `{}` in {}: {error}",
                    self.job.id, self.pipeline.workflow.file
                )),
            }
        }
        if !self.summary.is_empty() {
            let file = format!("{}.{}.md", self.pipeline.workflow.stem(), self.job.id);
            std::fs::create_dir_all(&runner.summaries)
                .and_then(|()| std::fs::write(runner.summaries.join(file), &self.summary))
                .with_context(|| format!("cannot write to {}", runner.summaries.display()))?;
        }
        runner.workspace.end_job()?;
        Ok(Done {
            result: self.status,
            outputs,
        })
    }
}
