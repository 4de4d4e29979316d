//! One step: whether it runs, with which variables, and what is noted of it for later steps, the job and the table.
//!
//! How a script runs is `script.rs`'s; what stands in for an action, `action.rs`'s.

use std::time::{Duration, Instant};

use super::action::{self, Brought, Surroundings, Trouble};
use super::console::Look;
use super::executed::Executed;
use super::job::{self, Running};
use super::report::{Outcome, Row, duration};
use super::script::Script;
use super::workflow_command::Annotation;
use github_workflow::context::ExpressionSite;
use github_workflow::evaluate::Scope;
use github_workflow::read::{Field, Step, What};
use github_workflow::value::Value;

/// Runs a step, or skips it, and notes what became of it.
pub fn run(running: &mut Running<'_, '_>, step: &Step) {
    running.begun += 1;
    if running.runner.interrupt.asked() {
        running.status = "cancelled";
    } else if Instant::now() >= running.deadline && running.status != "cancelled" {
        running.status = "cancelled";
        running.runner.console.line(
            Look::Bad,
            "   the job takes longer than its `timeout-minutes`",
        );
    }
    let console = running.runner.console.clone();
    let begun = Instant::now();
    let name = |scope: &Scope<'_>| match &step.name {
        Some(name) => scope.text(&name.template),
        None => Ok(step.default_name()),
    };

    let scope = running.scope(ExpressionSite::StepCondition, &running.env);
    let status = scope.status.expect("a step's scope has a status");
    let wanted = job::wanted(step.condition.as_ref(), &scope, status);
    let env = step_env(running, &step.env);
    let shown = env.as_ref().map_or(Ok(step.default_name()), |env| {
        name(&running.scope(ExpressionSite::Step, env))
    });
    let shown = shown.unwrap_or_else(|_| step.default_name());

    let executed = match (wanted, env) {
        (Ok(false), _) => {
            if matches!(step.what, What::Run { .. }) || running.status == "success" {
                console.line(Look::Dim, &format!("   - {shown}: skipped"));
            }
            Executed {
                outcome: Some(Outcome::Skipped),
                ..Executed::default()
            }
        }
        (Err(error), _) | (Ok(true), Err(error)) => {
            console.line(Look::Bold, &format!("   ▸ {shown}"));
            cannot(running, step, &error)
        }
        (Ok(true), Ok(env)) => {
            console.line(Look::Bold, &format!("   ▸ {shown}"));
            execute(running, step, &env)
        }
    };
    note(running, step, shown, executed, begun.elapsed());
}

fn cannot(running: &Running<'_, '_>, step: &Step, error: &str) -> Executed {
    let what = format!("{}:{}: {error}", running.pipeline.workflow.file, step.line);
    running.runner.untruthful(what.clone());
    Executed::failed(format!("cannot rehearse: {what}"))
}

/// The variables of the job with the step's own over them.
fn step_env(
    running: &Running<'_, '_>,
    fields: &[(String, Field)],
) -> Result<Vec<(String, String)>, String> {
    let mut env = running.env.clone();
    let scope = running.scope(ExpressionSite::Step, &running.env);
    for (name, field) in fields {
        Running::set_variable(&mut env, name, scope.text(&field.template)?);
    }
    Ok(env)
}

fn execute(running: &mut Running<'_, '_>, step: &Step, env: &[(String, String)]) -> Executed {
    match &step.what {
        What::Uses { action, with } => {
            let scope = running.scope(ExpressionSite::Step, env);
            let with = with
                .iter()
                .map(|(name, field)| Ok((name.clone(), scope.text(&field.template)?)))
                .collect::<Result<Vec<_>, String>>();
            drop(scope);
            match with {
                Ok(with) => bring(running, step, action, &with),
                Err(error) => cannot(running, step, &error),
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
                .run(running, env)
                .unwrap_or_else(|error| cannot(running, step, &error))
        }
    }
}

fn bring(
    running: &mut Running<'_, '_>,
    step: &Step,
    uses: &str,
    with: &[(String, String)],
) -> Executed {
    let runner = running.runner;
    let Some(action) = action::known(uses) else {
        return cannot(running, step, &format!("action `{uses}` is not known"));
    };
    let brought = action.run(
        with,
        Surroundings {
            repository: &runner.repository,
            slug: &runner.github.repository,
            branch: &runner.github.branch,
            commit: &runner.github.commit,
            workspace: &runner.workspace,
            artifacts: &mut running.pipeline.artifacts,
        },
    );
    match brought {
        Ok(Brought::Done(told, outputs)) => {
            runner.console.step_note(Look::Dim, &told);
            let outputs = outputs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Executed {
                outcome: Some(Outcome::Brought),
                outputs,
                ..Executed::default()
            }
        }
        Ok(Brought::Warned(told)) => {
            runner.console.step_note(Look::Warning, &told);
            Executed {
                outcome: Some(Outcome::Brought),
                ..Executed::default()
            }
        }
        Ok(Brought::NotRun(told)) => {
            runner.console.step_note(Look::Warning, &told);
            Executed {
                outcome: Some(Outcome::NotRun),
                ..Executed::default()
            }
        }
        Err(Trouble::CannotRehearse(what)) => cannot(running, step, &what),
        Err(Trouble::Fails(why)) => Executed::failed(why),
    }
}

/// Writes down what became of a step: for later steps, for the job, for the table.
fn note(
    running: &mut Running<'_, '_>,
    step: &Step,
    name: String,
    mut executed: Executed,
    took: Duration,
) {
    let console = &running.runner.console;
    let mut outcome = executed.outcome.unwrap_or(Outcome::Skipped);
    let outcome_word = match outcome {
        Outcome::Success | Outcome::Brought | Outcome::NotRun => "success",
        Outcome::Skipped => "skipped",
        Outcome::Cancelled => "cancelled",
        _ => "failure",
    };
    let mut conclusion = outcome_word;
    if let (Outcome::Failure(code), Some(tolerant)) = (outcome, &step.continue_on_error) {
        match running
            .scope(ExpressionSite::Step, &running.env)
            .text(&tolerant.template)
        {
            Ok(text) if text == "true" => {
                conclusion = "success";
                outcome = Outcome::Tolerated(code);
            }
            Ok(_) => {}
            Err(error) => executed.errors.extend(cannot(running, step, &error).errors),
        }
    }
    for error in &executed.errors {
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
    if conclusion == "failure" && running.status == "success" {
        running.status = "failure";
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
        running.steps.push((id.clone(), Value::object(entries)));
    }
    let mut report = running.runner.report.borrow_mut();
    let job = format!("{} / {}", running.pipeline.workflow.stem(), running.job.id);
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
            workflow: running.pipeline.workflow.stem().to_owned(),
            job: running.job.id.clone(),
            step: name,
            outcome,
            took: ran.then_some(took),
            link: link.filter(|link| !link.is_empty()),
        });
    }
}
