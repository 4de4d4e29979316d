//! What a step shows the person: the plan, progress, the remote log, the result; as text or as one JSON
//! document, and on GitHub as step outputs, a summary and annotations.
//!
//! It decides nothing. Everything that it prints has the secrets taken out and cannot command the runner.

#[cfg(test)]
mod any_text;
mod document;
mod flags;
mod github;
mod interrupts;
mod progress;
mod text;

use crate::error::{CommandError, Exit, FileLine, Result};
use crate::stderr::tell;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

pub use self::flags::{ApplyFlags, Format, StepContext, StepFlags, duration, host_of};
use self::github::Actions;
pub use self::interrupts::{Interrupts, Signal, Through};
pub use self::progress::Progress;
pub use self::text::markdown;
use crate::credential::Credential;
use crate::scrubber::Scrubber;

/// One invocation of one program, as the person sees it.
#[derive(Debug)]
pub struct Step {
    subject: Subject,
    format: Format,
    actions: Option<Actions>,
    scrubber: Scrubber,
    plan: Option<Plan>,
    /// Whether the JSON document was begun with the lines of a log.
    log_begun: bool,
    /// What was asked for and could not be written, and why.
    lost: Vec<String>,
    /// What is known so far; shown whether the step ends well or not.
    pub report: Report,
}

/// What a step is about: `deploy-job start`, job `train`, stage `dev`.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    /// The program's name.
    pub program: &'static str,
    /// The verb.
    pub verb: &'static str,
    /// The entity's name, as in the stage file.
    pub entity: String,
    /// The stage's name, once known.
    pub stage: String,
}

/// What will be done, before anything is done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// One sentence.
    pub headline: String,
    /// What was found and chosen.
    pub facts: Vec<Fact>,
    /// What will change; empty when everything is as wanted.
    pub changes: Vec<Change>,
}

/// A name and a value: `hardware tier`, `dev-small`.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// The name, in words.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

/// One change of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// What kind of change.
    pub kind: ChangeKind,
    /// What changes, and how.
    pub what: String,
}

/// The kinds of change, shown as `+`, `~`, `-` and `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Something new comes to be.
    Create,
    /// Something there is changed.
    Update,
    /// Something there goes.
    Remove,
    /// Something there stays as it is.
    Keep,
}

/// What came of it so far.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What was done: ids, versions, times.
    pub facts: Vec<Fact>,
    /// Step outputs by name.
    pub outputs: Vec<(&'static str, String)>,
    /// Remarks that a reader of the summary must not miss.
    pub notes: Vec<String>,
    /// What was asked to be listed; written to stdout.
    pub table: Option<Table>,
    /// A piece of remote log with its title.
    pub excerpt: Option<Excerpt>,
    /// Markdown of our own making for the summary, where it stands in the place of the table.
    #[serde(skip)]
    pub sheet: Option<String>,
    /// The command to run next.
    pub next: Option<String>,
}

/// A list of things, each a row.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// What the columns are.
    pub columns: Vec<&'static str>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<String>>,
}

/// A piece of a remote log.
#[derive(Debug, Clone, Serialize)]
pub struct Excerpt {
    /// What it is.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// Whether the person has seen them go by already.
    #[serde(skip)]
    pub was_live: bool,
}

/// How a step ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something was done.
    Done,
    /// Nothing had to be done.
    Unchanged,
    /// Nothing was done because only the plan was asked for.
    Planned,
}

/// How a step ended well, and the sentence for it.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// How.
    pub outcome: Outcome,
    /// One sentence.
    pub headline: String,
}

impl StepResult {
    /// Something was done.
    pub fn done(headline: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Done,
            headline: headline.into(),
        }
    }

    /// Everything was as wanted.
    pub fn unchanged(headline: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Unchanged,
            headline: headline.into(),
        }
    }

    /// Only the plan was asked for.
    pub fn planned() -> Self {
        Self {
            outcome: Outcome::Planned,
            headline: "only planned: nothing was changed".into(),
        }
    }
}

impl Plan {
    /// A plan with its one sentence.
    pub fn new(headline: impl Into<String>) -> Self {
        Self {
            headline: headline.into(),
            ..Self::default()
        }
    }

    /// Adds what was found or chosen.
    pub fn fact(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.facts.push(Fact {
            name,
            value: value.into(),
        });
        self
    }

    /// Adds a change.
    pub fn change(&mut self, kind: ChangeKind, what: impl Into<String>) -> &mut Self {
        self.changes.push(Change {
            kind,
            what: what.into(),
        });
        self
    }
}

impl Report {
    /// Adds a fact, in place of an earlier one of that name.
    pub fn fact(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        match self.facts.iter_mut().find(|fact| fact.name == name) {
            Some(fact) => fact.value = value,
            None => self.facts.push(Fact { name, value }),
        }
        self
    }

    /// Adds a step output, in place of an earlier one of that name. The same thing is a fact for the reader.
    pub fn output(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        match self.outputs.iter_mut().find(|(known, _)| *known == name) {
            Some(output) => output.1 = value,
            None => self.outputs.push((name, value)),
        }
        self
    }
}

impl Step {
    /// Begins a step; looks at where it runs.
    pub fn begin(subject: Subject, format: Format) -> Self {
        let actions = Actions::from_variables(|name| std::env::var(name).ok());
        let scrubber = match &actions {
            Some(_) => Scrubber::announcing(github::mask),
            None => Scrubber::default(),
        };
        Self {
            subject,
            format,
            actions,
            scrubber,
            plan: None,
            log_begun: false,
            lost: Vec::new(),
            report: Report::default(),
        }
    }

    /// Names the stage once it is known.
    pub fn in_stage(&mut self, stage: &str) {
        stage.clone_into(&mut self.subject.stage);
    }

    /// What the step is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Keeps a credential out of everything shown from now on, and tells GitHub to do the same.
    pub fn hide(&mut self, credential: &Credential) {
        if let Some(secret) = credential.secret() {
            self.hide_text(secret);
        }
    }

    /// Keeps a secret out of everything shown from now on, and tells GitHub to do the same.
    pub fn hide_text(&mut self, secret: &str) {
        self.scrubber.hide(secret);
    }

    /// What keeps secrets out of everything shown, to be shared with what else prints or learns of one.
    pub fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// Shows the plan, on stdout unless the format is JSON.
    pub fn show(&mut self, plan: &Plan) {
        if self.format == Format::Text {
            let text = self.scrubber.clean_lines(&document::plan_as_text(plan));
            self.print(&text);
        }
        self.plan = Some(plan.clone());
    }

    /// Writes on stdout what was asked for. Whoever closed the pipe behind us has seen enough; anything else that keeps
    /// it from being written does not stop a deployment, and makes its end other than green.
    fn print(&mut self, text: &str) {
        let mut stdout = std::io::stdout();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        if let Err(problem) = written
            && problem.kind() != ErrorKind::BrokenPipe
        {
            self.lost.push(format!("cannot write to stdout: {problem}"));
        }
    }

    /// Writes one line of a remote log on stdout, as the thing that was asked for. In JSON it is an element of `log`
    /// in the one document, which is begun with it: a log of any length is never held.
    pub fn log_to_stdout(&mut self, line: &str) -> std::io::Result<()> {
        let line = self.scrubber.clean(line);
        let mut stdout = std::io::stdout();
        if self.format == Format::Text {
            return writeln!(stdout, "{line}");
        }
        let before = if self.log_begun { "," } else { "{\"log\":[" };
        self.log_begun = true;
        write!(stdout, "{before}\n{}", serde_json::Value::from(line))
    }

    /// Says one sentence to the person.
    pub fn say(&self, text: &str) {
        tell(format_args!("{}", self.scrubber.clean(text)));
    }

    /// Says something that the reader of the summary must not miss, pointing at a line of the stage file
    /// where there is one.
    pub fn warn(&mut self, text: &str, line: Option<&FileLine>) {
        let text = self.scrubber.clean(text);
        match &self.actions {
            // GitHub shows an annotation in the log as well.
            Some(actions) => actions.annotate("warning", &text, line),
            None => tell(format_args!("warning: {text}")),
        }
        self.report.notes.push(text);
    }

    /// Something that follows the remote side: a live line on a terminal, plain lines elsewhere.
    pub fn progress(&self) -> Progress {
        Progress::new(
            std::io::stderr().is_terminal() && self.actions.is_none(),
            self.scrubber.clone(),
        )
    }

    /// Ends the step: outputs, the result in words, summary, annotation, and the exit code.
    pub fn finish(mut self, result: Result<StepResult>) -> ExitCode {
        self.print_table();
        self.hand_on();
        let result = match result {
            Ok(_) if !self.lost.is_empty() => Err(self.output_lost()),
            result => result,
        };
        let exit = result
            .as_ref()
            .map_or_else(CommandError::exit, |_| Exit::Done);
        let document = document::Document::new(
            &self.subject,
            self.plan.as_ref(),
            &self.report,
            &result,
            exit,
            &self.scrubber,
        );
        document.print_result();
        if let (Some(actions), Err(error)) = (&self.actions, &result) {
            actions.annotate("error", &document.error_in_one_line(), error.line());
        }
        if let Some(actions) = &self.actions
            && let Err(problem) = actions.write_summary(&document.as_markdown())
        {
            tell(format_args!("warning: {problem:#}"));
        }
        if self.format == Format::Text {
            return ExitCode::from(exit as u8);
        }
        let json = document.as_json().to_string();
        let was_lost = self.lost.len();
        match json.strip_prefix('{').filter(|_| self.log_begun) {
            Some(rest) => self.print(&format!("\n],{rest}\n")),
            None => self.print(&format!("{json}\n")),
        }
        if result.is_ok() && self.lost.len() > was_lost {
            let error = self.output_lost();
            tell(format_args!("error: {error:#}"));
            return ExitCode::from(error.exit() as u8);
        }
        ExitCode::from(exit as u8)
    }

    fn print_table(&mut self) {
        if self.format == Format::Text
            && let Some(table) = &self.report.table
        {
            let text = self.scrubber.clean_lines(&document::table_as_text(table));
            self.print(&text);
        }
    }

    /// Hands the step outputs to later steps. Values that could not be written are in the log at least.
    fn hand_on(&mut self) {
        let Some(actions) = &self.actions else {
            return;
        };
        let outputs = document::outputs(&self.report, &self.scrubber);
        if let Err(problem) = actions.write_outputs(&outputs) {
            self.lost.push(format!("{problem:#}"));
            for (name, value) in outputs {
                tell(format_args!("output {name}: {value}"));
            }
        }
    }

    fn output_lost(&self) -> CommandError {
        CommandError::message(self.lost.join("; ")).context(CommandError::new(
            Exit::OutputLost,
            "the work is done, but what it hands on could not be written",
        ))
    }
}

/// Runs a program's story on this thread: one step talks to one server and needs no more.
pub fn block_on<T>(story: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(story)
}

/// The causes of an error, one a line, with repetitions left out.
fn causes_of(error: &CommandError) -> Vec<&str> {
    let mut causes: Vec<&str> = error.causes().collect();
    causes.dedup();
    causes
}
