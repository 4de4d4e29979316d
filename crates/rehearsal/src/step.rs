//! One step: whether it runs, with which variables, and what is recorded of it for later steps, the job and the
//! table.
//!
//! `script.rs` runs a script; `action.rs` emulates an action.

mod note;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use self::note::{cannot, is_true, note, say};
use crate::action::{self, ActionContext, Emulated, NotEmulated};
use crate::background::{Beside, Open, State};
use crate::console::Look;
use crate::executed::Executed;
use crate::interrupt::GLANCE;
use crate::job_run::{self, JobRun};
use crate::report::Outcome;
use crate::script::{Prepared, Script};
use crate::step_log::StepLog;
use github_workflow::context::ExpressionSite;
use github_workflow::evaluate::Scope;
use github_workflow::read::{Field, Step, What};

/// Runs a step, begins it, skips it, or waits for others; and records how it ended.
pub fn run<'w>(job_run: &mut JobRun<'_, 'w>, beside: &mut Beside<'w>, step: &'w Step) {
    look_at_the_time(job_run);
    match &step.what {
        What::Wait(ids) => wait(job_run, beside, step.continue_on_error.as_ref(), |open| {
            open.id.as_ref().is_some_and(|id| ids.contains(id))
        }),
        What::WaitAll => wait(job_run, beside, step.continue_on_error.as_ref(), |_| true),
        What::Cancel(id) => {
            let named = |open: &Step| open.id.as_ref() == Some(id);
            for open in beside.open.iter().filter(|open| named(open.step)) {
                if let State::Running(running) = &open.state {
                    running.stop();
                }
            }
            wait(job_run, beside, step.continue_on_error.as_ref(), named);
        }
        What::Parallel(group) => {
            for step in group {
                let log = StepLog::Kept(job_run.console.clone(), Vec::new());
                let open = begin(job_run, beside, step, log);
                beside.open.push(open);
            }
            let own = |open: &Step| group.iter().any(|step| std::ptr::eq(step, open));
            wait(job_run, beside, None, own);
        }
        _ if step.background => {
            let log = StepLog::Kept(job_run.console.clone(), Vec::new());
            let open = begin(job_run, beside, step, log);
            beside.open.push(open);
        }
        _ => in_turn(job_run, step),
    }
}

/// Waits for every step that still runs.
pub fn wait_for_all<'w>(job_run: &mut JobRun<'_, 'w>, beside: &mut Beside<'w>) {
    wait(job_run, beside, None, |_| true);
}

/// Once the time of a job is up, only steps whose condition asks for it run, and only for a while.
fn look_at_the_time(job_run: &mut JobRun<'_, '_>) {
    if job_run.interrupt.asked() {
        job_run.status = "cancelled";
    } else if Instant::now() >= job_run.deadline {
        if job_run.status != "cancelled" {
            job_run.status = "cancelled";
            job_run.console.line(
                Look::Bad,
                "   the job takes longer than its `timeout-minutes`",
            );
        }
        if !std::mem::replace(&mut job_run.is_late, true) {
            job_run.deadline += job_run.runner.grace.after_timeout;
        }
    }
}

/// A step that is about to run: its name, and its script if it has one.
enum Ready {
    Script(Box<Prepared>),
    Over(Executed),
}

fn in_turn<'w>(job_run: &mut JobRun<'_, 'w>, step: &'w Step) {
    let begun = Instant::now();
    let mut log = StepLog::Live(job_run.console.clone());
    let (name, ready) = ready(job_run, step, &mut log);
    let executed = match ready {
        Ready::Over(executed) => {
            say(&executed, begun.elapsed(), &mut log);
            executed
        }
        Ready::Script(script) => {
            let stop = AtomicBool::new(false);
            let ran = match script.over(&stop) {
                Some(over) => over,
                None => script.run(&stop, &mut log),
            };
            say(&ran.executed, begun.elapsed(), &mut log);
            ran.hand_on(job_run)
        }
    };
    note(job_run, step, name, executed, begun.elapsed(), false);
}

fn begin<'w>(
    job_run: &mut JobRun<'_, 'w>,
    beside: &Beside<'w>,
    step: &'w Step,
    mut log: StepLog,
) -> Open<'w> {
    let (name, ready) = ready(job_run, step, &mut log);
    let state = match ready {
        Ready::Script(script) => State::Running(beside.begin(*script, log, say)),
        Ready::Over(executed) => {
            say(&executed, Duration::ZERO, &mut log);
            log.end();
            State::Over(executed, Duration::ZERO)
        }
    };
    Open { step, name, state }
}

/// Waits for the steps that are `meant`, and records how they ended in the order of the file.
fn wait<'w>(
    job_run: &mut JobRun<'_, 'w>,
    beside: &mut Beside<'w>,
    tolerant: Option<&Field>,
    meant: impl Fn(&Step) -> bool,
) {
    let runs = |open: &Open<'_>| match &open.state {
        State::Running(running) => !running.has_ended(),
        State::Over(..) => false,
    };
    let left = |beside: &Beside<'_>| {
        let mut open = beside.open.iter();
        open.any(|open| meant(open.step) && runs(open))
    };
    while left(beside) {
        job_run.console.still_runs();
        std::thread::sleep(GLANCE);
    }
    let forgiving = match tolerant.map(|field| is_true(job_run, field)) {
        None | Some(Ok(false)) => false,
        Some(Ok(true)) => true,
        Some(Err(error)) => {
            job_run.runner.unsupported(error);
            false
        }
    };
    for open in std::mem::take(&mut beside.open) {
        if !meant(open.step) {
            beside.open.push(open);
            continue;
        }
        let (executed, took) = match open.state {
            State::Over(executed, took) => (executed, took),
            State::Running(running) => {
                let (ran, took) = running.end();
                (ran.hand_on(job_run), took)
            }
        };
        note(job_run, open.step, open.name, executed, took, forgiving);
    }
}

/// Decides whether a step runs, and evaluates what it is run with. An action is emulated here already.
fn ready(job_run: &mut JobRun<'_, '_>, step: &Step, log: &mut StepLog) -> (String, Ready) {
    job_run.begun += 1;
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
    let ready = match (wanted, env) {
        (Ok(false), _) => {
            if matches!(step.what, What::Run { .. }) || job_run.status == "success" {
                log.skipped(&shown);
            }
            Ready::Over(Executed {
                outcome: Some(Outcome::Skipped),
                ..Executed::default()
            })
        }
        (Err(error), _) | (Ok(true), Err(error)) => {
            log.heading(&shown);
            Ready::Over(cannot(job_run, step, &error))
        }
        (Ok(true), Ok(env)) => {
            log.heading(&shown);
            execute(job_run, step, &env, log)
        }
    };
    (shown, ready)
}

/// The variables of the job, overridden by the step's own.
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

fn execute(
    job_run: &mut JobRun<'_, '_>,
    step: &Step,
    env: &[(String, String)],
    log: &mut StepLog,
) -> Ready {
    match &step.what {
        What::Uses { action, with } => {
            let scope = job_run.scope(ExpressionSite::Step, env);
            let with = with
                .iter()
                .map(|(name, field)| Ok((name.clone(), scope.text(&field.template)?)))
                .collect::<Result<Vec<_>, String>>();
            drop(scope);
            Ready::Over(match with {
                Ok(with) => emulate(job_run, step, action, &with, log),
                Err(error) => cannot(job_run, step, &error),
            })
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
            match script.prepare(job_run, env) {
                Ok(script) => Ready::Script(Box::new(script)),
                Err(error) => Ready::Over(cannot(job_run, step, &error)),
            }
        }
        // A step that only waits for other steps is never made ready.
        _ => Ready::Over(Executed::default()),
    }
}

fn emulate(
    job_run: &mut JobRun<'_, '_>,
    step: &Step,
    uses: &str,
    with: &[(String, String)],
    log: &mut StepLog,
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
            workspace: job_run.workspace,
            artifacts: &job_run.workflow_run.artifacts,
        },
    );
    match emulated {
        Ok(Emulated::Done(told, outputs)) => {
            log.note(Look::Dim, &told);
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
            log.note(Look::Warning, &told);
            Executed {
                outcome: Some(Outcome::Emulated),
                ..Executed::default()
            }
        }
        Ok(Emulated::NotRun(told)) => {
            log.note(Look::Warning, &told);
            Executed {
                outcome: Some(Outcome::NotRun),
                ..Executed::default()
            }
        }
        Err(NotEmulated::CannotRehearse(what)) => cannot(job_run, step, &what),
        Err(NotEmulated::Fails(why)) => Executed::failed(why),
    }
}
