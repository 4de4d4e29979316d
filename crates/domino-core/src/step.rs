//! What a step shows the person: the plan, progress, the remote log, the result; as text or as one JSON
//! document, and on GitHub as step outputs, a summary and annotations.
//!
//! It decides nothing. Everything that it prints has the secrets taken out and cannot command the runner.

#[cfg(test)]
mod any_text;
mod document;
mod flags;
mod format;
mod github;
mod interrupts;
mod plan;
mod progress;
mod receipt;
mod report;
mod text;
mod tls_flags;

use crate::error::{CommandError, Exit, FileLine, Result};
use crate::stderr::tell;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use self::document::Document;
pub use self::flags::{Program, StepContext, StepFlags, duration, host_of, ticked};
pub use self::format::Format;
use self::github::Actions;
pub use self::interrupts::{Interrupts, Signal, Through};
use self::plan::plan_as_text;
pub use self::plan::{Change, ChangeKind, Fact, Plan};
pub use self::progress::Progress;
use self::receipt::EndedWell;
pub(crate) use self::receipt::FOLDER as RECEIPTS;
pub use self::report::{Excerpt, Outcome, Report, StepResult, Subject, Table};
use self::report::{outputs, table_as_text};
pub use self::text::{html, markdown};
pub use self::tls_flags::TlsFlags;
use crate::credential::Credential;
use crate::receipt::Draft;
use crate::scrubber::Scrubber;
use jiff::Timestamp;
use stage_file::RemoteLogs;

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
    remote_logs: RemoteLogs,
    began: Timestamp,
    /// What is deployed, of which a step that ends well leaves a receipt.
    deployment: Option<Draft>,
    /// What is known so far; shown whether the step ends well or not.
    pub report: Report,
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
            remote_logs: RemoteLogs::Stream,
            began: Timestamp::now(),
            deployment: None,
            report: Report::default(),
        }
    }

    /// Names the stage once it is known.
    pub fn in_stage(&mut self, stage: &str) {
        stage.clone_into(&mut self.subject.stage);
    }

    /// Says how much is shown of the logs that Domino keeps. A person at a terminal sees all of them.
    pub fn limit_remote_logs(&mut self, to: RemoteLogs) {
        if !self.is_watched() {
            self.remote_logs = to;
        }
    }

    /// Whether a person watches at a terminal.
    fn is_watched(&self) -> bool {
        std::io::stderr().is_terminal() && self.actions.is_none()
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
            let text = self.scrubber.clean_lines(&plan_as_text(plan));
            self.print(&text);
        }
        self.plan = Some(plan.clone());
    }

    /// Says what is deployed: if the step ends well and the workflow says where, it leaves a receipt.
    pub fn deploys(&mut self, draft: Draft) {
        self.deployment = Some(draft);
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
            self.is_watched(),
            self.remote_logs == RemoteLogs::Stream,
            self.scrubber.clone(),
        )
    }

    /// Ends the step: outputs, the result in words, summary, annotation, and the exit code.
    pub fn finish(mut self, result: Result<StepResult>) -> ExitCode {
        self.print_table();
        self.hand_on();
        self.leave_receipt(&result);
        match self.remote_logs {
            RemoteLogs::Stream => {}
            RemoteLogs::OnFailure => {
                // Its lines were not shown as they came.
                if let Some(excerpt) = &mut self.report.excerpt {
                    excerpt.was_live = false;
                }
            }
            RemoteLogs::Never => self.report.excerpt = None,
        }
        let result = match result {
            Ok(_) if !self.lost.is_empty() => Err(self.output_lost()),
            result => result,
        };
        let exit = result
            .as_ref()
            .map_or_else(CommandError::exit, |_| Exit::Done);
        let document = Document::new(
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
        if self.format != Format::Json {
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
        let text = match self.format {
            Format::Text => self.report.table.as_ref().map(table_as_text),
            Format::Markdown => self.report.sheet.clone(),
            Format::Html => self.report.html.clone(),
            Format::Json => None,
        };
        if let Some(text) = text {
            let text = self.scrubber.clean_lines(&text);
            self.print(&text);
        }
    }

    /// Hands the step outputs to later steps. Values that could not be written are in the log at least.
    fn hand_on(&mut self) {
        let Some(actions) = &self.actions else {
            return;
        };
        let outputs = outputs(&self.report, &self.scrubber);
        if let Err(problem) = actions.write_outputs(&outputs) {
            self.lost.push(format!("{problem:#}"));
            for (name, value) in outputs {
                tell(format_args!("output {name}: {value}"));
            }
        }
    }

    fn leave_receipt(&mut self, result: &Result<StepResult>) {
        let (Some(draft), Ok(ending)) = (self.deployment.take(), result) else {
            return;
        };
        let ended = EndedWell {
            subject: &self.subject,
            plan: self.plan.as_ref(),
            report: &self.report,
            ending,
            began: self.began,
        };
        if let Err(problem) = ended.leave(draft, &self.scrubber) {
            self.lost.push(format!("{problem:#}"));
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
