//! The script of one step: the variables and files that it is run with, what it tells the runner while it runs, and
//! how it ended.
//!
//! A script sees GitHub's variables and its own, and of the person's only those that are needed to find programs.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::command_files::{CommandFiles, Left};
use crate::console::Look;
use crate::executed::Executed;
use crate::interrupt::Interrupt;
use crate::job_run::{self, JobRun};
use crate::process::{self, End, Grace, Leftovers, Limits};
use crate::report::Outcome;
use crate::settings::Substitute;
use crate::shell;
use crate::step_log::StepLog;
use crate::workflow_command::{Level, Line, Reader};
use github_workflow::context::ExpressionSite;
use github_workflow::evaluate::{Scope, Status};
use github_workflow::read::{Condition, Field, Step};

/// GitHub shows this many annotations of each kind for a step.
const MOST_ANNOTATIONS: usize = 10;

/// The script of a step, as the file has it.
pub struct Script<'a> {
    /// The step that the script belongs to.
    pub step: &'a Step,
    /// The text of `run:`.
    pub text: &'a Field,
    /// The shell that the step sets.
    pub shell: &'a Option<Field>,
    /// The working directory that the step sets.
    pub working_directory: &'a Option<Field>,
}

impl Script<'_> {
    /// Evaluates everything around it, and writes the files that it is run with.
    ///
    /// # Errors
    /// An expression that cannot be evaluated, a shell that is not rehearsed, or a file that cannot be written.
    pub fn prepare(
        &self,
        job_run: &JobRun<'_, '_>,
        env: &[(String, String)],
    ) -> Result<Prepared, String> {
        let runner = job_run.runner;
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
        let substitute = runner.settings.substitute(&script);
        let name = match &self.step.name {
            Some(name) => scope.text(&name.template)?,
            None => self.step.default_name(),
        };
        let survives_cancel = survives_cancel(self.step.condition.as_ref(), &scope);
        let minutes = minutes.map(|field| job_run::minutes(&scope, field));
        let temp = &job_run.workspace.temp;
        let files = CommandFiles::create(&temp.join("_runner_file_commands"), job_run.begun)
            .map_err(|error| format!("{error:#}"))?;
        let text = substitute.as_ref().map_or(&script, |other| &other.command);
        let shell = first([self.shell, &job.shell, &workflow.shell])?;
        let file = temp.join(format!("step_{}", job_run.begun));
        let mut command = shell::command(shell.as_deref(), &file, text)?;
        set_environment(&mut command, job_run, env, &files);
        Ok(Prepared {
            name,
            command,
            folder: job_run
                .workspace
                .folder
                .join(first(folders)?.as_deref().unwrap_or(".")),
            listing: text.trim_end().to_owned(),
            substitute,
            files,
            minutes: minutes.transpose()?,
            survives_cancel,
            job_deadline: match survives_cancel && !job_run.is_late {
                true => job_run.deadline + runner.grace.after_timeout,
                false => job_run.deadline,
            },
            interrupt: job_run.interrupt.clone(),
            grace: runner.grace,
        })
    }
}

/// A script whose expressions are evaluated, so that it can run beside others.
pub struct Prepared {
    name: String,
    command: Command,
    folder: PathBuf,
    listing: String,
    substitute: Option<Substitute>,
    files: CommandFiles,
    minutes: Option<f64>,
    survives_cancel: bool,
    job_deadline: Instant,
    interrupt: Interrupt,
    grace: Grace,
}

/// The result of a script, for its step and for the steps after it.
#[derive(Default)]
pub struct Ran {
    /// The result for its own step.
    pub executed: Executed,
    /// Whether it ended because its job did: the time was up, or the run was cancelled.
    pub ends_job: bool,
    left: Left,
    leftovers: Leftovers,
}

/// Whether GitHub would start the step, or let it continue, once the run is cancelled.
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

impl Prepared {
    /// How it ends if it must end before it began.
    pub fn over(&self, stop: &AtomicBool) -> Option<Ran> {
        let end = self.limits(None, stop).over()?;
        let mut ran = Ran::default();
        ran.executed.outcome = Some(self.outcome(end, &mut ran));
        Some(ran)
    }

    fn limits<'a>(&'a self, step_deadline: Option<Instant>, stop: &'a AtomicBool) -> Limits<'a> {
        let deadline = step_deadline.map_or(self.job_deadline, |own| own.min(self.job_deadline));
        Limits {
            deadline: Some(deadline),
            interrupt: &self.interrupt,
            stop: Some(stop),
            survives_cancel: self.survives_cancel,
            grace: self.grace,
        }
    }

    /// Runs it to its end, or until `stop` is set.
    pub fn run(mut self, stop: &AtomicBool, log: &mut StepLog) -> Ran {
        let mut ran = Ran::default();
        if !self.folder.is_dir() {
            let folder = self.folder.display();
            ran.executed =
                Executed::failed(format!("the working directory {folder} does not exist"));
            return ran;
        }
        if let Some(substitute) = &self.substitute {
            log.note(Look::Warning, &substitute.told);
        }
        for line in self.listing.lines() {
            log.note(Look::Dim, &format!("$ {line}"));
        }
        let mut command = std::mem::replace(&mut self.command, Command::new(""));
        command.current_dir(&self.folder);
        let begun = Instant::now();
        let _runs = log.console().runs(&self.name);
        let step_deadline = self
            .minutes
            .map(|minutes| begun + Duration::from_secs_f64(minutes * 60.0));
        let mut heard = Heard {
            log,
            reader: Reader::default(),
            executed: Executed::default(),
            refused: false,
        };
        let limits = self.limits(step_deadline, stop);
        let end = process::run(
            &mut command,
            &limits,
            &mut ran.leftovers,
            &mut |line| match line {
                Some(line) => heard.line(line),
                None => heard.log.still_runs(),
            },
        );
        let end = match end {
            End::NotStarted(error) => {
                let program = command.get_program().to_string_lossy();
                End::NotStarted(format!("`{program}` could not be started: {error}"))
            }
            end => end,
        };
        let refused = heard.refused;
        ran.executed = heard.executed;
        ran.left = self.files.read();
        let outcome = self.outcome(end, &mut ran);
        let unread = std::mem::take(&mut ran.left.errors);
        ran.executed.outcome = Some(match outcome {
            Outcome::Success if refused || !unread.is_empty() => Outcome::Failure(None),
            Outcome::Success if self.substitute.is_some() => Outcome::Emulated,
            outcome => outcome,
        });
        ran.executed.errors.extend(unread);
        ran
    }

    /// What the end of the process means for the step, and for the job if its time is up or it is cancelled.
    fn outcome(&self, end: End, ran: &mut Ran) -> Outcome {
        let errors = &mut ran.executed.errors;
        match end {
            End::Exit(0) => Outcome::Success,
            End::Exit(code) => Outcome::Failure(Some(code)),
            End::Signal(number) => {
                errors.push(format!("ended by signal {number}"));
                Outcome::Failure(Some(128 + number))
            }
            End::Cancelled => {
                ran.ends_job = true;
                Outcome::Cancelled
            }
            End::Stopped => Outcome::Stopped,
            End::TimedOut if Instant::now() >= self.job_deadline => {
                ran.ends_job = true;
                errors.push("the job takes longer than its `timeout-minutes`".to_owned());
                Outcome::Cancelled
            }
            End::TimedOut => {
                let minutes = self.minutes.unwrap_or_default();
                errors.push(format!(
                    "timed out after {minutes} minutes, as `timeout-minutes` has it"
                ));
                Outcome::Failure(None)
            }
            End::NotStarted(error) => {
                errors.push(error);
                Outcome::Failure(None)
            }
        }
    }
}

impl Ran {
    /// Hands what it left for later steps to its job.
    pub fn hand_on(self, job_run: &mut JobRun<'_, '_>) -> Executed {
        let Self {
            mut executed, left, ..
        } = self;
        job_run.leftovers.take(self.leftovers);
        if self.ends_job {
            job_run.status = "cancelled";
        }
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
            job_run.add_summary(&left.summary);
        }
        executed
    }
}

/// The whole environment of a process: of the person's variables only those that are needed to find programs.
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
        job_run.workspace,
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
    // A step that runs git before its checkout must not find the repository that this workspace is inside of.
    command.env("GIT_CEILING_DIRECTORIES", job_run.workspace.base());
    let given = runner
        .settings
        .process_variables(job_run.environment.as_deref());
    command.envs(given);
}

/// Reads what a step prints.
struct Heard<'a> {
    log: &'a mut StepLog,
    reader: Reader,
    executed: Executed,
    refused: bool,
}

impl Heard<'_> {
    fn line(&mut self, line: &str) {
        match self.reader.read(line) {
            Line::Text => self.log.output(line),
            Line::Group(title) => self.log.note(Look::Bold, &format!("▾ {title}")),
            Line::EndGroup | Line::Debug | Line::Nothing => {}
            Line::AddMask(value) => self.log.console().mask(&value),
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
                self.log.note(look, &annotation.to_string());
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
