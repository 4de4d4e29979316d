//! A rehearsal once its Domino runs: the runs of its workflows, what is looked at after them, and how long all of it
//! stays up.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use domino_sandbox::Sandbox;
use github_workflow::read::Workflow;
use rehearsal::approval::Approve;
use rehearsal::console::Console;
use rehearsal::github_api::GitHubApi;
use rehearsal::interrupt::Interrupt;
use rehearsal::process::Grace;
use rehearsal::runner::{self, Runner};

use super::args::Args;
use super::attempt::Attempt;
use super::by_hand::ByHand;
use super::kept::{Kept, KeptFolder};
use super::kept_domino::KeptDomino;
use super::messages;
use super::ready::Ready;
use super::set_up::SetUp;
use super::settings::{AUTHOR, Domino};
use super::subject::Subject;

/// What runs, and what is needed until its end.
pub struct UnderWay {
    runner: Runner,
    attempt: Attempt,
    workflows: Vec<Workflow>,
    stay: Stay,
    kept: Kept,
    api: GitHubApi,
    /// The stages that runs started by hand begin at.
    by_hand: Vec<String>,
    set_up: Option<SetUp>,
    /// The sandbox, if it is in this process.
    pub sandbox: Option<Arc<Sandbox>>,
}

/// What a person may look at afterwards, and run again.
struct Stay {
    approve: Approve,
    is_first: bool,
    domino: KeptDomino,
    folder: KeptFolder,
    /// The text of each workflow file.
    texts: Vec<(String, String)>,
    programs: Option<PathBuf>,
}

/// A rehearsal whose runs are over.
pub struct Over {
    runner: Runner,
    stay: Stay,
    kept: Kept,
    code: u8,
    /// Stays up as long as the rehearsal does.
    _api: GitHubApi,
}

impl UnderWay {
    /// Hands what is ready to a runner.
    ///
    /// # Errors
    /// When there can be no folder for summaries.
    pub fn begin(
        mut ready: Ready,
        domino: Domino,
        (console, interrupt): (Console, Interrupt),
        args: &Args,
    ) -> anyhow::Result<Self> {
        let (reached, sandbox) = (domino.reached().clone(), domino.own());
        ready.settings.domino = Some(domino);
        let is_first = ready.again.is_none();
        let Subject {
            repository,
            workflows,
            texts,
            ..
        } = ready.subject;
        let runner = Runner {
            repository,
            github: ready.github,
            workspaces: ready.workspaces,
            settings: Box::new(ready.settings),
            approvals: ready.approvals,
            groups: Default::default(),
            records: ready.records,
            console,
            interrupt,
            grace: Grace::GITHUB,
            inherited: runner::inherited(),
            summaries: summaries(args.summary_dir.clone(), ready.lasting.as_deref(), is_first)?,
            report: Default::default(),
        };
        Ok(Self {
            runner,
            attempt: Attempt {
                again: ready.again,
                actor: args.actor.clone(),
                runs_before: 0,
            },
            workflows,
            stay: Stay {
                approve: ready.approve,
                is_first,
                domino: reached,
                folder: ready.folder,
                texts,
                programs: ready.programs,
            },
            kept: ready.kept,
            api: ready.api,
            by_hand: ready.by_hand,
            set_up: ready.set_up,
            sandbox,
        })
    }

    /// Runs the workflows, then those that a person starts by hand, and says how all of it ended.
    ///
    /// # Errors
    /// When this machine does not allow it.
    pub fn run(self, args: &Args, begun: Instant) -> anyhow::Result<Over> {
        let (mut runner, stay) = (self.runner, self.stay);
        let all: Vec<_> = self.workflows.iter().collect();
        let attempt = self.attempt;
        let kept = attempt.run(&runner, &all, &stay.folder, self.kept, &stay.domino)?;
        for asked in self.api.unknown_questions() {
            runner.unsupported(format!("a step asked GitHub's API for `{asked}`"));
        }
        let by_hand = ByHand {
            stages: &self.by_hand,
            inputs: &args.input,
            actor: args.actor.as_deref().unwrap_or(AUTHOR),
        };
        let kept = by_hand.run(&mut runner, &all, &stay.folder, kept, &stay.domino)?;
        messages::tell_of_receipts(&runner.console, &stay.folder.origin());
        let mut code = messages::conclude(&runner, begun.elapsed());
        if let (0, Some(set_up), Some(sandbox)) = (code, &self.set_up, &self.sandbox) {
            code = set_up.again(&runner.console, sandbox)?.unwrap_or(0);
        }
        Ok(Over {
            runner,
            stay,
            kept,
            code,
            _api: self.api,
        })
    }
}

impl Over {
    /// Ends with this exit code, unless something else went wrong.
    #[cfg(feature = "contract")]
    pub fn or_else(self, code: u8) -> Self {
        let code = if self.code == 0 { code } else { self.code };
        Self { code, ..self }
    }

    /// Keeps everything up until the person has seen enough, where that was asked for or something failed in front of
    /// one. Gives the exit code.
    ///
    /// # Errors
    /// When what a later attempt needs cannot be written.
    pub fn end(self, keep: bool) -> anyhow::Result<ExitCode> {
        let (runner, stay) = (&self.runner, &self.stay);
        let interrupted = runner.interrupt.asked();
        let waits = keep || (self.code != 0 && stay.approve == Approve::Ask);
        let stays = stay.is_first && !interrupted && waits;
        if !stay.is_first || stays {
            stay.folder.write(&self.kept, &stay.texts)?;
        }
        if interrupted {
            return Ok(ExitCode::from(runner.interrupt.exit_code()));
        }
        if stays {
            let until = if keep { "Ctrl-C" } else { "Enter" };
            let programs = stay.programs.as_deref();
            messages::stays_up(&runner.console, &stay.domino, &stay.folder, programs, until);
            match keep {
                true => runner.interrupt.wait(),
                false => runner.approvals.wait_for_enter(&runner.interrupt),
            }
        }
        Ok(ExitCode::from(self.code))
    }
}

/// The folder for summaries. Those of an earlier rehearsal are removed if the folder is ours and this is a first
/// attempt.
fn summaries(
    asked: Option<PathBuf>,
    lasting: Option<&Path>,
    is_first: bool,
) -> anyhow::Result<PathBuf> {
    match (asked, lasting) {
        (Some(folder), _) => Ok(folder),
        (None, Some(lasting)) => {
            let folder = lasting.join("summaries");
            if is_first && folder.exists() {
                std::fs::remove_dir_all(&folder)
                    .with_context(|| format!("cannot empty {}", folder.display()))?;
            }
            Ok(folder)
        }
        (None, None) => Ok(tempfile::Builder::new()
            .prefix("rehearsal-summaries-")
            .tempdir()?
            .keep()),
    }
}
