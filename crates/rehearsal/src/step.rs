//! One step: whether it runs, with which variables, and what is noted of it for later steps, the job and the table.
//!
//! How a script runs is `script.rs`'s; what stands in for an action, `action.rs`'s.

use std::time::{Duration, Instant};

use crate::action::{self, ActionContext, Emulated, NotEmulated};
use crate::console::{Console, Look};
use crate::executed::Executed;
use crate::job_run::{self, JobRun};
use crate::report::{Outcome, Row, duration};
use crate::script::Script;
use crate::workflow_command::Annotation;
use github_workflow::context::ExpressionSite;
use github_workflow::evaluate::Scope;
use github_workflow::read::{Field, Step, What};
use github_workflow::value::Value;

/// Runs a step, or skips it, and notes what became of it.
pub fn run(job_run: &mut JobRun<'_, '_>, step: &Step) {
    job_run.begun += 1;
    if job_run.runner.interrupt.asked() {
        job_run.status = "cancelled";
    } else if Instant::now() >= job_run.deadline && job_run.status != "cancelled" {
        job_run.status = "cancelled";
        job_run.runner.console.line(
            Look::Bad,
            "   the job takes longer than its `timeout-minutes`",
        );
    }
    let console = job_run.runner.console.clone();
    let begun = Instant::now();
    let name = |scope: &Scope<'_>| match &step.name {
        Some(name) => scope.text(&name.template),
        None => Ok(step.default_name()),
    };

    let scope = job_run.scope(ExpressionSite::StepCondition, &job_run.env);
    let status = scope.status.expect("a step's scope has a status");
    let wanted = job_run::is_wanted(step.condition.as_ref(), &scope, status);
    let env = step_env(job_run, &step.env);
    let shown = env.as_ref().map_or(Ok(step.default_name()), |env| {
        name(&job_run.scope(ExpressionSite::Step, env))
    });
    let shown = shown.unwrap_or_else(|_| step.default_name());

    let executed = match (wanted, env) {
        (Ok(false), _) => {
            if matches!(step.what, What::Run { .. }) || job_run.status == "success" {
                console.line(Look::Dim, &format!("   - {shown}: skipped"));
            }
            Executed {
                outcome: Some(Outcome::Skipped),
                ..Executed::default()
            }
        }
        (Err(error), _) | (Ok(true), Err(error)) => {
            console.line(Look::Bold, &format!("   ▸ {shown}"));
            cannot(job_run, step, &error)
        }
        (Ok(true), Ok(env)) => {
            console.line(Look::Bold, &format!("   ▸ {shown}"));
            execute(job_run, step, &env)
        }
    };
    note(job_run, step, shown, executed, begun.elapsed());
}

fn cannot(job_run: &JobRun<'_, '_>, step: &Step, error: &str) -> Executed {
    let what = format!(
        "{}:{}: {error}",
        job_run.workflow_run.workflow.file, step.line
    );
    job_run.runner.unsupported(what.clone());
    Executed::failed(format!("cannot rehearse: {what}"))
}

/// The variables of the job with the step's own over them.
fn step_env(
    job_run: &JobRun<'_, '_>,
    fields: &[(String, Field)],
) -> Result<Vec<(String, String)>, String> {
    let mut env = job_run.env.clone();
    let scope = job_run.scope(ExpressionSite::Step, &job_run.env);
    for (name, field) in fields {
        JobRun::set_variable(&mut env, name, scope.text(&field.template)?);
    }
    Ok(env)
}

fn execute(job_run: &mut JobRun<'_, '_>, step: &Step, env: &[(String, String)]) -> Executed {
    match &step.what {
        What::Uses { action, with } => {
            let scope = job_run.scope(ExpressionSite::Step, env);
            let with = with
                .iter()
                .map(|(name, field)| Ok((name.clone(), scope.text(&field.template)?)))
                .collect::<Result<Vec<_>, String>>();
            drop(scope);
            match with {
                Ok(with) => emulate(job_run, step, action, &with),
                Err(error) => cannot(job_run, step, &error),
            }
        }
        What::Run {
            script,
            shell,
            working_directory,
        } => {
            let script = Script {
                step,
                text: script,
                shell,
                working_directory,
            };
            script
                .run(job_run, env)
                .unwrap_or_else(|error| cannot(job_run, step, &error))
        }
    }
}

fn emulate(
    job_run: &mut JobRun<'_, '_>,
    step: &Step,
    uses: &str,
    with: &[(String, String)],
) -> Executed {
    let runner = job_run.runner;
    let Some(action) = action::known(uses) else {
        return cannot(job_run, step, &format!("action `{uses}` is not known"));
    };
    let emulated = action.run(
        with,
        ActionContext {
            repository: &runner.repository,
            slug: &runner.github.repository,
            branch: &runner.github.branch,
            commit: &runner.github.commit,
            workspace: &runner.workspace,
            artifacts: &mut job_run.workflow_run.artifacts,
        },
    );
    match emulated {
        Ok(Emulated::Done(told, outputs)) => {
            runner.console.step_note(Look::Dim, &told);
            let outputs = outputs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Executed {
                outcome: Some(Outcome::Emulated),
                outputs,
                ..Executed::default()
            }
        }
        Ok(Emulated::Warned(told)) => {
            runner.console.step_note(Look::Warning, &told);
            Executed {
                outcome: Some(Outcome::Emulated),
                ..Executed::default()
            }
        }
        Ok(Emulated::NotRun(told)) => {
            runner.console.step_note(Look::Warning, &told);
            Executed {
                outcome: Some(Outcome::NotRun),
                ..Executed::default()
            }
        }
        Err(NotEmulated::CannotRehearse(what)) => cannot(job_run, step, &what),
        Err(NotEmulated::Fails(why)) => Executed::failed(why),
    }
}

/// Writes down what became of a step: for later steps, for the job, for the table.
fn note(
    job_run: &mut JobRun<'_, '_>,
    step: &Step,
    name: String,
    mut executed: Executed,
    took: Duration,
) {
    let console = &job_run.runner.console;
    let mut outcome = executed.outcome.unwrap_or(Outcome::Skipped);
    let outcome_word = match outcome {
        Outcome::Success | Outcome::Emulated | Outcome::NotRun => "success",
        Outcome::Skipped => "skipped",
        Outcome::Cancelled => "cancelled",
        _ => "failure",
    };
    let mut conclusion = outcome_word;
    if let (Outcome::Failure(code), Some(tolerant)) = (outcome, &step.continue_on_error) {
        match job_run
            .scope(ExpressionSite::Step, &job_run.env)
            .text(&tolerant.template)
        {
            Ok(text) if text == "true" => {
                conclusion = "success";
                outcome = Outcome::Tolerated(code);
            }
            Ok(_) => {}
            Err(error) => executed.errors.extend(cannot(job_run, step, &error).errors),
        }
    }
    say(console, &executed.errors, outcome, took);
    if conclusion == "failure" && job_run.status == "success" {
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
    let mut report = job_run.runner.report.borrow_mut();
    let job = format!(
        "{} / {}",
        job_run.workflow_run.workflow.stem(),
        job_run.job.id
    );
    let errors = executed.errors.into_iter().map(Annotation::error);
    report.annotations.extend(
        executed
            .annotations
            .into_iter()
            .chain(errors)
            .map(|said| (job.clone(), said)),
    );
    let ran = outcome != Outcome::Skipped;
    if ran || matches!(step.what, What::Run { .. }) {
        report.rows.push(Row {
            workflow: job_run.workflow_run.workflow.stem().to_owned(),
            job: job_run.job.id.clone(),
            step: name,
            outcome,
            took: ran.then_some(took),
            link: link.filter(|link| !link.is_empty()),
        });
    }
}

/// Says how a step ended.
fn say(console: &Console, errors: &[String], outcome: Outcome, took: Duration) {
    for error in errors {
        console.step_note(Look::Bad, &format!("error: {error}"));
    }
    match outcome {
        Outcome::Success => console.step_note(Look::Good, &format!("✓ {}", duration(took))),
        Outcome::Failure(code) | Outcome::Tolerated(code) => {
            let exit = code
                .map(|code| format!("exit code {code}, "))
                .unwrap_or_default();
            console.step_note(Look::Bad, &format!("✗ {exit}{}", duration(took)));
        }
        Outcome::Cancelled => {
            console.step_note(Look::Bad, &format!("✗ cancelled, {}", duration(took)))
        }
        _ => {}
    }
}
