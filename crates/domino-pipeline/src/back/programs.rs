//! Running the programs that deploy, as a workflow does: beside this program, or on the path.

use std::fmt;
use std::io::IsTerminal as _;
use std::process::{Child, Command};

use domino_core::deployment::BACK_TO;
use domino_core::step::{Interrupts, Signal, block_on};

use crate::error::{Result, VerbError};

/// One program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) program: &'static str,
    pub(super) arguments: Vec<String>,
    /// The hash of the receipt that it goes back to.
    pub(super) receipt: Option<String>,
}

impl Invocation {
    /// One of these words, which hold no blank.
    pub(super) fn of(program: &'static str, words: &str) -> Self {
        Self {
            program,
            arguments: words.split(' ').map(str::to_owned).collect(),
            receipt: None,
        }
    }

    /// The same with one more option.
    pub(super) fn with(mut self, option: &str, value: impl Into<String>) -> Self {
        self.arguments.extend([option.to_owned(), value.into()]);
        self
    }

    /// Has it plan and change nothing; gives its exit code.
    pub(super) fn dry_run(&self) -> Result<u8> {
        self.ended(&["--dry-run"])
    }

    /// Has it done; gives its exit code.
    pub(super) fn run(&self) -> Result<u8> {
        self.ended(&[])
    }

    fn ended(&self, more: &[&str]) -> Result<u8> {
        let mut command = Command::new(self.path());
        command.args(&self.arguments).args(more);
        // A variable that a person has set for other runs must not decide this one.
        for name in ["DEPLOY_BACK", "DEPLOY_HOLD", "DEPLOY_RELEASE", BACK_TO] {
            command.env_remove(name);
        }
        if let Some(receipt) = &self.receipt {
            command.env(BACK_TO, receipt);
        }
        let child = command.spawn().map_err(|problem| {
            VerbError::new(format!("cannot run `{}`: {problem}", self.program))
                .hint("it comes with `domino-pipeline`: in the same folder, or on the PATH")
        })?;
        wait(child)
    }

    fn path(&self) -> std::path::PathBuf {
        let own = std::env::current_exe().ok();
        let beside = own.and_then(|own| Some(own.parent()?.join(self.program)));
        beside
            .filter(|path| path.is_file())
            .unwrap_or_else(|| self.program.into())
    }
}

/// As a person would type it.
impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for argument in &self.arguments {
            match argument.contains(' ') {
                true => write!(f, " '{argument}'")?,
                false => write!(f, " {argument}")?,
            }
        }
        Ok(())
    }
}

/// Waits for its end. A signal that only we got is handed on: the program knows what to do about it.
fn wait(mut child: Child) -> Result<u8> {
    let id = child.id();
    let status = block_on(async {
        let mut interrupts = Interrupts::listen()?;
        let mut ended = tokio::task::spawn_blocking(move || child.wait());
        loop {
            tokio::select! {
                status = &mut ended => return Ok(status.map_err(std::io::Error::other)??),
                signal = interrupts.next() => hand_on(signal, id),
            }
        }
    })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(1))
}

/// A terminal sends its signals to every process that belongs to it.
fn hand_on(signal: Signal, id: u32) {
    if std::io::stdin().is_terminal() {
        return;
    }
    let name = match signal {
        Signal::Interrupt => "-INT",
        Signal::Terminate => "-TERM",
    };
    // It may have ended by now.
    let _ = Command::new("kill").args([name, &id.to_string()]).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_reads_as_a_person_would_type_it() {
        let invocation = Invocation::of("deploy-model", "publish wine --stage prod")
            .with("--force-version", "back to receipt 1a2b");
        assert_eq!(
            invocation.to_string(),
            "deploy-model publish wine --stage prod --force-version 'back to receipt 1a2b'"
        );
    }
}
