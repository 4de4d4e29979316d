//! One step: whether it runs, with which environment, what it says to the runner, and what became of it.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::action::{self, Brought, Surroundings};
use super::command_files::CommandFiles;
use super::console::{Console, Look};
use super::context::Place;
use super::evaluate::{Scope, Status};
use super::job::{self, Running};
use super::process::{self, End, Limits};
use super::report::{Outcome, Row, duration};
use super::shell;
use super::value::Value;
use super::workflow_command::{Annotation, Level, Line, Reader};
use super::workflow_file::{Condition, Field, Step, What};

/// What a step left behind.
#[derive(Debug, Default)]
struct Executed {
    outcome: Option<Outcome>,
    outputs: Vec<(String, String)>,
    /// What the step itself annotated, and has been shown already.
    annotations: Vec<Annotation>,
    /// What the runner has to say about its failure.
    errors: Vec<String>,
}

impl Executed {
    fn failed(error: String) -> Self {
        Self {
            outcome: Some(Outcome::Failure(None)),
            errors: vec![error],
            ..Self::default()
        }
    }
}

/// GitHub shows this many annotations of each kind for a step.
const MOST_ANNOTATIONS: usize = 10;

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

    let scope = running.scope(Place::StepCondition, &running.env);
    let status = scope.status.expect("a step's scope has a status");
    let wanted = job::wanted(step.condition.as_ref(), &scope, status);
    let env = step_env(running, &step.env);
    let shown = env.as_ref().map_or(Ok(step.default_name()), |env| {
        name(&running.scope(Place::Step, env))
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
    let scope = running.scope(Place::Step, &running.env);
    for (name, field) in fields {
        Running::set_variable(&mut env, name, scope.text(&field.template)?);
    }
    Ok(env)
}

fn execute(running: &mut Running<'_, '_>, step: &Step, env: &[(String, String)]) -> Executed {
    match &step.what {
        What::Uses { action, with } => {
            let scope = running.scope(Place::Step, env);
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
        } => match prepare(running, step, env, script, [shell, working_directory]) {
            Ok(prepared) => run_script(running, step, env, &prepared),
            Err(error) => cannot(running, step, &error),
        },
    }
}

fn prepare(
    running: &Running<'_, '_>,
    step: &Step,
    env: &[(String, String)],
    script: &Field,
    [shell, folder]: [&Option<Field>; 2],
) -> Result<Prepared, String> {
    let scope = running.scope(Place::Step, env);
    let (job, workflow) = (&running.job.defaults, &running.pipeline.workflow.defaults);
    let first = |fields: [&Option<Field>; 3]| {
        let field = fields.into_iter().find_map(Option::as_ref);
        field.map(|field| scope.text(&field.template)).transpose()
    };
    Ok(Prepared {
        script: scope.text(&script.template)?,
        shell: first([shell, &job.shell, &workflow.shell])?,
        folder: first([folder, &job.working_directory, &workflow.working_directory])?,
        minutes: step
            .timeout_minutes
            .as_ref()
            .map(|field| job::minutes(&scope, field))
            .transpose()?,
        survives_cancel: survives_cancel(step.condition.as_ref(), &scope),
    })
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
        Err(error) if error.starts_with("cannot rehearse") => cannot(running, step, &error),
        Err(error) => Executed::failed(error),
    }
}

/// A script with everything around it evaluated.
struct Prepared {
    script: String,
    shell: Option<String>,
    folder: Option<String>,
    minutes: Option<f64>,
    survives_cancel: bool,
}

/// Whether GitHub would run the step, or let it go on, once the run is cancelled.
fn survives_cancel(condition: Option<&Condition>, scope: &Scope<'_>) -> bool {
    let Some(condition) = condition else {
        return false;
    };
    let status = Status {
        success: false,
        failure: false,
        cancelled: true,
    };
    let scope = Scope {
        contexts: scope.contexts.clone(),
        status: Some(status),
        workspace: scope.workspace,
    };
    condition.expression.asks_for_status()
        && scope
            .value(&condition.expression)
            .is_ok_and(|value| value.is_truthy())
}

fn run_script(
    running: &mut Running<'_, '_>,
    step: &Step,
    env: &[(String, String)],
    prepared: &Prepared,
) -> Executed {
    let runner = running.runner;
    let console = &runner.console;
    let files = match CommandFiles::create(
        &runner.workspace.temp.join("_runner_file_commands"),
        running.begun,
    ) {
        Ok(files) => files,
        Err(error) => return Executed::failed(format!("{error:#}")),
    };
    let folder: PathBuf = runner
        .workspace
        .folder
        .join(prepared.folder.as_deref().unwrap_or("."));
    let script = runner
        .workspace
        .temp
        .join(format!("step_{}", running.begun));
    let mut command = match shell::command(prepared.shell.as_deref(), &script, &prepared.script) {
        Ok(command) => command,
        Err(error) => return cannot(running, step, &error),
    };
    if !folder.is_dir() {
        return Executed::failed(format!(
            "the working directory {} does not exist",
            folder.display()
        ));
    }
    for line in prepared.script.trim_end().lines() {
        console.step_note(Look::Dim, &format!("$ {line}"));
    }
    set_environment(&mut command, running, env, &files);
    command.current_dir(folder);

    let step_deadline = prepared
        .minutes
        .map(|minutes| Instant::now() + Duration::from_secs_f64(minutes * 60.0));
    let deadline =
        step_deadline.map_or(running.deadline, |deadline| deadline.min(running.deadline));
    let limits = Limits {
        deadline: Some(deadline),
        interrupt: &runner.interrupt,
        survives_cancel: prepared.survives_cancel,
        grace: runner.grace,
    };
    let mut heard = Heard {
        console,
        reader: Reader::default(),
        executed: Executed::default(),
        refused: false,
    };
    let end = process::run(&mut command, &limits, &mut running.leftovers, &mut |line| {
        heard.line(line)
    });
    let Heard {
        mut executed,
        refused,
        ..
    } = heard;

    let left = files.read();
    for (name, value) in left.outputs {
        Running::set_variable(&mut executed.outputs, &name, value);
    }
    for (name, value) in left.env {
        Running::set_variable(&mut running.env, &name, value);
    }
    for folder in left.path {
        running.path.retain(|known| known != &folder);
        running.path.insert(0, folder);
    }
    if !left.summary.is_empty() {
        running.summary.push_str(&console.masked(&left.summary));
        running.summary.push_str("\n\n");
    }
    let unread = !left.errors.is_empty();
    executed.errors.extend(left.errors);

    executed.outcome = Some(match end {
        End::Exit(0) if refused || unread => Outcome::Failure(None),
        End::Exit(0) => Outcome::Success,
        End::Exit(code) => Outcome::Failure(Some(code)),
        End::Signal(number) => {
            executed.errors.push(format!("ended by signal {number}"));
            Outcome::Failure(Some(128 + number))
        }
        End::Cancelled => {
            running.status = "cancelled";
            Outcome::Cancelled
        }
        End::TimedOut if Instant::now() >= running.deadline => {
            running.status = "cancelled";
            executed
                .errors
                .push("the job takes longer than its `timeout-minutes`".to_owned());
            Outcome::Cancelled
        }
        End::TimedOut => {
            let minutes = prepared.minutes.unwrap_or_default();
            executed.errors.push(format!(
                "timed out after {minutes} minutes, as `timeout-minutes` has it"
            ));
            Outcome::Failure(None)
        }
        End::NotStarted(error) => {
            let program = command.get_program().to_string_lossy();
            executed
                .errors
                .push(format!("`{program}` could not be started: {error}"));
            Outcome::Failure(None)
        }
    });
    executed
}

/// The whole environment of a process: nothing of the person's but what programs need to be found.
fn set_environment(
    command: &mut Command,
    running: &Running<'_, '_>,
    env: &[(String, String)],
    files: &CommandFiles,
) {
    let runner = running.runner;
    command.env_clear();
    command.envs(runner.inherited.iter().map(|(name, value)| (name, value)));
    command.env("CI", "true");
    command.envs(env.iter().map(|(name, value)| (name, value)));
    // GitHub's own variables cannot be overridden.
    command.envs(runner.github.variables(
        &running.pipeline.run,
        &running.job.id,
        &runner.workspace,
    ));
    command.env("GITHUB_ACTION", format!("__run_{}", running.begun));
    command.envs(files.variables());
    if !running.path.is_empty() {
        let given = |pairs: &[(String, String)]| {
            pairs
                .iter()
                .find(|(name, _)| name == "PATH")
                .map(|(_, value)| value.clone())
        };
        let path = given(env)
            .or_else(|| given(&runner.inherited))
            .unwrap_or_default();
        command.env("PATH", format!("{}:{path}", running.path.join(":")));
    }
    // A step that runs git before its checkout must not find the repository this workspace happens to be in.
    command.env("GIT_CEILING_DIRECTORIES", runner.workspace.base());
    if running.environment.is_some() {
        command.env("DOMINO_API_HOST", &runner.domino.url);
    } else if let Some(folder) = &runner.build_folder {
        command.env("CARGO_BUILD_BUILD_DIR", folder);
    }
}

/// Listens to what a step says.
struct Heard<'a> {
    console: &'a Console,
    reader: Reader,
    executed: Executed,
    refused: bool,
}

impl Heard<'_> {
    fn line(&mut self, line: &str) {
        match self.reader.read(line) {
            Line::Text => self.console.step_output(line),
            Line::Group(title) => self.console.step_note(Look::Bold, &format!("▾ {title}")),
            Line::EndGroup | Line::Debug | Line::Nothing => {}
            Line::AddMask(value) => self.console.mask(&value),
            Line::SetOutput(name, value) => {
                Running::set_variable(&mut self.executed.outputs, &name, value);
            }
            Line::Refused(why) => {
                self.refused = true;
                self.executed.errors.push(why.to_owned());
            }
            Line::Annotation(annotation) => {
                let look = match annotation.level {
                    Level::Error => Look::Bad,
                    Level::Warning => Look::Warning,
                    Level::Notice => Look::Dim,
                };
                self.console.step_note(look, &annotation.to_string());
                let same = self
                    .executed
                    .annotations
                    .iter()
                    .filter(|known| known.level == annotation.level);
                if same.count() < MOST_ANNOTATIONS {
                    self.executed.annotations.push(annotation);
                }
            }
        }
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
            .scope(Place::Step, &running.env)
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
