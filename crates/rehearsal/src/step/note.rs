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
    let outcome_word = match outcome {
        Outcome::Success | Outcome::Emulated | Outcome::NotRun => "success",
        Outcome::Skipped => "skipped",
        Outcome::Cancelled | Outcome::Stopped => "cancelled",
        _ => "failure",
    };
    let mut conclusion = outcome_word;
    if let (Outcome::Failure(code), Some(tolerant)) = (outcome, &step.continue_on_error) {
        match is_true(job_run, tolerant) {
            Ok(true) => {
                conclusion = "success";
                outcome = Outcome::Tolerated(code);
            }
            Ok(false) => {}
            Err(error) => {
                let failed = cannot(job_run, step, &error);
                for error in &failed.errors {
                    let console = &job_run.console;
                    console.step_note(Look::Bad, &format!("error: {error}"));
                }
                executed.errors.extend(failed.errors);
            }
        }
    }
    if conclusion == "failure" && forgiven {
        if let Outcome::Failure(code) = outcome {
            outcome = Outcome::Tolerated(code);
        }
    } else if conclusion == "failure" && job_run.status == "success" {
        job_run.status = "failure";
    }
    let link = executed
        .outputs
        .iter()
        .find(|(name, _)| name == "url")
        .map(|(_, url)| url.clone());
    if let Some(id) = &step.id {
        let entries = [
            ("outputs", Value::strings(executed.outputs)),
            ("outcome", Value::String(outcome_word.into())),
            ("conclusion", Value::String(conclusion.into())),
        ];
        job_run.steps.push((id.clone(), Value::object(entries)));
    }
    let at = job_run.workflow_run.place_of(job_run.job);
    let mut report = job_run.runner.report();
    let job = format!(
        "{} / {}",
        job_run.workflow_run.workflow.stem(),
        job_run.job.id
    );
    let errors = executed.errors.into_iter().map(Annotation::error);
    for annotation in executed.annotations.into_iter().chain(errors) {
        report.annotate(Annotated {
            at,
            job: job.clone(),
            annotation,
        });
    }
    let ran = outcome != Outcome::Skipped;
    if ran || matches!(step.what, What::Run { .. }) {
        report.add(Row {
            at,
            workflow: job_run.workflow_run.workflow.stem().to_owned(),
            job: job_run.job.id.clone(),
            step: name,
            outcome,
            took: ran.then_some(took),
            link: link.filter(|link| !link.is_empty()),
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
