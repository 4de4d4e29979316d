//! The script of one step: what it is run with, what it says to the runner while it runs, and how it ended.
//!
//! A script sees GitHub's variables and its own, and nothing of the person's but what programs need to be found.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::command_files::CommandFiles;
use crate::console::{Console, Look};
use crate::executed::Executed;
use crate::job_run::{self, JobRun};
use crate::process::{self, End, Limits};
use crate::report::Outcome;
use crate::settings::Substitute;
use crate::shell;
use crate::workflow_command::{Level, Line, Reader};
use github_workflow::context::ExpressionSite;
use github_workflow::evaluate::{Scope, Status};
use github_workflow::read::{Condition, Field, Step};

/// GitHub shows this many annotations of each kind for a step.
const MOST_ANNOTATIONS: usize = 10;

/// The script of a step, as the file has it.
pub struct Script<'a> {
    /// The step.
    pub step: &'a Step,
    /// What it runs.
    pub text: &'a Field,
    /// The shell it asks for.
    pub shell: &'a Option<Field>,
    /// The folder it asks for.
    pub working_directory: &'a Option<Field>,
}

impl Script<'_> {
    /// Runs it to its end.
    ///
    /// # Errors
    /// What cannot be evaluated, or a shell that is not rehearsed.
    pub fn run(
        &self,
        job_run: &mut JobRun<'_, '_>,
        env: &[(String, String)],
    ) -> Result<Executed, String> {
        let prepared = self.prepare(job_run, env)?;
        run_prepared(job_run, env, &prepared)
    }

    fn prepare(
        &self,
        job_run: &JobRun<'_, '_>,
        env: &[(String, String)],
    ) -> Result<Prepared, String> {
        let scope = job_run.scope(ExpressionSite::Step, env);
        let (job, workflow) = (
            &job_run.job.defaults,
            &job_run.workflow_run.workflow.defaults,
        );
        let first = |fields: [&Option<Field>; 3]| {
            let field = fields.into_iter().find_map(Option::as_ref);
            field.map(|field| scope.text(&field.template)).transpose()
        };
        let folders = [
            self.working_directory,
            &job.working_directory,
            &workflow.working_directory,
        ];
        let minutes = self.step.timeout_minutes.as_ref();
        let script = scope.text(&self.text.template)?;
        let substitute = job_run.runner.settings.substitute(&script);
        let name = match &self.step.name {
            Some(name) => scope.text(&name.template)?,
            None => self.step.default_name(),
        };
        Ok(Prepared {
            name,
            script,
            substitute,
            shell: first([self.shell, &job.shell, &workflow.shell])?,
            folder: first(folders)?,
            minutes: minutes
                .map(|field| job_run::minutes(&scope, field))
                .transpose()?,
            survives_cancel: survives_cancel(self.step.condition.as_ref(), &scope),
        })
    }
}

/// A script with everything around it evaluated.
struct Prepared {
    name: String,
    script: String,
    substitute: Option<Substitute>,
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
        files: scope.files,
    };
    condition.expression.asks_for_status()
        && scope
            .value(&condition.expression)
            .is_ok_and(|value| value.is_truthy())
}

fn run_prepared(
    job_run: &mut JobRun<'_, '_>,
    env: &[(String, String)],
    prepared: &Prepared,
) -> Result<Executed, String> {
    let runner = job_run.runner;
    let console = &runner.console;
    let files = match CommandFiles::create(
        &runner.workspace.temp.join("_runner_file_commands"),
        job_run.begun,
    ) {
        Ok(files) => files,
        Err(error) => return Ok(Executed::failed(format!("{error:#}"))),
    };
    let folder: PathBuf = runner
        .workspace
        .folder
        .join(prepared.folder.as_deref().unwrap_or("."));
    let script = runner
        .workspace
        .temp
        .join(format!("step_{}", job_run.begun));
    let text = match &prepared.substitute {
        Some(substitute) => &substitute.command,
        None => &prepared.script,
    };
    let mut command = shell::command(prepared.shell.as_deref(), &script, text)?;
    if !folder.is_dir() {
        return Ok(Executed::failed(format!(
            "the working directory {} does not exist",
            folder.display()
        )));
    }
    if let Some(substitute) = &prepared.substitute {
        console.step_note(Look::Warning, &substitute.told);
    }
    for line in text.trim_end().lines() {
        console.step_note(Look::Dim, &format!("$ {line}"));
    }
    set_environment(&mut command, job_run, env, &files);
    command.current_dir(folder);

    let step_deadline = prepared
        .minutes
        .map(|minutes| Instant::now() + Duration::from_secs_f64(minutes * 60.0));
    let deadline =
        step_deadline.map_or(job_run.deadline, |deadline| deadline.min(job_run.deadline));
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
    let begun = Instant::now();
    let end = process::run(
        &mut command,
        &limits,
        &mut job_run.leftovers,
        &mut |line| match line {
            Some(line) => heard.line(line),
            None => console.still_runs(&prepared.name, begun),
        },
    );
    let end = match end {
        End::NotStarted(error) => {
            let program = command.get_program().to_string_lossy();
            End::NotStarted(format!("`{program}` could not be started: {error}"))
        }
        end => end,
    };
    let Heard {
        mut executed,
        refused,
        ..
    } = heard;

    let read = take_files(job_run, &files, &mut executed);
    let outcome = outcome(job_run, prepared, end, &mut executed);
    executed.outcome = Some(match outcome {
        Outcome::Success if refused || !read => Outcome::Failure(None),
        Outcome::Success if prepared.substitute.is_some() => Outcome::Emulated,
        outcome => outcome,
    });
    Ok(executed)
}

/// Takes over what the step wrote to the files it speaks through. Whether all of it could be read comes back.
fn take_files(job_run: &mut JobRun<'_, '_>, files: &CommandFiles, executed: &mut Executed) -> bool {
    let left = files.read();
    for (name, value) in left.outputs {
        JobRun::set_variable(&mut executed.outputs, &name, value);
    }
    for (name, value) in left.env {
        JobRun::set_variable(&mut job_run.env, &name, value);
    }
    for folder in left.path {
        job_run.path.retain(|known| known != &folder);
        job_run.path.insert(0, folder);
    }
    if !left.summary.is_empty() {
        let summary = job_run.runner.console.masked(&left.summary);
        job_run.summary.push_str(&summary);
        job_run.summary.push_str("\n\n");
    }
    let read = left.errors.is_empty();
    executed.errors.extend(left.errors);
    read
}

/// What the end of the process makes of the step, and of the job where its time is up or it is cancelled.
fn outcome(
    job_run: &mut JobRun<'_, '_>,
    prepared: &Prepared,
    end: End,
    executed: &mut Executed,
) -> Outcome {
    match end {
        End::Exit(0) => Outcome::Success,
        End::Exit(code) => Outcome::Failure(Some(code)),
        End::Signal(number) => {
            executed.errors.push(format!("ended by signal {number}"));
            Outcome::Failure(Some(128 + number))
        }
        End::Cancelled => {
            job_run.status = "cancelled";
            Outcome::Cancelled
        }
        End::TimedOut if Instant::now() >= job_run.deadline => {
            job_run.status = "cancelled";
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
            executed.errors.push(error);
            Outcome::Failure(None)
        }
    }
}

/// The whole environment of a process: nothing of the person's but what programs need to be found.
fn set_environment(
    command: &mut Command,
    job_run: &JobRun<'_, '_>,
    env: &[(String, String)],
    files: &CommandFiles,
) {
    let runner = job_run.runner;
    command.env_clear();
    command.envs(runner.inherited.iter().map(|(name, value)| (name, value)));
    command.env("CI", "true");
    command.envs(env.iter().map(|(name, value)| (name, value)));
    // GitHub's own variables cannot be overridden.
    command.envs(runner.github.variables(
        &job_run.workflow_run.run,
        &job_run.job.id,
        &runner.workspace,
    ));
    command.env("GITHUB_ACTION", format!("__run_{}", job_run.begun));
    command.envs(files.variables());
    if !job_run.path.is_empty() {
        let given = |pairs: &[(String, String)]| {
            pairs
                .iter()
                .find(|(name, _)| name == "PATH")
                .map(|(_, value)| value.clone())
        };
        let path = given(env)
            .or_else(|| given(&runner.inherited))
            .unwrap_or_default();
        command.env("PATH", format!("{}:{path}", job_run.path.join(":")));
    }
    // A step that runs git before its checkout must not find the repository this workspace happens to be in.
    command.env("GIT_CEILING_DIRECTORIES", runner.workspace.base());
    let given = runner
        .settings
        .process_variables(job_run.environment.as_deref());
    command.envs(given);
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
                JobRun::set_variable(&mut self.executed.outputs, &name, value);
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
