//! One job: its condition, its concurrency group, the approval of its environment, then its steps in order.
//!
//! `job_run.rs` keeps what steps leave for one another; `step.rs` runs a single step.

use std::time::{Duration, Instant};

use github_workflow::context::{ExpressionSite, offered};
use github_workflow::evaluate::Scope;
use github_workflow::read::{Concurrency, Job};
use github_workflow::value::Value;

use crate::approval::{Decision, Deployment};
use crate::background::Beside;
use crate::concurrency::{Entered, NotEntered, Rules};
use crate::console::{Console, Look};
use crate::interrupt::Interrupt;
use crate::job_records::JobRecord;
use crate::job_run::{JobRun, is_wanted, minutes};
use crate::order;
use crate::process::Leftovers;
use crate::report::{Annotated, Outcome};
use crate::runner::Runner;
use crate::step;
use crate::workflow_command::Annotation;
use crate::workflow_run::{JobResult, WorkflowRun};

/// The time limit of a job that sets none, as on GitHub.
const LONGEST_JOB_MINUTES: f64 = 360.0;

/// What a job holds once it may begin.
struct Admitted<'r> {
    environment: Option<String>,
    minutes: f64,
    /// Held until the job has ended.
    _group: Option<Entered<'r>>,
}

/// Why a job does not begin.
enum NotRun {
    /// Its condition is not met.
    Skipped,
    /// Its run is being cancelled.
    Cancelled,
    /// Another job took its place in its concurrency group; the text is GitHub's message.
    Displaced(String),
    /// Its run was cancelled while the job waited for its group or an approval.
    Interrupted,
    /// Nobody approved it.
    NotApproved,
    /// A key of the job that cannot be evaluated, and why.
    Unsupported(&'static str, String),
}

/// A job that may run, where it prints, and what cancels it.
struct Candidate<'r, 'w> {
    runner: &'r Runner,
    workflow_run: &'r WorkflowRun<'w>,
    job: &'w Job,
    console: Console,
    interrupt: Interrupt,
    /// The name that GitHub shows.
    name: String,
}

/// Runs a job, if its condition, its group and its environment allow it.
///
/// # Errors
/// When this machine does not allow it.
pub fn run<'w>(
    runner: &Runner,
    workflow_run: &WorkflowRun<'w>,
    job: &'w Job,
    console: Console,
) -> anyhow::Result<JobResult> {
    let mut candidate = Candidate {
        runner,
        workflow_run,
        job,
        console,
        interrupt: workflow_run.interrupt.part(),
        name: job.id.clone(),
    };
    let result = match candidate.admit() {
        Ok(admitted) => candidate.run_steps(&admitted)?,
        Err(why) => candidate.not_run(why),
    };
    candidate.record(None, Some(&result));
    Ok(result)
}

impl<'r, 'w> Candidate<'r, 'w> {
    fn contexts(&self) -> Vec<(&'static str, Value)> {
        let run = &self.workflow_run.run;
        let github = &self.runner.github;
        vec![
            ("github", github.context(run, &self.job.id, None)),
            ("needs", self.workflow_run.needs(self.job)),
            ("vars", Value::object::<String>([])),
            ("inputs", Value::object(run.inputs.iter().cloned())),
        ]
    }

    /// Decides whether the job runs, waits for its group, and has its environment approved.
    fn admit(&mut self) -> Result<Admitted<'r>, NotRun> {
        let unsupported = |key| move |error| NotRun::Unsupported(key, error);
        let cancelled = self.interrupt.asked();
        let status = self.workflow_run.status(self.job, cancelled);
        let contexts = self.contexts();
        let scope = |site| Scope {
            contexts: offered(site, &contexts),
            status: Some(status),
            files: None,
        };

        let job = self.job;
        let condition = scope(ExpressionSite::JobCondition);
        let wanted =
            is_wanted(job.condition.as_ref(), &condition, status).map_err(unsupported("if"))?;
        let name = job.name.as_ref();
        let name = name.map(|name| scope(ExpressionSite::Job).text(&name.template));
        if let Some(name) = name.transpose().map_err(unsupported("name"))? {
            self.name = name;
        }
        match (wanted, cancelled) {
            (true, _) => self.console.line(Look::Bold, &format!("── {}", self.name)),
            (false, true) => return Err(NotRun::Cancelled),
            (false, false) => return Err(NotRun::Skipped),
        }

        let environment = job.environment.as_ref();
        let environment =
            environment.map(|given| scope(ExpressionSite::Job).text(&given.name.template));
        let environment = environment
            .transpose()
            .map_err(unsupported("environment"))?
            .filter(|name| !name.is_empty());
        let minutes = match &job.timeout_minutes {
            None => LONGEST_JOB_MINUTES,
            Some(field) => minutes(&scope(ExpressionSite::Job), field)
                .map_err(unsupported("timeout-minutes"))?,
        };
        // On GitHub, too, a job that waits for its approval holds its group.
        let group = match &job.concurrency {
            None => None,
            Some(concurrency) => {
                let (name, rules) = group(&scope(ExpressionSite::Job), concurrency)
                    .map_err(unsupported("concurrency"))?;
                self.enter(&name, rules)?
            }
        };
        if let Some(environment) = &environment {
            self.approve(environment)?;
        }
        Ok(Admitted {
            environment,
            minutes,
            _group: group,
        })
    }

    /// Waits until the job holds its concurrency group.
    fn enter(&self, group: &str, rules: Rules) -> Result<Option<Entered<'r>>, NotRun> {
        if group.is_empty() {
            return Ok(None);
        }
        let held = self.workflow_run.group.as_deref();
        if held.is_some_and(|held| github_workflow::value::same_ignoring_case(held, group)) {
            return Err(NotRun::Displaced(format!(
                "Canceling since a deadlock for concurrency group '{group}' was detected between 'top level workflow' \
                 and '{}'",
                self.job.id
            )));
        }
        let groups = &self.runner.groups;
        let who = self.workflow_run.name_of(self.job);
        let ticket = groups.line_up(group, &who, rules, &self.interrupt);
        let told = |other: &str| {
            let text = format!("   waits for {other}, which has the concurrency group {group}");
            self.console.line(Look::Dim, &text);
        };
        match groups.enter(&ticket, &self.interrupt, told) {
            Ok(entered) => Ok(Some(entered)),
            Err(NotEntered::Displaced(why)) => Err(NotRun::Displaced(why)),
            Err(NotEntered::Cancelled) => Err(NotRun::Interrupted),
        }
    }

    fn approve(&self, environment: &str) -> Result<(), NotRun> {
        let settings = self.runner.settings.as_ref();
        let environment = settings
            .environment(environment)
            .map_err(|error| NotRun::Unsupported("environment", error))?;
        let job = self.workflow_run.name_of(self.job);
        let deployment = Deployment {
            environment,
            run_id: self.workflow_run.run.id,
            job: &job,
            later: &order::descendants(&self.workflow_run.workflow.jobs, self.job),
        };
        let approvals = &self.runner.approvals;
        match approvals.ask(deployment, settings, &self.console, &self.interrupt) {
            Decision::Approved => Ok(()),
            Decision::Refused => Err(NotRun::NotApproved),
            Decision::Interrupted => Err(NotRun::Interrupted),
        }
    }

    fn run_steps(&self, admitted: &Admitted<'_>) -> anyhow::Result<JobResult> {
        let runner = self.runner;
        let workspace = runner.workspaces.free()?;
        runner
            .github
            .write_event(&self.workflow_run.run, &workspace)?;
        self.record(Some(&workspace.runner), None);
        let environment = admitted.environment.clone();
        let mut job_run = JobRun {
            runner,
            workflow_run: self.workflow_run,
            job: self.job,
            workspace: &workspace,
            console: self.console.clone(),
            interrupt: self.interrupt.clone(),
            vars: runner.vars(environment.as_deref()),
            secrets: runner.secrets(environment.as_deref()),
            environment,
            env: Vec::new(),
            path: Vec::new(),
            steps: Vec::new(),
            status: "success",
            deadline: Instant::now() + Duration::from_secs_f64(admitted.minutes * 60.0),
            is_late: false,
            leftovers: Leftovers::default(),
            summary: String::new(),
            summaries: 0,
            begun: 0,
        };
        if let Err(error) = job_run.set_env() {
            return Ok(self.not_run(NotRun::Unsupported("env", error)));
        }
        let mut beside = Beside::default();
        for step in &self.job.steps {
            step::run(&mut job_run, &mut beside, step);
        }
        // GitHub waits for steps that still run before it ends a job.
        step::wait_for_all(&mut job_run, &mut beside);
        job_run.finish()
    }

    /// Prints and records why a job does not run.
    fn not_run(&self, why: NotRun) -> JobResult {
        let say = |look, text: &str| self.console.line(look, &format!("── {text}"));
        let (outcome, result) = match why {
            NotRun::Skipped => {
                say(Look::Dim, &format!("{}: skipped", self.name));
                (Outcome::Skipped, "skipped")
            }
            NotRun::Cancelled => {
                say(Look::Dim, &format!("{}: cancelled", self.name));
                (Outcome::Cancelled, "cancelled")
            }
            NotRun::Displaced(why) => {
                say(Look::Bad, &format!("{}: {why}", self.name));
                annotate(self.runner, self.workflow_run, self.job, why);
                (Outcome::Cancelled, "cancelled")
            }
            NotRun::Interrupted => (Outcome::Cancelled, "cancelled"),
            NotRun::NotApproved => (Outcome::NotApproved, "failure"),
            NotRun::Unsupported(key, error) => {
                let file = &self.workflow_run.workflow.file;
                let what = format!("`{key}` of job `{}` in {file}: {error}", self.job.id);
                say(Look::Bad, &format!("cannot rehearse {what}"));
                self.runner.unsupported(what);
                (Outcome::Failure(None), "failure")
            }
        };
        let runner = self.runner;
        runner.add_job_row(self.workflow_run, self.job, outcome);
        JobResult {
            result,
            outputs: Vec::new(),
        }
    }

    /// Records how far the job is, as GitHub lists it.
    fn record(&self, runner: Option<&str>, result: Option<&JobResult>) {
        let run = &self.workflow_run.run;
        self.runner.records.note(JobRecord {
            run_id: run.id,
            workflow: run.file.clone(),
            attempt: run.attempt,
            id: self.job.id.clone(),
            name: self.name.clone(),
            runner: runner.map(str::to_owned),
            result: result.map(|result| result.result.to_owned()),
            outputs: result.map_or_else(Vec::new, |result| result.outputs.clone()),
        });
    }
}

/// Adds an error about a job to the final report.
pub fn annotate(runner: &Runner, workflow_run: &WorkflowRun<'_>, job: &Job, why: String) {
    runner.report().annotate(Annotated {
        at: workflow_run.place_of(job),
        job: format!("{} / {}", workflow_run.workflow.stem(), job.id),
        annotation: Annotation::error(why),
    });
}

/// The name and the rules of a concurrency group.
///
/// # Errors
/// An expression that cannot be evaluated.
pub fn group(scope: &Scope<'_>, concurrency: &Concurrency) -> Result<(String, Rules), String> {
    let cancels = match &concurrency.cancel_in_progress {
        None => false,
        Some(field) => scope.text(&field.template)? == "true",
    };
    let rules = Rules {
        cancels,
        queues_all: concurrency.queues_all,
    };
    Ok((scope.text(&concurrency.group.template)?, rules))
}
