//! Workflows side by side, and the jobs of each once the jobs that they need have finished, as GitHub runs them.
//!
//! `job.rs` runs a single job. A workflow waits while another one holds its concurrency group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;

use github_workflow::context::{ExpressionSite, offered};
use github_workflow::evaluate::Scope;
use github_workflow::read::Job;
use github_workflow::value::Value;

use crate::concurrency::{Entered, NotEntered, Rules, Ticket};
use crate::console::Look;
use crate::github::Event;
use crate::job;
use crate::order;
use crate::report::Outcome;
use crate::runner::Runner;
use crate::workflow_run::{JobResult, WorkflowRun};

/// Names of jobs that are longer than this do not widen the column of names.
const WIDEST_NAME: usize = 40;

/// Runs workflows side by side, until the last one has ended.
///
/// # Errors
/// When this machine does not allow it, such as a folder that cannot be created. A failure within a job is no error
/// here.
pub fn run_all(runner: &Runner, runs: &mut [WorkflowRun<'_>]) -> anyhow::Result<()> {
    let names = runs.iter().flat_map(|run| {
        let jobs = run.workflow.jobs.iter();
        jobs.map(|job| run.name_of(job).chars().count())
    });
    let width = names.filter(|width| *width <= WIDEST_NAME).max();
    let width = width.unwrap_or_default();
    // They join their groups in the order of the files, whichever thread is first.
    let mut tickets = Vec::new();
    for run in runs.iter_mut() {
        tickets.push(line_up(runner, run)?);
    }
    std::thread::scope(|scope| {
        let begun: Vec<_> = runs
            .iter()
            .zip(&tickets)
            .map(|(run, ticket)| scope.spawn(move || run_one(runner, run, ticket.as_ref(), width)))
            .collect();
        let ended = begun.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect()
    })
}

/// Takes a place for a run in the line of its concurrency group.
fn line_up(runner: &Runner, run: &mut WorkflowRun<'_>) -> anyhow::Result<Option<Ticket>> {
    let Some(concurrency) = run.workflow.concurrency.as_ref().filter(|_| !run.is_over()) else {
        return Ok(None);
    };
    let contexts = [
        ("github", runner.github.context(&run.run, "", None)),
        ("inputs", Value::object(run.run.inputs.iter().cloned())),
        ("vars", Value::object::<String>([])),
    ];
    let scope = Scope {
        contexts: offered(ExpressionSite::Workflow, &contexts),
        status: None,
        files: None,
    };
    let file = &run.workflow.file;
    let (group, rules): (String, Rules) = job::group(&scope, concurrency)
        .map_err(|error| anyhow::anyhow!("`concurrency` in {file}: {error}"))?;
    if group.is_empty() {
        return Ok(None);
    }
    let ticket = runner
        .groups
        .line_up(&group, run.workflow.stem(), rules, &run.interrupt);
    run.group = Some(group);
    Ok(Some(ticket))
}

fn run_one(
    runner: &Runner,
    run: &WorkflowRun<'_>,
    ticket: Option<&Ticket>,
    width: usize,
) -> anyhow::Result<()> {
    let attempt = match run.run.attempt {
        1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    let who = match runner.github.event {
        Event::Push => String::new(),
        Event::Dispatch { .. } => format!(" of {}", run.run.triggering_actor),
    };
    let begins = format!(
        "━━ {} ({}), run {}{attempt} by {}{who}",
        run.run.workflow,
        run.workflow.file,
        run.run.id,
        runner.github.event_name()
    );
    runner.console.line(Look::Bold, &begins);
    show_earlier(runner, run);
    if run.is_over() {
        let text = format!("   {}: nothing of it is run again", run.workflow.stem());
        runner.console.line(Look::Dim, &text);
        return Ok(());
    }
    let _group: Option<Entered<'_>> = match ticket {
        None => None,
        Some(ticket) => {
            let told = |other: &str| {
                let text = format!(
                    "   {} waits for {other}, which has the concurrency group {}",
                    run.workflow.stem(),
                    run.group.as_deref().unwrap_or_default()
                );
                runner.console.line(Look::Dim, &text);
            };
            match runner.groups.enter(ticket, &run.interrupt, told) {
                Ok(entered) => Some(entered),
                Err(why) => {
                    never_begins(runner, run, &why);
                    return Ok(());
                }
            }
        }
    };
    run_jobs(runner, run, width)
}

/// Adds rows for the jobs that an earlier attempt has done.
fn show_earlier(runner: &Runner, run: &WorkflowRun<'_>) {
    for job in &run.workflow.jobs {
        let last = runner.records.last(run.run.id, &job.id);
        if let Some(last) = last.filter(|_| run.has_finished(&job.id)) {
            let result = run.result(&job.id);
            runner.add_job_row(run, job, Outcome::Earlier(last.attempt, result));
        }
    }
}

/// Runs each job once the jobs that it needs have finished.
fn run_jobs<'w>(runner: &Runner, run: &WorkflowRun<'w>, width: usize) -> anyhow::Result<()> {
    let jobs = &run.workflow.jobs;
    let order = order::of(jobs).map_err(anyhow::Error::msg)?;
    let mut open: Vec<&'w Job> = order.into_iter().map(|at| &jobs[at]).collect();
    open.retain(|job| !run.has_finished(&job.id));
    std::thread::scope(|scope| {
        let (ended, ends) = channel();
        let mut running = 0;
        let mut first_error = Ok(());
        loop {
            let ready = |job: &&Job| job.needs.iter().all(|need| run.has_finished(need));
            let (begin, later): (Vec<&Job>, Vec<&Job>) = open.into_iter().partition(ready);
            open = later;
            for job in begin {
                let ended = ended.clone();
                running += 1;
                scope.spawn(move || {
                    let console = run.console_of(job, &runner.console, width);
                    let broke_off =
                        |_| anyhow::anyhow!("the rehearsal itself broke off in job `{}`", job.id);
                    let result =
                        catch_unwind(AssertUnwindSafe(|| job::run(runner, run, job, console)));
                    let result = result.map_err(broke_off).and_then(|result| result);
                    // The receiver waits until all jobs have ended.
                    let _ = ended.send((job, result));
                });
            }
            if running == 0 {
                return first_error;
            }
            let Ok((job, result)) = ends.recv() else {
                return first_error;
            };
            running -= 1;
            let result = result.unwrap_or_else(|error| {
                first_error = Err(error);
                // What this machine does not allow for one job, it will not allow for others.
                runner.interrupt.cancel();
                JobResult {
                    result: "failure",
                    outputs: Vec::new(),
                }
            });
            run.finish(job, result);
        }
    })
}

/// Adds rows for a workflow that was cancelled before its first job.
fn never_begins(runner: &Runner, run: &WorkflowRun<'_>, why: &NotEntered) {
    if let NotEntered::Displaced(why) = why {
        let text = format!("   {}: {why}", run.workflow.stem());
        runner.console.line(Look::Bad, &text);
        if let Some(first) = run.workflow.jobs.first() {
            job::annotate(runner, run, first, why.clone());
        }
    }
    for job in &run.workflow.jobs {
        if run.has_finished(&job.id) {
            continue;
        }
        runner.add_job_row(run, job, Outcome::Cancelled);
        let result = JobResult {
            result: "cancelled",
            outputs: Vec::new(),
        };
        run.finish(job, result);
    }
}
