//! One job: its condition, the approval of its environment, then its steps in order.
//!
//! What steps leave for one another is kept in `job_run.rs`; what a single step does is `step.rs`'s.

use std::time::{Duration, Instant};

use github_workflow::context::{ExpressionSite, offered};
use github_workflow::evaluate::Scope;
use github_workflow::read::Job;
use github_workflow::value::Value;

use crate::approval::Decision;
use crate::background::Beside;
use crate::console::Look;
use crate::job_run::{JobRun, is_wanted, minutes};
use crate::process::Leftovers;
use crate::report::Outcome;
use crate::runner::Runner;
use crate::step;
use crate::workflow_run::{JobResult, WorkflowRun};

/// What GitHub gives a job that does not say.
const LONGEST_JOB_MINUTES: f64 = 360.0;

/// What a job needs to begin.
struct Admitted {
    environment: Option<String>,
    minutes: f64,
}

/// Why a job does not begin.
enum NotRun {
    /// Its condition is not met; with its name.
    Skipped(String),
    /// The rehearsal is being cancelled; with its name.
    Cancelled(String),
    /// The person wanted an end while an approval was asked for.
    Interrupted,
    /// Nobody approved it.
    NotApproved,
    /// A key of the job that cannot be evaluated, and why.
    Unsupported(&'static str, String),
}

/// Runs a job, or not, as its condition and its environment have it.
///
/// # Errors
/// When this machine does not let it.
pub fn run<'w>(
    runner: &Runner,
    workflow_run: &mut WorkflowRun<'w>,
    job: &'w Job,
) -> anyhow::Result<JobResult> {
    match admit(runner, workflow_run, job) {
        Ok(admitted) => run_steps(runner, workflow_run, job, admitted),
        Err(why) => Ok(not_run(runner, workflow_run, job, why)),
    }
}

/// Decides whether the job runs, and has its environment approved.
fn admit(runner: &Runner, workflow_run: &WorkflowRun<'_>, job: &Job) -> Result<Admitted, NotRun> {
    let unsupported = |key| move |error| NotRun::Unsupported(key, error);
    let cancelled = runner.interrupt.asked();
    let status = workflow_run.status(job, cancelled);
    let contexts = vec![
        (
            "github",
            runner
                .github
                .context(&workflow_run.run, &job.id, &runner.workspace),
        ),
        ("needs", workflow_run.needs(job)),
        ("vars", Value::object::<String>([])),
        (
            "inputs",
            Value::object(workflow_run.run.inputs.iter().cloned()),
        ),
    ];
    let scope = |site| Scope {
        contexts: offered(site, &contexts),
        status: Some(status),
        files: None,
    };

    let wanted = is_wanted(
        job.condition.as_ref(),
        &scope(ExpressionSite::JobCondition),
        status,
    )
    .map_err(unsupported("if"))?;
    let name = job.name.as_ref();
    let name = name.map(|name| scope(ExpressionSite::Job).text(&name.template));
    let name = name.transpose().map_err(unsupported("name"))?;
    let name = name.unwrap_or_else(|| job.id.clone());
    match (wanted, cancelled) {
        (true, _) => runner.console.line(Look::Bold, &format!("── {name}")),
        (false, true) => return Err(NotRun::Cancelled(name)),
        (false, false) => return Err(NotRun::Skipped(name)),
    }

    let environment = job.environment.as_ref();
    let environment =
        environment.map(|given| scope(ExpressionSite::Job).text(&given.name.template));
    let environment = environment
        .transpose()
        .map_err(unsupported("environment"))?
        .filter(|name| !name.is_empty());
    if let Some(environment) = &environment {
        approve(runner, workflow_run, environment)?;
    }
    let minutes = match &job.timeout_minutes {
        None => LONGEST_JOB_MINUTES,
        Some(field) => {
            minutes(&scope(ExpressionSite::Job), field).map_err(unsupported("timeout-minutes"))?
        }
    };
    Ok(Admitted {
        environment,
        minutes,
    })
}

fn approve(
    runner: &Runner,
    workflow_run: &WorkflowRun<'_>,
    environment: &str,
) -> Result<(), NotRun> {
    let settings = runner.settings.as_ref();
    let environment = settings
        .environment(environment)
        .map_err(|error| NotRun::Unsupported("environment", error))?;
    match runner.approvals.ask(
        environment,
        workflow_run.run.id,
        settings,
        &runner.console,
        &runner.interrupt,
    ) {
        Decision::Approved => Ok(()),
        Decision::Refused => Err(NotRun::NotApproved),
        Decision::Interrupted => Err(NotRun::Interrupted),
    }
}

fn run_steps<'w>(
    runner: &Runner,
    workflow_run: &mut WorkflowRun<'w>,
    job: &'w Job,
    admitted: Admitted,
) -> anyhow::Result<JobResult> {
    runner.workspace.begin_job()?;
    runner
        .github
        .write_event(&workflow_run.run, &runner.workspace)?;
    let environment = admitted.environment;
    let mut job_run = JobRun {
        runner,
        workflow_run,
        job,
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
        let why = NotRun::Unsupported("env", error);
        return Ok(not_run(runner, job_run.workflow_run, job, why));
    }
    let mut beside = Beside::default();
    for step in &job.steps {
        step::run(&mut job_run, &mut beside, step);
    }
    // GitHub waits for what still runs before it ends a job.
    step::wait_for_all(&mut job_run, &mut beside);
    job_run.finish()
}

/// Says and notes why a job does not run.
fn not_run(runner: &Runner, workflow_run: &WorkflowRun<'_>, job: &Job, why: NotRun) -> JobResult {
    let say = |look, text: &str| runner.console.line(look, &format!("── {text}"));
    let (outcome, result) = match why {
        NotRun::Skipped(name) => {
            say(Look::Dim, &format!("{name}: skipped"));
            (Outcome::Skipped, "skipped")
        }
        NotRun::Cancelled(name) => {
            say(Look::Dim, &format!("{name}: cancelled"));
            (Outcome::Cancelled, "cancelled")
        }
        NotRun::Interrupted => (Outcome::Cancelled, "cancelled"),
        NotRun::NotApproved => (Outcome::NotApproved, "failure"),
        NotRun::Unsupported(key, error) => {
            let file = &workflow_run.workflow.file;
            let what = format!("`{key}` of job `{}` in {file}: {error}", job.id);
            say(Look::Bad, &format!("cannot rehearse {what}"));
            runner.unsupported(what);
            (Outcome::Failure(None), "failure")
        }
    };
    runner.add_job_row(workflow_run.workflow, job, outcome);
    JobResult {
        result,
        outputs: Vec::new(),
    }
}
