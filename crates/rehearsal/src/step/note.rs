//! How a step ended: printed at its end, and recorded for later steps, for the job and for the table.

use std::time::Duration;

use crate::console::Look;
use crate::executed::Executed;
use crate::job_run::JobRun;
use crate::report::{Annotated, Outcome, Row, duration};
use crate::step_log::StepLog;
use crate::workflow_command::Annotation;
use github_workflow::context::ExpressionSite;
use github_workflow::read::{Field, Step, What};
use github_workflow::value::Value;

/// Whether a boolean key of a step is on.
pub fn is_true(job_run: &JobRun<'_, '_>, field: &Field) -> Result<bool, String> {
    let scope = job_run.scope(ExpressionSite::Step, &job_run.env);
    Ok(scope.text(&field.template)? == "true")
}

/// A step that cannot be rehearsed, which fails the rehearsal.
pub fn cannot(job_run: &JobRun<'_, '_>, step: &Step, error: &str) -> Executed {
    let what = format!(
        "{}:{}: {error}",
        job_run.workflow_run.workflow.file, step.line
    );
    job_run.runner.unsupported(what.clone());
    Executed::failed(format!("cannot rehearse: {what}"))
}

/// Records how a step ended: for later steps, for the job, for the table. A failure is `forgiven` if the step that
/// waited for it says so.
pub fn note(
    job_run: &mut JobRun<'_, '_>,
    step: &Step,
    name: String,
    mut executed: Executed,
    took: Duration,
    forgiven: bool,
) {
    let mut outcome = executed.outcome.unwrap_or(Outcome::Skipped);
    let outcome_word = word_of(outcome);
    let mut conclusion = outcome_word;
    if let Outcome::Failure(code) = outcome
        && tolerated(job_run, step, &mut executed)
    {
        conclusion = "success";
        outcome = Outcome::Tolerated(code);
    }
    if conclusion == "failure" && forgiven {
        if let Outcome::Failure(code) = outcome {
            outcome = Outcome::Tolerated(code);
        }
    } else if conclusion == "failure" && job_run.status == "success" {
        job_run.status = "failure";
    }
    let mut outputs = executed.outputs.iter();
    let link = outputs.find(|(name, _)| name == "url");
    let link = link.map(|(_, url)| url.clone());
    if let Some(id) = &step.id {
        let entries = [
            ("outputs", Value::strings(executed.outputs)),
            ("outcome", Value::String(outcome_word.into())),
            ("conclusion", Value::String(conclusion.into())),
        ];
        job_run.steps.push((id.clone(), Value::object(entries)));
    }
    annotate(job_run, executed.annotations, executed.errors);
    let ran = outcome != Outcome::Skipped;
    if ran || matches!(step.what, What::Run { .. }) {
        job_run.runner.report().add(Row {
            at: job_run.workflow_run.place_of(job_run.job),
            workflow: job_run.workflow_run.workflow.stem().to_owned(),
            job: job_run.job.id.clone(),
            step: name,
            outcome,
            took: ran.then_some(took),
            link: link.filter(|link| !link.is_empty()),
        });
    }
}

/// What expressions of later steps see.
fn word_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success | Outcome::Emulated | Outcome::NotRun => "success",
        Outcome::Skipped => "skipped",
        Outcome::Cancelled | Outcome::Stopped => "cancelled",
        _ => "failure",
    }
}

/// Whether a failure of the step is no failure of its job, by its `continue-on-error`.
fn tolerated(job_run: &JobRun<'_, '_>, step: &Step, executed: &mut Executed) -> bool {
    let Some(tolerant) = &step.continue_on_error else {
        return false;
    };
    is_true(job_run, tolerant).unwrap_or_else(|error| {
        let failed = cannot(job_run, step, &error);
        for error in &failed.errors {
            let console = &job_run.console;
            console.step_note(Look::Bad, &format!("error: {error}"));
        }
        executed.errors.extend(failed.errors);
        false
    })
}

/// Adds what a step said about files, and its errors, to the report.
fn annotate(job_run: &JobRun<'_, '_>, annotations: Vec<Annotation>, errors: Vec<String>) {
    let (run, job) = (&job_run.workflow_run, job_run.job);
    let at = run.place_of(job);
    let job = format!("{} / {}", run.workflow.stem(), job.id);
    let errors = errors.into_iter().map(Annotation::error);
    let mut report = job_run.runner.report();
    for annotation in annotations.into_iter().chain(errors) {
        report.annotate(Annotated {
            at,
            job: job.clone(),
            annotation,
        });
    }
}

/// Prints how a step ended.
pub fn say(executed: &Executed, took: Duration, log: &mut StepLog) {
    for error in &executed.errors {
        log.note(Look::Bad, &format!("error: {error}"));
    }
    match executed.outcome {
        Some(Outcome::Success) => log.note(Look::Good, &format!("✓ {}", duration(took))),
        Some(Outcome::Failure(code)) => {
            let exit = code
                .map(|code| format!("exit code {code}, "))
                .unwrap_or_default();
            log.note(Look::Bad, &format!("✗ {exit}{}", duration(took)));
        }
        Some(Outcome::Cancelled) => {
            log.note(Look::Bad, &format!("✗ cancelled, {}", duration(took)));
        }
        Some(Outcome::Stopped) => {
            log.note(
                Look::Dim,
                &format!("- ended by a later step, {}", duration(took)),
            );
        }
        _ => {}
    }
}
